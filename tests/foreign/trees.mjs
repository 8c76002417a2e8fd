// What a parser that others wrote makes of modules: `node trees.mjs` reads [[source, the same minified], …] as JSON, and
// prints for each whether both have the same syntax tree, and what it imports.

import { readFileSync } from "node:fs";

import { parse } from "acorn";

/** A module's syntax tree. @param {string} text */
function tree(text) {
  return parse(text, { ecmaVersion: "latest", sourceType: "module" });
}

/** A tree as text, without where its parts stand. @param {import("acorn").Program} program */
function shape(program) {
  return JSON.stringify(program, (key, part) => {
    if (key === "start" || key === "end") return undefined;
    return typeof part === "bigint" ? String(part) : part;
  });
}

/** The modules that a module imports by name. @param {import("acorn").Program} program */
function imports(program) {
  return program.body.flatMap((part) => ("source" in part && part.source ? [part.source.value] : []));
}

/** @type {[string, string][]} */
const pairs = JSON.parse(readFileSync(0, "utf8"));
const found = pairs.map(([source, minified]) => {
  const program = tree(source);
  try {
    return { same: shape(program) === shape(tree(minified)), imports: imports(program) };
  } catch (error) {
    return { same: false, imports: imports(program), error: String(error) };
  }
});
process.stdout.write(JSON.stringify(found));

// What a parser that others wrote makes of scripts: `node trees.mjs` reads [[source, the same minified], …] as JSON, and
// prints for each whether both have the same syntax tree.

import { readFileSync } from "node:fs";

import { parse } from "acorn";

/** A script's syntax tree. @param {string} text */
function tree(text) {
  return parse(text, { ecmaVersion: "latest", sourceType: "script" });
}

/** A tree as text, without where its parts stand. @param {import("acorn").Program} program */
function shape(program) {
  return JSON.stringify(program, (key, part) => {
    if (key === "start" || key === "end") return undefined;
    return typeof part === "bigint" ? String(part) : part;
  });
}

/** @type {[string, string][]} */
const pairs = JSON.parse(readFileSync(0, "utf8"));
const found = pairs.map(([source, minified]) => {
  try {
    return { same: shape(tree(source)) === shape(tree(minified)) };
  } catch (error) {
    return { same: false, error: String(error) };
  }
});
process.stdout.write(JSON.stringify(found));

import { burn, readSince, write } from "./journal.js";

const PREFIX = "afterword.";
const AT = "at"; // when something was kept last

/** @type {Map<string, unknown>} What localStorage did not take. */
const page = new Map();
let forgetful = false;

/**
 * What stands in this browser only, for its reader: JSON in localStorage; where that is refused or full, it lasts as
 * long as the page.
 *
 * @template T
 * @param {string} name
 * @param {T} otherwise what it is while nothing is kept
 * @returns {T}
 */
export function recall(name, otherwise) {
  if (page.has(name)) return /** @type {T} */ (page.get(name) ?? otherwise);
  try {
    const kept = JSON.parse(localStorage.getItem(PREFIX + name) ?? "null") ?? otherwise;
    return isLike(kept, otherwise) ? kept : otherwise;
  } catch {
    return otherwise;
  }
}

/**
 * @param {string} name
 * @param {unknown} value undefined: keep it no longer
 */
export function keep(name, value) {
  if (forgetful) return;
  const at = Math.max(Date.now(), recall(AT, 0) + 1);
  put(name, value);
  put(AT, at);
  write({ name, value, at });
}

/** After a crash, take from the journal what localStorage had lost: what it has reached tells its last moment. */
export async function recover() {
  const notes = await readSince(recall(AT, 0));
  for (const { name, value } of notes) put(name, value);
  if (notes.length) put(AT, notes[notes.length - 1].at);
}

/** Keep nothing at all any longer, nor what is still to come from this page. */
export async function forget() {
  forgetful = true;
  page.clear();
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith(PREFIX)) localStorage.removeItem(name);
  } catch {
    // refused
  }
  await burn();
}

/**
 * Whether what is kept is of the kind that is asked for: whatever else lies there must not end the page.
 *
 * @param {unknown} kept
 * @param {unknown} otherwise
 */
function isLike(kept, otherwise) {
  return typeof kept === typeof otherwise && Array.isArray(kept) === Array.isArray(otherwise);
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function put(name, value) {
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
    page.delete(name);
  } catch {
    page.set(name, value);
  }
}

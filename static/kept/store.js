/** @type {Map<string, unknown>} */
const page = new Map();

/**
 * What this browser keeps for its reader, and sends to nobody: JSON in localStorage; where that is refused, it lasts as
 * long as the page.
 *
 * @template T
 * @param {string} name
 * @param {T} otherwise what it is while nothing is kept
 * @returns {T}
 */
export function recall(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`afterword.${name}`) ?? "null") ?? otherwise;
  } catch {
    return /** @type {T} */ (page.get(name) ?? otherwise);
  }
}

/**
 * @param {string} name
 * @param {unknown} value undefined: keep it no longer
 */
export function keep(name, value) {
  page.set(name, value);
  try {
    if (value === undefined) localStorage.removeItem(`afterword.${name}`);
    else localStorage.setItem(`afterword.${name}`, JSON.stringify(value));
  } catch {
    // refused, or full
  }
}

/** Keep nothing at all any longer. */
export function forget() {
  page.clear();
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith("afterword.")) localStorage.removeItem(name);
  } catch {
    // refused
  }
}

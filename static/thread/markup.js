/**
 * @typedef {{ createHTML(html: string): string, createScriptURL(address: string): string }} Policy
 * @typedef {{ createPolicy(name: string, rules: Policy): Policy }} Factory
 */

const factory = /** @type {{ trustedTypes?: Factory }} */ (/** @type {unknown} */ (window)).trustedTypes;
const policy = factory?.createPolicy("afterword", { createHTML: (html) => html, createScriptURL: proverOnly });

/**
 * A comment's `html` as the page may show it: the server made it from plain text (service/markup.py). This is the one
 * door for markup; the page's policy lets none in elsewhere (Trusted Types).
 *
 * @param {string} html
 * @returns {string}
 */
export function markup(html) {
  return policy?.createHTML(html) ?? html;
}

/**
 * A worker that proves (static/prove.js), the only one there is; null where the browser makes none.
 *
 * @returns {Worker | null}
 */
export function proverWorker() {
  const address = proverAddress();
  try {
    return new Worker(policy?.createScriptURL(address) ?? address, { type: "module" });
  } catch {
    return null;
  }
}

/** @param {string} address */
function proverOnly(address) {
  if (address !== proverAddress()) throw new TypeError(`not a script of this page: ${address}`);
  return address;
}

function proverAddress() {
  return document.querySelector("live-thread")?.getAttribute("data-prover") ?? "";
}

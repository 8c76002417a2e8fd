/** @typedef {{ createPolicy(name: string, rules: { createHTML(html: string): string }): { createHTML(html: string): string } }} Factory */

const factory = /** @type {{ trustedTypes?: Factory }} */ (/** @type {unknown} */ (window)).trustedTypes;
const policy = factory?.createPolicy("afterword", { createHTML: (html) => html });

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

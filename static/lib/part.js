/**
 * A part of the page that is always there.
 *
 * @param {ParentNode} whole
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function part(whole, selector) {
  const found = whole.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return found;
}

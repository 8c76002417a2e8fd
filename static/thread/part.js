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

/**
 * A copy of a template that the server rendered: markup stands nowhere else.
 *
 * @param {string} name
 * @returns {HTMLElement}
 */
export function copy(name) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(`template-${name}`));
  return /** @type {HTMLElement} */ (document.importNode(template.content, true).firstElementChild);
}

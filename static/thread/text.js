import { copy } from "./part.js";

/**
 * The number that a reference or a permalink names.
 *
 * @param {Element} link
 */
export function numberOf(link) {
  return Number(link.getAttribute("href")?.split("/").pop());
}

/**
 * The numbers that a comment's text mentions.
 *
 * @param {ParentNode} text
 * @returns {number[]}
 */
export function referencesOf(text) {
  return [...new Set(Array.from(text.querySelectorAll("a.ref"), numberOf))];
}

/**
 * A link to a comment, as texts have it.
 *
 * @param {number} no
 */
export function referenceTo(no) {
  const link = copy("answer");
  link.setAttribute("href", `/comments/${no}`);
  link.textContent = `>>${no}`;
  return link;
}

/**
 * A comment's text as its author wrote it, from its markup.
 *
 * @param {HTMLElement} text
 */
export function plainText(text) {
  const whole = /** @type {HTMLElement} */ (text.cloneNode(true));
  for (const end of whole.querySelectorAll("br")) end.replaceWith("\n");
  return Array.from(whole.children, (paragraph) => paragraph.textContent).join("\n\n");
}

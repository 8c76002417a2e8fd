import { markup } from "../thread/markup.js";

export const LOGIN = "/desk/login";

/** @typedef {{ path: string, content: Document }} Page where one has come to, and what stands there */

/**
 * A page of the desk, as it is now.
 *
 * @param {string} address
 * @returns {Promise<Page>}
 */
export async function fetched(address) {
  return read(await fetch(address));
}

/**
 * Send a form, by one of its buttons: the page to which that leads.
 *
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} button
 * @returns {Promise<Page>}
 */
export async function sent(form, button) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form, button)) body.append(name, String(value));
  return read(await fetch(button.getAttribute("formaction") ?? form.action, { method: "post", body }));
}

/**
 * @param {Response} response
 * @returns {Promise<Page>}
 */
async function read(response) {
  if (!response.ok) throw new Error(response.statusText);
  const content = new DOMParser().parseFromString(markup(await response.text()), "text/html");
  return { path: new URL(response.url).pathname, content };
}

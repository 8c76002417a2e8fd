import { copy } from "./part.js";
import { say } from "./words.js";

/**
 * Report a comment in its place: a press on its link shows the reasons, or hides them; a press on one of them sends it.
 *
 * @param {MouseEvent} event
 */
export async function report(event) {
  const { target, ctrlKey, metaKey, shiftKey } = event;
  const pressed = target instanceof Element && target.closest(".report, .reasons button");
  if (!pressed || ctrlKey || metaKey || shiftKey) return;
  event.preventDefault();
  const acts = pressed.closest(".comment")?.querySelector(".acts");
  const link = /** @type {HTMLAnchorElement} */ (acts?.querySelector(".report"));
  const box = /** @type {HTMLElement | null | undefined} */ (acts?.parentElement?.querySelector(".reasons"));
  if (pressed === link) {
    const fresh = copy("reasons");
    if (box) box.remove();
    else acts?.after(fresh);
    fresh.querySelector("button")?.focus();
  } else if (box) {
    const body = JSON.stringify({ reason: /** @type {HTMLButtonElement} */ (pressed).value });
    const code = await sent(link.href, body).catch(() => "unavailable");
    box.textContent = say(code ? `refused.${code}` : "reported");
    box.focus();
  }
}

/**
 * @param {string} address
 * @param {string} body
 * @returns {Promise<string | undefined>} why not
 */
async function sent(address, body) {
  const response = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  return (await response.json()).code;
}

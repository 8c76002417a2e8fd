import { say } from "./words.js";

/**
 * Ask before what cannot be undone: the first press of a button asks, the second does it. One that is left asks again.
 *
 * @param {HTMLElement} button
 * @returns {boolean} whether it was the second
 */
export function sure(button) {
  if (button.dataset.asks) return true;
  const words = button.textContent;
  button.dataset.asks = "true";
  button.textContent = say("sure");
  button.addEventListener(
    "blur",
    () => {
      button.textContent = words;
      delete button.dataset.asks;
    },
    { once: true },
  );
  return false;
}

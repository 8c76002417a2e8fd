import { forget } from "../kept/store.js";
import { part } from "./part.js";
import { sure } from "./sure.js";
import { say } from "./words.js";

/** @import { Hidden } from "../kept/hidden.js" */

/** The dialog of what a reader can set: single keys, what is hidden, and an end to all that this browser keeps. */
export class Settings {
  #dialog;
  #root;
  #hidden;
  #onchange;

  /**
   * @param {HTMLElement} root
   * @param {Hidden} hidden
   * @param {() => void} onchange told when something else is hidden
   */
  constructor(root, hidden, onchange) {
    this.#root = root;
    this.#dialog = /** @type {HTMLDialogElement} */ (part(root, ".settings"));
    this.#hidden = hidden;
    this.#onchange = onchange;
  }

  /** @param {AbortSignal} signal ends listening */
  listen(signal) {
    const words = this.#words;
    part(this.#root, ".open-settings").addEventListener("click", () => this.open(), { signal });
    words.addEventListener("change", () => this.#hide(words.value), { signal });
    part(this.#dialog, ".show-all").addEventListener("click", () => this.#showAll(), { signal });
    part(this.#dialog, ".forget").addEventListener("click", ({ currentTarget }) => this.#forget(currentTarget), {
      signal,
    });
  }

  open() {
    this.#fill();
    this.#dialog.showModal();
  }

  #fill() {
    this.#words.value = this.#hidden.words.join(", ");
    part(this.#dialog, ".hidden-comments").textContent = say("hidden", { num: this.#hidden.numbers.length });
  }

  get #words() {
    return /** @type {HTMLInputElement} */ (part(this.#dialog, ".hidden-words"));
  }

  /** @param {string} words */
  #hide(words) {
    const trimmed = words.split(",").map((word) => word.trim());
    this.#hidden.hideWords(trimmed.filter(Boolean));
    this.#onchange();
  }

  #showAll() {
    this.#hidden.showAll();
    this.#onchange();
    this.#fill();
  }

  /** @param {EventTarget | null} button */
  async #forget(button) {
    if (!sure(/** @type {HTMLElement} */ (button))) return;
    /** @type {HTMLFormElement} */ (part(this.#root, ".composer form")).reset(); // else the browser puts it in again
    await forget();
    location.reload();
  }
}

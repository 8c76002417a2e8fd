/** @import { CommentList } from "./comment-list.js" */
/** @import { Keyring } from "./keyring.js" */
/** @import { Outbox } from "./outbox.js" */

/** Takes one's own comments back: a first press asks, a second does it. */
export class Retraction {
  #list;
  #keyring;
  #outbox;

  /**
   * @param {CommentList} list
   * @param {Keyring} keyring
   * @param {Outbox} outbox
   */
  constructor(list, keyring, outbox) {
    this.#list = list;
    this.#keyring = keyring;
    this.#outbox = outbox;
  }

  /**
   * @param {HTMLElement} root
   * @param {AbortSignal} signal ends listening
   */
  listen(root, signal) {
    root.addEventListener("click", (event) => this.#press(buttonOf(event)), { signal });
    root.addEventListener("focusout", (event) => calm(buttonOf(event)), { signal });
  }

  /** @param {HTMLElement | null} button */
  #press(button) {
    if (!button) return;
    if (button.dataset.asks) this.#retract(button);
    else ask(button);
  }

  /** @param {HTMLElement} button */
  async #retract(button) {
    const no = Number(button.closest("article")?.dataset.no);
    const answer = await this.#outbox.retract(no, this.#keyring.get(no) ?? "");
    if (answer.type === "refused") {
      button.textContent = answer.message;
      return;
    }
    this.#keyring.drop(no);
    this.#list.own(no);
  }
}

/** @param {HTMLElement} button */
function ask(button) {
  button.dataset.asks = button.textContent ?? "";
  button.textContent = button.dataset.sure ?? "";
}

/** @param {HTMLElement | null} button one that was left without a second press */
function calm(button) {
  if (!button?.dataset.asks) return;
  button.textContent = button.dataset.asks;
  delete button.dataset.asks;
}

/**
 * @param {Event} event
 * @returns {HTMLElement | null}
 */
function buttonOf({ target }) {
  return target instanceof Element ? target.closest(".retract") : null;
}

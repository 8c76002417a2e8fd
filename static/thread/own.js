import { copy, part } from "./part.js";
import { sure } from "./sure.js";
import { plainText, referencesOf } from "./text.js";
import { say } from "./words.js";

/** @import { Hidden } from "../kept/hidden.js" */
/** @import { Keyring } from "../kept/keyring.js" */
/** @import { Accepted, Refused } from "../net/wire.js" */
/** @import { Composer } from "./composer.js" */
/** @import { Feed } from "./feed.js" */
/** @import { Outbox } from "./outbox.js" */

/** What a comment is to this reader: one's own (to be edited or retracted), an answer to one's own, or hidden. */
export class Own {
  #root;
  #feed;
  #keyring;
  #hidden;
  #outbox;
  #composer;

  /**
   * @param {object} options
   * @param {HTMLElement} options.root
   * @param {Feed} options.feed
   * @param {Keyring} options.keyring
   * @param {Hidden} options.hidden
   * @param {Outbox} options.outbox
   * @param {Composer} options.composer
   */
  constructor({ root, feed, keyring, hidden, outbox, composer }) {
    this.#root = root;
    this.#feed = feed;
    this.#keyring = keyring;
    this.#hidden = hidden;
    this.#outbox = outbox;
    this.#composer = composer;
  }

  /** @param {AbortSignal} signal ends listening */
  listen(signal) {
    this.#root.addEventListener("click", (event) => this.#press(buttonOf(event)), { signal });
  }

  /**
   * @param {HTMLElement} item
   * @param {number} no
   */
  dress(item, no) {
    const mine = this.#keyring.get(no) !== undefined;
    const text = part(item, ".text");
    const gone = text.querySelector(".gone");
    const answers = !mine && referencesOf(text).some((quoted) => this.#keyring.get(quoted) !== undefined);
    item.classList.toggle("mine", mine);
    item.classList.toggle("answers-you", answers);
    this.#attach(part(item, "header"), "you", mine);
    this.#attach(part(item, "header"), "to-you", answers);
    this.#attach(part(item, ".acts"), "own-acts", mine && !gone);
    this.#attach(item, "veil", !gone && this.#hidden.hides(no, text.textContent ?? ""));
  }

  /**
   * @param {HTMLElement} place
   * @param {string} name a template, whose class it is, too
   * @param {boolean} wanted
   */
  #attach(place, name, wanted) {
    const there = place.querySelector(`:scope > .${name}`);
    if (wanted && !there) place.append(copy(name));
    if (wanted || !there) return;
    if (there.contains(document.activeElement)) part(this.#root, ".comments").focus();
    there.remove();
  }

  /** @param {HTMLButtonElement | null} button */
  async #press(button) {
    const item = /** @type {HTMLElement | null | undefined} */ (button?.closest(".comment[data-no]"));
    if (!button || !item) return;
    const no = Number(item.dataset.no);
    if (button.matches(".hide")) {
      this.#hidden.hide(no);
      this.#feed.dress(no);
      part(item, ".show").focus();
    } else if (button.matches(".show")) {
      item.querySelector(":scope > .veil")?.remove();
      this.#hidden.show(no);
      item.focus();
    } else if (button.matches(".edit")) {
      button.disabled = true; // a second press would put the text in again
      this.#composer.add(plainText(part(item, ".text"))); // before it is erased: whatever happens, the text is kept
      await this.#erase(button, no);
    } else if (sure(button)) {
      await this.#erase(button, no);
    }
  }

  /**
   * @param {number} no one's own
   * @returns {Promise<Accepted | Refused>}
   */
  retract(no) {
    return this.#outbox.retract(no, this.#keyring.get(no) ?? "");
  }

  /**
   * @param {HTMLButtonElement} button which says why, where it cannot be done
   * @param {number} no
   */
  async #erase(button, no) {
    const answer = await this.retract(no);
    button.disabled = false;
    if (answer.type === "refused") button.textContent = say(`refused.${answer.code}`) || answer.message;
  }
}

/**
 * @param {Event} event
 * @returns {HTMLButtonElement | null}
 */
function buttonOf({ target }) {
  return target instanceof Element ? target.closest(".hide, .show, .edit, .retract") : null;
}

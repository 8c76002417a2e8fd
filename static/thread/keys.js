import { keep, recall } from "../kept/store.js";
import { part } from "./part.js";

/** @import { Feed } from "./feed.js" */

const NAME = "shortcuts";

/** Keys that act on the comment that is at hand; they can be switched off (WCAG 2.1.4). */
export class Keys {
  #feed;
  #quote;
  #help;

  /**
   * @param {object} options
   * @param {HTMLElement} options.root
   * @param {Feed} options.feed
   * @param {(item: HTMLElement) => void} options.quote
   * @param {() => void} options.help
   */
  constructor({ root, feed, quote, help }) {
    this.#feed = feed;
    this.#quote = quote;
    this.#help = help;
    const box = /** @type {HTMLInputElement} */ (part(root, ".shortcuts"));
    box.checked = recall(NAME, true);
    box.onchange = () => keep(NAME, box.checked);
  }

  /** @param {AbortSignal} signal ends listening */
  listen(signal) {
    document.addEventListener("keydown", (event) => this.#pressed(event), { signal });
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const { target, key, altKey, ctrlKey, metaKey } = event;
    const busy = target instanceof Element && target.closest("input, textarea, select, dialog");
    if (busy || altKey || ctrlKey || metaKey || event.defaultPrevented || !recall(NAME, true)) return;
    const here = this.#here();
    if (key === "j" || key === "k") this.#go(key === "j" ? 1 : -1);
    else if (key === "r" && here) this.#quote(here);
    else if (key === "?") this.#help();
    else return;
    event.preventDefault();
  }

  /** @returns {HTMLElement | null | undefined} the comment that has the focus; one that is on its way has no number yet */
  #focused() {
    return document.activeElement?.closest(".comment[data-no]");
  }

  /** @returns {HTMLElement | undefined} the comment that has the focus, or else the first in view */
  #here() {
    return this.#focused() ?? this.#feed.inView[0];
  }

  /** @param {number} by */
  #go(by) {
    const no = Number(this.#here()?.dataset.no ?? this.#feed.first);
    const item = this.#feed.beside(no, this.#focused() ? by : 0);
    item?.focus({ preventScroll: true });
    item?.scrollIntoView({ block: "nearest" });
  }
}

import { comment } from "../net/comments.js";
import { part } from "./part.js";

/** @import { Feed } from "./feed.js" */

/** The comment that stands first: a copy above the thread, as long as it is published. Its own place stays in the thread. */
export class Pinned {
  #root;
  #feed;
  /** @type {number | undefined} */
  #no;
  #asked = 0; // how often it was another

  /**
   * @param {HTMLElement} root
   * @param {Feed} feed
   */
  constructor(root, feed) {
    this.#root = part(root, ".pinned");
    this.#feed = feed;
    this.#no = Number(root.dataset.pinned);
  }

  /** Read it anew: it may be another now. */
  forget() {
    this.#no = NaN;
  }

  /** @param {number} [no] none is 0 */
  async follow(no = 0) {
    if (no === this.#no) return;
    this.#no = no;
    this.#asked += 1;
    const asked = this.#asked;
    const item = no ? await this.#copyOf(no).catch(() => null) : null;
    if (asked !== this.#asked) return; // what comes late may show what was taken away since
    this.#feed.around(() => {
      this.#root.hidden = !item || !!item.querySelector(".gone");
      part(this.#root, ".pin").replaceChildren(item ?? "");
    });
  }

  /** @param {number} no */
  async #copyOf(no) {
    const here = this.#feed.find(no)?.cloneNode(true);
    const item = /** @type {HTMLElement} */ (here ?? this.#feed.made((await comment(no)).comment));
    for (const own of item.querySelectorAll(".acts, .badge, .veil button")) own.remove();
    for (const each of [item, part(item, "header")]) each.removeAttribute("id");
    item.removeAttribute("aria-labelledby");
    item.removeAttribute("data-no");
    item.hidden = false;
    return item;
  }
}

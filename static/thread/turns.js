import { part } from "./part.js";
import { onScreen } from "./place.js";
import { say, write } from "./words.js";

/** @import { Feed } from "./feed.js" */
/** @import { Ledger } from "./ledger.js" */

const NEAR = 800; // pixels below the view within which what follows is loaded

/** The links to the comments before and after those on the page: pages of their own, which a script loads in place. */
export class Turns {
  #page;
  #earlier;
  #later;
  #newest;
  #load;
  #around;
  #started;
  #loading = false;
  #scrolled = scrollY;

  /**
   * @param {object} options
   * @param {HTMLElement} options.root
   * @param {string} options.page the article's address
   * @param {(side: "before" | "from") => Promise<void>} options.load
   * @param {(change: () => void) => void} options.around changes the page, and what is read keeps its place
   */
  constructor({ root, page, load, around }) {
    this.#page = page;
    this.#load = load;
    this.#around = around;
    this.#earlier = part(root, ".earlier");
    this.#later = part(root, ".later");
    this.#newest = part(root, ".newest");
    this.#started = !this.#later.hidden; // amid the thread: then scrolling goes on upwards, too
  }

  /** @param {AbortSignal} signal ends listening */
  listen(signal) {
    for (const [link, side] of /** @type {const} */ ([
      [this.#earlier, "before"],
      [this.#later, "from"],
    ])) {
      link.addEventListener("click", (event) => this.#clicked(event, side), { signal });
    }
  }

  /**
   * @param {Ledger} ledger
   * @param {Feed} feed
   */
  follow({ earlier, later, version, before }, { first, last }) {
    if (this.#earlier.hidden === earlier || this.#later.hidden === later) {
      this.#around(() => {
        this.#earlier.hidden = !earlier;
        this.#later.hidden = this.#newest.hidden = !later;
      });
    }
    write(this.#earlier, before ? say("earlier", { num: before }) : say("earlier-some"));
    if (first) this.#earlier.setAttribute("href", `${this.#page}?before=${first}#thread`);
    if (last) this.#later.setAttribute("href", `${this.#page}?from=${last + 1}#thread`);
    this.#newest.setAttribute("href", `${this.#page}?seen=${version}#thread`);
  }

  /** Load what one is about to scroll to: below always; above where one began amid the thread, and scrolls up. */
  look() {
    const up = scrollY < this.#scrolled;
    this.#scrolled = scrollY;
    const { top } = this.#later.getBoundingClientRect();
    const near = !this.#later.hidden && top > 0 && top < innerHeight + NEAR;
    if (near && !this.#writes()) this.#turn("from");
    if (!this.#earlier.hidden && this.#started && up && onScreen(this.#earlier)) this.#turn("before");
  }

  /** Whether one is at the form, or was sent there: what is loaded would push it away. */
  #writes() {
    return Boolean(document.activeElement?.closest(".composer")) || location.hash === "#form";
  }

  /**
   * @param {MouseEvent} event
   * @param {"before" | "from"} side
   */
  #clicked(event, side) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#turn(side);
  }

  /** @param {"before" | "from"} side */
  async #turn(side) {
    if (this.#loading) return;
    this.#loading = true;
    await this.#load(side).catch(() => {}); // the link stays: one may ask again
    this.#loading = false;
  }
}

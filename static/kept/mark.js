import { keep, recall } from "./store.js";

/** @import { Position } from "../net/wire.js" */

/** Where this reader had got to in a thread: the last number that was seen, and the position of what was shown. */
export class Mark {
  /** The highest number that was seen. */
  no;
  #name;

  /** @param {string} slug */
  constructor(slug) {
    this.#name = `mark.${slug}`;
    /** Where that was when the page was opened. */
    this.before = recall(this.#name, /** @type {(Position & { no: number }) | null} */ (null));
    this.no = this.before?.no ?? 0;
  }

  /** @param {Position} position */
  keep({ epoch, version }) {
    if (this.no) keep(this.#name, { epoch, version, no: this.no });
  }
}

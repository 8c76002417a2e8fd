import { keep, recall } from "./store.js";

/**
 * A comment on its way. Its op makes it the same act however often it is sent; `refused` says why it does not stand,
 * `until` when it may be tried again (milliseconds since 1970), `over` that this op never helps again; `held` that a
 * moderator reads it first, under its number.
 *
 * @typedef {{ op: string, text: string, held?: number, refused?: string, until?: number, over?: boolean }} Entry
 */

/** One's own comments below one article that are not known to stand: after a crash they are sent again. */
export class Unsent {
  #name;

  /** @param {string} slug */
  constructor(slug) {
    this.#name = `unsent.${slug}`;
  }

  /** @returns {Entry[]} */
  get entries() {
    return recall(this.#name, []);
  }

  /** @param {Entry} entry */
  keep(entry) {
    keep(this.#name, [...this.#others(entry), entry]); // what another tab keeps stays
  }

  /** @param {Entry} entry */
  drop(entry) {
    const others = this.#others(entry);
    keep(this.#name, others.length ? others : undefined);
  }

  /** @param {Entry} entry */
  #others({ op }) {
    return this.entries.filter((entry) => entry.op !== op);
  }
}

import { keep, recall } from "./store.js";

const NAME = "keys";
const KEPT = 500;

/** The keys of one's own comments: who has a comment's key may retract it. */
export class Keyring {
  #keys = new Map(stored());

  /** @param {number} no */
  get(no) {
    return this.#keys.get(no);
  }

  /**
   * @param {number} no
   * @param {string} key
   */
  add(no, key) {
    this.#keys = new Map([...stored(), [no, key]]); // another tab may have written since, or forgotten all
    keep(NAME, [...this.#keys].slice(-KEPT));
  }
}

/** @returns {[number, string][]} */
function stored() {
  return recall(NAME, []);
}

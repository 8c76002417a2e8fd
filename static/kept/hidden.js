import { keep, recall } from "./store.js";

const NAME = "hidden";

/** @typedef {{ numbers: number[], words: string[] }} List */

/** What one does not want to see: single comments, and whatever holds a word. For oneself, in this browser. */
export class Hidden {
  #list = stored();

  get numbers() {
    return this.#list.numbers;
  }

  get words() {
    return this.#list.words;
  }

  /** @param {number} no */
  hide(no) {
    this.#keep({ numbers: [...stored().numbers, no] }); // another tab may have hidden something since
  }

  /** @param {number} no */
  show(no) {
    this.#keep({ numbers: stored().numbers.filter((hidden) => hidden !== no) });
  }

  /** @param {string[]} words instead of those before */
  hideWords(words) {
    this.#keep({ words });
  }

  /** Hide nothing any more. */
  showAll() {
    this.#keep({ numbers: [], words: [] });
  }

  /**
   * @param {number} no
   * @param {string} text
   */
  hides(no, text) {
    const lower = text.toLowerCase();
    return this.numbers.includes(no) || this.words.some((word) => lower.includes(word.toLowerCase()));
  }

  /** @param {Partial<List>} changed */
  #keep(changed) {
    this.#list = { ...stored(), ...changed };
    keep(NAME, this.#list);
  }
}

/** @returns {List} */
function stored() {
  return { numbers: [], words: [], ...recall(NAME, {}) };
}

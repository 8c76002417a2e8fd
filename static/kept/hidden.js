import { keep, recall } from "./store.js";

const NAME = "hidden";

/** What one does not want to see: single comments, and whatever holds a word. For oneself, in this browser. */
export class Hidden {
  /** @type {{ numbers: number[], words: string[] }} */
  #hidden = recall(NAME, { numbers: [], words: [] });

  get numbers() {
    return this.#hidden.numbers;
  }

  set numbers(numbers) {
    this.#hidden.numbers = numbers;
    keep(NAME, this.#hidden);
  }

  get words() {
    return this.#hidden.words;
  }

  set words(words) {
    this.#hidden.words = words;
    keep(NAME, this.#hidden);
  }

  /**
   * @param {number} no
   * @param {string} text
   */
  hides(no, text) {
    const lower = text.toLowerCase();
    return this.numbers.includes(no) || this.words.some((word) => lower.includes(word.toLowerCase()));
  }
}

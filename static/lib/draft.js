import { newOp } from "./op.js";

/**
 * What is being written, kept in this tab until it is published, with the op of the act once it was sent: the same
 * text is the same act, also after the page was loaded again. Where a browser refuses storage, the page's life is all.
 */
export class Draft {
  #key;
  #text = "";
  #op = "";

  /** @param {string} slug */
  constructor(slug) {
    this.#key = `afterword.draft.${slug}`;
    try {
      [this.#text, this.#op] = JSON.parse(sessionStorage.getItem(this.#key) ?? '["",""]');
    } catch {
      // storage is refused
    }
  }

  get text() {
    return this.#text;
  }

  /** @param {string} text */
  write(text) {
    if (text === this.#text) return;
    this.#text = text;
    this.#op = "";
    this.#keep();
  }

  /**
   * The op under which `text` is sent.
   *
   * @param {string} text
   */
  op(text) {
    this.write(text);
    if (!this.#op) this.renew();
    return this.#op;
  }

  /** Make the same text another act. */
  renew() {
    this.#op = newOp();
    this.#keep();
  }

  #keep() {
    try {
      if (this.#text) sessionStorage.setItem(this.#key, JSON.stringify([this.#text, this.#op]));
      else sessionStorage.removeItem(this.#key);
    } catch {
      // storage is refused
    }
  }
}

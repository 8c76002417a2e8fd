import { keep, recall } from "./store.js";

/** What is being written below one article, until it is sent. */
export class Draft {
  #name;

  /** @param {string} slug */
  constructor(slug) {
    this.#name = `draft.${slug}`;
  }

  get text() {
    return recall(this.#name, "");
  }

  set text(text) {
    if (text !== this.text) keep(this.#name, text || undefined);
  }
}

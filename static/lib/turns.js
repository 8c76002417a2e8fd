import { part } from "./part.js";

/** @import { Ledger } from "./ledger.js" */

/** The links to the comments before and after those on the page. */
export class Turns {
  #page;
  #earlier;
  #newest;

  /**
   * @param {HTMLElement} root
   * @param {string} page the article's address
   */
  constructor(root, page) {
    this.#page = page;
    this.#earlier = part(root, ".earlier");
    this.#newest = part(root, ".newest");
  }

  /**
   * @param {Ledger} ledger
   * @param {number | undefined} first the lowest number on the page
   */
  follow({ earlier, later, version }, first) {
    this.#earlier.hidden = !earlier;
    this.#newest.hidden = !later;
    if (first) this.#earlier.setAttribute("href", `${this.#page}?before=${first}#thread`);
    this.#newest.setAttribute("href", `${this.#page}?seen=${version}#thread`);
  }
}

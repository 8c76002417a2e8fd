import { part } from "./part.js";

/** @typedef {"live" | "polling" | "reconnecting" | "offline" | "stopped"} Condition */

const WORDS = {
  live: "Live",
  polling: "Updated every few seconds",
  reconnecting: "Reconnecting…",
  offline: "Offline",
  stopped: "Not live; load the page again",
};

/** What stands above a thread: how many comments, how many readers, and whether it is live. */
export class ThreadHead {
  #count;
  #condition;
  #readers;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#count = part(root, ".count");
    this.#condition = part(root, ".connection");
    this.#readers = part(root, ".readers");
    part(root, ".pulse").hidden = false;
  }

  /** @param {number} number */
  count(number) {
    const { none = "", one = "", many = "" } = this.#count.dataset;
    const words = number === 0 ? none : number === 1 ? one : many;
    write(this.#count, words.replace("#", number.toLocaleString("en")));
  }

  /** @param {Condition} condition */
  condition(condition) {
    write(this.#condition, WORDS[condition]);
    this.#readers.hidden = condition !== "live";
  }

  /** @param {number} number */
  readers(number) {
    write(this.#readers, `${number.toLocaleString("en")} reading`);
  }
}

/**
 * Write only what is new: a screen reader tells what was written.
 *
 * @param {HTMLElement} element
 * @param {string} words
 */
function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

import { part } from "./part.js";
import { say, write } from "./words.js";

/** @typedef {import("../net/connection.js").State | "offline"} Condition */

/** What stands above a thread: how many comments, how many readers, and whether it is live. */
export class Head {
  #count;
  #condition;
  #wait;
  #readers;
  #due = 0;
  #timer = 0;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#count = part(root, ".count");
    this.#condition = part(root, ".connection");
    this.#wait = part(root, ".wait");
    this.#readers = part(root, ".readers");
    for (const tool of root.querySelectorAll(".pulse, .tools")) tool.removeAttribute("hidden");
  }

  /** @param {number} num */
  count(num) {
    write(this.#count, num ? say("count", { num }) : say("none"));
  }

  /**
   * @param {Condition} condition
   * @param {number} due when the next line is opened, in milliseconds since 1970
   */
  condition(condition, due) {
    write(this.#condition, say(condition));
    this.#readers.hidden = condition !== "live" && condition !== "stream";
    this.#due = condition === "reconnecting" ? due : 0;
    clearInterval(this.#timer);
    if (this.#due) this.#timer = setInterval(() => this.#tick(), 1000);
    this.#tick();
  }

  /** @param {number} num */
  readers(num) {
    write(this.#readers, say("readers", { num }));
  }

  #tick() {
    const num = Math.ceil((this.#due - Date.now()) / 1000);
    write(this.#wait, num > 0 ? say("in", { num }) : "");
  }
}

import { Line, UNHEARD } from "./line.js";

/** @import { Comments } from "./comments.js" */
/** @import { Inbound, Position } from "./wire.js" */

const PERIOD = 5_000;

/** Asking every 5 s: for who has neither sockets nor streams. It ends at the first question without an answer. */
export class Polling extends Line {
  #comments;
  #position;
  #timer = 0;

  /**
   * @param {Comments} comments
   * @param {Position} position where to go on: read anew for each question
   * @param {(line: Line, message: Inbound) => void} onmessage
   * @param {(line: Line, code: number) => void} onend
   */
  constructor(comments, position, onmessage, onend) {
    super(onmessage, onend);
    this.#comments = comments;
    this.#position = position;
    this.#ask();
  }

  /** @override */
  hangUp() {
    clearTimeout(this.#timer);
  }

  async #ask() {
    try {
      const joined = await this.#comments.since(this.#position);
      if (this.ended) return;
      this.#timer = setTimeout(() => this.#ask(), PERIOD);
      this.take(joined);
    } catch {
      this.end(UNHEARD);
    }
  }
}

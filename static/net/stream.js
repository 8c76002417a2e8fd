import { Line, UNHEARD } from "./line.js";

/** @import { Comments } from "./comments.js" */
/** @import { Inbound, Position } from "./wire.js" */

/** Server-Sent Events: the same messages, for who is not let through with a WebSocket. */
export class Stream extends Line {
  /** @type {EventSource | undefined} */
  #source;

  /**
   * @param {Comments} comments
   * @param {Position} position where to go on
   * @param {(line: Line, message: Inbound) => void} onmessage
   * @param {(line: Line, code: number) => void} onend
   */
  constructor(comments, position, onmessage, onend) {
    super(onmessage, onend);
    try {
      this.#source = new EventSource(comments.address("events", position));
    } catch {
      setTimeout(() => this.end(UNHEARD)); // there are none in this browser
      return;
    }
    this.#source.onmessage = ({ data }) => this.take(JSON.parse(data));
    this.#source.onerror = () => this.end(UNHEARD); // a new one is opened by our own waits
  }

  /** @override */
  hangUp() {
    this.#source?.close();
  }
}

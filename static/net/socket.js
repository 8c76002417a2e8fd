import { Line, UNHEARD } from "./line.js";

/** @import { Comments } from "./comments.js" */
/** @import { Inbound, Outbound, Position } from "./wire.js" */

/** A WebSocket: the best line there is. */
export class Socket extends Line {
  /** @type {WebSocket | undefined} */
  #socket;

  /**
   * @param {Comments} comments
   * @param {Position} position where to go on
   * @param {(line: Line, message: Inbound) => void} onmessage
   * @param {(line: Line, code: number) => void} onend
   */
  constructor(comments, position, onmessage, onend) {
    super(onmessage, onend);
    try {
      this.#socket = new WebSocket(comments.address("live", position).replace(/^http/, "ws"));
    } catch {
      setTimeout(() => this.end(UNHEARD)); // there are none in this browser
      return;
    }
    this.#socket.onopen = () => this.heard();
    this.#socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    this.#socket.onclose = ({ code }) => this.end(code);
  }

  /**
   * @override
   * @param {Outbound} message
   */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** @override */
  hangUp() {
    this.#socket?.close();
  }
}

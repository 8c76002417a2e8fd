/** @import { Inbound, Outbound } from "./wire.js" */

const SILENCE = 20_000;
const UNHEARD = 1006; // what a browser says of a connection that broke

/** One WebSocket, which counts as lost when nothing was heard on it for 20 s, whatever the browser still believes. */
export class Line {
  /** Whether the handshake succeeded. */
  opened = false;
  #socket;
  #onend;
  #watchdog = 0;
  #heardAt = 0;
  #ended = false;

  /**
   * @param {string} address
   * @param {(line: Line, message: Inbound) => void} onmessage
   * @param {(line: Line, code: number) => void} onend
   */
  constructor(address, onmessage, onend) {
    this.#onend = onend;
    this.#socket = new WebSocket(address);
    this.#socket.onopen = () => {
      this.opened = true;
      this.#heard();
    };
    this.#socket.onmessage = (event) => {
      if (this.#ended) return;
      this.#heard();
      onmessage(this, JSON.parse(event.data));
    };
    this.#socket.onclose = (event) => this.#end(event.code);
    this.#heard();
  }

  /**
   * @param {Outbound} message
   * @returns {boolean} whether it could be written
   */
  send(message) {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Timers stand still while a device sleeps: ask again whether the line has been silent for too long. */
  check() {
    if (Date.now() - this.#heardAt > SILENCE) this.#end(UNHEARD);
  }

  /** Close without a word to the owner. */
  close() {
    this.#ended = true;
    clearTimeout(this.#watchdog);
    this.#socket.close();
  }

  #heard() {
    this.#heardAt = Date.now();
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#end(UNHEARD), SILENCE);
  }

  /** @param {number} code */
  #end(code) {
    if (this.#ended) return;
    this.close();
    this.#onend(this, code);
  }
}

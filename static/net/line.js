/** @import { Inbound, Outbound } from "./wire.js" */

const SILENCE = 20_000;
export const UNHEARD = 1006; // what a browser says of a socket that broke

/** A way to hear of a thread; it is lost when nothing was heard for 20 s, whatever the browser still believes. */
export class Line {
  /** Whether it has brought what there is. */
  joined = false;
  /** Whether it brings nothing any more. */
  ended = false;
  #onmessage;
  #onend;
  #watchdog = 0;
  #heardAt = 0;

  /**
   * @param {(line: Line, message: Inbound) => void} onmessage
   * @param {(line: Line, code: number) => void} onend
   */
  constructor(onmessage, onend) {
    this.#onmessage = onmessage;
    this.#onend = onend;
    this.heard();
  }

  /** Stop what brings messages; each kind of line does it its own way. */
  hangUp() {}

  /**
   * @param {Outbound} _message
   * @returns {boolean} whether it could be written
   */
  send(_message) {
    return false;
  }

  /** Timers stand still while a device sleeps: ask again whether the line has been silent for too long. */
  check() {
    if (Date.now() - this.#heardAt > SILENCE) this.end(UNHEARD);
  }

  /** Close without a word to the owner. */
  close() {
    this.ended = true;
    clearTimeout(this.#watchdog);
    this.hangUp();
  }

  /** Somebody is there. */
  heard() {
    this.#heardAt = Date.now();
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.end(UNHEARD), SILENCE);
  }

  /** @param {Inbound} message */
  take(message) {
    if (this.ended) return;
    this.heard();
    if (message.type === "joined") this.joined = true;
    this.#onmessage(this, message);
  }

  /** @param {number} code */
  end(code) {
    if (this.ended) return;
    this.close();
    this.#onend(this, code);
  }
}

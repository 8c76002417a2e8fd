import { Backoff } from "./backoff.js";
import { Line } from "./line.js";

/** @import { Inbound, Outbound } from "./wire.js" */
/** @typedef {"live" | "reconnecting" | "stopped"} ConnectionState */

const STABLE = 10_000; // a line that held this long was no failure: waiting begins anew
const FINAL = new Set([1002, 1003, 1007, 1009]);

/** A line to a thread that is always kept: dialed again whenever it is lost, by the waits of docs/protocol.md. */
export class Connection {
  /** Handshakes that failed in a row: a browser hides why. */
  failures = 0;
  #address;
  #onmessage;
  #onstate;
  #backoff = new Backoff();
  /** @type {Line | null} The line that has joined. */
  #line = null;
  /** @type {Line | null} The line that is being opened; it takes over when `joined` has come. */
  #dialed = null;
  #timer = 0;
  #joinedAt = 0;
  #stopped = false;

  /**
   * @param {object} options
   * @param {() => string} options.address asked for at each dial, since the position in it moves on
   * @param {(message: Inbound) => void} options.onmessage
   * @param {() => void} options.onstate
   */
  constructor({ address, onmessage, onstate }) {
    this.#address = address;
    this.#onmessage = onmessage;
    this.#onstate = onstate;
  }

  /** @returns {ConnectionState} */
  get state() {
    if (this.#line) return "live";
    return this.#stopped ? "stopped" : "reconnecting";
  }

  /** Open a line now; one that has joined is kept until the new one has. */
  open() {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#dialed?.close();
    this.#dialed = new Line(
      this.#address(),
      (line, message) => this.#hear(line, message),
      (line, code) => this.#lose(line, code),
    );
  }

  close() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#line?.close();
    this.#dialed?.close();
    this.#line = this.#dialed = null;
  }

  /**
   * @param {Outbound} message
   * @returns {boolean} whether it could be written
   */
  send(message) {
    return this.#line?.send(message) ?? false;
  }

  /** Something was missed: begin again from one's own position. */
  rejoin() {
    if (!this.#line) return;
    this.#line.close();
    this.#line = null;
    if (!this.#dialed) this.#wait(this.#pause());
    this.#onstate();
  }

  /** The page is shown again: don't wait any longer, and don't trust a line that slept. */
  wake() {
    this.#line?.check();
    if (!this.#line && !this.#dialed) this.open();
  }

  /**
   * @param {Line} line
   * @param {Inbound} message
   */
  #hear(line, message) {
    if (line === this.#dialed && message.type === "joined") this.#takeOver(line);
    if (message.type === "ping") line.send({ type: "pong" });
    if (message.type === "bye") this.#wait(message.retry);
    else this.#onmessage(message);
  }

  /** @param {Line} line */
  #takeOver(line) {
    this.#line?.close();
    this.#line = line;
    this.#dialed = null;
    this.#joinedAt = Date.now();
    this.failures = 0;
    this.#onstate();
  }

  /**
   * @param {Line} line
   * @param {number} code
   */
  #lose(line, code) {
    if (line === this.#line) this.#line = null;
    else this.#dialed = null;
    if (!line.opened) this.failures += 1;
    if (FINAL.has(code) || (code >= 4500 && code <= 4999)) {
      this.#stopped = true;
      clearTimeout(this.#timer);
    } else if (!this.#timer && !this.#dialed) {
      this.#wait(this.#pause()); // else a `bye` has set the time, or the next line is being opened already
    }
    this.#onstate();
  }

  /** @returns {number} */
  #pause() {
    if (this.#joinedAt && Date.now() - this.#joinedAt > STABLE) this.#backoff.reset();
    this.#joinedAt = 0;
    return this.#backoff.next();
  }

  /** @param {number} milliseconds */
  #wait(milliseconds) {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), milliseconds);
  }
}

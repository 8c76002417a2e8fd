import { Backoff } from "./backoff.js";
import { Polling } from "./polling.js";
import { Socket } from "./socket.js";
import { Stream } from "./stream.js";

/** @import { Comments } from "./comments.js" */
/** @import { Line } from "./line.js" */
/** @import { Inbound, Outbound, Position } from "./wire.js" */
/** @typedef {"live" | "stream" | "polling" | "reconnecting" | "stopped"} State */

const ORDER = [Socket, Socket, Stream, Polling]; // what is tried, one after the other, until one is heard
const STABLE = 10_000; // a line that held this long was no failure: waiting begins anew
const AGAIN = 60_000; // between two tries of a socket for who reads without
const FINAL = new Set([1002, 1003, 1007, 1009]);

/**
 * A line to a thread that is always kept: dialed again whenever it is lost, by the waits of docs/protocol.md. Why a
 * handshake failed is hidden from a page: where two failed, what needs no socket is tried, and sockets again at once
 * when that is heard (the server was away), then every minute (something between eats them).
 */
export class Connection {
  /** When the next line is opened, in milliseconds since 1970; 0: none is waited for. */
  due = 0;
  #comments;
  #position;
  #onmessage;
  #onstate;
  #backoff = new Backoff();
  /** @type {Line | null} The line that has joined. */
  #line = null;
  /** @type {Line | null} The line that is being opened; it takes over when `joined` has come. */
  #dialed = null;
  #failures = 0;
  #timer = 0;
  #joinedAt = 0;
  #stopped = false;

  /**
   * @param {object} options
   * @param {Comments} options.comments
   * @param {Position} options.position where one stands: it moves on
   * @param {(message: Inbound) => void} options.onmessage
   * @param {() => void} options.onstate
   */
  constructor({ comments, position, onmessage, onstate }) {
    this.#comments = comments;
    this.#position = position;
    this.#onmessage = onmessage;
    this.#onstate = onstate;
  }

  /** @returns {State} */
  get state() {
    if (this.#line instanceof Socket) return "live";
    if (this.#line instanceof Stream) return "stream";
    if (this.#line) return "polling";
    return this.#stopped ? "stopped" : "reconnecting";
  }

  /** Open a line now; one that has joined is kept until the new one has. */
  open() {
    if (this.#stopped) return;
    this.#wait(-1);
    this.#dialed?.close();
    this.#dialed = new ORDER[this.#failures % ORDER.length](
      this.#comments,
      this.#position,
      (line, message) => this.#hear(line, message),
      (line, code) => this.#lose(line, code),
    );
  }

  close() {
    this.#wait(-1);
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

  /** The page is shown again: don't wait any longer, and trust no line that slept. */
  wake() {
    this.#line?.check();
    this.#dialed?.check();
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
    this.#failures = 0;
    this.#joinedAt = Date.now();
    if (!(line instanceof Socket)) this.#wait(0);
    this.#onstate();
  }

  /**
   * @param {Line} line
   * @param {number} code
   */
  #lose(line, code) {
    if (line === this.#dialed) this.#dialed = null;
    else this.#line = null;
    if (!this.#line && !(line instanceof Socket)) this.#wait(-1); // it was not for this line that a minute was waited
    if (FINAL.has(code) || (code >= 4500 && code <= 4999)) {
      this.#stopped = true;
      this.#wait(-1);
    } else if (this.#line && !(this.#line instanceof Socket)) {
      this.#wait(AGAIN);
    } else if (!this.#timer && !this.#dialed) {
      this.#failures += line.joined ? 0 : 1;
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

  /** @param {number} milliseconds until the next line is opened; below 0: it is not waited for */
  #wait(milliseconds) {
    clearTimeout(this.#timer);
    const waits = milliseconds >= 0 && !this.#stopped;
    this.due = waits ? Date.now() + milliseconds : 0;
    this.#timer = waits ? setTimeout(() => this.open(), milliseconds) : 0;
  }
}

import { newOp } from "../net/op.js";

/** @import { Comments } from "../net/comments.js" */
/** @import { Accepted, Post, Refused, Retract } from "../net/wire.js" */
/** @typedef {{ message: Post | Retract, timer: number, settle: (answer: Accepted | Refused) => void }} Act */

const PATIENCE = 10_000;

/**
 * Acts that the server has not answered yet. Each is repeated with its op, which is always safe: after 10 s without an
 * answer, after reconnecting, and when storage was away; over the socket, or by HTTP while there is none.
 */
export class Outbox {
  #send;
  #comments;
  #onaccepted;
  /** @type {Map<string, Act>} */
  #acts = new Map();

  /**
   * @param {object} options
   * @param {(message: Post | Retract) => boolean} options.send writes to the socket; false: there is none
   * @param {Comments} options.comments
   * @param {(accepted: Accepted) => void} options.onaccepted told of each, also of one that nobody waits for any more
   */
  constructor({ send, comments, onaccepted }) {
    this.#send = send;
    this.#comments = comments;
    this.#onaccepted = onaccepted;
  }

  /**
   * @param {string} op
   * @param {string} text
   * @param {string} [proof] of work, where it was asked for
   * @returns {Promise<Accepted | Refused>}
   */
  post(op, text, proof) {
    return this.#begin({ type: "post", op, text, proof });
  }

  /**
   * @param {number} no
   * @param {string} key
   * @returns {Promise<Accepted | Refused>}
   */
  retract(no, key) {
    return this.#begin({ type: "retract", op: newOp(), no, key });
  }

  /** @param {Accepted | Refused} answer */
  answer(answer) {
    if (answer.type === "accepted") this.#onaccepted(answer);
    const act = this.#acts.get(answer.op ?? "");
    if (!act) return;
    if (answer.type === "refused" && answer.code === "unavailable") {
      this.#later(act, (answer.retry_after ?? 5) * 1000);
      return;
    }
    this.forget(act.message.op);
    act.settle(answer);
  }

  /** Send everything again: there is a new line. */
  resend() {
    for (const act of this.#acts.values()) this.#transmit(act);
  }

  /** @param {string} op an act that is not repeated any more */
  forget(op) {
    clearTimeout(this.#acts.get(op)?.timer);
    this.#acts.delete(op);
  }

  /** Repeat nothing any more. */
  close() {
    for (const op of this.#acts.keys()) this.forget(op);
  }

  /** @param {Post | Retract} message */
  #begin(message) {
    this.forget(message.op);
    return new Promise((settle) => {
      const act = { message, timer: 0, settle };
      this.#acts.set(message.op, act);
      this.#transmit(act);
    });
  }

  /** @param {Act} act */
  #transmit(act) {
    this.#later(act, PATIENCE);
    if (this.#send(act.message)) return;
    this.#comments.carryOut(act.message).then(
      (answer) => this.answer(answer),
      () => {}, // the network is away: the timer, or the next line, sends it again
    );
  }

  /**
   * @param {Act} act
   * @param {number} milliseconds
   */
  #later(act, milliseconds) {
    clearTimeout(act.timer);
    act.timer = setTimeout(() => this.#transmit(act), milliseconds);
  }
}

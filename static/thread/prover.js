import { proverWorker } from "./markup.js";

/** @import { Challenge } from "../net/wire.js" */

/** Proves in workers, one for each act, that somebody means it. */
export class Prover {
  /** @type {Map<string, Worker>} */
  #workers = new Map();

  /**
   * @param {string} op
   * @param {Challenge} challenge
   * @param {(share: number) => void} onprogress is told how much is done, from 0 to 1
   * @returns {Promise<string>} the proof, empty where this browser finds none; for ever open where it was stopped
   */
  prove(op, challenge, onprogress) {
    this.stop(op);
    return new Promise((done) => {
      const proving = proverWorker();
      /** @param {string} proof */
      const end = (proof) => {
        this.stop(op);
        done(proof);
      };
      if (!proving) {
        end("");
        return;
      }
      this.#workers.set(op, proving);
      proving.onmessage = ({ data }) => ("proof" in data ? end(data.proof) : onprogress(data.share));
      proving.onerror = () => end("");
      proving.postMessage(challenge);
    });
  }

  /** @param {string} op an act that needs no proof any more */
  stop(op) {
    this.#workers.get(op)?.terminate();
    this.#workers.delete(op);
  }

  /** Prove nothing any more. */
  close() {
    for (const op of this.#workers.keys()) this.stop(op);
  }
}

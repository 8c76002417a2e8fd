const BASE = 500;
const CAP = 4_000;
const LONG_CAP = 20_000;
const LONG = 60_000;

/**
 * How long to wait before the next try, in milliseconds: full jitter from 0.5 s, up to 4 s in the first minute of an
 * outage and 20 s after (docs/protocol.md), so that readers who were cut off together don't come back together.
 */
export class Backoff {
  #tries = 0;
  #since = 0;
  #now;
  #random;

  constructor({ now = Date.now, random = Math.random } = {}) {
    this.#now = now;
    this.#random = random;
  }

  /** @returns {number} */
  next() {
    if (this.#tries === 0) this.#since = this.#now();
    const cap = this.#now() - this.#since < LONG ? CAP : LONG_CAP;
    return this.#random() * Math.min(cap, BASE * 2 ** this.#tries++);
  }

  reset() {
    this.#tries = 0;
  }
}

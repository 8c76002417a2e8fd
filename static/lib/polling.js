import { Backoff } from "./backoff.js";

const PERIOD = 5_000;

/** Asks every 5 s, with backoff while there is no answer: for who has no sockets. */
export class Polling {
  /** Whether the last question was answered. */
  answered = false;
  #ask;
  #backoff = new Backoff();
  #running = false;
  #timer = 0;

  /** @param {() => Promise<void>} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#poll();
  }

  stop() {
    this.#running = false;
    this.answered = false;
    clearTimeout(this.#timer);
  }

  async #poll() {
    try {
      await this.#ask();
      this.answered = this.#running;
      this.#backoff.reset();
    } catch {
      this.answered = false;
    }
    if (!this.#running) return;
    const pause = PERIOD + (this.answered ? 0 : this.#backoff.next());
    this.#timer = setTimeout(() => this.#poll(), pause);
  }
}

import { Backoff } from "./backoff.js";

const PERIOD = 5_000;

/** Asks every 5 s, with backoff while there is no answer: for who has no sockets. */
export class Polling {
  /** Whether the last question was answered. */
  answered = false;
  #ask;
  #told;
  #backoff = new Backoff();
  #timer = 0;
  /** @type {AbortController | null} */
  #life = null;

  /**
   * @param {() => Promise<void>} ask
   * @param {() => void} told called after each question
   */
  constructor(ask, told) {
    this.#ask = ask;
    this.#told = told;
  }

  start() {
    if (this.#life) return;
    this.#life = new AbortController();
    this.#poll(this.#life.signal);
  }

  stop() {
    this.#life?.abort();
    this.#life = null;
    this.answered = false;
    clearTimeout(this.#timer);
  }

  /** @param {AbortSignal} life */
  async #poll(life) {
    const answered = await this.#ask().then(
      () => true,
      () => false,
    );
    if (life.aborted) return;
    this.answered = answered;
    if (answered) this.#backoff.reset();
    const pause = PERIOD + (answered ? 0 : this.#backoff.next());
    this.#timer = setTimeout(() => this.#poll(life), pause);
    this.#told();
  }
}

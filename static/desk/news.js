const AGAIN = 2_000;

/** Hears that something has changed on the desk, and what its version is now; whether it hears, it tells, too. */
export class News {
  /** @type {EventSource | undefined} */
  #source;
  #timer = 0;
  #onnews;
  #onstate;

  /**
   * @param {(version: string) => void} onnews
   * @param {(live: boolean) => void} onstate
   */
  constructor(onnews, onstate) {
    this.#onnews = onnews;
    this.#onstate = onstate;
  }

  open() {
    this.close();
    const source = new EventSource("/desk/events");
    source.onmessage = ({ data }) => {
      this.#onstate(true);
      this.#onnews(data);
    };
    source.onerror = () => {
      this.close(); // a browser gives up where it is refused; we don't
      this.#onstate(false);
      this.#timer = setTimeout(() => this.open(), AGAIN);
    };
    this.#source = source;
  }

  close() {
    clearTimeout(this.#timer);
    this.#source?.close();
  }
}

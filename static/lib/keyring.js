const NAME = "afterword.keys";
const KEPT = 200;

/** The keys of one's own comments, in this browser and nowhere else: who has a comment's key may retract it. */
export class Keyring {
  /** @type {Map<number, string>} */
  #keys;

  constructor() {
    this.#keys = new Map(this.#read());
  }

  /** @param {number} no */
  get(no) {
    return this.#keys.get(no);
  }

  /**
   * @param {number} no
   * @param {string} key
   */
  keep(no, key) {
    this.#change((keys) => keys.set(no, key));
  }

  /** @param {number} no */
  drop(no) {
    this.#change((keys) => keys.delete(no));
  }

  /** @param {(keys: Map<number, string>) => void} change */
  #change(change) {
    this.#keys = new Map([...this.#read(), ...this.#keys]); // another tab may have written since
    change(this.#keys);
    try {
      localStorage.setItem(NAME, JSON.stringify([...this.#keys].slice(-KEPT)));
    } catch {
      // storage is refused: the keys last as long as the page
    }
  }

  /** @returns {[number, string][]} */
  #read() {
    try {
      return JSON.parse(localStorage.getItem(NAME) ?? "[]");
    } catch {
      return [];
    }
  }
}

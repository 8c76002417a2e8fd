/** @import { Accepted, Joined, Position, Post, Refused, Retract, Window } from "./wire.js" */

const PATIENCE = 10_000;

/** The comments below one article, as the server answers for them over HTTP. Rejects where there is no usable answer. */
export class Comments {
  #address;

  /** @param {string} page the article's address */
  constructor(page) {
    this.#address = `${page}/comments`;
  }

  /**
   * The newest comments, or those around one of them.
   *
   * @param {number} [around]
   * @returns {Promise<Window>}
   */
  async window(around) {
    if (around === undefined) return this.#get("");
    return this.#get(`?around=${around}&limit=200`).catch(() => this.#get(""));
  }

  /**
   * What changed since a position.
   *
   * @param {Position} position
   * @returns {Promise<Joined>}
   */
  async since({ epoch, version }) {
    const answer = await this.#get(`?${new URLSearchParams({ epoch, after: String(version) })}`);
    return { ...answer, type: "joined" };
  }

  /**
   * Carry out an act: the same answer as over a socket.
   *
   * @param {Post | Retract} act
   * @returns {Promise<Accepted | Refused>}
   */
  async carryOut({ type, ...fields }) {
    const [method, address] = "no" in fields ? ["DELETE", `${this.#address}/${fields.no}`] : ["POST", this.#address];
    const response = await fetch(address, {
      method,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fields),
      signal: AbortSignal.timeout(PATIENCE),
    });
    const answer = await response.json();
    if (response.ok) return { ...answer, type: "accepted", op: fields.op };
    if (!answer.code) throw new Error(`no answer of ours: ${response.status}`);
    return { ...answer, type: "refused", op: fields.op, message: answer.detail ?? answer.title };
  }

  /** @param {string} query */
  async #get(query) {
    const response = await fetch(this.#address + query, { signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) throw new Error(`no window: ${response.status}`);
    return response.json();
  }
}

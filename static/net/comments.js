/** @import { Accepted, Comment, Joined, Position, Post, Refused, Retract, Window } from "./wire.js" */

const PATIENCE = 10_000;

/** The comments below one article, as the server answers for them over HTTP. Rejects where there is no usable answer. */
export class Comments {
  #page;

  /** @param {string} page the article's address */
  constructor(page) {
    this.#page = page;
  }

  /**
   * Where messages come from.
   *
   * @param {"live" | "events"} kind
   * @param {Position} position where to go on
   */
  address(kind, position) {
    return `${location.origin}${this.#page}/${kind}?${queryOf(position)}`;
  }

  /**
   * The newest comments, or those around, before or from a number.
   *
   * @param {{ around?: number, before?: number, from?: number }} [where]
   * @returns {Promise<Window>}
   */
  window(where = {}) {
    const query = new URLSearchParams({ limit: "200" });
    for (const [name, no] of Object.entries(where)) query.set(name, String(no));
    return this.#get(query);
  }

  /**
   * What changed since a position.
   *
   * @param {Position} position
   * @returns {Promise<Joined>}
   */
  async since(position) {
    return { ...(await this.#get(queryOf(position))), type: "joined" };
  }

  /**
   * Carry out an act: the same answer as over a socket.
   *
   * @param {Post | Retract} act
   * @returns {Promise<Accepted | Refused>}
   */
  async carryOut({ type, ...fields }) {
    const retracts = "no" in fields;
    const response = await fetch(`${this.#page}/comments${retracts ? `/${fields.no}` : ""}`, {
      method: retracts ? "DELETE" : "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fields),
      signal: AbortSignal.timeout(PATIENCE),
    });
    const answer = await response.json();
    if (response.ok) return { ...answer, type: "accepted", op: fields.op };
    if (!answer.code) throw new Error(`no answer of ours: ${response.status}`);
    return { ...answer, type: "refused", op: fields.op, message: answer.detail ?? answer.title };
  }

  /** @param {URLSearchParams} query */
  #get(query) {
    return answerOf(`${this.#page}/comments?${query}`);
  }
}

/**
 * A comment wherever on the site it stands.
 *
 * @param {number} no
 * @returns {Promise<{ slug: string, title: string, comment: Comment }>}
 */
export function comment(no) {
  return answerOf(`/comments/${no}`);
}

/** @param {string} address */
async function answerOf(address) {
  const response = await fetch(address, {
    headers: { Accept: "application/json" },
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (!response.ok) throw new Error(`no answer: ${response.status}`);
  return response.json();
}

/** @param {Position} position */
function queryOf({ epoch, version }) {
  return new URLSearchParams({ epoch, after: String(version) });
}

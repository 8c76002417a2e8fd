import { Backoff } from "./backoff.js";
import { CommentList } from "./comment-list.js";
import { Comments } from "./comments.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Draft } from "./draft.js";
import { Keyring } from "./keyring.js";
import { Ledger } from "./ledger.js";
import { Outbox } from "./outbox.js";
import { Polling } from "./polling.js";
import { Retraction } from "./retraction.js";
import { stampIn } from "./stamp.js";
import { ThreadHead } from "./thread-head.js";
import { Turns } from "./turns.js";

/** @import { Verdict } from "./ledger.js" */
/** @import { Condition } from "./thread-head.js" */
/** @import { Accepted, Inbound, ThreadState } from "./wire.js" */

const NO_SOCKETS = 4; // handshakes that failed in a row: ask by HTTP as well
const MOST = 600; // comments on the page: beyond it the oldest that are out of sight are let go
const ENOUGH = 300;

/** One thread on one page: what comes from the server goes to the ledger, and what it says to those who show it. */
export class Conversation {
  #root;
  #page;
  #comments;
  #connection;
  #outbox;
  #polling;
  #ledger;
  #list;
  #head;
  #turns;
  #composer;
  #retraction;
  #keyring = new Keyring();
  #life = new AbortController();
  #refilling = false;

  /** @param {HTMLElement} root the thread's element, as the server rendered it */
  constructor(root) {
    const { slug = "", timezone = "UTC" } = root.dataset;
    this.#root = root;
    this.#page = `/articles/${encodeURIComponent(slug)}`;
    this.#comments = new Comments(this.#page);
    this.#connection = new Connection({
      address: () => this.#address(),
      onmessage: (message) => this.#hear(message),
      onstate: () => this.#connected(),
    });
    this.#outbox = new Outbox({
      send: (message) => this.#connection.send(message),
      comments: this.#comments,
      onaccepted: (accepted) => this.#accepted(accepted),
    });
    this.#polling = new Polling(
      () => this.#poll(),
      () => this.#render(),
    );
    this.#list = new CommentList({
      root,
      stamp: stampIn(timezone),
      mine: (no) => this.#keyring.get(no) !== undefined,
    });
    this.#ledger = new Ledger({ ...rendered(root), comments: this.#list.run });
    this.#head = new ThreadHead(root);
    this.#turns = new Turns(root, this.#page);
    this.#composer = new Composer(root, new Draft(slug), this.#outbox);
    this.#retraction = new Retraction(this.#list, this.#keyring, this.#outbox);
    this.#listen();
    this.#connection.open();
    this.#render();
  }

  /** Release everything. */
  close() {
    this.#life.abort();
    this.#connection.close();
    this.#polling.stop();
    this.#outbox.close();
  }

  #listen() {
    const { signal } = this.#life;
    this.#composer.listen(signal);
    this.#retraction.listen(this.#root, signal);
    this.#root.addEventListener("click", (event) => this.#click(event), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#connection.wake(), { signal });
    addEventListener("online", () => this.#connection.open(), { signal });
    addEventListener("offline", () => this.#render(), { signal });
    // A page that the browser keeps for its back button may hold no connection.
    addEventListener("pagehide", () => this.#connection.close(), { signal });
    addEventListener("pageshow", (event) => event.persisted && this.#reopen(), { signal });
  }

  #reopen() {
    this.#connection.open();
    this.#render();
  }

  #address() {
    const query = new URLSearchParams({ epoch: this.#ledger.epoch, after: String(this.#ledger.version) });
    return `${location.origin.replace(/^http/, "ws")}${this.#page}/live?${query}`;
  }

  /** @param {Inbound} message */
  #hear(message) {
    if (message.type === "accepted" || message.type === "refused") this.#outbox.answer(message);
    else this.#follow(this.#ledger.take(message));
    if ("readers" in message) this.#head.readers(message.readers);
    this.#render();
  }

  /** @param {Verdict} verdict */
  #follow({ comments, whole, next }) {
    if (whole) this.#list.replace(comments);
    else this.#list.put(comments);
    if (this.#ledger.size > MOST) this.#list.drop(this.#ledger.trim(ENOUGH, this.#list.seen ?? Infinity));
    if (next === "rejoin") this.#connection.rejoin();
    if (next === "reset") this.#refill();
  }

  /** Ask for a window until what is shown is the present again: the newest one, or that around what is being read. */
  async #refill() {
    if (this.#refilling) return;
    this.#refilling = true;
    const backoff = new Backoff();
    while (this.#ledger.resetting && !this.#life.signal.aborted) {
      const atEnd = this.#list.endSeen && !this.#ledger.later;
      const window = await this.#comments.window(atEnd ? undefined : this.#list.seen).catch(() => null);
      if (window) this.#follow(this.#ledger.refill(window));
      this.#render();
      if (this.#ledger.resetting) await new Promise((resolve) => setTimeout(resolve, backoff.next()));
    }
    this.#refilling = false;
  }

  async #poll() {
    const joined = await this.#comments.since(this.#ledger);
    if (this.#connection.state !== "live") this.#hear(joined);
  }

  #connected() {
    if (this.#connection.state === "live") {
      this.#polling.stop();
      this.#outbox.resend();
    } else if (this.#connection.failures >= NO_SOCKETS) {
      this.#polling.start();
    }
    this.#render();
  }

  /** @param {Accepted} accepted */
  #accepted({ no, key }) {
    if (!key) return;
    this.#keyring.keep(no, key);
    this.#list.own(no);
  }

  /** @param {MouseEvent} event a number quotes its comment, a reference leads to one without loading the page again */
  #click(event) {
    const link = event.target instanceof Element ? event.target.closest(".permalink, a.ref") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const no = Number(link.getAttribute("href")?.split("/").pop());
    const quotes = link.matches(".permalink") && this.#composer.open;
    if (!quotes && !this.#list.has(no)) return;
    event.preventDefault();
    if (quotes) this.#composer.quote(no);
    else location.hash = `no-${no}`;
  }

  #render() {
    const { epoch, version, count, thread, earlier, later } = this.#ledger;
    const connection = this.#condition();
    const { state, slow } = thread;
    Object.assign(this.#root.dataset, { epoch, version, count, state, slow, earlier, later, connection });
    this.#head.count(count);
    this.#head.condition(connection);
    this.#turns.follow(this.#ledger, this.#list.first);
    this.#composer.follow(thread);
  }

  /** @returns {Condition} */
  #condition() {
    const { state } = this.#connection;
    if (!this.#ledger.resetting) {
      if (state === "live") return "live";
      if (this.#polling.answered) return "polling";
    }
    if (state === "stopped") return "stopped";
    return navigator.onLine ? "reconnecting" : "offline";
  }
}

/**
 * Where the page that the server rendered stands.
 *
 * @param {HTMLElement} root
 */
function rendered(root) {
  const { epoch = "", version, count, state, slow, earlier, later } = root.dataset;
  return {
    epoch,
    version: Number(version),
    count: Number(count),
    thread: /** @type {ThreadState} */ ({ state, slow: Number(slow) }),
    earlier: earlier === "true",
    later: later === "true",
  };
}

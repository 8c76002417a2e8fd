import { Draft } from "../kept/draft.js";
import { Hidden } from "../kept/hidden.js";
import { Keyring } from "../kept/keyring.js";
import { Mark } from "../kept/mark.js";
import { Unsent } from "../kept/unsent.js";
import { Backoff } from "../net/backoff.js";
import { Comments } from "../net/comments.js";
import { Connection } from "../net/connection.js";
import { stampIn } from "./clock.js";
import { Composer } from "./composer.js";
import { Feed } from "./feed.js";
import { Head } from "./head.js";
import { Keys } from "./keys.js";
import { Ledger } from "./ledger.js";
import { Outbox } from "./outbox.js";
import { Outgoing } from "./outgoing.js";
import { Own } from "./own.js";
import { Pinned } from "./pinned.js";
import { Quotes } from "./quotes.js";
import { Reading } from "./reading.js";
import { report } from "./report.js";
import { Settings } from "./settings.js";
import { numberOf } from "./text.js";
import { Turns } from "./turns.js";

/** @import { Accepted, Inbound, ThreadState } from "../net/wire.js" */
/** @import { Verdict } from "./ledger.js" */

const MOST = 15_000; // comments on the page: beyond it the first that are out of sight are let go
const FEWER = 500;

/** One thread on one page: what comes from the server goes to the ledger, and what it says to those who show it. */
export class Conversation {
  #root;
  #page;
  #comments;
  #connection;
  #outbox;
  #outgoing;
  #ledger;
  #feed;
  #head;
  #turns;
  #composer;
  #own;
  #pinned;
  #quotes;
  #reading;
  #keys;
  #settings;
  #keyring = new Keyring();
  #life = new AbortController();
  #refilling = false;

  /** @param {HTMLElement} root the thread's element, as the server rendered it */
  constructor(root) {
    const { slug = "", timezone = "UTC" } = root.dataset;
    const hidden = new Hidden();
    const mark = new Mark(slug);
    const stamp = stampIn(timezone);
    this.#root = root;
    this.#page = `/articles/${encodeURIComponent(slug)}`;
    this.#comments = new Comments(this.#page);
    this.#feed = new Feed({
      root,
      stamp,
      dress: (item, no) => this.#dress(item, no),
      ondrop: (numbers) => this.#dropped(numbers),
    });
    this.#ledger = new Ledger({ ...rendered(root), comments: this.#feed.run });
    this.#connection = new Connection({
      comments: this.#comments,
      position: this.#ledger,
      onmessage: (message) => this.#hear(message),
      onstate: () => this.#connected(),
    });
    this.#outbox = new Outbox({
      send: (message) => this.#connection.send(message),
      comments: this.#comments,
      onaccepted: (accepted) => this.#accepted(accepted),
    });
    this.#outgoing = new Outgoing({
      root,
      unsent: new Unsent(slug),
      outbox: this.#outbox,
      stamp,
      onpublished: (no) => this.#published(no),
      onwithdrawn: (no) => this.#own.retract(no).then(({ type }) => type === "accepted"),
      around: (change) => this.#feed.around(change),
    });
    this.#composer = new Composer({ root, draft: new Draft(slug), onpost: (text) => this.#outgoing.post(text) });
    this.#own = new Own({
      root,
      feed: this.#feed,
      keyring: this.#keyring,
      hidden,
      outbox: this.#outbox,
      composer: this.#composer,
    });
    this.#quotes = new Quotes(root, this.#feed, hidden);
    this.#turns = new Turns({
      root,
      page: this.#page,
      load: (side) => this.#load(side),
      around: (change) => this.#feed.around(change),
    });
    this.#reading = new Reading({
      root,
      feed: this.#feed,
      mark,
      position: this.#ledger,
      onlook: () => this.#turns.look(),
    });
    this.#settings = new Settings(root, hidden, () => this.#feed.each((item, no) => this.#own.dress(item, no)));
    this.#keys = new Keys({
      root,
      feed: this.#feed,
      quote: (item) => this.#quote(item),
      help: () => this.#settings.open(),
    });
    this.#head = new Head(root);
    this.#pinned = new Pinned(root, this.#feed);
    this.#listen();
    this.#connection.open();
    this.#render();
    if (mark.before)
      this.#comments.since(mark.before).then(
        (joined) => this.#reading.since(joined),
        () => {},
      );
  }

  /** Release everything. */
  close() {
    this.#life.abort();
    this.#connection.close();
    this.#outbox.close();
  }

  #listen() {
    const { signal } = this.#life;
    this.#feed.around(() => this.#feed.each((item, no) => this.#dress(item, no)));
    this.#composer.listen(signal);
    this.#outgoing.listen(signal, (text) => this.#composer.add(text));
    this.#feed.each((item, no) => this.#outgoing.awaits(item) && this.#outgoing.settle(no, item));
    this.#own.listen(signal);
    this.#quotes.listen(signal);
    this.#turns.listen(signal);
    this.#reading.listen(signal);
    this.#keys.listen(signal);
    this.#settings.listen(signal);
    this.#root.addEventListener("click", (event) => this.#click(event), { signal });
    this.#root.addEventListener("click", report, { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#connection.wake(), { signal });
    addEventListener("online", () => this.#reopen(), { signal });
    addEventListener("offline", () => this.#render(), { signal });
    addEventListener("hashchange", () => this.#seek(), { signal });
    // A page that the browser keeps for its back button may hold no connection.
    addEventListener("pagehide", () => this.#connection.close(), { signal });
    addEventListener("pageshow", (event) => event.persisted && this.#reopen(), { signal });
    this.#seek();
  }

  #reopen() {
    this.#connection.open();
    this.#render();
  }

  /**
   * @param {HTMLElement} item
   * @param {number} no
   */
  #dress(item, no) {
    this.#own.dress(item, no);
    this.#quotes.dress(item, no);
  }

  /** @param {number[]} numbers */
  #dropped(numbers) {
    this.#quotes.forget(numbers);
    this.#reading.forget(numbers);
  }

  /** @param {Inbound} message */
  #hear(message) {
    if (message.type === "accepted" || message.type === "refused") this.#outbox.answer(message);
    else this.#follow(this.#ledger.take(message));
    const { pinned } = this.#ledger.thread;
    if ("comments" in message && message.comments.some(({ no }) => no === pinned)) this.#pinned.forget();
    if ("readers" in message) this.#head.readers(message.readers);
    this.#render();
  }

  /** @param {Verdict} verdict */
  #follow({ comments, whole, next }) {
    const from = whole ? (this.#feed.first ?? 0) : 0; // a window may reach further back than what was here
    const come = comments.filter(({ no, gone }) => !gone && no >= from && !this.#feed.find(no));
    const fresh = come.map(({ no }) => no);
    if (whole) this.#pinned.forget();
    if (whole) this.#feed.replace(comments);
    else this.#feed.put(comments);
    const mine = new Set(fresh.filter((no) => this.#isMine(no)));
    this.#reading.arrived(fresh.filter((no) => !mine.has(no)));
    for (const no of mine) this.#published(no);
    if (this.#ledger.size > MOST) this.#letGo();
    if (next === "rejoin") this.#connection.rejoin();
    if (next === "reset") this.#refill();
  }

  /**
   * Whether a comment that has come is one's own, as far as can be told before its author has an answer.
   *
   * @param {number} no
   */
  #isMine(no) {
    const item = this.#feed.find(no);
    return item !== undefined && (this.#keyring.get(no) !== undefined || this.#outgoing.awaits(item));
  }

  /** Of a thread that has grown very long in one page, let go the first comments, unless one is there. */
  #letGo() {
    const seen = Number(this.#feed.inView[0]?.dataset.no ?? Infinity);
    const first = this.#feed.lowest(FEWER).filter((no) => no < seen);
    this.#ledger.drop(first);
    this.#feed.drop(first);
  }

  /** Ask for a window until what is shown is the present again: the newest one, or that around what is being read. */
  async #refill() {
    if (this.#refilling) return;
    this.#refilling = true;
    const backoff = new Backoff();
    while (this.#ledger.resetting && !this.#life.signal.aborted) {
      const atEnd = this.#feed.endInView && !this.#ledger.later;
      const around = atEnd ? undefined : Number(this.#feed.inView[0]?.dataset.no) || undefined;
      const window = await this.#comments
        .window(around ? { around } : {})
        .catch(() => this.#comments.window())
        .catch(() => null);
      if (window) this.#follow(this.#ledger.refill(window));
      this.#render();
      if (this.#ledger.resetting) await new Promise((resolve) => setTimeout(resolve, backoff.next()));
    }
    this.#refilling = false;
  }

  /** @param {"before" | "from"} side */
  async #load(side) {
    const { first = 1, last = 0 } = this.#feed;
    const question = this.#ledger.ask();
    try {
      const window = await this.#comments.window(side === "before" ? { before: first } : { from: last + 1 });
      const { comments, next } = this.#ledger.extend(question, window);
      this.#feed.lay(comments);
      if (next === "rejoin") this.#connection.rejoin();
    } finally {
      this.#ledger.forget(question);
    }
    this.#render();
    this.#reading.look();
  }

  #connected() {
    if (this.#connection.state !== "reconnecting") this.#outbox.resend();
    if (this.#connection.state !== "reconnecting") this.#outgoing.recheck();
    this.#render();
  }

  /** @param {Accepted} accepted */
  #accepted({ no, key }) {
    if (!key) return;
    this.#keyring.add(no, key);
    this.#feed.dress(no);
  }

  /**
   * One's own comment stands: it is shown, with what waits, as soon as it is here.
   *
   * @param {number} no
   * @returns {boolean} whether it is here
   */
  #published(no) {
    const item = this.#feed.find(no);
    if (!item) return false;
    this.#feed.around(() => {
      this.#outgoing.settle(no, item);
      this.#feed.reveal();
    });
    this.#reading.look();
    return true;
  }

  /** @param {HTMLElement} item */
  #quote(item) {
    if (!this.#composer.open) return;
    const selection = getSelection();
    const inside = selection && item.querySelector(".text")?.contains(selection.anchorNode);
    this.#composer.quote(Number(item.dataset.no), inside ? selection.toString() : "");
  }

  /** @param {MouseEvent} event a number quotes its comment, a reference leads to one without loading the page again */
  #click(event) {
    const link = event.target instanceof Element ? event.target.closest(".permalink, .quote, a.ref") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const item = /** @type {HTMLElement | null} */ (link.closest(".comment[data-no]"));
    const quotes = item && !link.matches("a.ref") && this.#composer.open;
    const no = numberOf(link);
    if (!quotes && !this.#feed.find(no)) return;
    event.preventDefault();
    if (quotes) {
      this.#quote(item);
      return;
    }
    this.#feed.reveal();
    location.hash = `no-${no}`;
  }

  /** The comment that the address names may stand elsewhere in the thread, or below another article. */
  #seek() {
    const [, no] = location.hash.match(/^#no-(\d+)$/) ?? [];
    if (no && !this.#feed.find(Number(no))) location.replace(`/comments/${no}`);
  }

  #render() {
    const { epoch, version, count, thread, earlier, later, resetting } = this.#ledger;
    const state = resetting && this.#connection.state !== "stopped" ? "reconnecting" : this.#connection.state;
    const condition = navigator.onLine || state === "stopped" ? state : "offline";
    const { slow, surge = false } = thread;
    const { dataset } = this.#root;
    const same = dataset.state === thread.state && dataset.slow === String(slow) && dataset.surge === String(surge);
    Object.assign(dataset, { epoch, version, count, state: thread.state, slow, surge, earlier, later });
    dataset.connection = condition;
    this.#head.count(count);
    this.#head.condition(condition, this.#connection.due);
    this.#turns.follow(this.#ledger, this.#feed);
    this.#pinned.follow(thread.pinned);
    const adapt = () => this.#composer.follow(thread);
    if (same) adapt();
    else this.#feed.around(adapt);
  }
}

/**
 * Where the page that the server rendered stands.
 *
 * @param {HTMLElement} root
 */
function rendered(root) {
  const { epoch = "", version, count, state, slow, surge, pinned, earlier, later } = root.dataset;
  return {
    epoch,
    version: Number(version),
    count: Number(count),
    thread: /** @type {ThreadState} */ ({
      state,
      slow: Number(slow),
      surge: surge === "true",
      pinned: Number(pinned),
    }),
    earlier: earlier === "true",
    later: later === "true",
  };
}

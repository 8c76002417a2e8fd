// The page's ledger against a model: whatever is lost, late, stale or asked for meanwhile, the run that is shown is, in
// the end, what the thread holds there. `node ledger.mjs SEED ROUNDS` prints what went wrong, and nothing otherwise.

import { Ledger } from "../../static/thread/ledger.js";

/** @typedef {import("../../static/net/wire.js").Comment} Comment */
/** @typedef {import("../../static/net/wire.js").Window} Window */
/** @typedef {import("../../static/thread/ledger.js").Verdict} Verdict */

const SIZE = 5; // comments of a window
const CATCH_UP = 6; // changes beyond which a reader is reset

/**
 * A generator of numbers below 1 (mulberry32).
 *
 * @param {number} seed
 */
function chance(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A thread as the server has it. */
class Thread {
  epoch = "one";
  version = 0;
  thread = /** @type {const} */ ({ state: "open", slow: 0 });
  /** @type {Map<number, Comment>} */
  comments = new Map();
  /** @type {number[]} Numbers that are held, and were never published. */
  held = [];
  #no = 0;

  /** @param {() => number} random */
  act(random) {
    const what = random();
    const numbers = [...this.comments.keys()];
    const any = numbers[Math.floor(random() * numbers.length)];
    if (what < 0.1) {
      this.held.push(++this.#no);
      return;
    }
    const waited = what < 0.2 ? this.held.shift() : undefined;
    if (what < 0.35 && any !== undefined) this.#set(any, !this.comments.get(any)?.gone);
    else this.#set(waited ?? ++this.#no, false);
  }

  /**
   * @param {number} no
   * @param {boolean} gone
   */
  #set(no, gone) {
    this.version += 1;
    const comment = { no, version: this.version, at: "2026-01-01T00:00:00Z" };
    this.comments.set(no, gone ? { ...comment, gone: "retracted" } : { ...comment, html: "" });
  }

  /** Everything as it is now. */
  snapshot() {
    const { epoch, version, thread } = this;
    const comments = [...this.comments.values()].sort((one, other) => one.no - other.no);
    const count = comments.filter(({ gone }) => !gone).length;
    return { epoch, version, thread, comments, count };
  }
}

/**
 * A window of a snapshot.
 *
 * @param {ReturnType<Thread["snapshot"]>} whole
 * @param {{ before?: number, from?: number }} [where]
 * @returns {Window}
 */
function window(whole, { before = Infinity, from } = {}) {
  const { comments } = whole;
  const end = from === undefined ? comments.filter(({ no }) => no < before).length : Infinity;
  const start = from === undefined ? Math.max(0, end - SIZE) : comments.filter(({ no }) => no < from).length;
  const part = comments.slice(start, from === undefined ? end : start + SIZE);
  return { ...whole, comments: part, earlier: start > 0, later: start + part.length < comments.length };
}

/** A page: a ledger, and what it shows. */
class Page {
  /** @type {Map<number, Comment>} */
  shown;
  ledger;
  #thread;
  #random;
  /** @type {ReturnType<Thread["snapshot"]>} */
  #stale;

  /**
   * @param {Thread} thread
   * @param {() => number} random
   */
  constructor(thread, random) {
    this.#thread = thread;
    this.#random = random;
    this.#stale = thread.snapshot();
    const numbers = [...thread.comments.keys()];
    const first = random() < 0.5 ? {} : { before: numbers[Math.floor(random() * numbers.length)] };
    const rendered = window(this.#stale, first);
    this.ledger = new Ledger(rendered);
    this.shown = new Map(rendered.comments.map((comment) => [comment.no, comment]));
  }

  /** What a server may answer that is a little behind. */
  #answer() {
    if (this.#random() < 0.7) this.#stale = this.#thread.snapshot();
    return this.#stale;
  }

  /** @param {Verdict} verdict */
  follow({ comments, whole, next }) {
    if (whole) this.shown.clear();
    for (const comment of comments) this.shown.set(comment.no, comment);
    if (next === "rejoin") this.join();
    else if (next === "reset") this.refill();
  }

  join() {
    const { epoch, version, thread, comments, count } = this.#thread.snapshot();
    const missed = comments
      .filter((comment) => comment.version > this.ledger.version)
      .sort((one, other) => one.version - other.version);
    const reset = missed.length > CATCH_UP || epoch !== this.ledger.epoch;
    const mode = reset ? "reset" : missed.length ? "catchup" : "live";
    this.follow(
      this.ledger.take({
        type: "joined",
        epoch,
        version,
        thread,
        count,
        mode,
        comments: reset ? [] : missed,
        readers: 1,
      }),
    );
  }

  refill() {
    while (this.ledger.resetting) this.follow(this.ledger.refill(window(this.#answer())));
  }

  /**
   * Hear of what happened since a version.
   *
   * @param {number} from
   */
  hear(from) {
    const { version: to, count, comments } = this.#thread.snapshot();
    const changed = comments.filter((comment) => comment.version > from);
    changed.sort((one, other) => one.version - other.version);
    this.follow(this.ledger.take({ type: "changes", from, to, count, comments: changed }));
  }

  /**
   * Load what stands beside the run, while the thread goes on.
   *
   * @param {() => void} meanwhile
   */
  load(meanwhile) {
    const numbers = [...this.shown.keys()];
    const before = this.#random() < 0.5;
    if (!numbers.length || !(before ? this.ledger.earlier : this.ledger.later)) return;
    const question = this.ledger.ask();
    const where = before ? { before: Math.min(...numbers) } : { from: Math.max(...numbers) + 1 };
    const early = window(this.#answer(), where);
    meanwhile();
    const verdict = this.ledger.extend(question, this.#random() < 0.5 ? early : window(this.#answer(), where));
    if (verdict.next !== "reset") this.follow(verdict); // else the window was old: the link stays
  }
}

/**
 * What is not as it should be, once everything was heard.
 *
 * @param {Page} page
 * @param {Thread} thread
 */
function faults({ ledger, shown }, thread) {
  const { version, comments, count } = thread.snapshot();
  const first = ledger.earlier ? Math.min(...shown.keys()) : 0;
  const last = ledger.later ? Math.max(...shown.keys()) : Infinity;
  const wanted = comments
    .filter(({ no }) => no >= first && no <= last)
    .map((comment) => `${comment.no}:${comment.version}`);
  const found = [...shown.values()].sort((one, other) => one.no - other.no).map((one) => `${one.no}:${one.version}`);
  const earlier = comments.filter(({ no, gone }) => no < first && !gone).length;
  return [
    ledger.version !== version && `version ${ledger.version}, not ${version}`,
    ledger.count !== count && `count ${ledger.count}, not ${count}`,
    wanted.join() !== found.join() && `shows ${found.join(" ")}, not ${wanted.join(" ")}`,
    ledger.size !== shown.size && `size ${ledger.size}, not ${shown.size}`,
    ledger.before !== undefined && ledger.before !== earlier && `${ledger.before} before it, not ${earlier}`,
  ].filter(Boolean);
}

const [start, rounds] = process.argv.slice(2).map(Number);
for (let round = 0; round < rounds; round += 1) {
  const random = chance(start + round);
  const thread = new Thread();
  for (let act = Math.floor(random() * 30); act >= 0; act -= 1) thread.act(random);
  const page = new Page(thread, random);
  for (let step = 0; step < 20; step += 1) {
    const from = thread.version;
    const happen = () => {
      for (let act = Math.floor(random() * 4); act > 0; act -= 1) thread.act(random);
      if (random() < 0.8) page.hear(from); // else the message is lost
      if (random() < 0.1) page.hear(Math.max(0, from - 2)); // or comes again, and holds more
    };
    if (random() < 0.03) thread.epoch += "'";
    if (random() < 0.3) page.load(happen);
    else happen();
  }
  page.join();
  for (const fault of faults(page, thread)) process.stdout.write(`seed ${start + round}: ${fault}\n`);
}

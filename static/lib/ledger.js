/** @import { Changes, Comment, Inbound, Joined, Ping, Position, ThreadState, Window } from "./wire.js" */

/**
 * What follows from a message: comments to put in their places, or to replace everything by, and whether to go on,
 * to begin again from one's position, or to ask for a window.
 *
 * @typedef {{ comments: Comment[], whole?: boolean, next: "on" | "rejoin" | "reset" }} Verdict
 */

const HELD = 500; // changes held back while a window is awaited; beyond it, begin again

/** @type {Verdict} */
const NOTHING = { comments: [], next: "on" };
/** @type {Verdict} */
const REJOIN = { comments: [], next: "rejoin" };
/** @type {Verdict} */
const RESET = { comments: [], next: "reset" };

/**
 * What this page knows of its thread, and the rules by which it learns (docs/protocol.md). Pure: without page, network
 * or clock. It shows one run of comments, loaded without gaps: a comment is put inside it or not at all.
 */
export class Ledger {
  epoch;
  version;
  count;
  thread;
  /** Whether there are comments before the run that is shown. */
  earlier;
  /** Whether there are comments after it. */
  later;
  /** @type {Map<number, number>} The run: each number and its version. */
  #run;
  /** @type {Position | null} Where the window that is awaited must reach. */
  #awaited = null;
  /** @type {Changes[]} */
  #held = [];

  /** @param {Omit<Window, "comments"> & { comments: Pick<Comment, "no" | "version">[] }} window */
  constructor(window) {
    this.epoch = window.epoch;
    this.version = window.version;
    this.count = window.count;
    this.thread = window.thread;
    this.earlier = window.earlier;
    this.later = window.later;
    this.#run = new Map(window.comments.map(({ no, version }) => [no, version]));
  }

  /** Whether a window is awaited: until it comes, what is shown is not the present. */
  get resetting() {
    return this.#awaited !== null;
  }

  /** How many comments are shown. */
  get size() {
    return this.#run.size;
  }

  /**
   * @param {Inbound} message
   * @returns {Verdict}
   */
  take(message) {
    if (message.type === "joined") return this.#joined(message);
    if (message.type === "changes") return this.#changes(message);
    if (message.type === "ping") return this.#ping(message);
    return NOTHING;
  }

  /**
   * Take the window that a reset asked for.
   *
   * @param {Window} window
   * @returns {Verdict}
   */
  refill(window) {
    const awaited = this.#awaited;
    if (!awaited) return NOTHING;
    if (window.epoch !== awaited.epoch) return REJOIN;
    if (window.version < awaited.version) return RESET;
    this.#awaited = null;
    ({ epoch: this.epoch, version: this.version, count: this.count, thread: this.thread } = window);
    ({ earlier: this.earlier, later: this.later } = window);
    this.#run = new Map(window.comments.map(({ no, version }) => [no, version]));
    const comments = new Map(window.comments.map((comment) => [comment.no, comment]));
    const verdicts = this.#held.splice(0).map((changes) => this.#changes(changes));
    for (const comment of verdicts.flatMap((verdict) => verdict.comments)) comments.set(comment.no, comment);
    const complete = verdicts.every(({ next }) => next === "on");
    return { comments: [...comments.values()], whole: true, next: complete ? "on" : "rejoin" };
  }

  /**
   * Let go of the lowest numbers, those below `end`, until `size` are left.
   *
   * @param {number} size
   * @param {number} end
   * @returns {number[]} what was let go
   */
  trim(size, end) {
    const lowest = [...this.#run.keys()].sort((one, other) => one - other).slice(0, Math.max(0, this.size - size));
    const dropped = lowest.filter((no) => no < end);
    for (const no of dropped) this.#run.delete(no);
    if (dropped.length) this.earlier = true;
    return dropped;
  }

  /**
   * @param {Joined} joined
   * @returns {Verdict}
   */
  #joined(joined) {
    // What comes while a window is awaited may build upon the reset, of which nothing is here yet: await more, then.
    if (joined.mode === "reset" || joined.epoch !== this.epoch || this.#awaited) {
      this.#awaited = { epoch: joined.epoch, version: joined.version };
      this.#held = [];
      return RESET;
    }
    if (joined.version >= this.version) {
      this.version = joined.version;
      this.count = joined.count;
      this.thread = joined.thread;
    }
    return { comments: this.#put(joined.comments), next: "on" };
  }

  /**
   * @param {Changes} changes
   * @returns {Verdict}
   */
  #changes(changes) {
    if (this.#awaited) return this.#hold(changes);
    if (changes.to <= this.version) return NOTHING;
    if (changes.from > this.version) return REJOIN;
    this.version = changes.to;
    this.count = changes.count;
    this.thread = changes.thread ?? this.thread;
    return { comments: this.#put(changes.comments), next: "on" };
  }

  /**
   * @param {Changes} changes
   * @returns {Verdict}
   */
  #hold(changes) {
    this.#held.push(changes);
    return this.#held.length > HELD ? REJOIN : NOTHING;
  }

  /**
   * @param {Ping} ping
   * @returns {Verdict}
   */
  #ping({ epoch, version }) {
    if (this.#awaited) return NOTHING;
    return epoch !== this.epoch || version > this.version ? REJOIN : NOTHING;
  }

  /**
   * Take those comments that are new, or newer, and have their place in the run.
   *
   * @param {Comment[]} comments
   * @returns {Comment[]} those that were taken
   */
  #put(comments) {
    return comments.filter(({ no, version }) => {
      const known = this.#run.get(no);
      const fits = known === undefined ? this.#hasPlace(no) : version > known;
      if (fits) this.#run.set(no, version);
      return fits;
    });
  }

  /** @param {number} no */
  #hasPlace(no) {
    if (!this.earlier && !this.later) return true;
    const numbers = [...this.#run.keys()];
    const afterFirst = !this.earlier || numbers.some((shown) => shown < no);
    const beforeLast = !this.later || numbers.some((shown) => shown > no);
    return afterFirst && beforeLast;
  }
}

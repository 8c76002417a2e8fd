/** @import { Changes, Comment, Inbound, Joined, Ping, Position, Window } from "../net/wire.js" */

/**
 * What follows from a message: comments to put in their places, or to replace everything by, and whether to go on,
 * to begin again from one's position, or to ask for a window.
 *
 * @typedef {{ comments: Comment[], whole?: boolean, next: "on" | "rejoin" | "reset" }} Verdict
 *
 * A question for a window beside the run: where the thread stood when it was asked, and what changed until the answer.
 * @typedef {{ version: number, news: Map<number, Comment> }} Question
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
  #run = new Map();
  /** @type {Set<number>} Those of the run that are gone. */
  #gone = new Set();
  #first = Infinity;
  #last = -Infinity;
  /** @type {Set<Question>} */
  #questions = new Set();
  /** @type {Position | null} Where the window that is awaited must reach. */
  #awaited = null;
  /** @type {Changes[]} */
  #held = [];

  /** @param {Omit<Window, "comments"> & { comments: Pick<Comment, "no" | "version" | "gone">[] }} window */
  constructor(window) {
    this.epoch = window.epoch;
    this.version = window.version;
    this.count = window.count;
    this.thread = window.thread;
    this.earlier = window.earlier;
    this.later = window.later;
    for (const comment of window.comments) this.#enter(comment);
  }

  /** Whether a window is awaited: until it comes, what is shown is not the present. */
  get resetting() {
    return this.#awaited !== null;
  }

  /** How many comments are shown. */
  get size() {
    return this.#run.size;
  }

  /** How many published comments stand before the run; undefined: it does not reach the end, so that can't be told. */
  get before() {
    return this.later ? undefined : Math.max(0, this.count - this.#run.size + this.#gone.size);
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
    this.#forgetRun();
    for (const comment of window.comments) this.#enter(comment);
    const comments = new Map(window.comments.map((comment) => [comment.no, comment]));
    const verdicts = this.#held.splice(0).map((changes) => this.#changes(changes));
    for (const comment of verdicts.flatMap((verdict) => verdict.comments)) comments.set(comment.no, comment);
    const complete = verdicts.every(({ next }) => next === "on");
    return { comments: [...comments.values()], whole: true, next: complete ? "on" : "rejoin" };
  }

  /**
   * Begin to ask for a window beside the run: what changes until the answer is kept for it, shown or not.
   *
   * @returns {Question}
   */
  ask() {
    const question = { version: this.version, news: new Map() };
    this.#questions.add(question);
    return question;
  }

  /** @param {Question} question one that nobody answered */
  forget(question) {
    this.#questions.delete(question);
  }

  /**
   * Lengthen the run by a window that was asked for, at the end where it lies.
   *
   * @param {Question} question
   * @param {Window} window
   * @returns {Verdict} `reset`: the window is older than what was known, ask again; nothing where the run has another end
   *   by now
   */
  extend(question, window) {
    if (!this.#questions.delete(question) || this.#awaited) return NOTHING;
    if (window.epoch !== this.epoch) return REJOIN;
    if (window.version < question.version) return RESET;
    const before = window.comments.every(({ no }) => no < this.#first);
    if (before) this.earlier = window.earlier;
    else this.later = window.later;
    for (const comment of window.comments) this.#enter(comment);
    const news = [...question.news.values()].filter((comment) => this.#fits(comment));
    for (const comment of news) this.#enter(comment);
    const comments = new Map([...window.comments, ...news].map((comment) => [comment.no, comment]));
    return { comments: [...comments.values()], next: "on" };
  }

  /** @param {number[]} numbers the lowest of the run, which are shown no more */
  drop(numbers) {
    for (const no of numbers) {
      this.#run.delete(no);
      this.#gone.delete(no);
    }
    this.#first = Math.min(...this.#run.keys());
    this.#questions.clear();
    this.earlier = true;
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
    for (const { news } of this.#questions) for (const comment of comments) news.set(comment.no, comment);
    const taken = comments.filter((comment) => this.#fits(comment));
    for (const comment of taken) this.#enter(comment);
    return taken;
  }

  /** @param {Comment} comment */
  #fits({ no, version }) {
    const known = this.#run.get(no);
    return known === undefined ? this.#hasPlace(no) : version > known;
  }

  /** @param {Pick<Comment, "no" | "version" | "gone">} comment one that is in the run from now on */
  #enter({ no, version, gone }) {
    this.#run.set(no, version);
    if (gone) this.#gone.add(no);
    else this.#gone.delete(no);
    this.#first = Math.min(this.#first, no);
    this.#last = Math.max(this.#last, no);
  }

  #forgetRun() {
    this.#questions.clear();
    this.#run.clear();
    this.#gone.clear();
    this.#first = Infinity;
    this.#last = -Infinity;
  }

  /** @param {number} no */
  #hasPlace(no) {
    return (!this.earlier || no > this.#first) && (!this.later || no < this.#last);
  }
}

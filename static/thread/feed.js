import { markup } from "./markup.js";
import { copy, part } from "./part.js";
import { keepPlace, onScreen } from "./place.js";
import { say, write } from "./words.js";

/** @import { Comment } from "../net/wire.js" */
/** @typedef {{ comment: Comment, item?: HTMLElement, top: number, height: number }} Plan `height`: of a text in view */

const RUN = 50; // comments that a browser may leave unrendered together while they are out of view

/**
 * The comments on the page, in the order of their numbers. Nothing that can be seen is ever moved: a comment whose
 * place is in view waits, hidden, until it is asked for or its place is out of view; a text in view that changes keeps
 * its height as long. What is to be known of the layout is read before anything is written, so that one arrival costs
 * one layout, however many comments there are.
 */
export class Feed {
  /** Whether comments are shown at once, wherever their place is. */
  open = false;
  #list;
  #end;
  #stamp;
  #dress;
  #ondrop;
  /** @type {Map<number, HTMLElement>} */
  #items = new Map();
  /** @type {number[]} The numbers that are here, in order. */
  #here = [];
  /** @type {number[]} Those that are shown, in order. */
  #shown = [];
  /** @type {Set<number>} */
  #waiting = new Set();
  /** @type {Set<HTMLElement>} Those that keep a height. */
  #held = new Set();
  /** @type {Set<Element>} Runs that came later than the page, and are always laid out. */
  #awake = new Set();
  /** @type {Element[]} Those of them that may rest, for they are out of view. */
  #tired = [];

  /**
   * @param {object} options
   * @param {HTMLElement} options.root the thread's element
   * @param {(at: string) => string} options.stamp a time as the page shows it
   * @param {(item: HTMLElement, no: number) => void} options.dress gives a comment what only this reader sees
   * @param {(numbers: number[]) => void} options.ondrop told which are on the page no more
   */
  constructor({ root, stamp, dress, ondrop }) {
    this.#list = part(root, ".comments");
    this.#end = part(root, ".composer");
    this.#stamp = stamp;
    this.#dress = dress;
    this.#ondrop = ondrop;
    for (const item of this.#list.querySelectorAll(".comment")) this.#enter(/** @type {HTMLElement} */ (item));
    this.#here = [...this.#items.keys()];
    this.#shown = [...this.#here];
  }

  /** The comments that the page came with. */
  get run() {
    return [...this.#items].map(([no, item]) => ({
      no,
      version: Number(item.dataset.version),
      gone: item.querySelector(".gone") ? "removed" : undefined,
    }));
  }

  /** @returns {number | undefined} the lowest number that is shown */
  get first() {
    return this.#shown[0];
  }

  /** @returns {number | undefined} */
  get last() {
    return this.#shown.at(-1);
  }

  /** @param {number} size */
  lowest(size) {
    return this.#shown.slice(0, size);
  }

  /** The comments that can be seen just now. Runs are asked first: what is in one at rest would be laid out for it. */
  get inView() {
    const runs = [...this.#list.children];
    const from = search(runs, (run) => run.getBoundingClientRect().bottom > 0);
    const to = search(runs, (run) => run.getBoundingClientRect().top >= innerHeight);
    const items = runs.slice(from, to).flatMap((run) => [...run.children]);
    return /** @type {HTMLElement[]} */ (items).filter(onScreen);
  }

  /** Whether the last comment can be seen just now. */
  get endInView() {
    return this.last !== undefined && onScreen(this.#item(this.last));
  }

  /** @param {number} no */
  find(no) {
    return this.#items.get(no);
  }

  /**
   * @param {number} no
   * @param {number} by how many places further on
   */
  beside(no, by) {
    const at = search(this.#shown, (shown) => shown >= no) + by;
    return this.#items.get(this.#shown[Math.max(0, at)]);
  }

  /**
   * One for another place than its own.
   *
   * @param {Comment} comment
   */
  made(comment) {
    const item = copy("comment");
    this.#fill(item, comment);
    return item;
  }

  /** @param {Comment[]} comments to be put in their places */
  put(comments) {
    if (!comments.length) return;
    const seen = this.inView;
    this.#tired = [...this.#awake].filter((run) => !onScreen(run));
    const plans = comments.map((comment) => this.#plan(comment, seen));
    keepPlace(this.#anchors(seen), () => {
      for (const plan of plans) this.#carryOut(plan);
    });
  }

  /** @param {Comment[]} comments to be put in their places, which are asked for: nothing waits */
  lay(comments) {
    const { open } = this;
    this.open = true;
    this.put(comments);
    this.open = open;
  }

  /** @param {Comment[]} comments what there is from now on: what is not among them goes */
  replace(comments) {
    const kept = new Set(comments.map(({ no }) => no));
    this.put(comments);
    this.drop([...this.#items.keys()].filter((no) => !kept.has(no)));
  }

  /** @param {number[]} numbers */
  drop(numbers) {
    if (!numbers.length) return;
    const dropped = new Set(numbers);
    keepPlace(this.#anchors(this.inView), () => {
      for (const no of dropped) {
        const run = this.#items.get(no)?.parentElement;
        this.#items.get(no)?.remove();
        if (!run?.children.length) run?.remove();
        this.#items.delete(no);
        this.#waiting.delete(no);
      }
      this.#here = this.#here.filter((no) => !dropped.has(no));
      this.#shown = this.#shown.filter((no) => !dropped.has(no));
      this.#ondrop(numbers);
    });
  }

  /** Show what waits; what is being typed, or else read, stays where it is. */
  reveal() {
    this.#release([...this.#waiting], this.inView);
  }

  /** Show what waits, and let go what keeps a height, where that is out of view by now. */
  settle() {
    const seen = this.inView;
    const tops = new Map();
    const released = [...this.#waiting].filter((no) => {
      const next = this.#next(no);
      if (!tops.has(next)) tops.set(next, this.#topOf(next));
      return !inside(tops.get(next));
    });
    this.#release(released, seen);
  }

  /**
   * Make something else of the page, and keep what is being typed or read in its place.
   *
   * @param {() => void} change
   */
  around(change) {
    keepPlace(this.#anchors(this.inView), change);
  }

  /** @param {number} no one whose reader has done something about it */
  dress(no) {
    const item = this.#items.get(no);
    if (item) this.#dress(item, no);
  }

  /** @param {(item: HTMLElement, no: number) => void} act */
  each(act) {
    for (const [no, item] of this.#items) act(item, no);
  }

  /**
   * What must not move.
   *
   * @param {HTMLElement[]} seen
   * @returns {Element[]}
   */
  #anchors(seen) {
    const active = document.activeElement;
    if (active && this.#end.contains(active) && onScreen(active)) return [active];
    if (this.#list.getBoundingClientRect().bottom <= 0) return [this.#end];
    return seen;
  }

  /**
   * @param {Comment} comment
   * @param {HTMLElement[]} seen
   * @returns {Plan}
   */
  #plan(comment, seen) {
    const item = this.#items.get(comment.no);
    const height = item && seen.includes(item) ? part(item, ".text").getBoundingClientRect().height : 0;
    if (item) return { comment, item, top: 0, height };
    return { comment, top: this.#topOf(this.#next(comment.no)), height: 0 };
  }

  /** @param {Plan} plan */
  #carryOut({ comment, item, top, height }) {
    const { no } = comment;
    const filled = item ?? copy("comment");
    const other = this.#fill(filled, comment);
    if (other && height) {
      part(filled, ".text").style.cssText = `height: ${height}px; overflow: auto`;
      this.#held.add(filled);
    }
    if (!item) {
      this.#enter(filled);
      filled.hidden = !this.open && inside(top);
      if (filled.hidden) this.#waiting.add(no);
      else insert(this.#shown, no);
      this.#place(filled, insert(this.#here, no));
    }
    this.#dress(filled, no);
  }

  /**
   * @param {number[]} numbers
   * @param {HTMLElement[]} seen
   */
  #release(numbers, seen) {
    const loose = [...this.#held].filter((item) => !seen.includes(item));
    if (!numbers.length && !loose.length) return;
    keepPlace(this.#anchors(seen), () => {
      for (const item of loose) {
        part(item, ".text").removeAttribute("style");
        this.#held.delete(item);
      }
      for (const no of numbers) {
        this.#item(no).hidden = false;
        this.#waiting.delete(no);
        insert(this.#shown, no);
      }
    });
  }

  /**
   * @param {HTMLElement} item
   * @param {number} at its place in the order of all that are here
   */
  #place(item, at) {
    const before = this.#items.get(this.#here[at - 1]);
    const run = before?.parentElement;
    if (before && run && (item.hidden || before.nextElementSibling || run.children.length < RUN)) {
      before.after(item);
      return;
    }
    this.#rest();
    const fresh = copy("run");
    this.#awake.add(fresh);
    fresh.append(item);
    if (run) run.after(fresh);
    else this.#list.prepend(fresh);
  }

  /**
   * For each run that comes let another go unrendered: one, for that costs as much as laying it out; and one that was
   * laid out, for the browser knows its size then.
   */
  #rest() {
    const run = this.#tired.shift();
    run?.classList.add("resting");
    if (run) this.#awake.delete(run);
  }

  /**
   * @param {HTMLElement} item
   * @param {Comment} comment
   * @returns {boolean} whether it looks otherwise than before
   */
  #fill(item, { no, version, at, by = "Anonymous", tag, html, gone }) {
    item.id = `no-${no}`;
    part(item, "header").id = `head-${no}`;
    item.setAttribute("aria-labelledby", `head-${no}`);
    Object.assign(item.dataset, { no, version });
    const name = part(item, ".by");
    const staff = by !== "Anonymous";
    name.classList.toggle("staff", staff);
    write(name, staff ? by : say("anonymous"));
    write(part(item, ".no"), String(no));
    item.querySelector(".tag")?.remove();
    if (tag) part(item, ".by").append(this.#tag(tag));
    part(item, ".permalink").setAttribute("href", `/comments/${no}`);
    part(item, ".quote").setAttribute("href", `?quote=${no}#form`);
    part(item, ".report").setAttribute("href", `/comments/${no}/report`);
    const time = part(item, "time");
    time.setAttribute("datetime", at);
    write(time, this.#stamp(at));
    const text = part(item, ".text");
    const fresh = /** @type {Element} */ (text.cloneNode());
    if (gone) fresh.append(this.#farewell(gone, no));
    else fresh.innerHTML = markup(html ?? "");
    if (fresh.isEqualNode(text)) return false; // leave a selection in it alone
    text.replaceWith(fresh);
    return true;
  }

  /** @param {string} letters */
  #tag(letters) {
    const tag = copy("tag");
    tag.classList.add(`hue-${Number.parseInt(letters[0], 32) % 12}`);
    tag.textContent = ` ${letters}`;
    return tag;
  }

  /**
   * @param {string} gone an unknown reason means removed
   * @param {number} no
   */
  #farewell(gone, no) {
    const lines = copy("farewells");
    part(lines, ".appeal").setAttribute("href", `/comments/${no}/appeal`);
    return lines.querySelector(`[data-gone="${CSS.escape(gone)}"]`) ?? part(lines, '[data-gone="removed"]');
  }

  /** @param {HTMLElement} item */
  #enter(item) {
    this.#items.set(Number(item.dataset.no), item);
    this.#list.role = "feed"; // an empty one would be none
    this.#list.setAttribute("aria-labelledby", "count");
  }

  /** @param {number} no one that is there */
  #item(no) {
    return /** @type {HTMLElement} */ (this.#items.get(no));
  }

  /** @param {number} no the comment that is shown after it */
  #next(no) {
    return this.#items.get(this.#shown[search(this.#shown, (shown) => shown > no)]);
  }

  /** @param {HTMLElement | undefined} next where a comment stands that comes before it, or else at the end */
  #topOf(next) {
    return next ? next.getBoundingClientRect().top : this.#list.getBoundingClientRect().bottom;
  }
}

/**
 * Put a number into an order.
 *
 * @param {number[]} order
 * @param {number} no
 * @returns {number} its place
 */
function insert(order, no) {
  const at = search(order, (other) => other > no);
  order.splice(at, 0, no);
  return at;
}

/**
 * The first place in an order from which on something holds.
 *
 * @template T
 * @param {T[]} order
 * @param {(each: T) => boolean} holds
 */
function search(order, holds) {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(order[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** @param {number} top */
function inside(top) {
  return top > 0 && top < innerHeight;
}

import { ago, tongue } from "./clock.js";
import { copy, part } from "./part.js";
import { onScreen } from "./place.js";
import { referenceTo } from "./text.js";
import { say, write } from "./words.js";

/** @import { Mark } from "../kept/mark.js" */
/** @import { Joined, Position } from "../net/wire.js" */
/** @import { Feed } from "./feed.js" */

const MINUTE = 60_000;
const QUIET = 10_000; // between two announcements

/**
 * One reader in front of the thread: what has come that was not seen yet (the pill, the title, an announcement), where
 * one had got to (the line), and whether one follows the end.
 */
export class Reading {
  #root;
  #feed;
  #mark;
  #position;
  #onlook;
  #pill;
  #switch;
  #announcer;
  #title = document.title;
  /** @type {Set<number>} What has come and was not seen. */
  #unseen = new Set();
  /** @type {number[]} What has come while the page was hidden. */
  #away = [];
  #answers = 0;
  #unsaid = 0;
  #quiet = 0;
  #frame = 0;
  /** The number beyond which the line is to be drawn, once there is a comment. */
  #line = 0;

  /**
   * @param {object} options
   * @param {HTMLElement} options.root
   * @param {Feed} options.feed
   * @param {Mark} options.mark
   * @param {Position} options.position where one stands: it moves on
   * @param {() => void} options.onlook told when another part of the page is in view
   */
  constructor({ root, feed, mark, position, onlook }) {
    this.#root = root;
    this.#feed = feed;
    this.#mark = mark;
    this.#position = position;
    this.#onlook = onlook;
    this.#pill = part(root, ".pill");
    this.#switch = part(root, ".follow");
    this.#announcer = part(root, ".announcer");
  }

  /** @param {AbortSignal} signal ends listening */
  listen(signal) {
    const look = () => this.look();
    addEventListener("scroll", look, { signal, passive: true });
    addEventListener("resize", look, { signal });
    addEventListener("pagehide", () => this.#keepMark(), { signal });
    document.addEventListener("visibilitychange", () => this.#turned(), { signal });
    document.addEventListener("keydown", (event) => this.#pressed(event), { signal });
    this.#pill.addEventListener("click", () => this.#goToNew(), { signal });
    this.#switch.addEventListener("click", () => this.#follow(!this.#feed.open), { signal });
    const timer = setInterval(look, MINUTE / 2);
    signal.addEventListener("abort", () => clearInterval(timer));
    if (this.#mark.before) this.#draw(this.#mark.no);
    this.look();
  }

  /** @param {number[]} numbers what has come just now, and is on the page; not one's own */
  arrived(numbers) {
    for (const no of numbers) {
      const item = this.#feed.find(no);
      item?.classList.add("fresh");
      this.#unseen.add(no);
      if (document.hidden) this.#away.push(no);
      if (document.hidden && item?.matches(".answers-you")) this.#answers += 1;
    }
    if (this.#line) this.#draw(this.#line);
    if (this.#feed.open && numbers.length) this.#toEnd();
    this.#announce(numbers.length);
    this.look();
  }

  /** @param {number[]} numbers what is on the page no more, and will not be seen */
  forget(numbers) {
    for (const no of numbers) this.#unseen.delete(no);
    this.#show();
  }

  /** See what is in view; once a frame is enough, and while the page is hidden nothing is seen. */
  look() {
    this.#show();
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#look();
    });
  }

  /**
   * Tell what changed since one was here.
   *
   * @param {Joined} joined
   */
  since({ mode, comments }) {
    const { no: seen = 0 } = this.#mark.before ?? {};
    const fresh = comments.filter((comment) => comment.no > seen && !comment.gone).length;
    const gone = comments.filter((comment) => comment.no <= seen && comment.gone);
    if (fresh && !this.#draw(seen)) this.#line = seen; // the page was older than what changed: that is still to come
    const place = part(this.#root, ".since");
    const said = mode === "reset" ? [say("since-much")] : [];
    if (fresh) said.push(say("since-new", { num: fresh }));
    if (gone.length) said.push(say("since-gone", { num: gone.length }));
    const links = gone.map(({ no }) => referenceTo(no));
    this.#feed.around(() => {
      place.replaceChildren(said.join(" "), ...links.flatMap((link) => [" ", link]));
      place.hidden = !said.length;
    });
  }

  #look() {
    this.#feed.settle();
    const seen = this.#feed.inView;
    for (const item of seen) {
      const no = Number(item.dataset.no);
      this.#unseen.delete(no);
      this.#mark.no = Math.max(this.#mark.no, no);
      const hint = part(item, ".ago");
      hint.lang = tongue;
      write(hint, ago(item.querySelector("time")?.dateTime ?? ""));
    }
    if (this.#feed.open && !this.#feed.endInView) this.#follow(false); // one has scrolled away from the end
    this.#show();
    this.#onlook();
  }

  /** The pill and the title. */
  #show() {
    const num = this.#unseen.size;
    this.#pill.hidden = !num || !onScreen(this.#root);
    write(this.#pill, say("new", { num }));
    const away = this.#away.length;
    const answers = this.#answers ? ` · ↩ ${this.#answers}` : "";
    document.title = away ? `(${away}${answers}) ${this.#title}` : this.#title;
  }

  #turned() {
    this.#keepMark();
    if (document.hidden) return;
    if (this.#away.length) this.#draw(this.#away[0] - 1);
    this.#away = [];
    this.#answers = 0;
    this.look();
  }

  #keepMark() {
    this.#mark.keep(this.#position);
  }

  /**
   * Draw the line above the first comment beyond a number.
   *
   * @param {number} no
   * @returns {boolean} whether there is one
   */
  #draw(no) {
    for (const line of this.#root.querySelectorAll(".comments .line")) line.remove();
    const item = this.#feed.beside(no + 1, 0);
    if (!item) return false;
    item.append(copy("line"));
    this.#line = 0;
    return true;
  }

  #goToNew() {
    const first = Math.min(...this.#unseen);
    this.#feed.reveal();
    const item = this.#feed.find(first);
    item?.focus({ preventScroll: true });
    item?.scrollIntoView({ block: "center" });
    this.look();
  }

  /** @param {KeyboardEvent} event End goes to what is new, where there is any */
  #pressed(event) {
    const typing = event.target instanceof Element && event.target.matches("textarea, input");
    if (event.key !== "End" || typing || this.#pill.hidden) return;
    event.preventDefault();
    this.#goToNew();
  }

  /** @param {boolean} follows */
  #follow(follows) {
    this.#feed.open = follows;
    this.#switch.setAttribute("aria-checked", String(follows));
    if (!follows) return;
    this.#feed.reveal();
    this.#toEnd();
    this.look();
  }

  #toEnd() {
    this.#feed.find(this.#feed.last ?? 0)?.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} number told to who listens, a while after the last time */
  #announce(number) {
    this.#unsaid += number;
    if (!this.#unsaid || this.#quiet) return;
    write(this.#announcer, say("new", { num: this.#unsaid }));
    this.#unsaid = 0;
    this.#quiet = setTimeout(() => {
      this.#quiet = 0;
      this.#announcer.textContent = "";
      this.#announce(0);
    }, QUIET);
  }
}

import { comment } from "../net/comments.js";
import { markup } from "./markup.js";
import { copy, part } from "./part.js";
import { numberOf, referencesOf, referenceTo } from "./text.js";

/** @import { Hidden } from "../kept/hidden.js" */
/** @import { Feed } from "./feed.js" */

const HOVER = 150; // milliseconds that a pointer rests on a number before its comment is shown

/** Who quotes whom: below each comment the numbers that answer it, and each number's comment while one points at it. */
export class Quotes {
  #root;
  #feed;
  #hidden;
  #preview;
  /** @type {Map<number, number[]>} The references of each comment that has any. */
  #quoted = new Map();
  /** @type {Map<number, Set<number>>} The answers to each comment that has any. */
  #answers = new Map();
  /** @type {Element | null} What the preview belongs to. */
  #link = null;
  #timer = 0;

  /**
   * @param {HTMLElement} root
   * @param {Feed} feed
   * @param {Hidden} hidden
   */
  constructor(root, feed, hidden) {
    this.#root = root;
    this.#feed = feed;
    this.#hidden = hidden;
    this.#preview = part(root, ".preview");
  }

  /** @param {AbortSignal} signal ends listening */
  listen(signal) {
    const over = /** @param {Event} event */ (event) => this.#over(event.target);
    const root = this.#root;
    root.addEventListener("pointerover", over, { signal });
    root.addEventListener("focusin", over, { signal });
    root.addEventListener("focusout", () => this.#show(null), { signal });
    root.addEventListener("pointerleave", () => this.#over(null), { signal });
    document.addEventListener("keydown", ({ key }) => key === "Escape" && this.#show(null), { signal });
    document.addEventListener("scroll", () => this.#link && this.#show(null), { signal, passive: true });
  }

  /**
   * @param {HTMLElement} item a comment that is new or another now
   * @param {number} no
   */
  dress(item, no) {
    if (this.#link && numberOf(this.#link) === no) this.#show(null); // it shows what was
    this.#refer(no, referencesOf(part(item, ".text")));
  }

  /** @param {number[]} numbers comments that are on the page no more */
  forget(numbers) {
    for (const no of numbers) this.#refer(no, []);
  }

  /**
   * @param {number} no
   * @param {number[]} now what it refers to
   */
  #refer(no, now) {
    const before = this.#quoted.get(no) ?? [];
    if (now.length) this.#quoted.set(no, now);
    else this.#quoted.delete(no);
    for (const other of before) this.#answers.get(other)?.delete(no);
    for (const other of now) this.#answers.set(other, (this.#answers.get(other) ?? new Set()).add(no));
    for (const other of new Set([...before, ...now, no])) this.#list(other);
  }

  /** @param {number} no */
  #list(no) {
    const place = this.#feed.find(no)?.querySelector(".answers");
    const answers = this.#answers.get(no) ?? new Set();
    if (!answers.size) this.#answers.delete(no);
    if (!place || place.children.length === answers.size) return;
    const inOrder = [...answers].sort((one, other) => one - other);
    place.replaceChildren(...inOrder.map(referenceTo));
  }

  /** @param {EventTarget | null} target */
  #over(target) {
    const element = target instanceof Element ? target : null;
    if (element && this.#preview.contains(element)) {
      clearTimeout(this.#timer);
      return;
    }
    const link = element?.closest("a.ref") ?? null;
    if (link === this.#link) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(link?.matches(":hover, :focus") ? link : null), HOVER);
  }

  /** @param {Element | null} link */
  async #show(link) {
    clearTimeout(this.#timer);
    if (this.#link && this.#preview.isConnected) this.#preview.hidePopover?.();
    this.#link?.removeAttribute("aria-describedby");
    this.#link = link;
    if (!link) return;
    const shown = await this.#copyOf(numberOf(link)).catch(() => null);
    if (this.#link !== link || !shown) return;
    this.#preview.replaceChildren(...shown);
    this.#preview.showPopover?.();
    link.setAttribute("aria-describedby", this.#preview.id);
    this.#lay(link.getBoundingClientRect());
  }

  /**
   * @param {number} no
   * @returns {Promise<Node[]>} its first line and its text
   */
  async #copyOf(no) {
    const here = this.#feed.find(no);
    if (here) {
      const veil = here.querySelector(":scope > .veil")?.firstChild; // its words, without the way to lift it
      const header = /** @type {Element} */ (part(here, "header").cloneNode(true));
      header.removeAttribute("id"); // the comment's own
      return [header, (veil ?? part(here, ".text")).cloneNode(true)];
    }
    const { title, comment: found } = await comment(no);
    const line = document.createElement("p");
    line.textContent = `>>${no} · ${title}`;
    const text = document.createElement("div");
    text.className = "text";
    text.dir = "auto";
    if (found.gone) text.append(part(copy("farewells"), '[data-gone="removed"]'));
    else text.innerHTML = markup(found.html ?? "");
    if (this.#hidden.hides(no, text.textContent ?? "")) text.replaceChildren(copy("veil").firstChild ?? "");
    return [line, text];
  }

  /**
   * Beside a link, within the window.
   *
   * @param {DOMRect} link
   */
  #lay({ left, top, bottom }) {
    const { width, height } = this.#preview.getBoundingClientRect();
    const below = bottom + height <= innerHeight || top < height;
    this.#preview.style.left = `${Math.max(0, Math.min(left, innerWidth - width))}px`;
    this.#preview.style.top = `${below ? bottom : top - height}px`;
  }
}

import { say } from "../thread/words.js";

/** @param {Element} element */
const focused = (element) => element.contains(document.activeElement);

/** @param {Element} element */
const atHand = (element) => focused(element) || element.matches(":hover");

/**
 * What the desk shows, and how a newer page is laid over it: what is the same stays the same element, with what is
 * chosen in it; focus stays where it is, and as far as the page can be scrolled, so does what is at hand, under the
 * pointer or with the focus. What somebody else has seen to stays while it is at hand, and can only be left: else a key
 * or a click would act on what has come into its place.
 */
export class Lists {
  #desk;

  /** @param {HTMLElement} desk */
  constructor(desk) {
    this.#desk = desk;
  }

  /**
   * @param {Document} page
   * @param {boolean} own whether it comes of an act of one's own: then the focus moves on to what comes next
   */
  take(page, own) {
    const newer = page.querySelector("moderators-desk");
    if (!(newer instanceof HTMLElement)) return;
    this.#desk.dataset.version = newer.dataset.version;
    const hand = [...this.#desk.querySelectorAll("[data-list] > *")].find(atHand);
    const before = hand?.getBoundingClientRect().top ?? 0;
    for (const part of this.#desk.querySelectorAll("[data-swap]")) this.#swap(part, newer);
    for (const list of this.#desk.querySelectorAll("[data-list]")) {
      const other = newer.querySelector(`#${list.id}`);
      if (other) this.#lay(/** @type {HTMLElement} */ (list), other, own);
    }
    if (hand?.isConnected) scrollBy({ top: hand.getBoundingClientRect().top - before, behavior: "instant" });
  }

  /**
   * @param {Element} part
   * @param {Element} newer
   */
  #swap(part, newer) {
    const other = newer.querySelector(`#${part.id}`);
    if (!other || other.isEqualNode(part)) return;
    const held = focused(part);
    part.replaceChildren(...document.importNode(other, true).childNodes);
    if (held) (part.querySelector("button") ?? this.#desk.querySelector("[data-list]"))?.focus();
  }

  /**
   * @param {HTMLElement} list
   * @param {Element} newer
   * @param {boolean} own
   */
  #lay(list, newer, own) {
    const stay = new Set([...newer.children].map(({ id }) => id));
    for (const item of [...list.children]) {
      if (!stay.has(item.id)) this.#drop(list, /** @type {HTMLElement} */ (item), own);
    }
    let place = list.firstElementChild;
    for (const other of newer.children) {
      while (place?.matches("[data-settled]")) place = place.nextElementSibling;
      const next = place?.id === other.id ? place.nextElementSibling : place;
      const item = this.#kept(list, /** @type {HTMLElement} */ (other));
      if (!item.isConnected || item.nextElementSibling !== next) list.insertBefore(item, next);
      place = next;
    }
  }

  /**
   * The element of a list for an item: the one that is there, unless it says something else by now.
   *
   * @param {HTMLElement} list
   * @param {HTMLElement} other
   * @returns {HTMLElement}
   */
  #kept(list, other) {
    const old = /** @type {HTMLElement | null} */ (list.querySelector(`#${CSS.escape(other.id)}`));
    if (old && old.dataset.mark === other.dataset.mark && !old.dataset.settled) return old;
    const item = document.importNode(other, true);
    if (!old) return item;
    const held = focused(old);
    const chosen = old.querySelector("input")?.checked;
    old.replaceWith(item);
    const box = item.querySelector("input");
    if (box && chosen) box.checked = true;
    if (held) item.focus();
    return item;
  }

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} item
   * @param {boolean} own
   */
  #drop(list, item, own) {
    if (!(own ? focused(item) : atHand(item))) item.remove();
    else if (own) {
      const next = /** @type {HTMLElement | null} */ (item.nextElementSibling ?? item.previousElementSibling);
      item.remove();
      (next ?? list).focus();
    } else if (!item.matches("[data-settled]")) this.#settle(item);
  }

  /** @param {HTMLElement} item */
  #settle(item) {
    item.dataset.settled = say("settled");
    if (focused(item)) item.focus(); // the button that has it is about to go
    for (const button of item.querySelectorAll("button, label")) button.remove();
    const leave = () => setTimeout(() => atHand(item) || item.remove());
    item.addEventListener("focusout", leave);
    item.addEventListener("pointerleave", leave);
  }
}

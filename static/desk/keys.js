import { keep, recall } from "../kept/store.js";
import { part } from "../thread/part.js";

const NAME = "shortcuts";

/** Keys that act on the comment that has the focus; they can be switched off (WCAG 2.1.4). */
export class Keys {
  #desk;
  #settled;
  #help;

  /**
   * @param {HTMLElement} desk
   * @param {() => Promise<boolean>} settled waits until one's last act is done, and tells whether that went well: else one
   *   would undo what was done before it
   */
  constructor(desk, settled) {
    this.#desk = desk;
    this.#settled = settled;
    this.#help = /** @type {HTMLDialogElement} */ (part(desk, ".help"));
    const box = /** @type {HTMLInputElement} */ (part(desk, ".shortcuts"));
    box.checked = recall(NAME, true);
    box.onchange = () => keep(NAME, box.checked);
  }

  /** @param {AbortSignal} signal ends listening */
  listen(signal) {
    document.addEventListener("keydown", (event) => this.#pressed(event), { signal });
    const opener = part(this.#desk, ".open-help");
    opener.hidden = false;
    opener.addEventListener("click", () => this.#help.showModal(), { signal });
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const { target, key, altKey, ctrlKey, metaKey, repeat } = event;
    const busy = target instanceof Element && target.closest("input:not([type=checkbox]), textarea, select, dialog");
    if (busy || altKey || ctrlKey || metaKey || event.defaultPrevented || !recall(NAME, true)) return;
    if (key === "j" || key === "k") this.#go(key === "j" ? 1 : -1);
    else if (key === "?") this.#help.showModal();
    else if (!"abhprtuwx".includes(key) || repeat) return;
    else if (key === "u") this.#undo();
    else if (key === "x") this.#press(this.#item, "input");
    else this.#press(this.#item, `[data-key=${key}]`);
    event.preventDefault();
  }

  async #undo() {
    if (await this.#settled()) this.#press(this.#desk, "[data-key=u]");
  }

  /** @returns {HTMLElement | null | undefined} the item of a list that has the focus */
  get #item() {
    return document.activeElement?.closest("[data-list] > *");
  }

  /**
   * @param {HTMLElement | null | undefined} whole
   * @param {string} selector
   */
  #press(whole, selector) {
    /** @type {HTMLElement | null | undefined} */ (whole?.querySelector(selector))?.click();
  }

  /** @param {number} by */
  #go(by) {
    const here = this.#item;
    const beside = by > 0 ? here?.nextElementSibling : here?.previousElementSibling;
    const next = here ? beside : this.#desk.querySelector("[data-list] > *");
    if (!(next instanceof HTMLElement)) return;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }
}

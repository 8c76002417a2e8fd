import { part } from "../thread/part.js";
import { say, write } from "../thread/words.js";
import { Keys } from "./keys.js";
import { Lists } from "./lists.js";
import { News } from "./news.js";
import { fetched, LOGIN, sent } from "./pages.js";

/** @import { Page } from "./pages.js" */

/**
 * The desk, made live: its forms act in place, and what others do is taken over. The server renders all of it; whatever
 * has happened, the page is read anew, and what differs is laid over what is shown.
 */
export class ModeratorsDesk extends HTMLElement {
  #lists = new Lists(this);
  #news = new News(
    (version) => this.#told(version),
    (live) => this.#say(live),
  );
  #asked = 0;
  #shown = 0;
  #acting = Promise.resolve(true);
  #leave = new AbortController();

  connectedCallback() {
    const { signal } = this.#leave;
    this.addEventListener("submit", (event) => this.#submitted(event), { signal });
    window.addEventListener("pagehide", () => this.#news.close(), { signal });
    window.addEventListener("pageshow", ({ persisted }) => persisted && this.#news.open(), { signal });
    new Keys(this, () => this.#acting).listen(signal);
    this.#news.open();
  }

  disconnectedCallback() {
    this.#news.close();
    this.#leave.abort();
  }

  /** @param {string} version what the desk would show now */
  #told(version) {
    if (version !== this.dataset.version) this.#renew();
  }

  /** @param {SubmitEvent} event */
  #submitted(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (form.method !== "post" || form.matches(".leave, .plain")) return;
    event.preventDefault();
    const act = this.#read(() => sent(form, /** @type {HTMLButtonElement} */ (event.submitter)), true);
    this.#acting = act;
    act.then(() => {
      if (this.#acting === act) this.#acting = Promise.resolve(true);
    });
  }

  /**
   * Show what is read, unless what was asked for later is shown already. What comes of an act is always shown, and what
   * was asked for meanwhile, which may be older or newer, is asked for again. Whether it could be read.
   *
   * @param {() => Promise<Page>} read
   * @param {boolean} own whether it comes of an act of one's own
   */
  async #read(read, own) {
    const number = ++this.#asked;
    const complaint = part(this, ":scope > .error");
    try {
      const page = await read();
      write(complaint, "");
      if (page.path === LOGIN) {
        location.assign(LOGIN);
        return false;
      }
      if (!own && number <= this.#shown) return true;
      const again = own && number < this.#asked;
      this.#shown = own ? this.#asked : number;
      this.#lists.take(page.content, own);
      if (again) this.#renew();
      return true;
    } catch {
      if (own) write(complaint, say("failed"));
      return false;
    }
  }

  #renew() {
    return this.#read(() => fetched(this.dataset.page ?? location.href), false);
  }

  /** @param {boolean} live */
  #say(live) {
    this.dataset.connection = live ? "live" : "reconnecting";
    write(part(this, ".connection"), say(this.dataset.connection));
    if (!live) this.#renew(); // a session may have ended
  }
}

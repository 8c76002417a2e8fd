import { part } from "./part.js";
import { say } from "./words.js";

/** @import { Draft } from "../kept/draft.js" */
/** @import { ThreadState } from "../net/wire.js" */

const LONGEST = 5_000; // code points (docs/protocol.md)
const NEAR = 4_500;

/** The form below a thread: what stands in it is kept until it is sent. */
export class Composer {
  #root;
  #form;
  #field;
  #draft;
  #onpost;
  #closed = false;

  /**
   * @param {object} options
   * @param {HTMLElement} options.root the thread's element
   * @param {Draft} options.draft
   * @param {(text: string) => void} options.onpost is given what was written
   */
  constructor({ root, draft, onpost }) {
    this.#root = part(root, ".composer");
    this.#form = /** @type {HTMLFormElement} */ (this.#part("form"));
    this.#field = /** @type {HTMLTextAreaElement} */ (this.#part("textarea"));
    this.#draft = draft;
    this.#onpost = onpost;
    const given = this.#field.value; // a refused text, or a number to quote
    this.#field.value = draft.text.includes(given) ? draft.text : [draft.text, given].filter(Boolean).join("\n");
  }

  /** @param {AbortSignal} signal ends listening */
  listen(signal) {
    this.#field.addEventListener("input", () => this.#written(), { signal });
    this.#field.addEventListener("keydown", (event) => this.#pressed(event), { signal });
    this.#form.addEventListener("submit", (event) => this.#submitted(event), { signal });
    this.#written();
  }

  /** Whether one can write here. */
  get open() {
    return !this.#closed;
  }

  /** @param {ThreadState} thread */
  follow({ state, slow, surge }) {
    this.#closed = state === "closed";
    this.#part(".closed").hidden = !this.#closed;
    this.#form.hidden = this.#closed && !this.#field.value; // a text that was begun can still be copied
    this.#part(".held").hidden = state !== "held";
    this.#part(".surge").hidden = !surge;
    this.#part(".slow").hidden = slow === 0;
    this.#part(".slow").textContent = say("slow", { num: slow });
  }

  /**
   * Begin a line that quotes a comment, or what is selected of it, where one is writing.
   *
   * @param {number} no
   * @param {string} [selection]
   */
  quote(no, selection = "") {
    const lines = selection.split("\n").filter((line) => line.trim());
    this.add([`>>${no}`, ...lines.map((line) => `> ${line}`), ""].join("\n"));
  }

  /** @param {string} text put in where one is writing, on a line of its own */
  add(text) {
    const field = this.#field;
    const before = field.value.slice(0, field.selectionStart);
    const start = before && !before.endsWith("\n") ? "\n" : "";
    field.setRangeText(start + text, field.selectionStart, field.selectionEnd, "end");
    this.#form.hidden = false;
    field.focus();
    this.#written();
  }

  #written() {
    this.#draft.text = this.#field.value;
    const length = Array.from(this.#field.value.trim()).length;
    this.#part(".length").textContent = length > NEAR ? say("length", { length, most: LONGEST }) : "";
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#form.requestSubmit();
  }

  /** @param {SubmitEvent} event */
  #submitted(event) {
    event.preventDefault();
    this.#onpost(this.#field.value);
    this.#field.value = "";
    this.#written();
    for (const told of this.#root.querySelectorAll(".error, .status")) told.textContent = ""; // of a page before
    this.#field.removeAttribute("aria-invalid");
    this.#field.focus();
  }

  /** @param {string} selector */
  #part(selector) {
    return part(this.#root, selector);
  }
}

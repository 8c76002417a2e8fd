import { part } from "./part.js";

/** @import { Draft } from "./draft.js" */
/** @import { Outbox } from "./outbox.js" */
/** @import { Accepted, Refused, ThreadState } from "./wire.js" */

const LONGEST = 5_000; // code points (docs/protocol.md)
const NEAR = 4_500;
const PATIENCE = 3_000; // without an answer for so long, say that it takes time

/**
 * The form below a thread. It sends what was written and keeps the text until the server has it; nothing in it is ever
 * disabled, since sending the same text again is the same act.
 */
export class Composer {
  #root;
  #form;
  #field;
  #draft;
  #outbox;
  #closed = false;
  /** The op that is waited for. */
  #awaited = "";
  #patience = 0;

  /**
   * @param {HTMLElement} root the thread's element
   * @param {Draft} draft
   * @param {Outbox} outbox
   */
  constructor(root, draft, outbox) {
    this.#root = part(root, ".composer");
    this.#form = /** @type {HTMLFormElement} */ (this.#part("form"));
    this.#field = /** @type {HTMLTextAreaElement} */ (this.#part("textarea"));
    this.#draft = draft;
    this.#outbox = outbox;
    if (!this.#field.value) this.#field.value = draft.text;
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
  follow({ state, slow }) {
    this.#closed = state === "closed";
    this.#part(".closed").hidden = !this.#closed;
    this.#form.hidden = this.#closed && !this.#field.value; // a text that was begun can still be copied
    this.#part(".held").hidden = state !== "held";
    this.#part(".slow").hidden = slow === 0;
    this.#part(".seconds").textContent = String(slow);
  }

  /**
   * Begin a line that quotes a comment, where one is writing.
   *
   * @param {number} no
   */
  quote(no) {
    const field = this.#field;
    const before = field.value.slice(0, field.selectionStart);
    const reference = `${before && !before.endsWith("\n") ? "\n" : ""}>>${no}\n`;
    field.setRangeText(reference, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    this.#written();
  }

  #written() {
    this.#draft.write(this.#field.value);
    const length = Array.from(this.#field.value.trim()).length;
    this.#part(".length").textContent = length > NEAR ? `${length} of ${LONGEST} characters.` : "";
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#form.requestSubmit();
  }

  /** @param {SubmitEvent} event */
  async #submitted(event) {
    event.preventDefault();
    const text = this.#field.value;
    const op = this.#draft.op(text);
    if (this.#awaited !== op) this.#outbox.forget(this.#awaited); // corrected before it was answered
    this.#awaited = op;
    this.#tell("Sending…");
    clearTimeout(this.#patience);
    this.#patience = setTimeout(
      () => this.#tell("No answer yet. Your text is kept, and sent again by itself."),
      PATIENCE,
    );
    const answer = await this.#outbox.post(op, text);
    clearTimeout(this.#patience);
    this.#awaited = "";
    if (answer.type === "accepted") this.#accepted(answer, text);
    else this.#refused(answer);
  }

  /**
   * @param {Accepted} accepted
   * @param {string} text
   */
  #accepted({ no, state }, text) {
    if (this.#field.value === text) this.#field.value = "";
    this.#written();
    if (state === "held") this.#tell(this.#part(".status").dataset.held ?? "");
    else if (state === "published") this.#tell("Published as ", permalink(no));
    else this.#tell("This comment was published before, and taken away since.");
  }

  /** @param {Refused} refused */
  #refused({ code, message, retry_after: seconds }) {
    if (code === "op-reused") this.#draft.renew();
    this.#tell();
    this.#fail(seconds ? `${message} (${seconds} s)` : message);
  }

  /** @param {(string | Node)[]} words how the sending goes */
  #tell(...words) {
    this.#part(".status").replaceChildren(...words);
    this.#fail("");
  }

  /** @param {string} message why it was refused */
  #fail(message) {
    this.#part(".error").textContent = message;
    this.#field.setAttribute("aria-invalid", String(Boolean(message)));
  }

  /** @param {string} selector */
  #part(selector) {
    return part(this.#root, selector);
  }
}

/** @param {number} no */
function permalink(no) {
  const link = document.createElement("a");
  link.className = "ref";
  link.href = `/comments/${no}`;
  link.textContent = `No. ${no}`;
  return link;
}

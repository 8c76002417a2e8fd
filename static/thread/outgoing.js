import { newOp } from "../net/op.js";
import { copy, part } from "./part.js";
import { Prover } from "./prover.js";
import { plainText } from "./text.js";
import { percent, say, write } from "./words.js";

/** @import { Unsent, Entry } from "../kept/unsent.js" */
/** @import { Accepted, Refused } from "../net/wire.js" */
/** @import { Outbox } from "./outbox.js" */

const PATIENCE = 3_000; // without an answer for so long, say that it takes time
const RECHECK = 60_000; // how often it is asked what became of a comment that is held

/**
 * One's own comments on their way, between the thread and the form: shown at once, sent until there is an answer (also
 * after a crash), and then real, held, or refused for a reason that stays until one tries again or lets go.
 */
export class Outgoing {
  #place;
  #unsent;
  #outbox;
  #stamp;
  #onpublished;
  #onwithdrawn;
  #around;
  #prover = new Prover();
  /** @type {Map<number, { item: HTMLElement, entry: Entry }>} Those that have a number, until the thread shows them. */
  #numbered = new Map();
  #timer = 0;

  /**
   * @param {object} options
   * @param {HTMLElement} options.root
   * @param {Unsent} options.unsent
   * @param {Outbox} options.outbox
   * @param {(at: string) => string} options.stamp
   * @param {(no: number) => boolean} options.onpublished whether the thread shows this number by now
   * @param {(no: number) => Promise<boolean>} options.onwithdrawn whether a comment that is held is retracted
   * @param {(change: () => void) => void} options.around changes the page, and what is read keeps its place
   */
  constructor({ root, unsent, outbox, stamp, onpublished, onwithdrawn, around }) {
    this.#place = part(root, ".outgoing");
    this.#unsent = unsent;
    this.#outbox = outbox;
    this.#stamp = stamp;
    this.#onpublished = onpublished;
    this.#onwithdrawn = onwithdrawn;
    this.#around = around;
  }

  /**
   * @param {AbortSignal} signal ends asking what became of those that are held
   * @param {(text: string) => void} onedit is given a text that is to be written anew
   */
  listen(signal, onedit) {
    this.#place.addEventListener("click", ({ target }) => target instanceof Element && this.#press(target, onedit), {
      signal,
    });
    this.#timer = setInterval(() => this.recheck(), RECHECK);
    signal.addEventListener("abort", () => {
      clearInterval(this.#timer);
      this.#prover.close();
    });
    for (const entry of this.#unsent.entries) {
      if (entry.refused) this.#show(entry);
      else this.#send(entry);
    }
  }

  /** @param {string} text */
  post(text) {
    this.#send({ op: newOp(), text });
  }

  /** Ask what became of those that are held. */
  recheck() {
    for (const entry of this.#unsent.entries) if (entry.held) this.#send(entry);
  }

  /**
   * Whether a comment may be one that waits here for its answer: a thread may hear of it before its author does.
   *
   * @param {HTMLElement} comment
   */
  awaits(comment) {
    return this.#twin(comment) !== undefined;
  }

  /**
   * A comment that the thread shows now is shown here no more.
   *
   * @param {number} no
   * @param {HTMLElement} comment
   */
  settle(no, comment) {
    const numbered = this.#numbered.get(no);
    this.#numbered.delete(no);
    if (numbered) this.#unsent.drop(numbered.entry);
    this.#remove(numbered?.item);
    const twin = this.#twin(comment);
    if (twin) this.#around(() => twin.toggleAttribute("hidden", true));
  }

  /** @param {Entry} entry */
  async #send(entry) {
    delete entry.refused;
    this.#unsent.keep(entry);
    const item = this.#show(entry);
    const answer = await this.#answered(entry, item);
    if (answer.type === "accepted") this.#accepted(entry, item, answer);
    else this.#refused(entry, item, answer);
  }

  /**
   * The answer to a comment, after its work is done where the thread asks for that.
   *
   * @param {Entry} entry
   * @param {HTMLElement} item
   * @param {string} [proof]
   * @returns {Promise<Accepted | Refused>}
   */
  async #answered(entry, item, proof) {
    const { held, op, text } = entry;
    const patience = setTimeout(() => !held && tell(item, say("unanswered")), PATIENCE);
    const answer = await this.#outbox.post(op, text, proof);
    clearTimeout(patience);
    if (answer.type === "accepted" || !answer.challenge) return answer;
    const tellShare = (/** @type {number} */ share) =>
      tell(item, say("proving", { share: percent(Math.floor(share * 10) / 10) }), ".edit, .discard"); // read aloud
    tellShare(0);
    const found = await this.#prover.prove(op, answer.challenge, tellShare);
    tell(item, say("sending"));
    return this.#answered(entry, item, found);
  }

  /**
   * @param {Entry} entry
   * @param {HTMLElement} item
   * @param {Accepted} accepted
   */
  #accepted(entry, item, { no, state }) {
    if (entry.held && state === "retracted") {
      this.#unsent.drop(entry); // by its author, elsewhere
      this.#remove(item);
      return;
    }
    this.#numbered.set(no, { item, entry });
    if (state !== "published") {
      const { held } = entry;
      entry.held = state === "held" ? no : undefined;
      entry.over = state !== "held";
      entry.refused = entry.over ? say(held ? "unpublished" : "taken") : undefined;
      if (item.isConnected) this.#unsent.keep(entry);
      this.#show(entry);
      return;
    }
    this.#unsent.drop(entry);
    if (this.#onpublished(no)) this.#remove(item);
    else {
      item.hidden = false;
      tell(item, say("published"), ".discard");
      const link = part(item, ".permalink");
      link.setAttribute("href", `/comments/${no}`);
      link.textContent = say("number", { no: String(no) });
    }
  }

  /**
   * @param {Entry} entry
   * @param {HTMLElement} item
   * @param {Refused} refused
   */
  #refused(entry, item, { code, message, retry_after: seconds, until, reason }) {
    if (until)
      entry.refused = say(reason ? "banned-why" : "banned", { until: this.#stamp(until), reason: reason ?? "" });
    else entry.refused = say(`refused.${code}${reason ? `-${reason}` : ""}`) || message;
    if (seconds && !until) entry.until = Date.now() + seconds * 1000; // a ban may be lifted: one may always try
    if (item.isConnected) this.#unsent.keep(entry); // else one has let go of it
    this.#show(entry);
  }

  /**
   * @param {Entry} entry
   * @returns {HTMLElement}
   */
  #show(entry) {
    const { op, text, held, refused, over } = entry;
    const item = this.#find(op) ?? this.#add(op, text);
    if (refused) {
      tell(item, refused, over ? ".edit, .discard" : ".again, .edit, .discard");
      this.#countDown(entry, item);
    } else if (held) tell(item, say("held"), ".edit, .discard");
    else tell(item, say("sending"));
    const waits = !refused && !held;
    item.classList.toggle("waiting", waits);
    item.classList.toggle("refused", Boolean(refused));
    if (!waits) item.hidden = false;
    return item;
  }

  /**
   * @param {Entry} entry
   * @param {HTMLElement} item
   */
  #countDown(entry, item) {
    const button = /** @type {HTMLButtonElement} */ (part(item, ".again"));
    const left = Math.ceil(((entry.until ?? 0) - Date.now()) / 1000);
    button.disabled = left > 0;
    write(button, left > 0 ? say("wait", { num: left }) : say("again"));
    if (left > 0 && item.isConnected && entry.refused) setTimeout(() => this.#countDown(entry, item), 1000);
  }

  /**
   * @param {string} op
   * @param {string} text
   */
  #add(op, text) {
    const item = copy("outgoing");
    item.dataset.op = op;
    part(item, ".text").textContent = text;
    this.#around(() => this.#place.append(item));
    return item;
  }

  /**
   * @param {Element} button
   * @param {(text: string) => void} onedit
   */
  async #press(button, onedit) {
    const item = /** @type {HTMLElement | null} */ (button.closest("[data-op]"));
    const op = item?.dataset.op ?? "";
    const entry = this.#unsent.entries.find((each) => each.op === op);
    if (!item || !button.matches(".again, .edit, .discard")) return;
    if (entry && button.matches(".again")) {
      this.#send(entry);
      return;
    }
    if (button.matches(".edit")) onedit(part(item, ".text").textContent ?? "");
    if (entry?.held) {
      tell(item, say("sending"));
      if (!(await this.#onwithdrawn(entry.held))) {
        this.#show(entry);
        return;
      }
    }
    this.#outbox.forget(op);
    this.#prover.stop(op);
    if (entry) this.#unsent.drop(entry);
    this.#remove(item);
  }

  /** @param {string} op */
  #find(op) {
    return [...this.#place.children]
      .map((item) => /** @type {HTMLElement} */ (item))
      .find((item) => item.dataset.op === op);
  }

  /**
   * What waits for its answer here and says the same.
   *
   * @param {HTMLElement} comment
   */
  #twin(comment) {
    const waiting = [...this.#place.querySelectorAll(".waiting:not([hidden])")];
    const said = waiting.length ? squeezed(plainText(part(comment, ".text"))) : "";
    return waiting.find((item) => squeezed(part(item, ".text").textContent ?? "") === said);
  }

  /** @param {HTMLElement | undefined} item */
  #remove(item) {
    if (item?.isConnected) this.#around(() => item.remove());
  }
}

/**
 * @param {HTMLElement} item
 * @param {string} words how it stands with it
 * @param {string} [offered] the buttons that help
 */
function tell(item, words, offered) {
  write(part(item, ".state"), words);
  for (const button of item.querySelectorAll("button")) button.hidden = !offered || !button.matches(offered);
}

/** @param {string} text without what the server may change in it: how letters are composed, and how much space there is */
function squeezed(text) {
  return text.normalize().replace(/\s+/g, " ").trim();
}

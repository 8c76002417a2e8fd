import { part } from "./part.js";
import { inView, keepPlace } from "./place.js";

/** @import { Comment } from "./wire.js" */

/** The run of comments on the page. Their markup is the page's own: templates that the server rendered are cloned. */
export class CommentList {
  #list;
  #end;
  #root;
  #stamp;
  #mine;

  /**
   * @param {object} options
   * @param {HTMLElement} options.root the thread's element
   * @param {(at: string) => string} options.stamp a time as the page shows it
   * @param {(no: number) => boolean} options.mine whether a comment can be retracted here
   */
  constructor({ root, stamp, mine }) {
    this.#root = root;
    this.#list = part(root, ".comments");
    this.#end = part(root, ".composer");
    this.#stamp = stamp;
    this.#mine = mine;
    for (const { no } of this.run) this.own(no);
  }

  /** The comments that the page came with: numbers and versions. */
  get run() {
    return Array.from(this.#list.children, (item) => {
      const { no, version } = articleIn(item).dataset;
      return { no: Number(no), version: Number(version) };
    });
  }

  /** The lowest number that is shown; none: undefined. */
  get first() {
    const item = this.#list.firstElementChild;
    return item ? numberOf(item) : undefined;
  }

  /** The lowest number that can be seen just now; none: undefined. */
  get seen() {
    const [item] = inView(this.#list);
    return item && numberOf(item);
  }

  /** Whether the last comment can be seen just now. */
  get endSeen() {
    return inView(this.#list).some((item) => !item.nextElementSibling);
  }

  /** @param {number} no */
  has(no) {
    return Boolean(this.#find(no));
  }

  /** @param {Comment[]} comments to be put in their places */
  put(comments) {
    if (!comments.length) return;
    keepPlace(this.#list, this.#end, () => {
      for (const comment of comments) this.#put(comment).classList.add("fresh");
    });
  }

  /** @param {Comment[]} comments what is shown from now on */
  replace(comments) {
    const kept = new Set(comments.map(({ no }) => no));
    keepPlace(this.#list, this.#end, () => {
      for (const comment of comments) this.#put(comment);
      for (const item of [...this.#list.children]) if (!kept.has(numberOf(item))) item.remove();
    });
  }

  /** @param {number[]} numbers */
  drop(numbers) {
    keepPlace(this.#list, this.#end, () => {
      for (const no of numbers) this.#find(no)?.remove();
    });
  }

  /** @param {number} no a comment that may have become one's own, or ceased to be retractable */
  own(no) {
    const item = this.#find(no);
    if (!item) return;
    const button = item.querySelector(".retract");
    const wanted = this.#mine(no) && !item.querySelector(".gone");
    if (wanted && !button) part(item, "header").append(this.#template("retract"));
    if (!wanted && button) {
      if (button.contains(document.activeElement)) part(item, ".permalink").focus();
      button.remove();
    }
  }

  /**
   * @param {Comment} comment
   * @returns {Element}
   */
  #put(comment) {
    const item = this.#find(comment.no) ?? this.#insert(comment.no);
    this.#fill(item, comment);
    this.own(comment.no);
    return item;
  }

  /**
   * A new item at a number's place: nearly always the end.
   *
   * @param {number} no
   */
  #insert(no) {
    const item = /** @type {Element} */ (this.#template("comment").firstElementChild);
    articleIn(item).id = `no-${no}`;
    let before = this.#list.lastElementChild;
    while (before && numberOf(before) > no) before = before.previousElementSibling;
    if (before) before.after(item);
    else this.#list.prepend(item);
    return item;
  }

  /**
   * @param {Element} item
   * @param {Comment} comment
   */
  #fill(item, { no, version, at, html, gone }) {
    Object.assign(articleIn(item).dataset, { no, version });
    part(item, ".no").textContent = String(no);
    part(item, ".permalink").setAttribute("href", `/comments/${no}`);
    const time = part(item, "time");
    time.setAttribute("datetime", at);
    time.textContent = this.#stamp(at);
    const text = part(item, ".text");
    const fresh = /** @type {Element} */ (text.cloneNode());
    if (gone) fresh.append(this.#farewell(gone));
    else fresh.innerHTML = html ?? ""; // safe: the server made it from plain text
    if (!fresh.isEqualNode(text)) text.replaceWith(fresh); // else leave a selection in it alone
  }

  /** @param {string} gone an unknown reason means removed */
  #farewell(gone) {
    const lines = [...this.#template("farewells").children].map((line) => /** @type {HTMLElement} */ (line));
    return lines.find((line) => line.dataset.gone === gone) ?? lines[0];
  }

  /** @param {string} name */
  #template(name) {
    const template = /** @type {HTMLTemplateElement} */ (part(this.#root, `template[data-part="${name}"]`));
    return document.importNode(template.content, true);
  }

  /** @param {number} no */
  #find(no) {
    return document.getElementById(`no-${no}`)?.parentElement;
  }
}

/** @param {Element} item */
function numberOf(item) {
  return Number(articleIn(item).dataset.no);
}

/** @param {Element} item */
function articleIn(item) {
  return part(item, "article");
}

const SHOWN = 2_000;

/** Shows the ways to share that need a script, where the browser has them: its own sheet, and the clipboard. */
export class ShareLinks extends HTMLElement {
  connectedCallback() {
    const { title = "", url = "" } = this.dataset;
    if (navigator.share) this.#offer(".sheet", () => navigator.share({ title, url }).catch(() => {})); // closed again
    if (navigator.clipboard) this.#offer(".copy", (button) => this.#copy(button, url));
  }

  /**
   * @param {string} selector
   * @param {(button: HTMLElement) => void} act
   */
  #offer(selector, act) {
    const button = /** @type {HTMLButtonElement} */ (this.querySelector(selector));
    button.onclick = () => act(button);
    if (button.parentElement) button.parentElement.hidden = false;
  }

  /**
   * @param {HTMLElement} button
   * @param {string} url
   */
  async #copy(button, url) {
    const { textContent: words } = button;
    if (words === button.dataset.done) return;
    try {
      await navigator.clipboard.writeText(url);
    } catch {
      return; // the browser does not allow it
    }
    button.textContent = button.dataset.done ?? "";
    setTimeout(() => {
      button.textContent = words;
    }, SHOWN);
  }
}

import { recover } from "../kept/store.js";
import { Conversation } from "../thread/conversation.js";

/**
 * The conversation below an article, made live. Its attributes say where the page that the server rendered stands
 * (`data-epoch`, `data-version`, …) and are kept up to date; `data-connection` says whether it is live.
 */
export class LiveThread extends HTMLElement {
  /** @type {Conversation | null} */
  #conversation = null;

  async connectedCallback() {
    await recover();
    if (this.isConnected) this.#conversation ??= new Conversation(this);
  }

  disconnectedCallback() {
    this.#conversation?.close();
    this.#conversation = null;
  }
}

/** What an article's page has. */

import { LiveThread } from "./elements/live-thread.js";
import { ShareLinks } from "./elements/share-links.js";

customElements.define("live-thread", LiveThread);
customElements.define("share-links", ShareLinks);

/** What the desk has. */

import { ModeratorsDesk } from "./desk/moderators-desk.js";

customElements.define("moderators-desk", ModeratorsDesk);

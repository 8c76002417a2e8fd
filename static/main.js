/** What every page has. */

import { ThemeSwitch } from "./elements/theme-switch.js";

customElements.define("theme-switch", ThemeSwitch);

const ORDER = ["system", "light", "dark"];

/** Goes round between the system's colours, light ones and dark ones; static/theme.js applies what is kept. */
export class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.onclick = () => this.#turn();
    this.#tell();
  }

  get #theme() {
    const { theme } = document.documentElement.dataset;
    return ORDER.find((each) => each === theme) ?? "system";
  }

  #turn() {
    const theme = ORDER[(ORDER.indexOf(this.#theme) + 1) % ORDER.length];
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("afterword.theme", JSON.stringify(theme));
    } catch {
      // storage is refused: it lasts as long as the page
    }
    this.#tell();
  }

  #tell() {
    const button = this.querySelector("button");
    if (button) button.textContent = this.dataset[this.#theme] ?? "";
  }
}

/** @typedef {string | { [category: string]: string }} Phrase a sentence, or its forms by plural category */

const block = document.querySelector('script[data-part="words"]');
/** @type {{ [name: string]: Phrase }} */
const phrases = JSON.parse(block?.textContent ?? "{}");

const language = document.documentElement.lang;
const plural = new Intl.PluralRules(language);
const digits = new Intl.NumberFormat(language);

/**
 * What the page says, in the site's language: the server's catalogue is the only place where words stand.
 *
 * @param {string} name
 * @param {{ [value: string]: number | string }} [values] what stands in it as `%(value)s`; `num` picks its plural
 * @returns {string}
 */
export function say(name, values = {}) {
  const found = phrases[name] ?? "";
  const phrase = typeof found === "string" ? found : (found[plural.select(Number(values.num))] ?? found.other);
  return phrase.replace(/%\((\w+)\)s/g, (_, value) => {
    const given = values[value];
    return typeof given === "number" ? digits.format(given) : given;
  });
}

/**
 * @param {number} share from 0 to 1
 * @returns {string}
 */
export function percent(share) {
  return share.toLocaleString(language, { style: "percent" });
}

/**
 * Write only what is new: a screen reader tells what was written.
 *
 * @param {HTMLElement} element
 * @param {string} words
 */
export function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

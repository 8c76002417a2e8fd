/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];
const relative = relativeFormat();

/** The language in which it is told how long ago something was: the reader's. */
export const tongue = relative.resolvedOptions().locale;

/**
 * A time as the page shows it, `2017-11-09 : 23:07`, in the site's zone.
 *
 * @param {string} zone
 * @returns {(at: string) => string}
 */
export function stampIn(zone) {
  const format = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(new Date(at)).map(({ type, value }) => [type, value]));
    return `${parts.year}-${parts.month}-${parts.day} : ${parts.hour}:${parts.minute}`;
  };
}

/** Some browsers name their language by what is no tag of one, `en-US@posix`: then it is that of the system. */
function relativeFormat() {
  const form = /** @type {const} */ ({ numeric: "auto", style: "short" });
  try {
    return new Intl.RelativeTimeFormat(navigator.language, form);
  } catch {
    return new Intl.RelativeTimeFormat(undefined, form);
  }
}

/**
 * How long ago that was, in the reader's language.
 *
 * @param {string} at
 * @returns {string}
 */
export function ago(at) {
  const seconds = Math.min(0, (Date.parse(at) - Date.now()) / 1000);
  const [unit, size] = UNITS.find(([, least]) => -seconds >= least) ?? ["second", 1];
  return relative.format(Math.ceil(seconds / size), unit);
}

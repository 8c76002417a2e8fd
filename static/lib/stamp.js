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

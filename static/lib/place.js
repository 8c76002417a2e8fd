/**
 * Change a list, and scroll by as much as that moved what is being typed or read: a live insert shifts nothing. The
 * browser's own scroll anchoring is off in the thread (styles/thread.css): it knows no field, and not every browser has it.
 *
 * @param {HTMLElement} list
 * @param {Element} end what stands below the list
 * @param {() => void} change
 */
export function keepPlace(list, end, change) {
  const places = anchors(list, end).map((anchor) => ({ anchor, top: anchor.getBoundingClientRect().top }));
  change();
  const kept = places.find(({ anchor }) => anchor.isConnected);
  if (!kept) return;
  const moved = kept.anchor.getBoundingClientRect().top - kept.top;
  if (moved) scrollBy({ top: moved, behavior: "instant" });
}

/**
 * The comments of a list that can be seen.
 *
 * @param {HTMLElement} list
 * @returns {Element[]}
 */
export function inView(list) {
  if (!onScreen(list)) return [];
  return [...list.children].filter(onScreen);
}

/**
 * What must not move, the most important first.
 *
 * @param {HTMLElement} list
 * @param {Element} end
 * @returns {Element[]}
 */
function anchors(list, end) {
  const typed = document.activeElement;
  if (typed && end.contains(typed) && onScreen(typed)) return [typed];
  if (list.getBoundingClientRect().bottom <= 0) return [end];
  return inView(list);
}

/** @param {Element} element */
function onScreen(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

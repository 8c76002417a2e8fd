/**
 * Change the page, and scroll by as much as that moved what is being typed or read. The browser's own scroll anchoring
 * knows no field, and not every browser has it.
 *
 * @param {Element[]} anchors what must not move, the most important first
 * @param {() => void} change
 */
export function keepPlace(anchors, change) {
  const places = anchors.map((anchor) => ({ anchor, top: anchor.getBoundingClientRect().top }));
  change();
  const kept = places.find(({ anchor }) => anchor.isConnected);
  if (!kept) return;
  const moved = kept.anchor.getBoundingClientRect().top - kept.top;
  if (moved) scrollBy({ top: moved, behavior: "instant" });
}

/** @param {Element} element */
export function onScreen(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

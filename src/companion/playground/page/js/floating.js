// Popups in the top layer, next to what opened them, closed by Escape, by a click elsewhere or by scrolling away.

const GAP = 6;
const EDGE = 8;

/** Show `popup` (an element with popover="auto") at `anchor`; `matchWidth` for select menus. */
export function openAt(popup, anchor, { matchWidth = false, alignEnd = false } = {}) {
  const box = anchor.getBoundingClientRect();
  if (matchWidth) popup.style.width = `${box.width}px`;
  popup.showPopover();
  const { width, height } = popup.getBoundingClientRect();
  const below = window.innerHeight - box.bottom - GAP - EDGE;
  const above = box.top - GAP - EDGE;
  const up = height > below && above > below;
  popup.style.maxHeight = `${Math.max(120, up ? above : below)}px`;
  const left = alignEnd ? box.right - width : box.left;
  popup.style.left = `${Math.max(EDGE, Math.min(left, window.innerWidth - width - EDGE))}px`;
  popup.style.top = `${up ? Math.max(EDGE, box.top - GAP - Math.min(height, above)) : box.bottom + GAP}px`;
}

// Keeps a scrolled list at its newest end, until the reader scrolls up.

const NEAR_END = 60;

export class StickToEnd {
  /** `onChange` is called when the list gets stuck or loose. */
  constructor(scroller, content, onChange) {
    this.scroller = scroller;
    this.onChange = onChange;
    this.stuck = true;
    this.lastTop = 0;
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    const sizes = new ResizeObserver(() => this.settle());
    sizes.observe(content);
    sizes.observe(scroller);
  }

  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    const left = scrollHeight - scrollTop - clientHeight;
    const step = scrollTop - this.lastTop;
    this.lastTop = scrollTop;
    // Even a small step up is a wish to stay there while an answer streams. Nothing else lets
    // go: what was added below (a picture that has loaded) may be measured here before `settle`.
    const follows = this.stuck ? step >= 0 : step > 0 && left < NEAR_END;
    this.set(left < 4 || follows);
  }

  set(stuck) {
    if (this.stuck === stuck) return;
    this.stuck = stuck;
    this.onChange();
  }

  /** Go back to the end if that is where the reader was. */
  settle() {
    if (!this.stuck) return;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.lastTop = this.scroller.scrollTop;
  }

  toEnd() {
    this.set(true);
    this.settle();
  }

  letGo() {
    this.set(false);
  }
}

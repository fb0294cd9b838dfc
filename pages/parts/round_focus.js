// A button that cannot be clicked any more loses the focus, and the next Tab would lead out of the round. So the focus
// goes on to where the round goes on: to the button that leads on, or to the choice that was taken last.
const views = new WeakMap();
const TRIES = 60;
const WITHIN = ".st-key-go-on button, .st-key-round-digits button, .st-key-round-words button";

export default function ({ data, parentElement }) {
  let view = views.get(parentElement);
  if (!view) {
    view = { held: false, choice: "0" };
    views.set(parentElement, view);
    view.focused = ({ target }) => {
      view.held = target.matches(WITHIN);
      const choice = target.closest("[class*='st-key-class-']");
      if (choice) view.choice = choice.className.match(/st-key-class-(\d+)/)[1];
    };
    document.addEventListener("focusin", view.focused);
  }
  clearTimeout(view.timer);
  const goOn = (tries = TRIES) => {
    if (!view.held) return;
    const wanted = { choose: `.st-key-class-${view.choice} button`, lead: ".st-key-go-on button", end: ".round-score" };
    const next = document.querySelector(wanted[data.next]);
    const lost = document.activeElement === document.body || document.activeElement.disabled;
    if (next && !next.disabled && lost) next.focus({ preventScroll: true });
    // The buttons change a moment before or after this.
    else if (tries && document.activeElement !== next) view.timer = setTimeout(goOn, 50, tries - 1);
  };
  goOn();
  return () => {
    clearTimeout(view.timer);
    document.removeEventListener("focusin", view.focused);
    views.delete(parentElement);
  };
}

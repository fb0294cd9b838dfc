// A click on a link of our own HTML to another place of the app. Streamlit goes wherever Back and Forward lead, so this
// puts the place into the history and says so. With Ctrl or the like the browser follows the link itself.
const ends = new WeakMap();
// What stays in the address from page to page.
const KEPT = ["present", "lesson"];
// So long a page is drawn at most, and pushes what stands below down.
const LONGEST = 6000;
const STOP = ["wheel", "touchstart", "pointerdown", "keydown"];
let timer;

// Keeps the heading that the address names in view while the page above it is being drawn, until somebody moves.
function reveal() {
  clearInterval(timer);
  const { hash } = location;
  if (hash.length < 2) return;
  const stop = () => {
    clearInterval(timer);
    STOP.forEach((kind) => removeEventListener(kind, stop, true));
  };
  STOP.forEach((kind) => addEventListener(kind, stop, { capture: true, passive: true }));
  const end = Date.now() + LONGEST;
  timer = setInterval(() => {
    if (Date.now() > end || location.hash !== hash) stop();
    else document.getElementById(decodeURIComponent(hash.slice(1)))?.scrollIntoView();
  }, 150);
}

function follow(event) {
  const link = event.target.closest?.("a.inner");
  // Two of these may listen on one page.
  if (!link || event.defaultPrevented) return;
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const here = new URLSearchParams(location.search);
  const there = new URL(link.href);
  for (const name of KEPT) {
    if (here.has(name) && !there.searchParams.has(name)) there.searchParams.set(name, here.get(name));
  }
  history.pushState(null, "", there);
  dispatchEvent(new PopStateEvent("popstate"));
  reveal();
}

export default function ({ parentElement }) {
  if (ends.has(parentElement)) ends.get(parentElement)();
  else reveal();
  const clicked = (event) => follow(event);
  document.addEventListener("click", clicked);
  const end = () => document.removeEventListener("click", clicked);
  ends.set(parentElement, end);
  return end;
}

// A click on a link of our own HTML to another place of the app. Streamlit goes wherever Back and Forward lead, so this
// puts the place into the history and says so. With Ctrl or the like the browser follows the link itself.
const ends = new WeakMap();
// What stays in the address from page to page.
const KEPT = ["present", "lesson"];

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
}

export default function ({ parentElement }) {
  ends.get(parentElement)?.();
  const clicked = (event) => follow(event);
  document.addEventListener("click", clicked);
  const end = () => document.removeEventListener("click", clicked);
  ends.set(parentElement, end);
  return end;
}

// Keeps the open tile of the image grid and the address together: a tile that somebody opens is told to the server, and
// the one that the address names is opened and scrolled to. It draws nothing itself; the tiles are plain HTML.
const views = new WeakMap();
const TRIES = 50;
const tiles = () => [...document.querySelectorAll(".cases details")];

function scrollTo(element, block) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.scrollIntoView({ behavior: still ? "auto" : "smooth", block });
}

// Opens the tile that the data name and closes all others; waits for a grid that is still on its way.
function follow(view, reveal, tries = TRIES) {
  const { image, others } = view.data;
  const tile = tiles().find((each) => each.dataset.image === image);
  tiles().forEach((each) => { each.open = each === tile; });
  if (!tile) {
    if (image && tries) view.timer = setTimeout(follow, 100, view, reveal, tries - 1);
    return;
  }
  let list = tile.querySelector(".others");
  if (!list) {
    list = document.createElement("div");
    list.className = "others";
    tile.append(list);
  }
  if (list.said !== others) list.innerHTML = list.said = others;
  if (reveal) scrollTo(tile, "center");
}

// Streamlit calls every one "Pagination".
function namePagers() {
  const pagers = [...document.querySelectorAll(".st-key-images .stPagination [role=navigation]")];
  pagers.forEach((pager, at) => { pager.ariaLabel = `Pages of images, ${at ? "below" : "above"} them`; });
}

export default function ({ data, parentElement, setTriggerValue }) {
  let view = views.get(parentElement);
  const first = !view;
  if (first) {
    view = { cell: data.cell, image: "" };
    views.set(parentElement, view);
    // A toggle does not bubble, but it can be caught on its way down.
    view.toggled = ({ target }) => {
      if (!target.matches?.(".cases details")) return;
      const { image } = target.dataset;
      if (target.open === (image === view.image)) return;
      if (!target.open && image !== view.image) return;
      view.image = target.open ? image : "";
      view.tell("opened", view.image || "none");
    };
    view.clicked = (event) => {
      const link = event.target.closest?.(".cases a[data-run]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      view.tell("run", link.dataset.run);
    };
    // They come late, and anew with each page.
    view.pagers = new MutationObserver(namePagers);
    view.pagers.observe(document.querySelector("[data-testid=stMain]"), { childList: true, subtree: true });
    namePagers();
    document.addEventListener("toggle", view.toggled, true);
    document.addEventListener("click", view.clicked);
  }
  clearTimeout(view.timer);
  view.data = data;
  view.tell = setTriggerValue;
  const early = first && !data.image && tiles().find((tile) => tile.open);
  if (early) {
    // Somebody opened a tile before this script was there to be told.
    view.toggled({ target: early });
  } else {
    // What its reader has opened is where they look already.
    const reveal = data.image !== view.image;
    view.image = data.image;
    follow(view, reveal);
  }
  if (data.cell !== view.cell) {
    view.cell = data.cell;
    const images = document.querySelector(".st-key-images");
    const top = images?.getBoundingClientRect().top ?? 0;
    // On a narrow screen the images are below the matrix; on a wide one they may have been scrolled away.
    if (top < 0 || top > 0.6 * innerHeight) scrollTo(images, "start");
  }
  return () => {
    clearTimeout(view.timer);
    view.pagers.disconnect();
    document.removeEventListener("toggle", view.toggled, true);
    document.removeEventListener("click", view.clicked);
    views.delete(parentElement);
  };
}

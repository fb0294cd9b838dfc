// Plays the epochs of a run: what the tiles, the matrix and the figures say changes in place. Only where the slider comes
// to rest is the server told, which then draws the same epoch itself.
const views = new WeakMap();
const [WHOLE, LEAST, MOST] = [12_000, 150, 900]; // milliseconds: of all epochs, and of one
const REST = 400;
const SETTLED = 600;
const PLAY = "M8 5v14l11-7z";
const PAUSE = "M6 5h4v14H6zM14 5h4v14h-4z";
const NEXT = "M6 5v14l9-7zM16 5h3v14h-3z";
const SVG = "http://www.w3.org/2000/svg";

const percent = (share, digits) => `${(100 * share).toFixed(digits)} %`;

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

// The text of an element that React made: it goes on with the same node.
function textIn(element) {
  return element && document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode();
}

export default function ({ data, parentElement, setTriggerValue }) {
  let view = views.get(parentElement);
  if (!view) views.set(parentElement, (view = open(parentElement)));
  view.tell = (epoch) => setTriggerValue("epoch", epoch);
  view.take(data);
  return () => {
    view.close();
    views.delete(parentElement);
  };
}

function open(root) {
  const [button, slider, curve, words] = ["button", "input", "polyline", "p span"].map((name) => root.querySelector(name));
  const view = { tell() {}, take, close };
  let data, matrices, classes, confidences, playing, resting, settling, overlay;
  let epoch = 0;

  button.addEventListener("click", () => {
    if (playing) return rest();
    if (motion.matches) {
      show(epoch % data.right.length + 1);
      return restSoon();
    }
    // Who has not moved the slider wants to see it all.
    if ([data.usual, data.right.length].includes(epoch)) show(1);
    playing = setInterval(step, Math.min(MOST, Math.max(LEAST, WHOLE / data.right.length)));
    face();
  });
  slider.addEventListener("input", () => {
    pause();
    show(Number(slider.value));
    restSoon();
  });
  const paused = ({ key }) => { if (key === "Escape" && playing) rest(); };
  document.addEventListener("keydown", paused);
  const motion = matchMedia("(prefers-reduced-motion: reduce)");
  motion.addEventListener("change", face);

  function take(newer) {
    const before = data;
    data = newer;
    const numbers = bytes(data.matrices);
    matrices = new Uint16Array(numbers.buffer);
    classes = bytes(data.shown.classes);
    confidences = bytes(data.shown.confidences);
    slider.max = data.right.length;
    const [least, most] = [Math.min(...data.right), Math.max(...data.right)];
    const across = (index) => 100 * index / Math.max(1, data.right.length - 1);
    curve.setAttribute("points", data.right.map(
      (right, index) => `${across(index)},${20 - 20 * (right - least) / Math.max(1, most - least)}`,
    ).join(" "));
    root.querySelector("small").textContent = data.note;
    // What the server draws besides comes a moment earlier or later.
    if (playing || resting) {
      requestAnimationFrame(() => show(epoch));
      return;
    }
    epoch = data.epoch;
    face();
    tell();
    if (before) settling = setTimeout(uncover, SETTLED);
  }

  function step() {
    if (epoch >= data.right.length) return rest();
    show(epoch + 1);
    if (epoch === data.right.length) rest();
  }

  function pause() {
    clearInterval(playing);
    playing = undefined;
    face();
  }

  function rest() {
    pause();
    clearTimeout(resting);
    resting = undefined;
    if (epoch !== data.epoch) view.tell(epoch);
  }

  function restSoon() {
    clearTimeout(resting);
    resting = setTimeout(rest, REST);
  }

  function face() {
    const [path, name] = playing ? [PAUSE, "Pause"] : motion.matches ? [NEXT, "Next epoch"] : [PLAY, "Play"];
    button.querySelector("path").setAttribute("d", path);
    button.querySelector("span").textContent = name;
    button.title = playing ? "Stop at this epoch (Escape)" : motion.matches ? "Show the next epoch" : "Show all epochs in turn";
  }

  function show(next) {
    clearTimeout(settling);
    epoch = next;
    tell();
    cover();
  }

  // Everything but the matrix.
  function tell() {
    // Of the epoch that the server has drawn it knows more than was recorded.
    const right = epoch === data.epoch ? data.now.right : data.right[epoch - 1];
    const interval = epoch === data.epoch ? data.now.interval : data.intervals[epoch - 1];
    const [share, text] = [percent(right / data.images, 2), `Epoch ${epoch} of ${data.total}`];
    slider.value = epoch;
    slider.setAttribute("aria-valuetext", `${text}, ${share} right`);
    words.textContent = `${text} · ${share} right`;
    const facts = [share, (data.images - right).toLocaleString("en"), `${epoch} of ${data.total}`];
    document.querySelectorAll(".st-key-facts [data-testid=stMetricValue]").forEach((each, index) => {
      if (index < facts.length) change(textIn(each), "data", facts[index]);
    });
    change(textIn(document.querySelector(".st-key-facts [data-testid=stMetricDelta]")), "data", interval);
    tiles();
    fade();
  }

  // The accuracy of each class is drawn anew when the slider rests.
  function fade() {
    const classes = document.querySelector(".st-key-classes");
    if (classes) classes.style.opacity = epoch === data.epoch ? "" : 0.3;
  }

  function change(what, name, value) {
    if (what && what[name] !== value) what[name] = value;
  }

  function tiles() {
    const { numbers, labels } = data.shown;
    document.querySelector(".cases")?.classList.toggle("playing", epoch !== data.epoch);
    numbers.forEach((number, index) => {
      const tile = document.querySelector(`.cases details[data-image="${number}"]`);
      if (!tile) return;
      const at = (epoch - 1) * numbers.length + index;
      const now = epoch === data.epoch;
      const predicted = now ? data.now.classes[index] : classes[at];
      const [truth, answer] = [labels[index], predicted].map((each) => data.names[each]);
      const right = labels[index] === predicted;
      const meaning = right ? `${truth}, recognised` : `${truth}, taken for ${answer}`;
      const line = tile.querySelector("p");
      change(line, "className", right ? "right" : "wrong");
      change(line.firstChild, "data", right ? `✓ ${truth}` : `× ${truth} → ${answer}`);
      change(tile.querySelector("small span").firstChild, "data", now ? data.now.confidences[index] : percent(confidences[at] / 255, 1));
      change(tile.querySelector("summary"), "title", `${meaning}; click for details`);
      change(tile.querySelector("img"), "alt", `Test image ${number}: ${meaning}`);
      tile.querySelectorAll(".story i").forEach((bar, which) => bar.classList.toggle("now", which === epoch - 1));
    });
  }

  // The matrix of the epoch is laid over the one that the server has drawn, cell by cell.
  function cover() {
    if (epoch === data.epoch) return uncover();
    const first = document.querySelector(".st-key-matrix svg.marks path[aria-label*=' taken for ']");
    if (!first) return;
    const svg = first.closest("svg");
    if (overlay?.svg !== svg || !svg.contains(overlay.group)) lay(svg, first.parentElement);
    const size = data.names.length ** 2;
    const counts = matrices.subarray((epoch - 1) * size, epoch * size);
    const most = Math.max(...counts);
    overlay.cells.forEach(({ cell, text }, index) => {
      const count = counts[index];
      const strong = count > most / 4;
      cell.style.opacity = 0.05 + 0.95 * Math.log1p(count) / Math.log1p(most);
      text.textContent = count || "";
      text.setAttribute("fill", strong ? data.ink : "currentColor");
      text.style.fontWeight = strong ? 600 : 400;
    });
  }

  function lay(svg, marks) {
    uncover();
    const group = document.createElementNS(SVG, "g");
    const covered = [marks, ...svg.querySelectorAll("g.mark-text.role-mark")];
    const like = svg.querySelector("g.mark-text.role-mark text");
    const cells = [...marks.querySelectorAll("path")].map((path) => {
      const cell = path.cloneNode();
      const box = path.getBBox();
      const text = document.createElementNS(SVG, "text");
      const move = path.getAttribute("transform") ?? "";
      const middle = [box.x + box.width / 2, box.y + box.height / 2];
      text.setAttribute("transform", `${move} translate(${middle})`);
      text.setAttribute("text-anchor", "middle");
      text.setAttribute("dy", "0.35em");
      text.style.font = like ? getComputedStyle(like).font : "";
      for (const name of ["aria-label", "role", "aria-roledescription"]) cell.removeAttribute(name);
      group.append(cell, text);
      return { cell, text };
    });
    group.setAttribute("aria-hidden", "true");
    group.style.pointerEvents = "none";
    for (const each of covered) each.style.visibility = "hidden";
    marks.after(group);
    overlay = { svg, group, covered, cells };
  }

  function uncover() {
    overlay?.group.remove();
    for (const each of overlay?.covered ?? []) each.style.visibility = "";
    overlay = undefined;
  }

  function close() {
    clearInterval(playing);
    clearTimeout(resting);
    clearTimeout(settling);
    document.removeEventListener("keydown", paused);
    motion.removeEventListener("change", face);
    uncover();
  }

  return view;
}

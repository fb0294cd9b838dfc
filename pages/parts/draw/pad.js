// Streamlit calls the default export at every rerun; what must last is kept by element.
const pads = new WeakMap();
// The sheet of paper, what is on it, what Undo brings back after Clear, and the pointer that draws. It outlives the pad:
// the server may draw the page into another container while somebody draws, and then there is a new pad, for a moment
// beside the old one.
const paper = { sheet: 0, picture: null, strokes: [], cleared: [], pointer: null };
const open = new Set();
const SEND_EVERY = 150;
const CLOSEST = 0.004;
// Positions are whole thousandths of the pad's side, so that a link holds a drawing exactly.
const GRID = 1000;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const [STEP, LONG_STEP] = [20, 60];
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const thousandths = (share) => Math.round(share * GRID);

// A whole number in letters of five bits each, the lowest first; the sixth bit says that more follow.
function inLetters(number) {
  let [rest, text] = [number < 0 ? -2 * number + 1 : 2 * number, ""];
  do {
    const low = rest % 32;
    rest = (rest - low) / 32;
    text += LETTERS[low + (rest ? 32 : 0)];
  } while (rest);
  return text;
}

const paintAll = () => open.forEach((pad) => pad.paint());

// The drawing as core/digits/strokes.py reads it: of each stroke the width, the first point and the way from each point
// to the next.
function inAddress(strokes, closest) {
  return strokes.map(({ width, points }) => {
    let [x, y, text] = [0, 0, inLetters(thousandths(width))];
    points.forEach((point, index) => {
      const [right, down] = [thousandths(point[0]) - x, thousandths(point[1]) - y];
      if (index && index < points.length - 1 && Math.hypot(right, down) < closest) return;
      text += inLetters(right) + inLetters(down);
      [x, y] = [x + right, y + down];
    });
    return text;
  }).join(".");
}

export default function ({ data, parentElement, setStateValue }) {
  const pad = pads.get(parentElement) ?? openPad(parentElement, data);
  pads.set(parentElement, pad);
  pad.send = (drawing) => setStateValue("drawing", drawing);
  pad.lay(data);
  pad.show();
  return () => {
    pad.close();
    pads.delete(parentElement);
  };
}

function openPad(root, { strokes: kept, penWidth, penWidths, mostPoints, longestAddress }) {
  const pad = { send() {}, lay, show, paint, close };
  open.add(pad);
  const [frame, canvas, slider, picture, cursor, spoken] =
    [".pad", "canvas", "input", "img", ".cursor", ".spoken"].map((name) => root.querySelector(name));
  const [undo, clear] = [root.querySelector(".undo"), root.querySelector(".clear")];
  const ink = canvas.getContext("2d");
  let laid = 0;
  let timer = 0;
  // Where the keyboard's pen is, whether it is down, and which of the arrow keys are.
  let [at, down, held] = [[0.5, 0.5], false, new Set()];

  [slider.min, slider.max] = penWidths;
  slider.value = kept.at(-1)?.width ?? penWidth;

  function paint() {
    const side = canvas.width;
    ink.clearRect(0, 0, side, side);
    ink.strokeStyle = "#fff";
    ink.lineCap = ink.lineJoin = "round";
    for (const { width, points } of paper.strokes) {
      ink.lineWidth = width * side;
      ink.beginPath();
      // A path of one point draws nothing.
      for (const [x, y] of [points[0], ...points]) ink.lineTo(x * side, y * side + 0.01);
      ink.stroke();
    }
    frame.style.setProperty("--nib", `${slider.value * canvas.clientWidth}px`);
    picture.hidden = !paper.picture;
    // To set it again would load it again, at every step of the keyboard's pen.
    if (paper.picture && picture.src !== paper.picture) picture.src = paper.picture;
    frame.classList.toggle("drawn", paper.strokes.length > 0 || !picture.hidden);
    [cursor.style.left, cursor.style.top] = at.map((share) => `${100 * share}%`);
    cursor.classList.toggle("down", down);
    clear.disabled = !paper.strokes.length && picture.hidden;
    undo.disabled = !paper.strokes.length && !paper.cleared.length;
  }

  function send() {
    clearTimeout(timer);
    timer = 0;
    // The server hears the newest pad.
    [...open].at(-1)?.send({ sheet: paper.sheet, strokes: paper.strokes, address: address() });
  }

  // Of a drawing that is too long for a link, points that are close together are left out.
  function address() {
    for (const closest of [0, 10, 20, 40, 80, 160]) {
      const text = inAddress(paper.strokes, closest);
      if (text.length <= longestAddress) return text;
    }
    return "";
  }

  // The page's address holds the drawing; that makes no new step for the Back button.
  function show() {
    if (paper.pointer !== null || down) return;
    const url = new URL(location.href);
    if ((url.searchParams.get("drawing") ?? "") === address()) return;
    if (address()) url.searchParams.set("drawing", address());
    else url.searchParams.delete("drawing");
    // A whole address would be an entry of its own, see linked.js.
    history.replaceState(history.state, "", url.pathname + url.search);
  }

  // A sheet comes with what is on it; what is drawn on it later is known here first.
  function lay({ number, strokes: kept, picture: address }) {
    if (number === laid) return;
    clearTimeout(timer);
    [laid, timer, down] = [number, 0, false];
    if (number === paper.sheet) takeOver(kept, address);
    else Object.assign(paper, { sheet: number, picture: address, strokes: kept, cleared: [], pointer: null });
    paintAll();
  }

  function takeOver(kept, address) {
    try {
      if (paper.pointer !== null) canvas.setPointerCapture(paper.pointer);
    } catch {
      paper.pointer = null; // The pen or finger has left.
    }
    if (paper.pointer !== null && !canvas.hasPointerCapture(paper.pointer)) paper.pointer = null;
    // The server may not have heard what was done last on the pad before this one.
    const heard = paper.picture === address && inAddress(paper.strokes, 0) === inAddress(kept, 0);
    if (!heard) timer = setTimeout(send, SEND_EVERY);
  }

  function replace(now, before = []) {
    Object.assign(paper, { picture: null, strokes: now, cleared: before, pointer: null });
    down = false;
    paintAll();
    send();
    show();
    // A button that has just been disabled would lose the keyboard.
    const byKeys = frame.querySelector(":focus-visible") !== null;
    canvas.focus({ preventScroll: true });
    frame.classList.toggle("keys", byKeys);
  }

  const full = () => paper.strokes.reduce((sum, { points }) => sum + points.length, 0) >= mostPoints;

  // The nearest point, in shares of the pad's side, where all the ink is on the pad.
  const onPad = (point, width) =>
    point.map((share) => thousandths(Math.min(Math.max(share, width / 2), 1 - width / 2)) / GRID);

  function addPoint(point) {
    const { width, points } = paper.strokes.at(-1);
    const inside = onPad(point, width);
    const last = points.at(-1);
    if (last && Math.hypot(inside[0] - last[0], inside[1] - last[1]) < CLOSEST) return;
    if (!full()) points.push(inside);
  }

  function beginStroke(point) {
    const stroke = { width: Number(slider.value), points: [] };
    Object.assign(paper, { picture: null, strokes: [...paper.strokes, stroke], cleared: [] });
    addPoint(point);
    goOn();
  }

  function goOn() {
    paintAll();
    timer ||= setTimeout(send, SEND_EVERY);
  }

  function endStroke() {
    paper.pointer = null;
    down = false;
    paintAll();
    send();
    show();
  }

  function placeOf(event) {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  canvas.onpointerdown = (event) => {
    if (paper.pointer !== null || event.button !== 0 || full()) return;
    event.preventDefault();
    paper.pointer = event.pointerId;
    down = false;
    canvas.focus({ preventScroll: true });
    frame.classList.remove("keys");
    canvas.setPointerCapture(paper.pointer);
    beginStroke(placeOf(event));
  };
  canvas.onpointermove = (event) => {
    if (event.pointerId !== paper.pointer) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const moved of between.length ? between : [event]) addPoint(placeOf(moved));
    goOn();
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (event.pointerId === paper.pointer) endStroke();
  };

  function movePen(long) {
    const step = (long ? LONG_STEP : STEP) / GRID;
    const [right, below] = [0, 1].map((axis) => [...held].reduce((sum, key) => sum + ARROWS[key][axis], 0));
    at = onPad([at[0] + step * right, at[1] + step * below], Number(slider.value));
    if (!down) return paint();
    addPoint(at);
    goOn();
  }

  function liftOrLower() {
    if (down) {
      endStroke();
    } else if (!full()) {
      down = true;
      beginStroke(at);
    }
    spoken.textContent = down ? "Pen down" : "Pen up";
  }

  canvas.onkeydown = (event) => {
    if (paper.pointer !== null || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) {
      held.add(event.key);
      movePen(event.shiftKey);
    } else if (event.key === " ") {
      if (!event.repeat) liftOrLower();
    } else if (event.key === "Delete" && !clear.disabled) {
      clear.click();
    } else {
      return;
    }
    event.preventDefault();
    frame.classList.add("keys");
  };
  canvas.onkeyup = (event) => held.delete(event.key);
  canvas.onfocus = () => frame.classList.toggle("keys", paper.pointer === null);
  canvas.onblur = () => {
    held.clear();
    if (down) liftOrLower();
    frame.classList.remove("keys");
  };
  undo.onclick = () => replace(paper.strokes.length ? paper.strokes.slice(0, -1) : paper.cleared);
  clear.onclick = () => replace([], paper.strokes);
  slider.oninput = paint;
  frame.onkeydown = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key !== "z" || undo.disabled) return;
    event.preventDefault();
    undo.click();
  };

  const sizes = new ResizeObserver(() => {
    canvas.width = canvas.height = Math.round(canvas.clientWidth * devicePixelRatio);
    paint();
  });
  sizes.observe(canvas);

  function close() {
    clearTimeout(timer);
    open.delete(pad);
    sizes.disconnect();
  }
  return pad;
}

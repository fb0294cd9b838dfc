// Streamlit calls the default export at every rerun; what must last is kept by element.
const pads = new WeakMap();
// What was on the pad that was taken from the page last: the server may draw the page into another container while
// somebody draws, and then the stroke goes on on the new pad.
let left = null;
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
  const pad = { send() {}, lay, show, close };
  const [frame, canvas, slider, picture, cursor, spoken] =
    [".pad", "canvas", "input", "img", ".cursor", ".spoken"].map((name) => root.querySelector(name));
  const [undo, clear] = [root.querySelector(".undo"), root.querySelector(".clear")];
  const ink = canvas.getContext("2d");
  let sheet = 0;
  let strokes = [];
  let cleared = [];
  let pointer = null;
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
    for (const { width, points } of strokes) {
      ink.lineWidth = width * side;
      ink.beginPath();
      // A path of one point draws nothing.
      for (const [x, y] of [points[0], ...points]) ink.lineTo(x * side, y * side + 0.01);
      ink.stroke();
    }
    frame.style.setProperty("--nib", `${slider.value * canvas.clientWidth}px`);
    frame.classList.toggle("drawn", strokes.length > 0 || !picture.hidden);
    [cursor.style.left, cursor.style.top] = at.map((share) => `${100 * share}%`);
    cursor.classList.toggle("down", down);
    clear.disabled = !strokes.length && picture.hidden;
    undo.disabled = !strokes.length && !cleared.length;
  }

  function send() {
    clearTimeout(timer);
    timer = 0;
    pad.send({ sheet, strokes, address: address() });
  }

  // Of a drawing that is too long for a link, points that are close together are left out.
  function address() {
    for (const closest of [0, 10, 20, 40, 80, 160]) {
      const text = inAddress(strokes, closest);
      if (text.length <= longestAddress) return text;
    }
    return "";
  }

  // The page's address holds the drawing; that makes no new step for the Back button.
  function show() {
    if (pointer !== null || down) return;
    const url = new URL(location.href);
    if ((url.searchParams.get("drawing") ?? "") === address()) return;
    if (address()) url.searchParams.set("drawing", address());
    else url.searchParams.delete("drawing");
    history.replaceState(history.state, "", url);
  }

  // A sheet comes with what is on it; what is drawn on it later is known here first.
  function lay({ number, strokes: kept, picture: address }) {
    if (number === sheet) return;
    clearTimeout(timer);
    [sheet, strokes, cleared, pointer, timer, down] = [number, kept, [], null, 0, false];
    if (left?.sheet === number) takeOver();
    left = null;
    picture.hidden = !address;
    if (address) picture.src = address;
    paint();
  }

  // It is known here first, and the server is told again.
  function takeOver() {
    strokes = left.strokes;
    try {
      if (left.pointer !== null) canvas.setPointerCapture((pointer = left.pointer));
    } catch {
      pointer = null; // It has been lifted in the meantime.
    }
    timer = setTimeout(send, SEND_EVERY);
  }

  function replace(now, before = []) {
    [strokes, cleared, pointer, down] = [now, before, null, false];
    picture.hidden = true;
    paint();
    send();
    show();
    // A button that has just been disabled would lose the keyboard.
    const byKeys = frame.querySelector(":focus-visible") !== null;
    canvas.focus({ preventScroll: true });
    frame.classList.toggle("keys", byKeys);
  }

  const full = () => strokes.reduce((sum, { points }) => sum + points.length, 0) >= mostPoints;

  // The nearest point, in shares of the pad's side, where all the ink is on the pad.
  const onPad = (point, width) =>
    point.map((share) => thousandths(Math.min(Math.max(share, width / 2), 1 - width / 2)) / GRID);

  function addPoint(point) {
    const { width, points } = strokes.at(-1);
    const inside = onPad(point, width);
    const last = points.at(-1);
    if (last && Math.hypot(inside[0] - last[0], inside[1] - last[1]) < CLOSEST) return;
    if (!full()) points.push(inside);
  }

  function beginStroke(point) {
    cleared = [];
    picture.hidden = true;
    strokes = [...strokes, { width: Number(slider.value), points: [] }];
    addPoint(point);
    goOn();
  }

  function goOn() {
    paint();
    timer ||= setTimeout(send, SEND_EVERY);
  }

  function endStroke() {
    pointer = null;
    down = false;
    paint();
    send();
    show();
  }

  function placeOf(event) {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  canvas.onpointerdown = (event) => {
    if (pointer !== null || event.button !== 0 || full()) return;
    event.preventDefault();
    pointer = event.pointerId;
    down = false;
    canvas.focus({ preventScroll: true });
    frame.classList.remove("keys");
    canvas.setPointerCapture(pointer);
    beginStroke(placeOf(event));
  };
  canvas.onpointermove = (event) => {
    if (event.pointerId !== pointer) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const moved of between.length ? between : [event]) addPoint(placeOf(moved));
    goOn();
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (event.pointerId === pointer) endStroke();
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
    if (pointer !== null || event.ctrlKey || event.metaKey || event.altKey) return;
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
  canvas.onfocus = () => frame.classList.toggle("keys", pointer === null);
  canvas.onblur = () => {
    held.clear();
    if (down) liftOrLower();
    frame.classList.remove("keys");
  };
  undo.onclick = () => replace(strokes.length ? strokes.slice(0, -1) : cleared);
  clear.onclick = () => replace([], strokes);
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
    if (timer || pointer !== null) left = { sheet, strokes, pointer };
    clearTimeout(timer);
    sizes.disconnect();
  }
  return pad;
}

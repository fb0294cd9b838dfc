// Streamlit calls the default export at every rerun; what must last is kept by element.
const pads = new WeakMap();
const SEND_EVERY = 150;
const CLOSEST = 0.004;

export default function ({ data, parentElement, setStateValue }) {
  const pad = pads.get(parentElement) ?? openPad(parentElement, data);
  pads.set(parentElement, pad);
  pad.send = (drawing) => setStateValue("drawing", drawing);
  pad.lay(data);
  return () => {
    pad.close();
    pads.delete(parentElement);
  };
}

function openPad(root, { strokes: kept, penWidth, penWidths, mostPoints }) {
  const pad = { send() {}, lay, close };
  const [frame, canvas, nib, slider, picture] = [".pad", "canvas", ".nib", "input", "img"].map((name) =>
    root.querySelector(name),
  );
  const [undo, clear] = [root.querySelector(".undo"), root.querySelector(".clear")];
  const ink = canvas.getContext("2d");
  let sheet = 0;
  let strokes = [];
  let cleared = [];
  let pointer = null;
  let timer = 0;

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
    nib.style.setProperty("--nib", `${slider.value * canvas.clientWidth}px`);
    frame.classList.toggle("drawn", strokes.length > 0 || !picture.hidden);
    clear.disabled = !strokes.length && picture.hidden;
    undo.disabled = !strokes.length && !cleared.length;
  }

  function send() {
    clearTimeout(timer);
    timer = 0;
    pad.send({ sheet, strokes });
  }

  // A sheet comes with what is on it; what is drawn on it later is known here first.
  function lay({ number, strokes: kept, picture: address }) {
    if (number === sheet) return;
    clearTimeout(timer);
    [sheet, strokes, cleared, pointer, timer] = [number, kept, [], null, 0];
    picture.hidden = !address;
    if (address) picture.src = address;
    paint();
  }

  function replace(now, before = []) {
    [strokes, cleared, pointer] = [now, before, null];
    picture.hidden = true;
    paint();
    send();
    // A button that has just been disabled would lose the keyboard.
    frame.focus({ preventScroll: true });
  }

  const full = () => strokes.reduce((sum, { points }) => sum + points.length, 0) >= mostPoints;

  function addPoint(event) {
    const { width, points } = strokes.at(-1);
    const box = canvas.getBoundingClientRect();
    const place = (at, start, length) => {
      const inside = Math.min(Math.max((at - start) / length, width / 2), 1 - width / 2);
      return Math.round(inside * 1e4) / 1e4;
    };
    const point = [place(event.clientX, box.left, box.width), place(event.clientY, box.top, box.height)];
    const last = points.at(-1);
    if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < CLOSEST) return;
    if (!full()) points.push(point);
  }

  canvas.onpointerdown = (event) => {
    if (pointer !== null || event.button !== 0 || full()) return;
    event.preventDefault();
    frame.focus({ preventScroll: true });
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    cleared = [];
    picture.hidden = true;
    strokes = [...strokes, { width: Number(slider.value), points: [] }];
    addPoint(event);
    paint();
    timer ||= setTimeout(send, SEND_EVERY);
  };
  canvas.onpointermove = (event) => {
    if (event.pointerId !== pointer) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const moved of between.length ? between : [event]) addPoint(moved);
    paint();
    timer ||= setTimeout(send, SEND_EVERY);
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    send();
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
    clearTimeout(timer);
    sizes.disconnect();
  }
  return pad;
}

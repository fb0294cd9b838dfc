// Shows the changed image and erases pixels of it with a brush. Streamlit calls the default export at every rerun.
const views = new WeakMap();
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const BRUSH = 1.5;

function paint(view) {
  const [height, width, channels] = view.data.sides;
  const { canvas, pixels, fresh } = view;
  [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    for (let part = 0; part < 3; part++) {
      // What is being erased turns orange until the server has erased it.
      image.data[4 * at + part] = fresh[at] ? [255, 179, 0][part] : pixels[at * channels + (channels === 3 ? part : 0)];
    }
    image.data[4 * at + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  const [row, column] = view.at;
  Object.assign(view.cursor.style, {
    top: `${(100 * row) / height}%`, left: `${(100 * column) / width}%`,
    height: `${100 / height}%`, width: `${100 / width}%`,
  });
}

function erase(view, row, column) {
  const [height, width] = view.data.sides;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (Math.hypot(y - row, x - column) > BRUSH || view.erased[y * width + x]) continue;
      view.erased[y * width + x] = view.fresh[y * width + x] = 1;
    }
  }
  paint(view);
}

// A bit for each pixel, the first one the highest, in base64url: as core/explain/perturbations.py reads it.
function send(view) {
  if (!view.fresh.includes(1)) return;
  const bytes = new Uint8Array(Math.ceil(view.erased.length / 8));
  view.erased.forEach((bit, at) => { bytes[at >> 3] |= bit << (7 - (at & 7)); });
  const text = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  view.tell("erased", text);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const view = views.get(parentElement) ?? { at: [Math.floor(data.sides[0] / 2), Math.floor(data.sides[1] / 2)] };
  views.set(parentElement, view);
  view.tell = setTriggerValue;
  const said = JSON.stringify(data);
  if (view.said === said || view.pointer !== undefined) return;
  Object.assign(view, {
    said,
    data,
    canvas: parentElement.querySelector("canvas"),
    cursor: parentElement.querySelector(".cursor"),
    pixels: Uint8Array.from(atob(data.pixels), (letter) => letter.charCodeAt(0)),
    erased: Array.from({ length: data.sides[0] * data.sides[1] }, (_, at) => Number(data.erased[at] ?? 0)),
  });
  view.fresh = new Array(view.erased.length).fill(0);
  paint(view);
  const { canvas } = view;
  const cell = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      Math.floor(((event.clientY - box.top) / box.height) * data.sides[0]),
      Math.floor(((event.clientX - box.left) / box.width) * data.sides[1]),
    ];
  };
  canvas.onpointerdown = (event) => {
    if (event.button) return;
    event.preventDefault();
    view.pointer = event.pointerId;
    canvas.setPointerCapture(event.pointerId);
    erase(view, ...cell(event));
  };
  canvas.onpointermove = (event) => {
    if (event.pointerId !== view.pointer) return;
    for (const moved of event.getCoalescedEvents?.() ?? [event]) erase(view, ...cell(moved));
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (event.pointerId !== view.pointer) return;
    view.pointer = undefined;
    send(view);
  };
  canvas.onkeydown = (event) => {
    if (event.key in ARROWS) {
      view.at = view.at.map((value, axis) => Math.min(Math.max(value + ARROWS[event.key][axis], 0), data.sides[axis] - 1));
      paint(view);
    } else if (event.key === " ") {
      erase(view, ...view.at);
      send(view);
    } else {
      return;
    }
    event.preventDefault();
  };
}

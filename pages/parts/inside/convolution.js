// One convolution, worked out step by step. Streamlit calls the default export at every rerun with new data.
const views = new WeakMap();
const STEPS_A_SECOND = 8;
// For those who want little motion, and slow enough to follow each sum.
const STILL_STEPS_A_SECOND = 1;
// The numbers of larger filters take much room, so that they are shown when they are asked for.
const MOST_WITH_NUMBERS = 5;
const GRIDS = [".patch", ".kernel", ".products"];
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
const number = (value) => value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2).replace("-", "−");
// With three digits that count, however small it is.
const precise = (value) => `${Number(value.toPrecision(3))}`.replace("-", "−");
// Weights may be so small that two decimals tell nothing of them.
const scales = [[0.1, 1, ""], [1e-4, 1e3, ", in thousandths"], [0, 1e6, ", in millionths"]];
const scaleOf = (largest) => scales.find(([least]) => largest >= least);
const most = (values) => values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;

// Grey is zero: from black to white, in shares of the largest magnitude.
const grey = (value, largest) => Math.round(127.5 * (1 + Math.max(-1, Math.min(1, value / largest))));

// The pixels under the filter at a step; outside of the image they are zero.
function patchAt({ side, channels, size, strides, padding, out }, pixels, step) {
  const [top, left] = [Math.floor(step / out) * strides - padding, (step % out) * strides - padding];
  const patch = new Float32Array(size * size * channels);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [row, column] = [top + y, left + x];
      if (row < 0 || column < 0 || row >= side || column >= side) continue;
      for (let channel = 0; channel < channels; channel++) {
        patch[(y * size + x) * channels + channel] = pixels[(row * side + column) * channels + channel];
      }
    }
  }
  return { patch, top, left };
}

function paint(canvas, side, greys) {
  canvas.width = canvas.height = side;
  const image = new ImageData(side, side);
  for (let at = 0; at < side * side; at++) {
    const colour = greys(at);
    for (let part = 0; part < 3; part++) image.data[4 * at + part] = colour[part];
    image.data[4 * at + 3] = colour[3] ?? 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function cells(parent, values, { size, channels }, largest, numbered) {
  if (parent.childElementCount !== channels || parent.firstChild.childElementCount !== size * size) {
    parent.replaceChildren(...Array.from({ length: channels }, () => {
      const grid = document.createElement("div");
      grid.append(...Array.from({ length: size * size }, () => document.createElement("span")));
      return grid;
    }));
  }
  const [, scale, words] = scaleOf(largest);
  const caption = parent.nextElementSibling;
  caption.dataset.name ??= caption.textContent;
  caption.textContent = caption.dataset.name + (numbered ? words : "");
  parent.style.setProperty("--size", size);
  parent.style.setProperty("--width", `${numbered ? 2.6 * size : Math.max(9, size)}rem`);
  [...parent.children].forEach((grid, channel) => {
    [...grid.children].forEach((cell, at) => {
      const value = values[at * channels + channel];
      const level = grey(value, largest);
      cell.style.background = `rgb(${level} ${level} ${level})`;
      // At 118 both have a contrast of more than 4.5.
      cell.style.color = level > 118 ? "#000" : "#fff";
      cell.textContent = numbered ? number(scale * value) : "";
    });
  });
}

function place(frame, top, left, height, side) {
  const share = (value) => `${(100 * value) / side}%`;
  Object.assign(frame.style, { top: share(top), left: share(left), width: share(height), height: share(height) });
}

// What stands in one cell of the three grids, which is the same in all of them: `view.cell` is [channel, row, column].
function drawCell(view) {
  const { size, channels } = view.data;
  if (view.cell && (view.cell[0] >= channels || Math.max(view.cell[1], view.cell[2]) >= size)) view.cell = null;
  const [channel, row, column] = view.cell ?? [];
  for (const name of GRIDS) {
    view.find(name).querySelector(".chosen")?.classList.remove("chosen");
    if (view.cell) view.find(name).children[channel].children[row * size + column].classList.add("chosen");
  }
  if (!view.cell) {
    view.find(".cell").textContent = "Point at a cell, or tap it, for its product.";
    return;
  }
  const [pixel, weight] = [view.patch, view.kernel].map((values) => values[(row * size + column) * channels + channel]);
  const colour = channels === 3 ? `, ${["red", "green", "blue"][channel]}` : "";
  view.find(".cell").textContent = `Row ${row + 1}, column ${column + 1}${colour} of the filter: the pixel `
    + `${precise(pixel)} × the weight ${precise(weight)} = ${precise(pixel * weight)}.`;
}

function watchCells(view) {
  const { size, channels } = view.data;
  const at = ({ target }) => {
    const grid = target.closest(".cells > div");
    if (!grid || target === grid) return;
    const [channel, place] = [grid, target].map((each) => [...each.parentElement.children].indexOf(each));
    view.cell = [channel, Math.floor(place / size), place % size];
    drawCell(view);
  };
  for (const name of GRIDS) {
    const grids = view.find(name);
    grids.onpointerover = grids.onpointerdown = at;
    grids.onkeydown = (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow) return;
      event.preventDefault();
      const [channel, row, column] = view.cell ?? [0, 0, -1];
      // The channels stand under one another.
      const down = Math.min(Math.max(channel * size + row + arrow[0], 0), channels * size - 1);
      const right = Math.min(Math.max(column + arrow[1], 0), size - 1);
      view.cell = [Math.floor(down / size), down % size, right];
      drawCell(view);
      grids.querySelector(".chosen").scrollIntoView({ block: "nearest", inline: "nearest" });
    };
  }
}

function draw(view, speak) {
  const { data, pixels, kernel, map, find, step } = view;
  const { patch, top, left } = patchAt(data, pixels, step);
  const products = patch.map((value, at) => value * kernel[at]);
  const sum = products.reduce((total, value) => total + value, 0);
  const numbered = data.size <= MOST_WITH_NUMBERS || find(".numbers input").checked;
  view.patch = patch;
  cells(find(".patch"), patch, data, view.largestPixel, numbered);
  cells(find(".kernel"), kernel, data, view.largestWeight, numbered);
  cells(find(".products"), products, data, view.largestPixel * view.largestWeight, numbered);
  drawCell(view);
  place(find(".image + .frame"), top, left, data.size, data.side);
  place(find(".map + .frame"), Math.floor(step / data.out), step % data.out, 1, data.out);
  paint(find(".map"), data.out, (at) => {
    const level = grey(map[at], view.largestValue);
    return at <= step ? [level, level, level] : [0, 0, 0, 0];
  });
  find(".position").value = step;
  const [row, column] = [Math.floor(step / data.out) + 1, (step % data.out) + 1];
  const said = `Row ${row}, column ${column}: the ${products.length} products add up to ${number(sum)}; with the bias of `
    + `${number(data.bias)} that is ${number(sum + data.bias)}. The activation comes after that.`;
  find(".position").setAttribute("aria-valuetext", `Row ${row}, column ${column}`);
  find(".said").setAttribute("aria-live", speak ? "polite" : "off");
  find(".said").textContent = said;
}

function stop(view) {
  clearInterval(view.timer);
  view.timer = 0;
  view.find(".play").textContent = "Play";
}

function go(view, step) {
  view.step = (step + view.data.out ** 2) % view.data.out ** 2;
  draw(view, !view.timer);
}

function play(view) {
  if (view.timer) return stop(view);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  view.find(".play").textContent = "Pause";
  view.timer = setInterval(() => go(view, view.step + 1), 1000 / (still ? STILL_STEPS_A_SECOND : STEPS_A_SECOND));
}

export default function ({ data, parentElement }) {
  const view = views.get(parentElement) ?? { step: null, timer: 0 };
  views.set(parentElement, view);
  const said = JSON.stringify(data);
  if (view.said !== said) {
    Object.assign(view, { said, data, pixels: floats(data.pixels), kernel: floats(data.kernel) });
    view.find = (name) => parentElement.querySelector(name);
    const count = data.out ** 2;
    view.map = Float32Array.from({ length: count }, (_, step) =>
      patchAt(data, view.pixels, step).patch.reduce((sum, value, at) => sum + value * view.kernel[at], data.bias));
    [view.largestPixel, view.largestWeight, view.largestValue] = [view.pixels, view.kernel, view.map].map(most);
    // In the middle of the image there is something to see.
    if (view.step === null || view.step >= count) view.step = Math.floor(data.out / 2) * (data.out + 1);
    view.find(".position").max = count - 1;
    view.find(".numbers").hidden = data.size <= MOST_WITH_NUMBERS;
    watchCells(view);
    const { channels } = data;
    paint(view.find(".image"), data.side, (at) => [0, 1, 2].map((part) =>
      grey(view.pixels[at * channels + (channels === 3 ? part : 0)], view.largestPixel)));
    draw(view, false);
  }
  view.find(".numbers input").onchange = () => draw(view, false);
  view.find(".play").onclick = () => play(view);
  view.find(".back").onclick = () => { stop(view); go(view, view.step - 1); };
  view.find(".on").onclick = () => { stop(view); go(view, view.step + 1); };
  view.find(".position").oninput = ({ target }) => { stop(view); go(view, Number(target.value)); };
  return () => {
    clearInterval(view.timer);
    views.delete(parentElement);
  };
}

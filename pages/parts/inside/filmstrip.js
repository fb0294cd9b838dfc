// Draws the frames of a filmstrip. Streamlit calls the default export at every rerun with new data.
const views = new WeakMap();
const ARROWS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -4, ArrowDown: 4 };

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// Paints height × width × channels bytes from an offset on, one pixel each; CSS enlarges them without a blur.
function paint(canvas, [height, width, channels], data, offset = 0) {
  [canvas.width, canvas.height] = [width, height];
  const pixels = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    for (let part = 0; part < 3; part++) {
      pixels.data[4 * at + part] = data[offset + at * channels + (channels === 3 ? part : 0)];
    }
    pixels.data[4 * at + 3] = 255;
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

const number = (value) => value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2).replace("-", "−");

// Where in the preprocessed image a value sees from and to, in shares of its side.
function seenBy({ field }, row, column, side) {
  if (!field) return null;
  const [start, size, step] = field;
  const [top, left] = [start + row * step, start + column * step];
  const inside = (value) => Math.min(Math.max(value, 0), side);
  return {
    whole: top <= 0 && left <= 0 && top + size >= side && left + size >= side,
    box: [inside(left), inside(top), inside(left + size), inside(top + size)].map((value) => value / side),
    size,
  };
}

function frameBox(box, seen) {
  box.hidden = !seen;
  if (!seen) return;
  const [left, top, right, bottom] = seen.box.map((share) => 100 * share);
  Object.assign(box.style, {
    left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%`,
  });
}

function maps(view, frame, parent) {
  const data = bytes(frame.pixels);
  const [height, width, channels] = frame.sides;
  const size = height * width * channels;
  frame.numbers.forEach((channel, place) => {
    const button = element("button", "map");
    button.type = "button";
    button.tabIndex = place ? -1 : 0;
    const canvas = document.createElement("canvas");
    paint(canvas, frame.sides, data, place * size);
    button.append(canvas);
    const range = `${frame.ranges[place][0]} to ${frame.ranges[place][1]}`;
    const name = `${frame.title}, ${frame.what} ${channel}`;
    button.setAttribute("aria-label", `${name}: ${range}`);
    // The strongest value of the map, where nobody points at another.
    const part = data.subarray(place * size, (place + 1) * size);
    const strongest = part.indexOf(part.reduce((most, value) => Math.max(most, value), 0));
    const pointAt = (row, column) => {
      const seen = seenBy(frame, row, column, view.data.side);
      let said = `${name}: ${range}`;
      if (frame.limits) {
        const [low, high] = frame.limits[place];
        const value = low + ((high - low) * part[row * width + column]) / 255;
        said += `. About ${number(value)} at row ${row + 1}, column ${column + 1}`;
        said += !seen || seen.whole
          ? ", which sees the whole image."
          : `, which sees the ${seen.size}×${seen.size} pixels in the frame.`;
      }
      write(view.pointed, said);
      frameBox(view.seen, seen);
      return { said, seen };
    };
    const atStrongest = () => pointAt(Math.floor(strongest / width) % height, strongest % width);
    button.onpointermove = (event) => {
      const box = canvas.getBoundingClientRect();
      const cell = (share, cells) => Math.min(Math.max(Math.floor(share * cells), 0), cells - 1);
      pointAt(
        cell((event.clientY - box.top) / box.height, height),
        cell((event.clientX - box.left) / box.width, width),
      );
    };
    button.onfocus = () => atStrongest();
    button.onclick = () => {
      const { said, seen } = atStrongest();
      const [large, image] = view.dialog.querySelectorAll("canvas");
      paint(large, frame.sides, data, place * size);
      large.setAttribute("aria-label", name);
      paint(image, view.data.raw.sides, bytes(view.data.raw.pixels));
      image.setAttribute("aria-label", "The image, with the part that the strongest value sees");
      frameBox(view.dialog.querySelector(".seen"), seen);
      write(view.dialog.querySelector("p"), said);
      view.dialog.showModal();
    };
    // One stop for the keyboard; the arrows go on from there.
    button.onkeydown = (event) => {
      const next = event.key in ARROWS && [...parent.children][place + ARROWS[event.key]];
      if (!next) return;
      event.preventDefault();
      button.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    };
    parent.append(button);
  });
}

function bars(frame, parent) {
  if (!frame.rows) {
    parent.append(element("p", "unknown", "?"));
    return;
  }
  const list = document.createElement("ol");
  const most = Math.max(...frame.rows.map(([, , share]) => share));
  frame.rows.forEach(([name, logit, share]) => {
    const row = document.createElement("li");
    row.classList.toggle("top", share === most);
    const bar = document.createElement("i");
    bar.style.setProperty("--share", share);
    row.append(element("b", "", name), bar, element("span", "", logit), element("span", "", `${(100 * share).toFixed(1)} %`));
    list.append(row);
  });
  parent.append(list);
}

function show(view, frame) {
  const box = element("div", `frame ${frame.kind}`);
  if (frame.kind === "image") {
    const paper = element("div", "paper");
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", frame.title);
    paint(canvas, frame.sides, bytes(frame.pixels));
    paper.append(canvas);
    box.append(paper);
  } else if (frame.kind === "maps") {
    const grid = element("div", "grid");
    maps(view, frame, grid);
    box.append(grid);
  } else {
    bars(frame, box);
  }
  box.append(element("p", "title", frame.title), element("p", "about", frame.about));
  if (frame.total > frame.numbers?.length) {
    const more = element("button", "more", `All ${frame.total.toLocaleString("en")} maps`);
    more.type = "button";
    more.setAttribute("aria-label", `All ${frame.total} maps of ${frame.title}`);
    more.onclick = () => view.tell("opened", frame.key);
    box.append(more);
  }
  return box;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".filmstrip");
  const find = (name) => root.querySelector(name);
  const view = views.get(parentElement) ?? {};
  views.set(parentElement, view);
  view.tell = setTriggerValue;
  const said = JSON.stringify(data);
  if (view.said === said) return;
  const opens = data.all?.key !== view.data?.all?.key;
  Object.assign(view, { said, data, pointed: find(".pointed"), seen: find(".raw .seen"), dialog: find("dialog") });
  root.style.setProperty("--colour", data.colour);
  const canvas = find(".raw canvas");
  paint(canvas, data.raw.sides, bytes(data.raw.pixels));
  canvas.setAttribute("aria-label", "The image that is looked at");
  write(find(".raw .title"), data.raw.title);
  write(find(".raw .about"), data.raw.about);
  // What was said of another image's maps.
  write(view.pointed, "");
  frameBox(view.seen, null);
  const frames = find(".frames");
  const scrolled = frames.scrollLeft;
  frames.replaceChildren(...data.frames.map((frame) => show(view, frame)));
  frames.scrollLeft = scrolled;
  const all = find(".all");
  all.hidden = !data.all;
  find(".sheet").replaceChildren();
  if (data.all) {
    write(find(".all h3"), `${data.all.title}: all ${data.all.total} maps, the strongest first`);
    find(".sheet").setAttribute("aria-label", `All maps of ${data.all.title}`);
    maps(view, data.all, find(".sheet"));
    if (opens && view.asked) all.scrollIntoView({ block: "nearest" });
  }
  view.asked = true;
  find(".close").onclick = () => view.tell("opened", "none");
  view.dialog.onclick = (event) => { if (event.target === view.dialog) view.dialog.close(); };
}

// Streamlit calls the default export at every rerun; what must last is kept by element.
const maps = new WeakMap();
const GRID = 1000;
// The whole map leaves so much of the paper empty, as a share of its side.
const MARGIN = 0.03;
const MOST_CORNERS = 40;
const [CLOSE, MOST_ZOOM] = [14, 40];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export default function ({ data, parentElement, setTriggerValue }) {
  let map = maps.get(parentElement);
  if (!map) {
    map = openMap(parentElement);
    maps.set(parentElement, map);
  }
  map.tell = setTriggerValue;
  map.show(data);
  return () => {
    map.close();
    maps.delete(parentElement);
  };
}

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

function openMap(root) {
  const map = { tell() {}, show, close };
  const [paper, points, above, tip, spoken, legend] =
    [".paper", ".points", ".above", ".tip", ".spoken", ".legend"].map((name) => root.querySelector(name));
  const [under, over] = [points.getContext("2d"), above.getContext("2d")];
  const modes = [...root.querySelectorAll("[data-mode]")];
  const strips = new Map();
  const stamps = new Map();
  const pointers = new Map();
  let data = {};
  let [count, at, labels, predicted, confidences] = [0, null, null, null, null];
  // What is in the middle of the paper, and how much it is enlarged.
  let view = { x: 0.5, y: 0.5, zoom: 1 };
  let mode = matchMedia("(pointer: coarse)").matches ? "move" : "lasso";
  // The image that is pointed at, -1 for none; the line that is being drawn; whether the pointer was moved.
  let [hovered, byKeys, line, moved, pinched] = [-1, false, null, false, 0];
  let [frame, layers, middles] = [0, [], []];

  const side = () => paper.clientWidth;
  const scale = () => side() * (1 - 2 * MARGIN) * view.zoom;
  const toPaper = (x, y) => [(x - view.x) * scale() + side() / 2, (y - view.y) * scale() + side() / 2];
  const toMap = ([x, y]) => [(x - side() / 2) / scale() + view.x, (y - side() / 2) / scale() + view.y];
  const pointOf = (image) => toPaper(at[2 * image], at[2 * image + 1]);
  const css = (name) => getComputedStyle(root.querySelector(".map")).getPropertyValue(name).trim();
  const known = () => data.by !== "none";
  const groups = () => (data.by === "predicted" ? predicted : labels);
  const stands = (image) => data.chosen === null || groups()[image] === data.chosen;

  function show(now) {
    if (now.points !== data.points) {
      const raw = new DataView(bytes(now.points).buffer);
      count = raw.byteLength / 4;
      at = Float64Array.from({ length: 2 * count }, (_, index) => raw.getUint16(2 * index, true) / 65535);
      hovered = -1;
    }
    for (const name of ["labels", "predicted", "confidences"]) {
      if (now[name] === data[name]) continue;
      const values = now[name] && bytes(now[name]);
      if (name === "labels") labels = values;
      else if (name === "predicted") predicted = values;
      else confidences = values;
    }
    data = now;
    arrange();
    above.setAttribute("aria-label", `Map of ${count.toLocaleString("en")} test images`);
    drawLegend();
    setMode(mode);
    paint();
  }

  function drawLegend() {
    const wanted = data.classes.join("\n");
    if (legend.dataset.classes !== wanted) {
      legend.dataset.classes = wanted;
      legend.replaceChildren(...data.classes.map((name, number) => {
        const [button, swatch] = [document.createElement("button"), document.createElement("i")];
        button.type = "button";
        button.append(swatch, name);
        button.onclick = () => map.tell("chosen", number);
        return button;
      }));
      const sign = document.createElement("span");
      sign.textContent = "× an error";
      legend.append(sign);
    }
    data.classes.forEach((_, number) => {
      const button = legend.children[number];
      button.style.setProperty("--colour", data.colours[number]);
      button.setAttribute("aria-pressed", String(data.chosen === number));
    });
    legend.hidden = !known();
  }

  function setMode(name) {
    mode = name;
    modes.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.mode === mode)));
    above.style.cursor = mode === "move" ? "grab" : "crosshair";
    // Where it can only be moved with the page, a finger moves the page.
    above.style.touchAction = mode === "move" && view.zoom === 1 ? "pan-y" : "none";
  }

  function paint() {
    if (!frame) frame = requestAnimationFrame(() => { frame = 0; paintPoints(); paintAbove(); });
  }

  // What is drawn in turn: the numbers of the images of a class, those that do not stand out below the others and errors
  // above the rest; and the middle of each class. Made anew when the data change, not for every frame.
  function arrange() {
    const [all, names] = [groups(), data.classes.length];
    layers = [];
    for (const strong of [false, true]) {
      for (const isError of [false, true]) {
        for (let group = 0; group < names; group++) layers.push({ strong, isError, group, images: [] });
      }
    }
    for (let image = 0; image < count; image++) {
      const [strong, isError] = known() ? [stands(image), labels[image] !== predicted[image]] : [true, false];
      layers[(2 * strong + isError) * names + (known() ? all[image] : 0)].images.push(image);
    }
    middles = data.classes.map((name, group) => {
      const own = layers.filter((layer) => layer.group === group).flatMap((layer) => layer.images);
      const middle = (axis) => own.map((image) => at[2 * image + axis]).sort((a, b) => a - b)[own.length >> 1];
      return own.length && known() ? { name, x: middle(0), y: middle(1) } : null;
    }).filter(Boolean);
  }

  function paintPoints() {
    const size = side();
    if (!at || !size) return;
    const ratio = points.width / size;
    under.setTransform(1, 0, 0, 1, 0, 0);
    under.clearRect(0, 0, points.width, points.width);
    const radius = Math.min(5, (size / 420) * Math.sqrt(view.zoom) * (count > 3000 ? 1 : 1.5));
    const [text, back] = [css("--st-text-color"), css("--st-background-color")];
    const long = scale() * ratio;
    const [right, down] = [points.width / 2 - view.x * long, points.width / 2 - view.y * long];
    for (const { strong, isError, group, images } of layers) {
      if (!images.length) continue;
      const look = stamp(isError, radius * ratio, ratio, known() ? data.colours[group] : text, back);
      const half = look.width / 2;
      under.globalAlpha = strong ? (isError ? 1 : 0.75) : 0.13;
      for (const image of images) {
        const x = at[2 * image] * long + right - half;
        const y = at[2 * image + 1] * long + down - half;
        if (x > -20 && y > -20 && x < points.width && y < points.width) under.drawImage(look, Math.round(x), Math.round(y));
      }
    }
    under.globalAlpha = 1;
    under.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintNames(text, back);
  }

  // A dot or a cross, drawn once: to lay it down ten thousand times is quick, to draw it so often is not.
  function stamp(isError, radius, ratio, colour, back) {
    const key = [isError, radius, colour, back].join();
    if (stamps.has(key)) return stamps.get(key);
    if (stamps.size > 200) stamps.clear();
    const canvas = document.createElement("canvas");
    const reach = isError ? radius + 4 * ratio : radius;
    canvas.width = canvas.height = Math.ceil(2 * reach) + 1;
    const pen = canvas.getContext("2d");
    const middle = canvas.width / 2;
    if (isError) {
      const arm = radius + 1.5 * ratio;
      for (const [style, width] of [[back, 4.5], [colour, 2]]) {
        [pen.strokeStyle, pen.lineWidth] = [style, width * ratio];
        pen.beginPath();
        pen.moveTo(middle - arm, middle - arm);
        pen.lineTo(middle + arm, middle + arm);
        pen.moveTo(middle + arm, middle - arm);
        pen.lineTo(middle - arm, middle + arm);
        pen.stroke();
      }
    } else {
      pen.fillStyle = colour;
      pen.arc(middle, middle, radius, 0, 7);
      pen.fill();
    }
    stamps.set(key, canvas);
    return canvas;
  }

  // Each class has its name where most of it is, so that colours need not be told apart.
  function paintNames(text, back) {
    under.font = `700 ${Math.round(1.15 * data.text)}px ${css("--st-font")}`;
    [under.textAlign, under.textBaseline, under.lineJoin] = ["center", "middle", "round"];
    for (const middle of middles) {
      const [x, y] = toPaper(middle.x, middle.y);
      [under.strokeStyle, under.lineWidth] = [back, 4];
      under.strokeText(middle.name, x, y);
      under.fillStyle = text;
      under.fillText(middle.name, x, y);
    }
  }

  function paintAbove() {
    if (!at || !side()) return;
    const ratio = above.width / side();
    over.setTransform(ratio, 0, 0, ratio, 0, 0);
    over.clearRect(0, 0, side(), side());
    const text = css("--st-text-color");
    const corners = line ? line.map(toMap) : data.area && data.area.map(([x, y]) => [x / GRID, y / GRID]);
    if (corners) {
      over.beginPath();
      corners.forEach((corner) => over.lineTo(...toPaper(...corner)));
      if (!line || line.length > 2) over.closePath();
      over.globalAlpha = 0.1;
      over.fillStyle = text;
      over.fill();
      over.globalAlpha = 1;
      [over.strokeStyle, over.lineWidth] = [text, 1.5];
      over.setLineDash([6, 4]);
      over.stroke();
      over.setLineDash([]);
    }
    for (const [image, width] of [[data.image ?? -1, 3], [hovered, 2]]) {
      if (image < 0 || image >= count) continue;
      over.beginPath();
      over.arc(...pointOf(image), 8, 0, 7);
      [over.strokeStyle, over.lineWidth] = [css("--st-background-color"), width + 3];
      over.stroke();
      [over.strokeStyle, over.lineWidth] = [text, width];
      over.stroke();
    }
    if (data.placed) {
      // The ring that Draw shows too: it must be found among ten thousand dots.
      for (const [style, width] of [["#e8a400", 9], [text, 3.5]]) {
        over.beginPath();
        over.arc(...toPaper(...data.placed), 9, 0, 7);
        [over.strokeStyle, over.lineWidth] = [style, width];
        over.stroke();
      }
    }
    placeTip();
  }

  function says(image) {
    if (!known()) return `no. ${image}`;
    const [is, taken] = [data.classes[labels[image]], data.classes[predicted[image]]];
    const sure = confidences ? `, ${((100 * confidences[image]) / 255).toFixed(0)} % sure` : "";
    return `${is === taken ? `✓ ${is}` : `× ${is} → ${taken}`}${sure}\nno. ${image}`;
  }

  function placeTip() {
    tip.hidden = hovered < 0 || line !== null;
    if (tip.hidden) return;
    const [x, y] = pointOf(hovered);
    if (tip.dataset.image !== String(hovered)) {
      tip.dataset.image = hovered;
      tip.querySelector("p").textContent = says(hovered);
      if (byKeys) spoken.textContent = says(hovered);
      drawImage(hovered);
    }
    const [width, height] = [tip.offsetWidth, tip.offsetHeight];
    tip.style.left = `${Math.max(0, Math.min(side() - width, x < side() / 2 ? x + 14 : x - width - 14))}px`;
    tip.style.top = `${Math.max(0, Math.min(side() - height, y - height / 2))}px`;
  }

  function drawImage(image) {
    const canvas = tip.querySelector("canvas");
    const [height, width] = data.shape;
    const number = Math.floor(image / data.perStrip);
    const address = `${data.strips}/${number}.png`;
    let strip = strips.get(address);
    if (!strip) {
      strip = new Image();
      strip.src = address;
      strips.set(address, strip);
    }
    [canvas.width, canvas.height] = [width, height];
    canvas.dataset.shown = "";
    strip.decode().then(() => {
      if (tip.dataset.image !== String(image)) return;
      canvas.getContext("2d").drawImage(strip, (image % data.perStrip) * width, 0, width, height, 0, 0, width, height);
      canvas.dataset.shown = image;
    }, () => strips.delete(address));
  }

  // The image that is nearest to a place on the paper, no farther than so many pixels; -1 for none.
  function nearest([x, y], farthest, allowed = () => true) {
    const [there, limit] = [toMap([x, y]), farthest / scale()];
    let [found, least] = [-1, limit * limit];
    for (let image = 0; image < count; image++) {
      const [right, down] = [at[2 * image] - there[0], at[2 * image + 1] - there[1]];
      const square = right * right + down * down;
      if (square < least && allowed(right, down, image)) [found, least] = [image, square];
    }
    return found;
  }

  function hover(image, keys = false) {
    if (image === hovered && keys === byKeys) return;
    [hovered, byKeys] = [image, keys];
    paintAbove();
  }

  function moveTo(x, y, zoom = view.zoom) {
    const half = 0.5 / zoom;
    const inside = (value) => (zoom === 1 ? 0.5 : Math.min(1 - half / 2, Math.max(half / 2, value)));
    view = { x: inside(x), y: inside(y), zoom };
    setMode(mode);
    paint();
  }

  // Enlarges so that what is there on the paper stays there.
  function zoomAt(place, factor) {
    const zoom = factor ? Math.min(MOST_ZOOM, Math.max(1, view.zoom * factor)) : 1;
    const [x, y] = toMap(place);
    const share = view.zoom / zoom;
    moveTo(x + (view.x - x) * share, y + (view.y - y) * share, zoom);
  }

  const middle = () => [side() / 2, side() / 2];
  const placeOf = (event) => {
    const box = above.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  above.onpointerdown = (event) => {
    if (event.button) return;
    above.setPointerCapture(event.pointerId);
    above.focus({ preventScroll: true, focusVisible: false });
    pointers.set(event.pointerId, placeOf(event));
    [moved, line] = [pointers.size > 1, null];
    pinched = pinch();
  };

  const pinch = () => {
    if (pointers.size < 2) return 0;
    const [[x0, y0], [x1, y1]] = [...pointers.values()];
    return Math.hypot(x1 - x0, y1 - y0);
  };

  above.onpointermove = (event) => {
    const now = placeOf(event);
    const before = pointers.get(event.pointerId);
    if (!before) return hover(nearest(now, CLOSE));
    const way = [now[0] - before[0], now[1] - before[1]];
    if (!moved && Math.hypot(...way) < 5) return;
    if (pointers.size > 1) {
      pointers.set(event.pointerId, now);
      const apart = pinch();
      const places = [...pointers.values()];
      zoomAt([0, 1].map((axis) => (places[0][axis] + places[1][axis]) / 2), apart / (pinched || apart));
      pinched = apart;
    } else if (mode === "move") {
      pointers.set(event.pointerId, now);
      moveTo(view.x - way[0] / scale(), view.y - way[1] / scale());
    } else if (mode === "box") {
      line = [before, [now[0], before[1]], now, [before[0], now[1]]];
    } else {
      line = [...(line ?? [before]), now];
    }
    moved = true;
    hover(-1);
    paintAbove();
  };

  above.onpointerup = above.onpointercancel = (event) => {
    const before = pointers.get(event.pointerId);
    if (!pointers.delete(event.pointerId)) return;
    const drawn = line;
    line = null;
    if (event.type === "pointerup" && drawn) {
      choose(drawn);
    } else if (event.type === "pointerup" && !moved) {
      const image = nearest(before, CLOSE);
      if (image >= 0) map.tell("opened", image);
      else if (data.area) map.tell("area", "none");
    }
    paintAbove();
  };

  above.onpointerleave = () => pointers.size || hover(-1);

  // What is drawn around images becomes an area in the address, with few corners.
  function choose(drawn) {
    const corners = simplified(drawn).map(toMap)
      .map((corner) => corner.map((share) => Math.round(Math.min(1, Math.max(0, share)) * GRID)));
    const different = corners.filter(([x, y], index) => {
      const [beforeX, beforeY] = corners.at(index - 1);
      return x !== beforeX || y !== beforeY;
    });
    if (different.length > 2) map.tell("area", different.map((corner) => corner.join("-")).join("_"));
  }

  above.onwheel = (event) => {
    // The page's own wheel, until somebody works in the map.
    if (!event.ctrlKey && root.activeElement !== above && document.activeElement !== above) return;
    event.preventDefault();
    zoomAt(placeOf(event), Math.exp(-event.deltaY / 300));
  };

  above.onkeydown = (event) => {
    if (event.metaKey || event.altKey || event.ctrlKey) return;
    if (event.key in ARROWS) step(ARROWS[event.key]);
    else if (event.key === "Enter" && hovered >= 0) map.tell("opened", hovered);
    else if (event.key.toLowerCase() === "s" && hovered >= 0) chooseAround(pointOf(hovered));
    else if (event.key === "Escape" && data.area) map.tell("area", "none");
    else if (event.key === "+" || event.key === "=") zoomAt(hovered < 0 ? middle() : pointOf(hovered), 1.5);
    else if (event.key === "-") zoomAt(hovered < 0 ? middle() : pointOf(hovered), 1 / 1.5);
    else if (event.key === "0") zoomAt(middle(), 0);
    else return;
    event.preventDefault();
  };

  // To the nearest image in a direction; the first time, to the open one or to one in the middle.
  function step([right, down]) {
    let next = hovered;
    if (hovered < 0) {
      next = data.image ?? nearest(middle(), 2 * side());
    } else {
      const found = nearest(pointOf(hovered), 9 * scale(), (x, y, image) => {
        const ahead = x * right + y * down;
        return image !== hovered && ahead > 1e-6 && ahead >= Math.abs(x * down + y * right);
      });
      if (found >= 0) next = found;
    }
    hover(next, true);
    const [x, y] = pointOf(next);
    if (Math.min(x, y) < 0 || Math.max(x, y) > side()) {
      moveTo(at[2 * next], at[2 * next + 1]);
    }
  }

  function chooseAround([x, y]) {
    const radius = 0.06 * side();
    const turns = Array.from({ length: 12 }, (_, number) => (number / 6) * Math.PI);
    choose(turns.map((turn) => [x + radius * Math.cos(turn), y + radius * Math.sin(turn)]));
  }

  above.onblur = () => byKeys && hover(-1);
  modes.forEach((button) => { button.onclick = () => setMode(button.dataset.mode); });
  root.querySelectorAll("[data-zoom]").forEach((button) => {
    button.onclick = () => zoomAt(middle(), Number(button.dataset.zoom));
  });

  const sizes = new ResizeObserver(() => {
    const pixels = Math.round(side() * devicePixelRatio);
    for (const canvas of [points, above]) [canvas.width, canvas.height] = [pixels, pixels];
    paintPoints();
    paintAbove();
  });
  sizes.observe(paper);

  function close() {
    cancelAnimationFrame(frame);
    sizes.disconnect();
  }
  return map;
}

// The corners of a line that matter: those farthest from the straight way between the others, no more than the address
// has room for.
function simplified(places) {
  for (let allowed = 1.5; ; allowed *= 1.5) {
    const kept = within(places, allowed);
    if (kept.length <= MOST_CORNERS) return kept;
  }
}

function within(places, allowed) {
  if (places.length < 3) return places;
  const [first, last] = [places[0], places.at(-1)];
  const [right, down] = [last[0] - first[0], last[1] - first[1]];
  const length = Math.hypot(right, down);
  let [farthest, most] = [0, -1];
  places.forEach(([x, y], index) => {
    const [dx, dy] = [x - first[0], y - first[1]];
    const away = length ? Math.abs(dx * down - dy * right) / length : Math.hypot(dx, dy);
    if (away > most) [farthest, most] = [index, away];
  });
  if (most <= allowed) return [first, last];
  return [...within(places.slice(0, farthest + 1), allowed).slice(0, -1), ...within(places.slice(farthest), allowed)];
}

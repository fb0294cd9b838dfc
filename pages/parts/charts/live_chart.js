// Two Plotly charts, loss and accuracy, that take new data without losing zoom, hover or the legend.
// Run again by Streamlit at every change of the data or the theme; what must last is kept by element.
const BUTTONS = [["zoom2d", "pan2d", "resetScale2d", "toImage"]];
const GREY = "#8A93A0";
const views = new WeakMap();
let loading;

function loadPlotly(url) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { loading = undefined; reject(); };
    document.head.append(script);
  });
  return loading;
}

// What the browser shows for a value, by measure: scale, digits, unit.
const UNITS = { loss: [1, 4, "nats"], accuracy: [100, 2, "%"] };

function traces(data, measure) {
  const [scale, digits, unit] = UNITS[measure];
  const line = (name, x, y, style, more) => ({
    name, x, y: y.map((value) => value === null ? null : value * scale), mode: "lines",
    line: { color: data.colour, width: 2.5, ...style },
    hovertemplate: `%{y:.${digits}f} ${unit}<extra>%{fullData.name}</extra>`, ...more,
  });
  const { steps, epochs, report } = data;
  const size = epochs.x.length < 30 ? 8 : 5;
  const drawn = [
    line("training, each step", steps.x, steps[measure], { width: 1 }, { opacity: 0.4 }),
    line("training, smoothed", steps.x, steps[`smooth_${measure}`], { width: 3 }),
    line("validation", epochs.x, epochs[`validation_${measure}`], { dash: "dash" }, {
      mode: "lines+markers", marker: { size: size - 1, symbol: "circle-open" },
    }),
    // Without steps, as in some old runs, these are all there is of the training.
    line("training, mean of the epoch", epochs.x, epochs[`train_${measure}`], {}, {
      mode: steps.x.length ? "markers" : "lines+markers", marker: { size, color: data.colour },
    }),
  ];
  if (report[measure] !== undefined) {
    const level = report[measure];
    const look = { color: GREY, width: 1.5, dash: "dot" };
    drawn.push(line("the report’s validation", [0, data.end], [level, level], look, { showlegend: false }));
  }
  return drawn;
}

// What the axis shows: nothing where Plotly is to find it out.
function verticalRange(data, measure, empty) {
  const scale = UNITS[measure][0];
  if (!(data.steps.x.length + data.epochs.x.length)) return { range: empty };
  const isLog = data.shown === "log" && measure === "loss";
  if (isLog) return { type: "log" };
  const range = data.shown === "whole" ? undefined : data.ranges[measure];
  return range ? { range: range.map((value) => scale * value) } : {};
}

// Says at the report's line which of its figures that is.
function annotations(data, measure, text, back) {
  const level = data.report[measure];
  if (level === undefined) return [];
  const [scale, digits, unit] = UNITS[measure];
  return [{
    text: `the report’s validation ${measure}, ${(scale * level).toFixed(digits)} ${unit}`,
    // At the left, where the curves are still below it; on a phone they reach it.
    x: 0, xref: "paper", xanchor: "left", y: scale * level, yanchor: "bottom", showarrow: false,
    font: { size: 12, color: text }, bgcolor: back, opacity: 0.85, borderpad: 1,
  }];
}

// `empty` is what the axis shows before there is anything on it.
function layout(data, measure, title, empty, style) {
  const colour = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const [text, grid, back] = [colour("text-color"), colour("border-color"), colour("background-color")];
  const axis = { gridcolor: grid, linecolor: grid, zeroline: false, tickcolor: grid, automargin: true, color: text };
  return {
    uirevision: data.run,
    height: 340,
    margin: { l: 8, r: 8, t: 34, b: 8 },
    paper_bgcolor: back,
    plot_bgcolor: back,
    font: { family: colour("font"), size: 13, color: text },
    hovermode: "x unified",
    hoverlabel: { bgcolor: back, bordercolor: grid, font: { size: 13, color: text } },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", itemwidth: 30, font: { size: 12 } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("gray-color"), activecolor: text },
    annotations: annotations(data, measure, text, back),
    xaxis: {
      ...axis, title: { text: "Epoch", font: { size: 13 } }, range: [0, 1.01 * data.end],
      ...(data.end <= 12 ? { dtick: 1 } : {}), unifiedhovertitle: { text: "epoch %{x:.2f}" },
      spikecolor: text, spikethickness: 1, spikedash: "dot",
    },
    yaxis: {
      ...axis, title: { text: title, font: { size: 13 } },
      // A zoom lasts until another range is chosen.
      uirevision: `${data.run} ${data.shown}`,
      ...verticalRange(data, measure, empty),
    },
  };
}

// In presenter mode, everything by the page's factors, and no line thinner than its least.
function enlarged(drawn, arranged, projected) {
  if (!projected) return [drawn, arranged];
  const { text, lines, height, leastLine } = projected;
  for (const trace of drawn) {
    trace.line.width = Math.max(leastLine, lines * trace.line.width);
    if (trace.marker) trace.marker.size *= lines;
  }
  const { font, hoverlabel, legend, xaxis, yaxis } = arranged;
  const fonts = [font, hoverlabel.font, legend.font, xaxis.title.font, yaxis.title.font];
  for (const each of [...fonts, ...arranged.annotations.map((said) => said.font)]) each.size *= text;
  arranged.height *= height;
  arranged.margin.t *= text;
  return [drawn, arranged];
}

function draw(Plotly, view, parent) {
  const style = getComputedStyle(parent);
  const config = { responsive: true, displaylogo: false, modeBarButtons: BUTTONS };
  const { data } = view;
  const [loss, accuracy] = view.charts;
  const show = (chart, ...parts) => Plotly.react(chart, ...enlarged(...parts, data.projected), config);
  show(loss, traces(data, "loss"), layout(data, "loss", "Loss (nats)", [0, 2.5], style));
  show(accuracy, traces(data, "accuracy"), layout(data, "accuracy", "Accuracy (%)", [0, 100], style));
}

export default function ({ data, parentElement }) {
  let view = views.get(parentElement);
  if (!view) {
    const root = document.createElement("div");
    root.className = "live-chart";
    const charts = ["Loss", "Accuracy"].map((name) => {
      const chart = document.createElement("div");
      chart.setAttribute("role", "group");
      chart.setAttribute("aria-label", `${name} by epoch`);
      root.append(chart);
      return chart;
    });
    parentElement.append(root);
    view = { root, charts };
    views.set(parentElement, view);
  }
  view.data = data;
  loadPlotly(data.plotly).then(
    (Plotly) => views.get(parentElement) === view && draw(Plotly, view, parentElement),
    () => { view.root.textContent = "The curves cannot be drawn: static/plotly.min.js did not load. Reload the page."; },
  );
  return () => {
    views.delete(parentElement);
    view.charts.forEach((chart) => window.Plotly?.purge(chart));
    view.root.remove();
  };
}

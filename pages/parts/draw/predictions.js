// Streamlit calls this at every rerun: the cards are built once for a set of runs and then only changed.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".predictions");
  const cards = root.querySelector(".cards");
  const runs = data.networks.map(({ run }) => run).join(" ");
  if (cards.dataset.runs !== runs) {
    cards.replaceChildren(...data.networks.map(() => newCard(root.querySelector("template"))));
    cards.dataset.runs = runs;
  }
  data.networks.forEach((network, number) => fill(cards.children[number], network));
  setText(root.querySelector(".verdict"), data.verdict);
  setHtml(root.querySelector(".why"), data.why);
  showImage(root.querySelector("canvas"), data.image);
}

function newCard(template) {
  const card = template.content.firstElementChild.cloneNode(true);
  for (let digit = 0; digit < 10; digit++) {
    const row = document.createElement("li");
    row.append(String(digit), document.createElement("i"), document.createElement("span"));
    card.querySelector("ol").append(row);
  }
  return card;
}

function fill(card, { run, label, which, colour, about, odd, reading, probabilities }) {
  const drawn = reading !== null;
  card.style.setProperty("--colour", colour);
  card.classList.toggle("odd", odd);
  card.classList.toggle("waiting", !drawn);
  setText(card.querySelector(".name"), label);
  setText(card.querySelector(".which"), which);
  setText(card.querySelector(".reading b"), drawn ? reading : "–");
  setText(card.querySelector(".reading span"), drawn ? `${(100 * probabilities[reading]).toFixed(1)} % sure` : "");
  setHtml(card.querySelector(".about"), about);
  setText(card.querySelector(".run"), run);
  [...card.querySelectorAll("li")].forEach((row, digit) => {
    const share = drawn ? probabilities[digit] : 0;
    row.style.setProperty("--share", share);
    row.classList.toggle("top", digit === reading);
    setText(row.lastElementChild, drawn ? `${Math.round(100 * share)} %` : "");
  });
}

// A live region speaks at every write, so the same text is not written twice.
function setText(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

// Words with their meanings, from the server; written once, or the keyboard would lose its place in them.
function setHtml(element, html) {
  if (element.dataset.html !== html) element.innerHTML = element.dataset.html = html;
}

function showImage(canvas, image) {
  const bytes = atob(image ?? "");
  const pixels = new ImageData(28, 28);
  for (let i = 0; i < 28 * 28; i++) pixels.data.set(Array(3).fill(bytes.charCodeAt(i) || 0).concat(255), 4 * i);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  canvas.setAttribute("aria-label", image ? "The drawing as 28 by 28 pixels" : "Nothing drawn yet");
}

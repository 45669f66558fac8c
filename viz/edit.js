/** The width of a text on a card. */
const widthOf = (() => {
  const context = document.createElement("canvas").getContext("2d");
  context.font = "13px Helvetica, Arial, sans-serif";
  return (text) => context.measureText(text).width;
})();

/** The texts of a card that are numbers of its value or of its gradient. */
const numbersOn = (g, colour) => [...g.querySelectorAll(`text[fill="var(--${colour})"]`)]
  .filter((text) => text.getAttribute("font-size") === "13");

/** Note the place of each number of a card and the start of its row; the card is in sight. */
function measureCard(card) {
  const boxes = [...card.g.querySelectorAll("text")].map((text) => [text, text.getBBox()]);
  const known = new Map(boxes);
  card.numbers = ["value", "grad"].map((colour) => numbersOn(card.g, colour).map((text) => {
    const { x, y, width } = known.get(text);
    return { text, y, start: x, end: x + width };
  }));
  const numbers = card.numbers.flat();
  for (const place of numbers) {
    const label = boxes.filter(([text, box]) => Math.abs(box.y - place.y) < 6 &&
      box.x < place.start && numbers.every((other) => other.text !== text));
    place.left = Math.max(card.box.x + 6, ...label.map(([, box]) => box.x + box.width + 3));
  }
  card.marks = [...card.g.querySelectorAll('text[font-weight="bold"][font-size="11"]')]
    .map((text) => {
      const box = text.getBBox(), colour = text.getAttribute("fill");
      const border = [...card.g.querySelectorAll(`rect[stroke="${colour}"]`)].find((rect) =>
        Math.abs(rect.y.baseVal.value - box.y) < 9 && rect.x.baseVal.value <= box.x &&
        rect.x.baseVal.value + rect.width.baseVal.value >= box.x);
      return { says: text.textContent.trim(), parts: [text, border].filter(Boolean) };
    });
}

/** Write the numbers of a row, each at the end of its place if they fit, else close together. */
function putRow(places, contents) {
  const widths = contents.map(widthOf), gap = 7;
  const before = (k) => k ? places[k - 1].end + 3 : places[0].left;
  const fits = places.every(({ end }, k) => widths[k] <= end - before(k));
  const total = widths.reduce((sum, width) => sum + width + gap, -gap);
  const share = Math.min(1, (places.at(-1).end - places[0].left) / total);
  let end = places.at(-1).end - share * total;
  places.forEach((place, k) => {
    end += share * (widths[k] + gap * (k > 0));
    const look = { x: fits ? place.end : end, "text-anchor": "end",
      ...(!fits && share < 1 ? { textLength: share * widths[k], lengthAdjust: "spacingAndGlyphs" }
        : {}) };
    place.text.textContent = contents[k];
    for (const key of ["x", "text-anchor", "textLength", "lengthAdjust"]) {
      if (key in look) place.text.setAttribute(key, look[key]);
      else place.text.removeAttribute(key);
    }
  });
}

/** Bring a card up to date; marks that it was not drawn with stand below it. */
function restateCard(card, node) {
  card.g.setAttribute("aria-label", described(node));
  card.numbers.forEach((places, k) => {
    for (const row of Map.groupBy(places, ({ y }) => Math.round(y)).values()) {
      putRow(row, row.map((place) => node.onCard[k][places.indexOf(place)]));
    }
  });
  const known = card.marks.map(({ says }) => says);
  for (const { says, parts } of card.marks) {
    for (const part of parts) part.toggleAttribute("hidden", !node.marks.includes(says));
  }
  for (const old of card.g.querySelectorAll(".added")) old.remove();
  const added = node.marks.filter((mark) => !known.includes(mark));
  card.g.append(...added.map((mark, k) => svg("text", { class: "added", x: card.box.x + 4,
    y: card.box.y + card.box.height + 12 * (k + 1), "font-size": 11, "font-weight": "bold",
    fill: `var(--${MARKS[mark[0]]})` }, [mark])));
}

/** Bring the texts on an arrow up to date. */
function restateLabel(edge, arrayOf) {
  const lines = labelled(edge.label, arrayOf);
  while (edge.texts.length < lines.length) {
    const last = edge.texts.at(-1), middle = edge.path.getPointAtLength(edge.path.getTotalLength() / 2);
    const text = last?.cloneNode() ?? svg("text", { ...middle, "font-size": 11,
      x: middle.x, y: middle.y - 4, fill: "var(--grad)", "text-anchor": "middle" });
    if (last) text.setAttribute("y", Number(last.getAttribute("y")) + 13);
    edge.g.append(text);
    edge.texts.push(text);
  }
  edge.texts.forEach((text, k) => { text.textContent = lines[k] ?? ""; });
}

/** The least and the largest integer of a type that a number in JavaScript is exactly. */
function limits(dtype) {
  const [, unsigned, bits] = dtype.match(/^(u?)int(\d+)$/);
  const most = Math.min(2 ** (unsigned ? bits : bits - 1) - 1, Number.MAX_SAFE_INTEGER);
  return [unsigned ? 0 : Math.max(-most - 1, Number.MIN_SAFE_INTEGER), most];
}

/** What an array of this type can have. */
function kindOf(dtype) {
  if (dtype === "bool") return "0 or 1";
  if (dtype.startsWith("float")) return `a ${dtype === "float32" ? "float32 " : ""}number`;
  return `an integer from ${limits(dtype).map(String).join(" to ").replaceAll("-", "−")}`;
}

/** A number that was typed, or undefined if it is none that an array of this type can have. */
function typed(text, dtype) {
  const plain = text.trim().replace("−", "-");
  const read = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
  const x = dtype === "float32" ? Math.fround(read) : read;
  if (dtype.startsWith("float")) return Number.isFinite(x) ? x : undefined;
  const [least, most] = dtype === "bool" ? [0, 1] : limits(dtype);
  return Number.isInteger(x) && x >= least && x <= most ? x : undefined;
}

/** The inputs for the numbers of a leaf, or the reason why there are none. */
function editor(name, leaf, shape, data, apply) {
  if (leaf.fixed) return html("p", `The numbers cannot be edited: ${leaf.fixed}.`, { class: "fixed" });
  const texts = data.map((x) => Number.isFinite(x) ? String(x) : number(x));
  const place = (k) => shape.reduceRight(([at, rest], n) => [[rest % n, ...at],
    Math.floor(rest / n)], [[], k])[0];
  const inputs = texts.map((text, k) => html("input", [], { value: text, autocomplete: "off",
    spellcheck: "false", "aria-label": shape.length ? `${name}[${place(k).join(", ")}]` : name })[0]);
  const [grid] = html("div", inputs, { class: "inputs" }), [wrong] = html("p", [], { role: "alert" });
  grid.style.gridTemplateColumns = `repeat(${Math.min(4, shape.at(-1) ?? 1)}, 1fr)`;
  if (shape.length > 1) grid.style.gridTemplateColumns = `repeat(${shape.at(-1)}, 1fr)`;

  function submit(k) {
    const numbers = inputs.map(({ value }, j) =>
      value === texts[j] ? data[j] : typed(value, leaf.dtype));
    const bad = numbers.indexOf(undefined);
    inputs.forEach((input, j) => { input.ariaInvalid = String(j === bad); });
    wrong.textContent = bad < 0 ? "" : `${inputs[bad].ariaLabel} must be ` +
      `${kindOf(leaf.dtype)}, not “${inputs[bad].value}”`;
    if (bad >= 0) return inputs[bad].focus();
    try {
      return apply(numbers, k);
    } catch (error) {
      wrong.textContent = error.message;
      return null;
    }
  }

  grid.addEventListener("keydown", (event) => {
    if (event.key === "Enter") submit(inputs.indexOf(event.target));
    else if (event.key === "Escape" && inputs.some(({ value }, k) => value !== texts[k])) {
      inputs.forEach((input, k) => { input.value = texts[k]; });
      wrong.textContent = "";
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const [button] = html("button", "apply");
  button.addEventListener("click", () => submit(0));
  return [...html("h3", "edit; Enter applies, Esc restores"), grid, button, wrong];
}

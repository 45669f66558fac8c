// The graph as cards, and numbers as text.

const SHOWN = 12, WIDEST = 4, PAIR = 2;

/** Digits rounded as in Python, where half goes to even; `exact` has all of them. */
function even(exact, digits) {
  const [, kept, exponent = ""] = /^(\d+\.\d{3}[02468])50*(e.*)?$/.exec(exact) ?? [];
  return kept ? kept + exponent : digits;
}

/** A number as text, as on the other pages: at most four decimals, and a real minus sign. */
function number(x) {
  if (Number.isNaN(x)) return "NaN";
  const sign = x < 0 ? "−" : "", size = Math.abs(x);
  const cut = (digits) => digits.replace(/\.?0+$/, "");
  if (size === Infinity) return `${sign}∞`;
  if (size === 0) return "0";
  if (size >= 1e-3 && size < 1e4) return sign + cut(even(size.toFixed(20), size.toFixed(4)));
  const [mantissa, exponent] = even(size.toExponential(20), size.toExponential(4)).split("e");
  return `${sign}${cut(mantissa)}e${Number(exponent)}`.replace("e-", "e−");
}

/** Text in superscript digits. */
const superscript = (text) => [...text].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾"["0123456789()".indexOf(c)]).join("");

/** The name of an array as mathematics writes it: W1 is W⁽¹⁾. */
const symbol = (name) => name.replace(/\d+$/, (digits) => superscript(`(${digits})`));

/** The shape of an array as Python writes it; nothing for a number. */
const written = (shape) => shape.length === 0 ? ""
  : `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;

/** An element with a class and its content. */
function made(tag, name, ...content) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...content);
  return element;
}

const ARROWS = {
  right: [26, 12, "M0 6H20", "26,6 17,2 17,10"],
  up: [12, 22, "M6 22V7", "6,0 2,9 10,9"],
  corner: [96, 22, "M80 22C80 10 20 22 9 8", "4,0 13,6 5,10"],
};

/** A picture of parts [tag, attributes]; screen readers pass it over. */
function picture(width, height, ...parts) {
  const make = ([tag, attributes]) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const svg = make(["svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": true }]);
  svg.append(...parts.map(make));
  return svg;
}

function arrow(kind) {
  const [width, height, d, points] = ARROWS[kind];
  const svg = picture(width, height, ["path", { d }], ["polygon", { points }]);
  svg.classList.add("arrow", kind);
  return svg;
}

/** What a card says of an array: rows of texts, the numbers or their range. */
function rowsOf(array, shape) {
  if (typeof array === "number") return [[number(array)]];
  const wide = shape.at(-1), lines = array.length / wide;
  if (array.length > SHOWN || wide > WIDEST && lines > 1) return null;
  const texts = Array.from(array, number), per = lines > 1 ? wide : PAIR;
  return Array.from({ length: Math.ceil(texts.length / per) }, (_, k) =>
    texts.slice(k * per, (k + 1) * per));
}

/** The smallest number, the mean and the largest. */
function measures(array) {
  let low = Infinity, high = -Infinity, sum = 0;
  for (const x of array) {
    low = x < low || Number.isNaN(x) ? x : low;
    high = x > high || Number.isNaN(x) ? x : high;
    sum += x;
  }
  const mean = sum / array.length, noise = 4 * Number.EPSILON * Math.max(Math.abs(low), Math.abs(high));
  return [low, Math.abs(mean) < noise ? 0 : mean, high];
}

const largest = (array) => array.reduce((m, x) => Number.isNaN(x) ? x : Math.max(m, Math.abs(x)), 0);

/** A card: badge, name and shape, value, gradient and marks; the numbers change, the rest stays. */
class Card {
  constructor(name, role, { badge = "", word = "", shape, graded = true }) {
    Object.assign(this, { name, shape, graded });
    const title = made("b", "", symbol(name)), size = made("small", "shape", word);
    this.size = size;
    this.word = word;
    this.texts = [];
    this.body = made("div", "numbers");
    this.marks = made("div", "signs");
    const inside = made("div", "inside", made("div", "head", title, " ", size), this.body, this.marks);
    this.element = made("div", `card ${role}`);
    if (badge) this.element.append(made("span", "badge", badge));
    this.element.append(inside);
    this.element.tabIndex = 0;
    this.element.dataset.name = name;
    this.element.setAttribute("role", "group");
    this.role = role;
  }

  /** The lines of the card: [label, texts, class]. */
  lines(value, gradient, shape) {
    const rows = rowsOf(value, shape), found = [];
    if (rows) rows.forEach((row, k) => found.push([k ? "" : "value", row, "value"]));
    else {
      const words = ["min", "mean", "max"];
      measures(value).forEach((x, k) => found.push([words[k], [number(x)], "value"]));
    }
    if (gradient === undefined) return found;
    const grad = rowsOf(gradient, shape);
    if (grad) grad.forEach((row, k) => found.push([k ? "" : "grad", row, k ? "grad" : "grad first"]));
    else found.push(["|grad| ≤", [number(largest(gradient))], "grad first"]);
    return found;
  }

  show(value, gradient, shape, marks) {
    const lines = this.lines(value, gradient, shape);
    const form = lines.map(([label, texts, kind]) => `${label}${texts.length}${kind}`).join();
    if (form !== this.form) this.build(lines, shape);
    this.form = form;
    const flat = lines.flatMap(([, texts]) => texts);
    flat.forEach((text, k) => {
      if (this.texts[k].data !== text) this.texts[k].data = text;
    });
    const said = marks.map(([sign, text]) => `${sign} ${text}`);
    if (said.join() === this.said) return;
    this.said = said.join();
    this.marks.replaceChildren(...said.map((text) => made("span", "mark", text)));
  }

  /** Lay out the numbers anew. */
  build(lines, shape) {
    const columns = Math.max(...lines.map(([, texts]) => texts.length));
    this.body.style.gridTemplateColumns = `max-content repeat(${columns}, minmax(48px, 1fr))`;
    this.texts = [];
    this.body.replaceChildren(...lines.flatMap(([label, texts, kind]) => [
      ...kind.includes("first") ? [made("i", "rule")] : [],
      made("span", `label ${kind}`, label),
      ...texts.map((text, k) => {
        const node = document.createTextNode(text), cell = made("span", kind, node);
        if (k === texts.length - 1) cell.style.gridColumnEnd = -1;
        if (texts.length < columns) cell.style.gridColumnStart = k + 2 + columns - texts.length;
        this.texts.push(node);
        return cell;
      }),
    ]));
    this.size.textContent = [this.word, written(shape)].filter(Boolean).join(" ");
    const what = this.role === "result" ? "" : `, ${this.word || this.role}`;
    this.element.setAttribute("aria-label", `${symbol(this.name)}${what} ${written(shape)}`.trim());
  }
}

/** The cards of a network in a grid: a frame for each layer, with parameters under results. */
class Graph {
  constructor(holder, units, activation) {
    this.cards = new Map();
    const parts = [], sign = ACTIVATIONS[activation];
    const put = (element, column, row, span = 1) => {
      element.style.gridArea = `${row} / ${column} / span 1 / span ${span}`;
      parts.push(element);
    };
    const card = (name, role, options, column, row) => {
      const one = new Card(name, role, options);
      this.cards.set(name, one);
      put(one.element, column, row);
    };
    let column = 1, before = "X";
    const layer = (title, names, badges) => {
      const frame = made("div", "frame", title);
      frame.style.gridArea = `1 / ${column + 1} / 5 / span 3`;
      parts.push(frame);
      put(arrow("right"), column, 2);
      const [affine, bent, W, b] = names;
      card(affine, "result", { badge: badges[0] }, column + 1, 2);
      put(arrow("right"), column + 2, 2);
      card(bent, "result", { badge: badges[1] }, column + 3, 2);
      put(arrow("up"), column + 1, 3);
      put(arrow("corner"), column + 2, 3, 2);
      card(W, "parameter", {}, column + 1, 4);
      card(b, "parameter", {}, column + 3, 4);
      column += 4;
      before = bent;
    };
    card("X", "data", { word: "input", graded: false }, column++, 2);
    units.forEach((_, k) => {
      const [a, h, W, b] = ["a", "h", "W", "b"].map((name) => `${name}${k + 1}`);
      const title = `layer ${k + 1}:  ${symbol(h)} = ${sign}(${symbol(before)} ${symbol(W)}ᵀ + ${symbol(b)})`;
      layer(title, [a, h, W, b], ["@ +", sign]);
    });
    layer(`output:  ŷ = σ(${symbol(before)} w + b)`, ["z", "ŷ", "w", "b"], ["@ +", "σ"]);
    put(arrow("right"), column, 2);
    card("L", "loss", { badge: "BCE", word: "loss" }, column + 1, 2);
    put(arrow("up"), column + 1, 3);
    card("y", "data", { word: "target", graded: false }, column + 1, 4);
    holder.replaceChildren(...parts);
  }

  show(run, marks) {
    const { now, weights, inputs, targets } = run, rows = targets.length;
    const shapes = Object.fromEntries(shapesOf(run.settings.units));
    run.settings.units.forEach((n, k) => {
      shapes[`a${k + 1}`] = shapes[`h${k + 1}`] = [rows, n];
    });
    Object.assign(shapes, { X: [rows, 2], y: [rows], z: [rows], "ŷ": [rows], L: [] });
    const values = { ...weights, ...now.values, X: inputs, y: targets, L: now.loss };
    for (const [name, card] of this.cards) {
      const gradient = name === "L" ? 1 : card.graded ? now.gradients[name] : undefined;
      card.show(values[name], gradient, shapes[name], marks[name] ?? []);
    }
  }
}

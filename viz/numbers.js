/** A number with four decimals; a tie goes to the even digit, as in Python. */
function rounded(x, method) {
  const text = x[method](4);
  const [, even, exponent = ""] =
    x[method](100).match(/^(\d+\.\d{3}[02468])50*(e.*)?$/) ?? [];
  return even === undefined ? text : even + exponent;
}

/** A number as text: at most four decimals, and scientific outside [0.001, 10000). */
function number(x) {
  if (Number.isNaN(x)) return "NaN";
  const sign = x < 0 ? "−" : "", size = Math.abs(x);
  if (size === Infinity) return `${sign}∞`;
  const plain = size === 0 || (size >= 1e-3 && size < 1e4);
  const [digits, exponent] = rounded(size, plain ? "toFixed" : "toExponential").split("e");
  const tail = plain ? "" : `e${exponent.replace("+", "").replace("-", "−")}`;
  return sign + digits.replace(/\.?0+$/, "") + tail;
}

const smallest = (data) => data.reduce((x, y) => Math.min(x, y), Infinity);
const largest = (data) => data.reduce((x, y) => Math.max(x, y), -Infinity);
const span = (data) => `${number(smallest(data))} … ${number(largest(data))}`;
const bound = (data) => number(largest(data.map(Math.abs)));

/** An array in a sentence: its numbers if there are few, else its shape and range. */
function textOf({ data, shape }) {
  if (data.length === 0) return "nothing";
  if (data.length === 1) return number(data[0]);
  if (data.length <= 3) return `(${data.map(number).join(", ")})`;
  return `(${shape.join(", ")}${shape.length === 1 ? "," : ""}) numbers, ${span(data)}`;
}

/** The number if all are equal, at most two numbers, else the range. */
function rangeOf({ data, shape }) {
  if (data.length === 0) return "";
  if (data.every((x) => x === data[0])) return number(data[0]);
  return data.length <= 2 ? textOf({ data, shape }) : span(data);
}

function styled(array, style) {
  if (style === "range") return rangeOf(array);
  if (style === "times") return rangeOf(array).replace(/^−.*|.*….*$/, "($&)").replace(/^/, " × ");
  const text = textOf(array);
  if (style === "exponent" && /^\d+$/.test(text)) {
    return text.replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);
  }
  const closed = text.startsWith("−") && style !== "numbers" ? `(${text})` : text;
  return style === "exponent" ? ` ^ ${closed}` : closed;
}

/** A sentence, the sides of an equation, with the numbers of the arrays that it refers to. */
function written(sentence, arrayOf) {
  const term = (given) => {
    const parts = given.parts ?? given;
    const texts = parts.map((part) => {
      if (typeof part === "string") return part;
      const [kind, style, ...at] = part, array = arrayOf(kind, ...at);
      return array && styled(array, style);
    });
    if (texts.includes(undefined)) return given.parts ? given.otherwise.join("") : "";
    return texts.join("");
  };
  const side = (terms) => terms.map(term).reduce((text, next) =>
    text + (next.startsWith("−") ? ` − ${next.slice(1)}` : ` + ${next}`));
  return [...new Set(sentence.map(side))].join(" = ");
}

/** A sum, added up in NumPy's order, so that it has the same rounding errors. */
function total(data) {
  const n = data.length;
  if (n > 128) {
    const half = Math.floor(n / 16) * 8;
    return total(data.slice(0, half)) + total(data.slice(half));
  }
  if (n < 8) return data.reduce((x, y) => x + y, 0);
  const whole = n - n % 8, s = data.slice(0, 8);
  for (let k = 8; k < whole; k++) s[k % 8] += data[k];
  const first = s[0] + s[1] + (s[2] + s[3]) + (s[4] + s[5] + (s[6] + s[7]));
  return data.slice(whole).reduce((x, y) => x + y, first);
}

/** The minimum, mean and maximum; a mean within a few rounding errors of 0 is 0. */
function measures(data, dtype) {
  const low = smallest(data), high = largest(data);
  const mean = total(data) / data.length;
  const rounding = /64/.test(dtype) || dtype === "int32" || dtype === "uint32" ? 2 ** -52 : 2 ** -23;
  const noise = 4 * rounding * Math.max(Math.abs(low), Math.abs(high));
  return [low, Math.abs(mean) < noise ? 0 : mean, high];
}

const MARKS = { "✖": "alarm", "⊘": "value-dead", "▲": "grad-exploding", "▽": "grad-vanishing",
  "∅": "grad-zero" };

/** The problems at a node. */
function marksOf(op, { data, shape }, gradient, last) {
  const finite = [...data, ...(gradient?.data ?? [])].every(Number.isFinite), found = [];
  if (!finite) found.push("✖ not finite");
  if (op === "relu" && data.length) {
    const units = shape.length > 1 ? shape.at(-1) : data.length, alive = new Set();
    data.forEach((x, k) => x === 0 || alive.add(k % units));
    const dead = units - alive.size;
    if (dead === units) found.push("⊘ dead");
    else if (shape.length > 1 && data.length > units && dead) {
      found.push(`⊘ dead: ${dead} of ${units} units`);
    }
  }
  if (!gradient?.data.length || last || !finite) return found;
  const [first, ...others] = gradient.data;
  const norm = others.length ? Math.sqrt(gradient.data.reduce((sum, g) => sum + g * g, 0))
    : Math.abs(first);
  if (norm === 0) found.push("∅ zero gradient");
  else if (norm > 1e4) found.push("▲ exploding");
  else if (norm < 1e-6) found.push("▽ vanishing");
  return found;
}

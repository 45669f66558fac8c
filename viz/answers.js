/** All arrays of a graph for the numbers of its leaves: a function of a kind and a place. */
function answered(program, leaves) {
  const given = program.leaves.flatMap(({ node, number: fixed }, k) =>
    fixed ? [] : [program.shapes[node].length ? leaves[k] : leaves[k][0]]);
  const [values, gradients, parts, local, products, scales] = answer(...given);
  const found = new Map();
  const keep = (kind, at, result, shape) => {
    const data = typeof result === "object" ? Array.from(result, Number) : [Number(result)];
    found.set(`${kind} ${at.join(" ")}`, { data, shape });
  };
  program.leaves.forEach(({ node }, k) => keep("value", [node], leaves[k], program.shapes[node]));
  program.values.forEach((node, k) => keep("value", [node], values[k], program.shapes[node]));
  program.gradients.forEach((node, k) =>
    keep("gradient", [node], gradients[k], program.shapes[node]));
  program.parts.forEach(([node, operand, x], k) =>
    keep("part", [node, operand], parts[k], program.shapes[x]));
  const arrayOf = (kind, ...at) => found.get(`${kind} ${at.join(" ")}`);
  program.local.forEach(([node, operand, shape], k) => {
    keep("product", [node, operand], products[k], shape);
    // A local derivative is known only if it agrees with the gradients.
    const part = arrayOf("part", node, operand).data, product = arrayOf("product", node, operand);
    const noise = Number.isFinite(scales[k]) ? 1e-12 * scales[k] : 0;
    if (product.data.every((x, i) => agrees(x, part[i], noise))) {
      keep("local", [node, operand], local[k], shape);
    }
  });
  return arrayOf;
}

const agrees = (x, y, noise) => Object.is(x, y) || x === y ||
  (Number.isFinite(y) && Math.abs(x - y) <= noise + 1e-4 * Math.abs(y));

/** An array in the panel, in the place of one of the same shape. */
function shownAs(shown, { data, shape }, dtype) {
  if (typeof shown === "string") return number(data[0]);
  if (!shown.numbers) return shown;
  const columns = shape.at(-1), flat = shape.length < 2;
  const lines = shown.numbers.split("\n").map((line) => line.split(" "));
  const rows = lines.map((line, i) => line.map((_, j) =>
    data[i * (flat ? lines[0].length : columns) + j]));
  const [low, mean, high] = measures(data, dtype).map(number);
  const about = shown.about.replace(/^[^;]*/, `min ${low}, mean ${mean}, max ${high}`);
  const now = { ...shown, about, numbers: rows.map((row) => row.map(number).join(" ")).join("\n") };
  return shown.heat ? { ...now, ...heat(rows) } : now;
}

const SCALE = [[33, 102, 172], [146, 197, 222], [247, 247, 247], [244, 165, 130], [178, 24, 43]];

/** A heat map on a scale symmetric about zero; black where not finite. */
function heat(rows) {
  const canvas = document.createElement("canvas"), finite = rows.flat().filter(Number.isFinite);
  [canvas.width, canvas.height] = [rows[0].length, rows.length];
  const top = largest(finite.map(Math.abs).concat(0)) || 1, context = canvas.getContext("2d");
  rows.forEach((row, i) => row.forEach((x, j) => {
    const place = 2 + 2 * x / top, k = Math.min(3, Math.floor(place));
    const colour = SCALE[0].map((_, c) =>
      Math.trunc(SCALE[k]?.[c] + (place - k) * (SCALE[k + 1]?.[c] - SCALE[k]?.[c])));
    context.fillStyle = Number.isFinite(x) ? `rgb(${colour})` : "#000";
    context.fillRect(j, i, 1, 1);
  }));
  return { heat: canvas.toDataURL().replace(/^.*,/, ""), scale: number(top) };
}

/** The numbers of an array on a card: each of up to twelve, else what `brief` makes of them. */
const onCard = ({ data }, brief) => data.length > 12 ? brief(data) : data.map(number);

/** What the page says about a node, with other numbers. */
function restated(node, k, program, arrayOf) {
  const value = arrayOf("value", k), gradient = node.of && arrayOf("gradient", k);
  const [forward, backward, parts = []] = node.sentences ?? [];
  const now = { ...node, text: textOf(value), value: shownAs(node.value, value, node.dtype),
    onCard: [onCard(value, (data) => measures(data, node.dtype).map(number)), []],
    marks: marksOf(node.op, value, gradient, k === program.result) };
  if (forward) now.forward = written(forward, arrayOf);
  if (!gradient) return now;
  now.onCard[1] = onCard(gradient, (data) => [bound(data)]);
  return { ...now, backward: written(backward, arrayOf),
    parts: parts.map(([from, ...at]) => `${from}${textOf(arrayOf("part", ...at))}`),
    gradient: shownAs(node.gradient, gradient, node.dtype) };
}

/** The lines on an arrow: the local derivative, then the part of the gradient. */
function labelled([derivative, part], arrayOf) {
  const text = derivative ? [...written(derivative, arrayOf).replaceAll("  ", "\u00a0\u00a0")] : [];
  const cut = text.length > 40 ? `${text.slice(0, 39).join("").trimEnd()}…` : text.join("");
  const carried = part && arrayOf("part", ...part).data;
  const through = !carried?.length ? ""
    : carried.length <= 3 ? `← ${carried.map(number).join(" \u00a0")}` : `← |·| ≤ ${bound(carried)}`;
  return [cut, through].filter(Boolean);
}

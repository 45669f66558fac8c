// The pictures: the plane with its decision boundary, the network, and the curves of the loss.

const GRID = 40, THUMB = 10, MOVING = 0.1;

const DASHES = [[], [8, 3], [10, 3, 3, 3], [3, 2.4], [14, 4], [6, 2, 2, 2]];

/** The colours of the theme, as the style sheet resolves them. */
class Colors {
  constructor(probe) {
    this.probe = probe;
    this.known = new Map();
  }

  of(name) {
    if (!this.known.has(name)) {
      this.probe.style.color = `var(--${name})`;
      this.known.set(name, getComputedStyle(this.probe).color);
    }
    return this.known.get(name);
  }

  /** Red, green and blue of the shades from class 0 to class 1. */
  shades() {
    return [0, 1, 2, 3, 4, 5].map((k) => this.of(`shade-${k}`).match(/[\d.]+/g).map(Number));
  }

  forget() { this.known.clear(); }
}

/** A canvas as sharp as the screen, in units of CSS pixels. */
function prepared(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas, ratio = window.devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "12px Helvetica, Arial, sans-serif";
  return { pen, width, height };
}

/** Fill pixels with the shades of numbers from 0 to 1. */
function shaded(image, shades, value) {
  const { data } = image;
  for (let k = 0; k < data.length / 4; k++) {
    const x = value(k), place = 5 * Math.max(0, Math.min(1, x)) || 0;
    const low = Math.min(4, Math.floor(place)), share = place - low;
    for (let c = 0; c < 3; c++) {
      data[4 * k + c] = shades[low][c] + share * (shades[low + 1][c] - shades[low][c]);
    }
    data[4 * k + 3] = Number.isNaN(x) ? 0 : 255;
  }
  return image;
}

/** Calls draw(x1, y1, x2, y2) for each piece of the line where a grid has a level. */
function contour(grid, level, draw) {
  const cross = (a, b) => (level - a) / (b - a);
  for (let i = 0; i + 1 < GRID; i++) {
    for (let j = 0; j + 1 < GRID; j++) {
      const k = i * GRID + j, a = grid[k], b = grid[k + 1];
      const c = grid[k + GRID], d = grid[k + GRID + 1], ends = [];
      if ((a < level) !== (b < level)) ends.push(j + cross(a, b), i);
      if ((c < level) !== (d < level)) ends.push(j + cross(c, d), i + 1);
      if ((a < level) !== (c < level)) ends.push(j, i + cross(a, c));
      if ((b < level) !== (d < level)) ends.push(j + 1, i + cross(b, d));
      for (let e = 0; e + 3 < ends.length; e += 4) draw(...ends.slice(e, e + 4));
    }
  }
}

/** The mark of a point of a class: a dark circle or a light square. */
function point(pen, x, y, second, colors) {
  pen.beginPath();
  if (second) pen.rect(x - 3.1, y - 3.1, 6.2, 6.2);
  else pen.arc(x, y, 3.5, 0, 7);
  pen.fillStyle = colors.of(second ? "second" : "first");
  pen.strokeStyle = colors.of(second ? "second-edge" : "first-edge");
  pen.lineWidth = 1;
  pen.fill();
  pen.stroke();
}

/** The plane that is drawn, with room around the points, and the centres of its cells. */
class Plane {
  constructor(points) {
    this.points = points;
    const column = (k) => points.X.filter((_, j) => j % 2 === k);
    this.sides = [0, 1].map((k) => {
      const low = Math.min(...column(k)), high = Math.max(...column(k)), room = 0.12 * (high - low);
      return [low - room, high + room];
    });
    const [[x1, x2], [y1, y2]] = this.sides, rows = points.y.length;
    // The points first, then the grid from the top left: one prediction serves both.
    this.X = new Float64Array(2 * (rows + GRID * GRID));
    this.X.set(points.X);
    for (let i = 0; i < GRID; i++) {
      for (let j = 0; j < GRID; j++) {
        const at = 2 * (rows + i * GRID + j);
        this.X[at] = x1 + ((j + 0.5) / GRID) * (x2 - x1);
        this.X[at + 1] = y2 - ((i + 0.5) / GRID) * (y2 - y1);
      }
    }
    this.cells = new OffscreenCanvas(GRID, GRID);
    this.image = new ImageData(GRID, GRID);
  }

  /** A number of a column in its own unit, as short as the width of the plane allows. */
  label(k, x) {
    const { mean, scale } = this.points, wide = (this.sides[k][1] - this.sides[k][0]) * scale[k];
    const digits = Math.max(0, Math.min(9, 2 - Math.floor(Math.log10(wide))));
    const value = mean[k] + scale[k] * x;
    return wide >= 1e5 || wide < 1e-6 ? number(value) : number(Number(value.toFixed(digits)));
  }

  draw(canvas, predicted, colors) {
    const { pen, width, height } = prepared(canvas), { points } = this, rows = points.y.length;
    const left = 40, bottom = 34, w = width - left - 8, h = height - bottom - 8;
    const grid = predicted["ŷ"].subarray(rows), [[x1, x2], [y1, y2]] = this.sides;
    const px = (x) => left + ((x - x1) / (x2 - x1)) * w, py = (y) => 8 + ((y2 - y) / (y2 - y1)) * h;
    const image = shaded(this.image, colors.shades(), (k) => grid[k]);
    this.cells.getContext("2d").putImageData(image, 0, 0);
    pen.drawImage(this.cells, left, 8, w, h);
    pen.strokeStyle = colors.of("ink");
    for (const [level, wide, dash] of [[0.5, 2.2, []], [0.1, 0.9, [5, 4]], [0.9, 0.9, [5, 4]]]) {
      pen.lineWidth = wide;
      pen.setLineDash(dash);
      pen.beginPath();
      contour(grid, level, (a, b, c, d) => {
        pen.moveTo(left + ((a + 0.5) / GRID) * w, 8 + ((b + 0.5) / GRID) * h);
        pen.lineTo(left + ((c + 0.5) / GRID) * w, 8 + ((d + 0.5) / GRID) * h);
      });
      pen.stroke();
    }
    pen.setLineDash([]);
    for (let k = 0; k < rows; k++) {
      point(pen, px(points.X[2 * k]), py(points.X[2 * k + 1]), points.y[k], colors);
    }
    pen.lineWidth = 1;
    pen.strokeStyle = colors.of("result-line");
    pen.strokeRect(left, 8, w, h);
    this.axes(pen, colors, { left, top: 8, w, h, px, py });
  }

  axes(pen, colors, { left, top, w, h, px, py }) {
    const [[x1, x2], [y1, y2]] = this.sides, [across, up] = this.points.columns;
    const fitted = (text, room) => {
      let short = text;
      while (short.length > 1 && pen.measureText(`${short}…`).width > room) {
        short = [...short].slice(0, -1).join("");
      }
      return pen.measureText(text).width <= room ? text : `${short}…`;
    };
    pen.fillStyle = colors.of("grey");
    pen.textAlign = "center";
    for (const share of [0.1, 0.9]) {
      const x = x1 + share * (x2 - x1), y = y1 + share * (y2 - y1);
      pen.fillText(this.label(0, x), px(x), top + h + 14);
      pen.save();
      pen.translate(left - 5, py(y));
      pen.rotate(-Math.PI / 2);
      pen.fillText(this.label(1, y), 0, 0);
      pen.restore();
    }
    pen.fillStyle = colors.of("ink");
    pen.fillText(fitted(across, w), left + w / 2, top + h + 28);
    pen.translate(14, top + h / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText(fitted(up, h), 0, 0);
  }
}

/** The network: a square for each unit with its output in the plane, and its weights as lines. */
class Network {
  constructor() {
    this.cells = new OffscreenCanvas(THUMB, THUMB);
    this.image = new ImageData(THUMB, THUMB);
  }

  /** The array under the pointer: the outputs of a layer, or the weights between two. */
  at(x, depth) {
    const place = 2 * ((x - 34) / (this.width - 84)) * (depth + 1);
    const k = Math.max(0, Math.min(2 * depth + 2, Math.round(place))), layer = k >> 1;
    if (k % 2) return layer === depth ? "w" : `W${layer + 1}`;
    return k === 0 ? "X" : layer > depth ? "ŷ" : `h${layer}`;
  }

  draw(canvas, run, predicted, marks, colors) {
    const { pen, width, height } = prepared(canvas), { units } = run.settings;
    this.width = width;
    const counts = [2, ...units, 1], most = Math.max(...counts), room = height - 44;
    const size = Math.max(7, Math.min(30, room / most - 4));
    const x = (layer) => 34 + (layer / (counts.length - 1)) * (width - 84);
    const y = (layer, k) => 6 + room / 2 + (k - (counts[layer] - 1) / 2) * Math.min(46, room / most);
    this.lines(pen, run, { x, y, size, counts }, colors);
    const rows = run.points.y.length, shades = colors.shades();
    counts.forEach((count, layer) => {
      const last = layer === counts.length - 1;
      const array = last ? predicted["ŷ"] : predicted[`h${layer}`];
      const off = layer && !last && run.relu ? dead(run.hidden[`h${layer}`], count)
        : [];
      for (let k = 0; k < count; k++) {
        const at = [x(layer) - size / 2, y(layer, k) - size / 2, size, size];
        if (layer) this.unit(pen, at, array, { rows, count, k, signed: !last }, shades, colors);
        else this.input(pen, at, k, colors);
        if (off.includes(k)) this.crossed(pen, at, colors);
      }
      const name = last ? "ŷ" : layer ? `h${superscript(`(${layer})`)}` : "X";
      pen.textAlign = "center";
      pen.fillStyle = colors.of("ink");
      pen.font = "bold 13px Helvetica, Arial, sans-serif";
      pen.fillText(name, x(layer), height - 22);
      pen.font = "12px Helvetica, Arial, sans-serif";
      const marked = marks[`W${layer}`]?.[0]?.[0];
      const text = [off.length ? `⊘ ${off.length} dead` : "", marked ? `${marked} W` : ""];
      pen.fillStyle = colors.of("alarm");
      pen.fillText(text.filter(Boolean).join(" "), x(layer), height - 7);
    });
  }

  lines(pen, run, { x, y, size, counts }, colors) {
    counts.slice(1).forEach((count, layer) => {
      const W = run.weights[layer + 2 === counts.length ? "w" : `W${layer + 1}`];
      const inputs = counts[layer], largest = W.reduce((m, w) => Math.max(m, Math.abs(w)), 1e-12);
      // Lines of about the same width are drawn together.
      for (const [sign, name, dash] of [[1, "data-line", []], [-1, "parameter-line", [4, 3]]]) {
        pen.strokeStyle = colors.of(name);
        pen.setLineDash(dash);
        for (const wide of [1, 2, 3, 4]) {
          pen.lineWidth = 0.8 * wide;
          pen.globalAlpha = 0.2 + 0.2 * wide;
          pen.beginPath();
          for (let k = 0; k < W.length; k++) {
            if (Math.sign(W[k]) !== sign || Math.ceil((4 * Math.abs(W[k])) / largest) !== wide) continue;
            const to = Math.floor(k / inputs), from = k % inputs;
            pen.moveTo(x(layer) + size / 2, y(layer, from));
            pen.lineTo(x(layer + 1) - size / 2, y(layer + 1, to));
          }
          pen.stroke();
        }
      }
    });
    pen.globalAlpha = 1;
    pen.setLineDash([]);
  }

  /** The output of a unit in the plane; of a hidden one the middle shade is 0. */
  unit(pen, [left, top, size], array, { rows, count, k, signed }, shades, colors) {
    const step = GRID / THUMB, cell = (n) => array[count * (rows + Math.floor(n / THUMB) * step * GRID
      + (n % THUMB) * step) + k];
    let largest = 1e-12;
    for (let n = 0; signed && n < THUMB * THUMB; n++) largest = Math.max(largest, Math.abs(cell(n)));
    const image = shaded(this.image, shades,
      signed ? (n) => 0.5 + cell(n) / largest / 2 : cell);
    this.cells.getContext("2d").putImageData(image, 0, 0);
    pen.save();
    pen.beginPath();
    pen.roundRect(left, top, size, size, size / 4);
    pen.clip();
    pen.drawImage(this.cells, left, top, size, size);
    pen.restore();
    pen.strokeStyle = colors.of("result-line");
    pen.lineWidth = 1.2;
    pen.stroke();
  }

  input(pen, [left, top, size], k, colors) {
    pen.fillStyle = colors.of("data");
    pen.strokeStyle = colors.of("data-line");
    pen.lineWidth = 2;
    pen.fillRect(left, top, size, size);
    pen.strokeRect(left, top, size, size);
    pen.fillStyle = colors.of("ink");
    pen.textAlign = "center";
    if (size > 16) pen.fillText(`x${"₁₂"[k]}`, left + size / 2, top + size / 2 + 4);
  }

  crossed(pen, [left, top, size], colors) {
    pen.fillStyle = colors.of("paper");
    pen.strokeStyle = colors.of("alarm");
    pen.lineWidth = 2;
    pen.beginPath();
    pen.roundRect(left, top, size, size, size / 4);
    pen.fill();
    pen.stroke();
    pen.beginPath();
    pen.arc(left + size / 2, top + size / 2, size / 4, 0, 7);
    pen.moveTo(left + 0.32 * size, top + 0.68 * size);
    pen.lineTo(left + 0.68 * size, top + 0.32 * size);
    pen.stroke();
  }
}

/** The next larger of 1, 2 and 5 times a power of ten. */
function rounded(x) {
  const digits = Math.floor(Math.log10(x)), unit = Number(`1e${digits}`);
  return [1, 2, 5, 10].map((k) => k * unit).find((step) => step >= x * (1 - 1e-9));
}

/** The curves of the loss by steps: the last one is the present run. */
function drawCurves(canvas, runs, colors) {
  const { pen, width, height } = prepared(canvas);
  const left = 40, bottom = 34, w = width - left - 12, h = height - bottom - 10;
  const steps = Math.max(20, ...runs.map((run) => run.steps));
  const starts = runs.map((run) => run.first).filter(Number.isFinite);
  const most = 1.5 * Math.max(1e-9, ...starts.length ? starts : [1]);
  const px = (k) => left + (k / steps) * w;
  const py = (loss) => 10 + (1 - Math.max(0, Math.min(1, loss / most))) * h;
  pen.strokeStyle = colors.of("line");
  pen.fillStyle = colors.of("grey");
  pen.lineWidth = 1;
  pen.textAlign = "right";
  for (let tick = 0, apart = rounded(most / 4); tick <= most; tick += apart) {
    pen.beginPath();
    pen.moveTo(left, py(tick));
    pen.lineTo(left + w, py(tick));
    pen.stroke();
    pen.fillText(number(Number(tick.toPrecision(3))), left - 5, py(tick) + 4);
  }
  pen.fillText(steps.toLocaleString("en"), left + w, 10 + h + 14);
  pen.textAlign = "left";
  pen.fillText("0", left, 10 + h + 14);
  pen.textAlign = "center";
  pen.fillStyle = colors.of("ink");
  pen.fillText("steps", left + w / 2, 10 + h + 28);
  pen.save();
  pen.translate(12, 10 + h / 2);
  pen.rotate(-Math.PI / 2);
  pen.fillText("loss L", 0, 0);
  pen.restore();
  pen.textAlign = "left";
  for (const run of runs) drawCurve(pen, run, { px, py, most, last: run === runs.at(-1) }, colors);
}

/** The curve of one run; of batches, each loss in a thin line and their moving mean. */
function drawCurve(pen, run, { px, py, most, last }, colors) {
  const parts = run.curve.filter(({ loss }) => Number.isFinite(loss));
  if (!parts.length) return;
  const place = ({ step, count }, loss) => [px(step + (count - 1) / 2), py(loss)];
  pen.strokeStyle = pen.fillStyle = colors.of(`series-${run.look}`);
  pen.lineJoin = "round";
  if (!run.whole) {
    pen.globalAlpha = 0.35;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const part of parts) pen.lineTo(...place(part, part.loss));
    pen.stroke();
    pen.globalAlpha = 1;
  }
  let mean = parts[0].loss;
  pen.lineWidth = last ? 2.4 : 1.5;
  pen.setLineDash(DASHES[run.look]);
  pen.beginPath();
  for (const part of parts) {
    mean += (run.whole ? 1 : MOVING) * (part.loss - mean);
    pen.lineTo(...place(part, mean));
  }
  pen.stroke();
  pen.setLineDash([]);
  const [x, y] = place(parts.at(-1), mean);
  pen.beginPath();
  pen.arc(x, y, 3, 0, 7);
  pen.fill();
  if (mean > most || !run.finite) pen.fillText("▲", x - 6, 22);
}

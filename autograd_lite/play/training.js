// What is computed: data, weights, and steps by the generated programs. Nothing here draws.

const RECENT = 50, LONGEST = 400, SMALL = 0.01;

/** Numbers uniform in [0, 1) from a seed (mulberry32, by Tommy Ettinger). */
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Normal numbers with a standard deviation (Box and Muller). */
function normals(length, deviation, random) {
  return Float64Array.from({ length }, () =>
    deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
}

/** The shape of each parameter, in the order of the layers: [name, shape] pairs. */
function shapesOf(units) {
  const found = [];
  let inputs = 2;
  units.forEach((n, k) => {
    found.push([`W${k + 1}`, [n, inputs]], [`b${k + 1}`, [n]]);
    inputs = n;
  });
  return [...found, ["w", [inputs]], ["b", []]];
}

/** First weights as the models draw them: normal with variance 2 / inputs, and biases 0 (He). */
function initial(units, random) {
  const weights = ([name, shape]) => {
    const length = shape.reduce((a, b) => a * b, 1);
    if (name === "b") return 0;
    return name[0] === "b" ? new Float64Array(length)
      : normals(length, Math.sqrt(2 / shape.at(-1)), random);
  };
  return Object.fromEntries(shapesOf(units).map((item) => [item[0], weights(item)]));
}

/** A training: its settings, its weights before the next step, and what it has done so far. */
class Run {
  constructor(settings, points) {
    Object.assign(this, { settings, points });
    const { units, seed } = settings;
    this.random = uniform(seed);
    this.weights = initial(units, this.random);
    this.program = PROGRAMS[units.length];
    this.relu = ACTIVATIONS[settings.activation] === "ReLU";
    const rows = points.y.length;
    this.size = Math.min(settings.batch || rows, rows);
    this.whole = this.size === rows;
    this.order = Uint32Array.from({ length: rows }, (_, k) => k);
    this.place = rows;
    this.X = new Float64Array(2 * this.size);
    this.y = new Float64Array(this.size);
    this.steps = 0;
    this.curve = [];
    this.stride = 1;
    this.losses = new Float64Array(RECENT + 1);
    this.expected = new Float64Array(RECENT + 1);
    this.promised = 0;
    this.compute();
    this.first = this.whole ? this.now.loss : this.computed(points.X, points.y).loss;
  }

  sizes(rows) {
    const lengths = { rows };
    this.settings.units.forEach((n, k) => { lengths[`units${k + 1}`] = n; });
    return lengths;
  }

  /** The next rows, in a random order that changes with each pass over all of them. */
  batch() {
    const { points, order, size } = this, rows = order.length;
    if (this.whole) return [points.X, points.y];
    if (this.place >= rows) {
      this.place = 0;
      for (let k = rows - 1; k > 0; k--) {
        const j = Math.floor(this.random() * (k + 1));
        [order[k], order[j]] = [order[j], order[k]];
      }
    }
    const count = Math.min(size, rows - this.place);
    for (let k = 0; k < count; k++) {
      const row = order[this.place + k];
      this.X[2 * k] = points.X[2 * row];
      this.X[2 * k + 1] = points.X[2 * row + 1];
      this.y[k] = points.y[row];
    }
    this.place += count;
    return [this.X.subarray(0, 2 * count), this.y.subarray(0, count)];
  }

  /** Compute the loss, the gradients and the next weights at the present weights. */
  compute() {
    [this.inputs, this.targets] = this.batch();
    this.now = this.computed(this.inputs, this.targets);
    const at = this.steps % this.losses.length;
    this.losses[at] = this.now.loss;
    this.expected[at] = this.settings.rate * this.now.squares;
    this.remember();
  }

  /** What the generated step computes at the present weights for some rows. */
  computed(X, y) {
    const { rate, alpha, activation } = this.settings;
    return this.program.step(this.weights, X, y, rate, alpha, activation, this.sizes(y.length));
  }

  /** Add the loss to the curve; a long curve has the mean of several steps in each point. */
  remember() {
    const { curve, stride, steps } = this, { loss } = this.now, last = curve.at(-1);
    if (steps % stride === 0 || !last) curve.push({ step: steps, loss, count: 1 });
    else {
      last.count++;
      last.loss += (loss - last.loss) / last.count;
    }
    if (curve.length <= LONGEST) return;
    const half = [];
    for (let k = 0; k < curve.length; k += 2) {
      const [a, b] = [curve[k], curve[k + 1]];
      const count = a.count + (b?.count ?? 0);
      half.push({ step: a.step, loss: b ? (a.loss * a.count + b.loss * b.count) / count : a.loss,
        count });
    }
    this.curve = half;
    this.stride *= 2;
  }

  get finite() {
    return Number.isFinite(this.now.loss) && Number.isFinite(this.now.squares);
  }

  /** Take a step; false where the loss is not finite, so that there is nowhere to go. */
  step() {
    if (!this.finite) return false;
    this.promised += this.settings.rate * this.now.squares;
    this.weights = this.now.next;
    this.steps++;
    this.compute();
    return true;
  }

  /** The outputs of all units and the probability of class 1 at points, (rows, 2) in C order. */
  predict(X) {
    return this.program.predict(this.weights, X, this.settings.activation,
      this.sizes(X.length / 2));
  }

  /** How the last steps went: the loss before, now, and how often it rose. */
  recent() {
    const length = Math.min(this.steps, RECENT), ring = this.losses.length;
    const at = (back) => (this.steps - back + ring) % ring;
    let rises = 0, expected = 0, mean = 0;
    for (let k = 1; k <= length; k++) {
      rises += this.losses[at(k - 1)] > this.losses[at(k)];
      expected += this.expected[at(k)];
      mean += this.losses[at(k - 1)] / length;
    }
    return { length, rises, expected, mean, before: this.losses[at(length)] };
  }
}

/**
 * What the loss says about the learning rate: [kind, sentence].
 *
 * A small step lowers the loss by the rate times the squared norm of the gradient. If all steps
 * together promise little, the rate is too small; if the loss falls by much less than promised and
 * often rises, the steps are too long.
 */
function verdict(run) {
  const { loss, squares } = run.now, { promised, first, steps } = run;
  if (!run.finite) {
    const what = Number.isFinite(loss) ? "gradient" : "loss";
    return ["large", `too large: the ${what} is no longer finite`];
  }
  const { length, rises, expected, mean, before } = run.recent();
  if (length < 10) return ["none", "too early to say"];
  if (mean > 1.02 * first) return ["large", "too large: the loss is above its start"];
  if (squares < SMALL ** 2) {
    return mean < 0.9 * first ? ["right", "right: the loss has fallen, and is flat now"]
      : ["flat", "flat: the gradient is small"];
  }
  if (run.whole && rises > length / 5 && before - loss < expected / 2) {
    return ["large", "too large: the loss jumps up and down"];
  }
  if (promised < Math.min(0.3, steps / 1500) * first) {
    return ["small", "too small: the loss falls slowly"];
  }
  return ["right", "right: the loss falls"];
}

/** The norm of an array, where squares may be too small or too large for a float as well. */
function norm(array) {
  const most = largest(array);
  if (most === 0 || !Number.isFinite(most)) return most;
  return most * Math.sqrt(array.reduce((sum, x) => sum + (x / most) ** 2, 0));
}

const FAINT = 100;

/** Units of a layer that are 0 for every row: a ReLU without a gradient. */
function dead(h, units) {
  const alive = new Uint8Array(units);
  for (let k = 0; k < h.length; k++) if (h[k] !== 0) alive[k % units] = 1;
  return [...alive.keys()].filter((k) => !alive[k]);
}

/** Problems by the name of an array: [sign, text] pairs. */
function problems(run) {
  const found = {}, { gradients, values } = run.now, { units } = run.settings;
  const add = (name, sign, text) => { (found[name] ??= []).push([sign, text]); };
  const sure = (x) => typeof x === "number" ? Number.isFinite(x) : x.every(Number.isFinite);
  for (const [name, array] of Object.entries({ ...run.weights, ...values })) {
    if (!sure(array)) add(name, "✖", "not finite");
    else if (!sure(gradients[name])) add(name, "✖", "gradient not finite");
  }
  if (!sure(run.now.loss)) add("L", "✖", "not finite");
  const size = (name) => norm(gradients[name]) / Math.sqrt(gradients[name].length);
  units.forEach((count, k) => {
    const layer = k + 1, W = `W${layer}`, off = dead(run.hidden[`h${layer}`], count).length;
    if (run.relu && off) {
      add(`h${layer}`, "⊘", off === count ? "dead: all units" : `dead: ${off} of ${count} units`);
    }
    if (found[W]) return;
    const length = norm(gradients[W]), ratio = size("z") / size(`a${layer}`);
    if (ratio === Infinity) add(W, "∅", "zero gradient from the loss");
    else if (length > EXPLODING) add(W, "▲", "exploding");
    else if (length < VANISHING) add(W, "▽", "vanishing");
    else if (ratio > FAINT) add(W, "▽", `vanishing: ${Math.round(ratio)} × smaller than at z`);
  });
  return found;
}

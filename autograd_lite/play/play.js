// The controls, the keys and the loop.

const RUNS = 6, PAUSE = { slow: 250, normal: 0, fast: 0 }, FAST = 10, LEAST = 0.8;

function start() {
  const byId = (id) => document.getElementById(id);
  const { tables, formulas } = JSON.parse(byId("data").textContent);
  const controls = byId("controls"), field = (name) => controls.elements[name];
  const colors = new Colors(byId("probe")), network = new Network();
  for (const table of tables) {
    table.X = Float64Array.from(table.X);
    table.y = Float64Array.from(table.y);
    field("data").add(new Option(table.title));
  }
  for (const sign of ACTIVATIONS) field("activation").add(new Option(sign));
  field("activation").selectedIndex = ACTIVATIONS.indexOf("tanh");

  // What is shown: the runs that can be compared, the last of them the present one.
  let runs = [], run = null, plane = null, graph = null, marks = {}, looked = "W1";
  let playing = false, seed = 1, before = 0;

  const chosen = (name) => Number(field(name).value);

  /** What the controls say. */
  function settings() {
    const depth = chosen("depth");
    return {
      data: field("data").selectedIndex,
      units: [1, 2, 3, 4].slice(0, depth).map((k) => chosen(`units${k}`)),
      activation: field("activation").selectedIndex,
      rate: chosen("rate"), batch: chosen("batch"), alpha: chosen("alpha"), seed,
    };
  }

  /** Whether the losses of two runs can be compared: all but the rate and the batch is equal. */
  const alike = (a, b) => ["data", "activation", "alpha", "seed", "units"].every((key) =>
    String(a[key]) === String(b[key]));

  /** Start from the first weights; the curves of earlier runs stay if they can be compared. */
  function begin() {
    const given = settings(), points = tables[given.data];
    if (plane?.points !== points) plane = new Plane(points);
    const known = runs.filter((one) => one.steps > 0 && alike(one.settings, given)
      && (one.settings.rate !== given.rate || one.settings.batch !== given.batch)).slice(1 - RUNS);
    run = new Run(given, points);
    const free = DASHES.map((_, k) => k).filter((k) => !known.some((one) => one.look === k));
    run.look = free[0];
    runs = [...known, run];
    graph = new Graph(byId("graph"), given.units, given.activation);
    if (!graph.cards.has(looked)) looked = given.units.length ? "W1" : "w";
    explain(looked);
    legend();
    draw();
    fit();
  }

  /** Shrink the cards a little if they then fit side by side; else they scroll. */
  function fit() {
    const holder = byId("graph");
    holder.style.zoom = 1;
    shrink();
  }

  /** Shrink the cards if they have become too wide. */
  function shrink() {
    const holder = byId("graph"), { clientWidth, scrollWidth } = holder, zoom = Number(holder.style.zoom);
    if (scrollWidth > clientWidth && zoom > LEAST) {
      holder.style.zoom = Math.max(LEAST, 0.97 * zoom * clientWidth / scrollWidth);
    }
  }

  // What is drawn after each step.

  /** Draw everything at the present weights. */
  function draw() {
    const predicted = run.predict(plane.X), rows = run.points.y.length;
    run.hidden = Object.fromEntries(run.settings.units.map((n, k) =>
      [`h${k + 1}`, predicted[`h${k + 1}`].subarray(0, n * rows)]));
    marks = problems(run);
    plane.draw(byId("plane"), predicted, colors);
    network.draw(byId("network"), run, predicted, marks, colors);
    drawCurves(byId("curves"), runs, colors);
    graph.show(run, marks);
    shrink();
    let right = 0;
    for (let k = 0; k < rows; k++) right += (predicted["ŷ"][k] > 0.5) === (run.points.y[k] === 1);
    run.accuracy = right / rows;
    byId("count").textContent = `step ${run.steps.toLocaleString("en")}`;
    byId("loss").textContent = `loss ${number(run.now.loss)}`;
    byId("accuracy").textContent = `accuracy ${(100 * run.accuracy).toFixed(1)} %`;
    judged(runs.length - 1);
    const found = Object.entries(marks).flatMap(([name, list]) =>
      list.map(([sign, text]) => `${sign} ${symbol(name)} ${text}`));
    const text = found.join(" · ");
    if (byId("problems").textContent !== text) byId("problems").textContent = text;
  }

  const SIGNS = { none: "…", small: "▽", right: "✓", large: "▲", flat: "–" };

  /** Say how a run goes beside its line in the list under the curves. */
  function judged(k) {
    const one = runs[k], [kind, text] = verdict(one), line = byId("runs").children[k];
    const { rate, batch } = one.settings, sample = batch ? `, batches of ${batch}` : "";
    const parts = [`η = ${number(rate)}${sample}`, `${SIGNS[kind]} ${text}`];
    [...line.querySelectorAll("span")].forEach((part, j) => {
      if (part.textContent !== parts[j]) part.textContent = parts[j];
    });
    line.dataset.kind = kind;
  }

  /** The list of the runs, each with its line as it is drawn. */
  function legend() {
    byId("runs").replaceChildren(...runs.map((one) => {
      const dashes = DASHES[one.look].join(" ");
      const sample = picture(34, 10, ["path", { d: "M0 5H34", "stroke-dasharray": dashes }]);
      sample.style.stroke = `var(--series-${one.look})`;
      return made("li", "", sample, made("span", "rate"), made("span", "verdict"));
    }));
    runs.forEach((_, k) => judged(k));
    const { classes, target } = run.points;
    for (const k of [0, 1]) byId(`class-${k}`).textContent = `${target}: ${classes[k]}`;
  }

  /** Show how the value and the gradient of an array are computed. */
  function explain(name) {
    looked = name;
    const { units, activation } = run.settings;
    const numbers = formulas.of[units.length][activation];
    const lines = [name, ...name === "L" ? ["E", "R"] : []].flatMap((key) => numbers[key] ?? []);
    const texts = lines.map((k) => formulas.texts[k]);
    const holder = byId("formula");
    if (lines.join() === holder.dataset.lines) return;
    holder.dataset.lines = lines.join();
    holder.innerHTML = texts.join("");
    const all = holder.textContent, says = [];
    if (all.includes("′")) says.push(...formulas.notes[units.length][activation]);
    if (all.includes("δ")) says.push("δ⁽ᵏ⁾ = ∂L/∂a⁽ᵏ⁾");
    if (all.includes("𝟏")) says.push("𝟏 is a vector of ones");
    if (/[m𝑚]/u.test(all)) says.push("m is the number of rows");
    if (!texts.length) says.push(`${symbol(name)} is data: it has no gradient here`);
    byId("notes").textContent = says.join(" · ");
    for (const [key, card] of graph.cards) card.element.classList.toggle("looked", key === name);
  }

  // What the controls do.

  function say(text) { byId("status").textContent = text; }

  const summary = () => `step ${run.steps}: loss ${number(run.now.loss)}, `
    + `accuracy ${(100 * run.accuracy).toFixed(1)} %; learning rate ${verdict(run)[1]}`;

  function toggle(to) {
    playing = to;
    byId("play").textContent = playing ? "❚❚ pause" : "▶ play";
  }

  /** Take steps and draw once. */
  function advance(count) {
    let moved = true;
    for (let k = 0; k < count && moved; k++) moved = run.step();
    draw();
    if (!moved && playing) toggle(false);
    if (!moved) say(`${summary()}. Choose a smaller rate, or reset`);
    return moved;
  }

  const actions = {
    play: () => {
      toggle(!playing);
      say(playing ? "playing" : `paused at ${summary()}`);
    },
    step: () => {
      toggle(false);
      if (advance(1)) say(summary());
    },
    reset: () => {
      toggle(false);
      begin();
      say(`back at the start: ${summary()}`);
    },
    weights: () => {
      seed++;
      toggle(false);
      begin();
      say(`new first weights: ${summary()}`);
    },
    theme: () => {
      const root = document.documentElement;
      const dark = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
      root.dataset.theme = (root.dataset.theme ?? dark) === "dark" ? "light" : "dark";
      repaint();
    },
  };

  function repaint() {
    colors.forget();
    draw();
  }

  function tick(now) {
    const speed = field("speed").value;
    if (playing && now - before >= PAUSE[speed]) {
      before = now;
      advance(speed === "fast" ? FAST : 1);
    }
    requestAnimationFrame(tick);
  }

  /** Show the units of the layers that there are. */
  function layers() {
    for (const k of [1, 2, 3, 4]) byId(`layer${k}`).hidden = k > chosen("depth");
    byId("none").hidden = chosen("depth") > 0;
    field("activation").disabled = chosen("depth") === 0;
  }

  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("change", ({ target }) => {
    if (target.type === "number") {
      const units = Math.round(Number(target.value));
      target.value = Math.max(1, Math.min(16, units || 1));
    }
    layers();
    if (target.name === "speed") return;
    begin();
    const name = target.getAttribute("aria-label") ?? target.closest("label").firstChild.data.trim();
    say(`${name}: the run starts again`);
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button) actions[button.id]?.();
  });
  const keys = { " ": "play", s: "step", ArrowRight: "step", r: "reset", n: "weights", d: "theme" };
  document.addEventListener("keydown", (event) => {
    const { target } = event, key = event.key.length > 1 ? event.key : event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[key]) return;
    if (target.closest("input, select") || (key === " " && target.closest("button"))) return;
    event.preventDefault();
    actions[keys[key]]();
  });
  for (const type of ["pointerover", "focusin"]) {
    byId("graph").addEventListener(type, ({ target }) => {
      const card = target.closest(".card");
      if (card) explain(card.dataset.name);
    });
  }
  byId("network").addEventListener("pointermove", ({ offsetX }) => {
    explain(network.at(offsetX, run.settings.units.length));
  });
  new ResizeObserver(() => {
    draw();
    fit();
  }).observe(byId("pictures"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

  layers();
  begin();
  say(`ready. ${summary()}`);
  requestAnimationFrame(tick);
  return { get run() { return run; }, get runs() { return runs; }, advance, draw };
}

globalThis.playground = start();

"use strict";

/** A number for people: at most four decimals, a real minus sign; as text.number in Python. */
function number(x) {
  if (Number.isNaN(x)) return "NaN";
  const sign = x < 0 ? "−" : "", size = Math.abs(x);
  const cut = (digits) => digits.replace(/\.?0+$/, "");
  if (size === Infinity) return sign + "∞";
  if (size === 0 || (size >= 1e-3 && size < 1e4)) return sign + cut(size.toFixed(4));
  const [mantissa, exponent] = size.toExponential(4).split("e");
  return sign + cut(mantissa) + "e" + String(Number(exponent)).replace("-", "−");
}

/** The numbers of an array: a list, or little-endian floats in base 64. */
function decode(array) {
  if (array.list) return Float64Array.from(array.list, Number);
  const bytes = Uint8Array.from(atob(array.base64), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer), width = array.bytes;
  return Float64Array.from({ length: bytes.length / width }, (_, k) =>
    width === 4 ? view.getFloat32(4 * k, true) : view.getFloat64(8 * k, true));
}

const GAP = 26;

/** Everything that can be reached from a card along the arrows, by [from, to] pairs. */
function reach(start, pairs) {
  const next = new Map();
  for (const [from, to] of pairs) {
    if (!next.has(from)) next.set(from, []);
    next.get(from).push(to);
  }
  const seen = new Set([start]), stack = [start];
  while (stack.length) {
    for (const to of next.get(stack.pop()) ?? []) {
      if (!seen.has(to)) { seen.add(to); stack.push(to); }
    }
  }
  return seen;
}

/**
 * A coordinate when folds shrink: what a fold held becomes as wide as its card, except where
 * something that is still in sight stands, and gaps stay gaps; order is kept, so nothing can
 * come to overlap.
 */
function squeeze(folds, boxes) {
  if (!folds.length) return (x) => x;
  const cuts = new Set();
  for (const [low, high] of [...folds, ...boxes]) cuts.add(low).add(high);
  const marks = [...cuts].sort((a, b) => a - b);
  const lengths = marks.slice(1).map((high, k) => {
    const low = marks[k], within = ([from, to]) => from <= low && high <= to;
    const ratios = folds.filter(within).map((fold) => fold[2]);
    const length = high - low;
    if (!ratios.length || boxes.some(within)) return length;
    return Math.max(Math.min(length, GAP), length * Math.max(...ratios));
  });
  const places = [marks[0]];
  for (const length of lengths) places.push(places.at(-1) + length);
  return (x) => {
    if (x <= marks[0]) return x;
    let k = marks.findIndex((mark) => x < mark);
    if (k < 0) return x - marks.at(-1) + places.at(-1);
    k -= 1;
    return places[k] + (x - marks[k]) * (lengths[k] / (marks[k + 1] - marks[k]));
  };
}

function start() {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";

  function element(name, given = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function drawn(name, given = {}, text = "") {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  }

  // What is shown: a sheet, a step of it (null: everything), its folds, and a card in the panel.
  let sheet = null, step = null, open = null, opener = null;
  const sheets = data.sheets.map((given, k) => ({ ...given, index: k, folded: new Set(given.folded) }));

  // One picture, made ready when it is first shown.

  function ready(s) {
    if (s.svg) return;
    s.holder = byId(`s${s.index}`);
    s.svg = s.holder.querySelector("svg");
    s.graph = s.svg.querySelector("g.graph");
    s.cards.forEach((card, k) => {
      const g = card.g = byId(card.id), node = data.nodes[card.node];
      card.box = g.getBBox();
      for (const text of g.querySelectorAll('text[font-size="13.00"][fill="#202124"]'))
        if (text.getAttribute("font-weight") !== "bold") text.classList.add("number");
      g.append(ring(card.box));
      g.setAttribute("tabindex", "0");
      g.setAttribute("role", "button");
      g.setAttribute("aria-label", node ? said(node) : `${card.title}, ${card.text}` +
        (card.opens ? ", opens" : ""));
      acts(g, () => (node ? show(card) : card.opens && visit(card.opens)));
      looks(g, s, k);
    });
    s.edges.forEach((edge) => {
      edge.g = byId(edge.id);
      edge.path = edge.g.querySelector("path");
      edge.tip = edge.g.querySelector("polygon");
      edge.texts = [...edge.g.querySelectorAll("text")];
      edge.d = edge.path.getAttribute("d");
      const line = edge.path.getBBox();
      if (line.width < 2) {
        for (const text of edge.texts) {
          text.setAttribute("text-anchor", "start");
          text.setAttribute("x", line.x + 7);
        }
      }
    });
    s.frames.forEach((frame, k) => {
      frame.g = byId(frame.id);
      frame.outline = frame.g.querySelector("path, polygon");
      frame.attribute = frame.outline.tagName === "path" ? "d" : "points";
      frame.d = frame.outline.getAttribute(frame.attribute);
      frame.box = frame.outline.getBBox();
      frame.cards = s.cards.filter((card) => within(s, card.frame, k));
      frame.label = frame.g.querySelector("text") ?? frame.g.appendChild(drawn("text", {
        x: frame.box.x + 8, y: frame.box.y + 16, "font-size": 12, fill: "#5f6368" }));
      frame.label.textContent = `▾ ${frame.title}`;
      frame.label.classList.add("title");
      frame.label.setAttribute("tabindex", "0");
      frame.label.setAttribute("role", "button");
      frame.label.setAttribute("aria-expanded", "true");
      frame.label.setAttribute("aria-label", `fold ${frame.title}`);
      acts(frame.label, () => fold(s, k, true));
    });
    arrange(s);
    s.view = bounds(s);
  }

  function ring(box) {
    return drawn("rect", { class: "ring", x: box.x - 4, y: box.y - 4, rx: 12,
      width: box.width + 8, height: box.height + 8 });
  }

  function said(node) {
    const marks = node.marks.map((mark) => mark.text);
    return [node.name, node.role, node.op?.name, node.says, ...marks].filter(Boolean).join(", ");
  }

  function acts(g, act) {
    g.addEventListener("click", () => { if (!moved) act(); });
    g.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        act();
      }
    });
  }

  function looks(g, s, k) {
    for (const event of ["pointerenter", "focus"]) g.addEventListener(event, () => look(s, k));
    for (const event of ["pointerleave", "blur"]) g.addEventListener(event, () => look(s, null));
  }

  // Folding: frames close in place, and what is left moves together.

  function within(s, frame, outer) {
    for (let f = frame; f !== null; f = s.frames[f].parent) if (f === outer) return true;
    return false;
  }

  /** The outermost folded frame around a frame. */
  function closed(s, frame) {
    let found = null;
    for (let f = frame; f !== null; f = s.frames[f].parent) if (s.folded.has(f)) found = f;
    return found;
  }

  /** What stands for a card: itself, or the frame that it is folded into. */
  function item(s, k) {
    const frame = closed(s, s.cards[k].frame);
    return frame === null ? s.cards[k] : s.frames[frame];
  }

  function fold(s, k, shut) {
    shut ? s.folded.add(k) : s.folded.delete(k);
    arrange(s);
    fit(s);
    if (step !== null) step = Math.min(step, steps(s).length);
    render();
    (shut ? s.frames[k].card : s.frames[k].label)?.focus();
  }

  function closedCard(s, frame, k) {
    const g = drawn("g", { class: "node", id: `${frame.id}-folded`, tabindex: 0, role: "button",
      "aria-expanded": "false", "aria-label": `${frame.title}, ${frame.text}, unfold` });
    const outline = drawn("rect", { rx: 12, fill: "#e8eaed", stroke: "#7a7a7a" });
    const title = drawn("text", { "font-size": 14, "font-weight": "bold", fill: "#202124" },
      `▸ ${frame.title}`);
    const text = drawn("text", { "font-size": 11, fill: "#5f6368" }, frame.text);
    g.append(outline, title, text);
    s.graph.append(g);
    const width = Math.max(title.getBBox().width, text.getBBox().width) + 24, height = 56;
    const ends = s.edges.flatMap(({ tail, head }) => {
      const [a, b] = [s.cards[tail], s.cards[head]];
      const inside = [within(s, a.frame, k), within(s, b.frame, k)];
      return inside[0] === inside[1] ? [] : [inside[0] ? a : b];
    }).filter((card) => data.nodes[card.node]?.op || card.title);
    const middle = (ends[0] ?? frame.cards[0])?.box ?? frame.box;
    frame.size = { width, height, y: middle.y + middle.height / 2 };
    frame.place = (x, y) => {
      const box = { x: x - width / 2, y: y - height / 2, width, height };
      for (const [key, value] of Object.entries(box)) outline.setAttribute(key, value);
      title.setAttribute("x", box.x + 12);
      title.setAttribute("y", box.y + 23);
      text.setAttribute("x", box.x + 12);
      text.setAttribute("y", box.y + 42);
      g.querySelector(".ring")?.remove();
      g.append(ring(box));
      frame.now = box;
    };
    acts(g, () => fold(s, k, false));
    const feeding = s.cards.findIndex((card) => card === frame.cards.at(-1));
    looks(g, s, feeding);
    frame.card = g;
  }

  const shift = (g, x, y) => g.setAttribute("transform", `translate(${x} ${y})`);
  const mapped = (d, fx, fy) => d.replace(/(-?[\d.]+)[, ](-?[\d.]+)/g,
    (_, x, y) => `${fx(Number(x)).toFixed(2)},${fy(Number(y)).toFixed(2)}`);

  function arrange(s) {
    const shut = s.frames.filter((_, k) => s.folded.has(k) && closed(s, k) === k);
    for (const frame of shut) if (!frame.card) closedCard(s, frame, s.frames.indexOf(frame));
    const cards = s.cards.filter((card) => closed(s, card.frame) === null);
    const still = s.frames.filter((_, k) => closed(s, k) === null &&
      !shut.some((frame) => within(s, s.frames.indexOf(frame), k)));
    const spans = (from, length) => [
      shut.map((f) => [f.box[from], f.box[from] + f.box[length], f.size[length] / f.box[length]]),
      [...cards, ...still].map(({ box }) => [box[from], box[from] + box[length]]),
    ];
    const fx = squeeze(...spans("x", "width")), fy = squeeze(...spans("y", "height"));
    for (const card of s.cards) {
      card.g.toggleAttribute("hidden", !cards.includes(card));
      const x = fx(card.box.x), y = fy(card.box.y);
      card.now = { x, y, width: card.box.width, height: card.box.height };
      shift(card.g, x - card.box.x, y - card.box.y);
    }
    s.frames.forEach((frame, k) => {
      const hidden = closed(s, k) !== null;
      frame.g.toggleAttribute("hidden", hidden);
      frame.card?.toggleAttribute("hidden", !shut.includes(frame));
      frame.outline.setAttribute(frame.attribute, mapped(frame.d, fx, fy));
      const { x, y } = frame.box;
      shift(frame.label, fx(x) - x, fy(y) - y);
      if (shut.includes(frame)) {
        const middle = (fx(x) + fx(x + frame.box.width)) / 2;
        frame.place(middle, fy(frame.size.y));
      }
    });
    const known = new Set();
    for (const edge of s.edges) {
      const a = item(s, edge.tail), b = item(s, edge.head), key = `${a.id} ${b.id}`;
      const straight = a === s.cards[edge.tail] && b === s.cards[edge.head];
      edge.g.toggleAttribute("hidden", a === b || (!straight && known.has(key)));
      if (!straight) known.add(key);
      joined(edge, a, b, straight, fx, fy);
    }
  }

  /** An arrow where its ends stand now. */
  function joined(edge, a, b, straight, fx, fy) {
    for (const text of edge.texts) {
      text.toggleAttribute("hidden", !straight);
      const x = Number(text.getAttribute("x")), y = Number(text.getAttribute("y"));
      shift(text, fx(x) - x, fy(y) - y);
    }
    if (straight) {
      const box = edge.tip.points[0];
      edge.path.setAttribute("d", mapped(edge.d, fx, fy));
      shift(edge.tip, fx(box.x) - box.x, fy(box.y) - box.y);
      edge.tip.removeAttribute("hidden");
      edge.end?.remove();
      edge.end = null;
      return;
    }
    if (a === b) return;
    const p = a.now, q = b.now, beside = p.x + p.width + 8 > q.x;
    const from = beside ? [p.x + p.width / 2, p.y > q.y ? p.y : p.y + p.height]
      : [p.x + p.width, p.y + p.height / 2];
    const to = beside ? [q.x + q.width / 2, p.y > q.y ? q.y + q.height : q.y]
      : [q.x, q.y + q.height / 2];
    const [dx, dy] = beside ? [0, (to[1] - from[1]) / 2] : [(to[0] - from[0]) / 2, 0];
    const turn = beside ? (to[1] > from[1] ? 90 : -90) : 0;
    const last = beside ? [to[0], to[1] - Math.sign(dy) * 8] : [to[0] - 8, to[1]];
    edge.path.setAttribute("d", `M${from} C${from[0] + dx},${from[1] + dy} ` +
      `${last[0] - dx},${last[1] - dy} ${last}`);
    edge.tip.setAttribute("hidden", "");
    edge.end ??= edge.g.appendChild(drawn("polygon", { points: "0,0 -8,-3 -8,3" }));
    edge.end.setAttribute("transform", `translate(${to}) rotate(${turn})`);
  }

  // Zoom, pan, fit.

  function bounds(s) {
    const box = s.graph.getBBox(), matrix = s.graph.transform.baseVal.consolidate()?.matrix;
    const margin = 16;
    return { x: box.x + (matrix?.e ?? 0) - margin, y: box.y + (matrix?.f ?? 0) - margin,
      width: box.width + 2 * margin, height: box.height + 2 * margin };
  }

  function frameView(s) {
    const { x, y, width, height } = s.view;
    s.svg.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
  }

  /** Show the whole picture, at most about twice as large as it was drawn. */
  function fit(s = sheet) {
    const view = bounds(s), stage = byId("stage").getBoundingClientRect();
    const wide = Math.max(view.width, stage.width / 1.45);
    const high = Math.max(view.height, stage.height / 1.45);
    view.x -= (wide - view.width) / 2;
    view.y -= (high - view.height) / 2;
    s.view = { x: view.x, y: view.y, width: wide, height: high };
    s.touched = false;
    frameView(s);
  }

  function zoom(factor, at) {
    const view = sheet.view, point = at ?? { x: view.x + view.width / 2, y: view.y + view.height / 2 };
    if (view.width * factor < 40 || view.width * factor > 1e6) return;
    view.x = point.x + (view.x - point.x) * factor;
    view.y = point.y + (view.y - point.y) * factor;
    view.width *= factor;
    view.height *= factor;
    sheet.touched = true;
    frameView(sheet);
  }

  /** Bring a card into sight, and near enough to be read. */
  function follow(box) {
    const { view } = sheet, matrix = sheet.graph.transform.baseVal.consolidate()?.matrix;
    const stage = byId("stage").getBoundingClientRect();
    const x = box.x + (matrix?.e ?? 0), y = box.y + (matrix?.f ?? 0);
    const far = stage.width > 0 && Math.max(view.width / stage.width, view.height / stage.height) > 3;
    if (far) {
      view.width = stage.width;
      view.height = stage.height;
      sheet.touched = true;
    }
    if (far || x < view.x || x + box.width > view.x + view.width) {
      view.x = x + box.width / 2 - view.width / 2;
    }
    if (far || y < view.y || y + box.height > view.y + view.height) {
      view.y = y + box.height / 2 - view.height / 2;
    }
    frameView(sheet);
  }

  function place(event) {
    const matrix = sheet.svg.getScreenCTM().inverse();
    return new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
  }

  const fingers = new Map();
  let moved = false;
  const stage = byId("stage");
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 250), place(event));
  }, { passive: false });
  stage.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, event);
    moved = false;
  });
  window.addEventListener("pointermove", (event) => {
    const last = fingers.get(event.pointerId);
    if (!last) return;
    const [other] = [...fingers.values()].filter((finger) => finger !== last);
    if (other) {
      const apart = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY);
      if (apart(event) > 1) zoom(apart(last) / apart(event), place(event));
      moved = true;
    } else {
      const by = [event.clientX - last.clientX, event.clientY - last.clientY];
      if (!moved && Math.hypot(...by) < 4) return;
      moved = sheet.touched = true;
      const scale = 1 / sheet.svg.getScreenCTM().a;
      sheet.view.x -= by[0] * scale;
      sheet.view.y -= by[1] * scale;
      sheet.svg.classList.add("dragged");
      frameView(sheet);
    }
    fingers.set(event.pointerId, event);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    window.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      sheet.svg.classList.remove("dragged");
    });
  }

  // Hover: what made a card, and what it feeds.

  function look(s, k) {
    s.svg.classList.toggle("looking", k !== null);
    const pairs = s.edges.map(({ tail, head }) => [tail, head]);
    const feeds = k === null ? new Set() : reach(k, pairs);
    const from = k === null ? new Set() : reach(k, pairs.map(([a, b]) => [b, a]));
    s.cards.forEach((card, j) => card.g.classList.toggle("seen", feeds.has(j) || from.has(j)));
    for (const frame of s.frames) {
      frame.card?.classList.toggle("seen", frame.cards.some((c) => c.g.classList.contains("seen")));
    }
    for (const edge of s.edges) {
      edge.g.classList.toggle("from", from.has(edge.tail) && from.has(edge.head));
      edge.g.classList.toggle("feeds", feeds.has(edge.tail) && feeds.has(edge.head));
    }
  }

  // Steps: forward, then backward, one operation at a time.

  /** The steps of what is in sight: [item, "forward" or "backward"]; a fold takes one. */
  function steps(s) {
    const order = new Map();
    for (const [k, backward] of s.steps) {
      const it = item(s, k), key = `${it.id} ${backward}`;
      order.delete(key);
      order.set(key, [it, backward ? "backward" : "forward"]);
    }
    return [...order.values()];
  }

  function told([it, direction]) {
    const node = data.nodes[it.node];
    if (node) return `${direction}: ${node[direction]}`;
    return direction === "forward" ? `forward: ${it.title}, ${it.text}`
      : `backward: the gradient passes through ${it.title}`;
  }

  function render() {
    const s = sheet, order = steps(s), all = step === null;
    const done = { forward: new Set(), backward: new Set() };
    order.forEach(([it, direction], k) => { if (all || k < step) done[direction].add(it); });
    const [current, direction] = (!all && order[step - 1]) || [];
    const moving = new Set(order.filter(([, d]) => d === "forward").map(([it]) => it));
    s.svg.classList.toggle("stepping", !all);
    for (const it of [...s.cards, ...s.frames]) {
      const g = it.cards ? it.card : it.g;
      if (!g) continue;
      g.classList.toggle("pending", moving.has(it) && !done.forward.has(it));
      g.classList.toggle("ungraded", !done.backward.has(it));
      g.classList.toggle("now", it === current);
    }
    for (const edge of s.edges) {
      const a = item(s, edge.tail), b = item(s, edge.head);
      const now = direction === "forward" ? b === current : direction && a === current;
      edge.g.classList.toggle("now", Boolean(now));
      edge.g.classList.toggle("behind", direction === "backward");
      edge.g.classList.toggle("quiet", !done.backward.has(a));
    }
    byId("count").textContent = all ? `${order.length} steps` : `${step}/${order.length}`;
    byId("caption").textContent = all ? data.hello
      : step === 0 ? "before the first step: only the leaves hold values" : told(order[step - 1]);
    byId("back").disabled = step === 0;
    byId("step").disabled = step === order.length;
    byId("all").setAttribute("aria-pressed", String(all));
    if (current) follow(current.now);
    path();
    remember();
  }

  function move(by) {
    const last = steps(sheet).length;
    const from = step ?? (by > 0 ? 0 : last + 1);
    step = Math.max(0, Math.min(last, from + by));
    render();
  }

  // From sheet to sheet.

  function visit(k, at = null) {
    const s = sheet = sheets[k] ?? sheets[0];
    for (const { index } of sheets) byId(`s${index}`).toggleAttribute("hidden", index !== s.index);
    ready(s);
    step = at;
    fit(s);
    render();
  }

  function path() {
    const trail = [];
    for (let s = sheet; s; s = s.up === null ? null : sheets[s.up]) trail.unshift(s);
    byId("path").hidden = trail.length < 2;
    byId("path").replaceChildren(...trail.flatMap((s, k) => {
      if (s === sheet) return [element("span", { "aria-current": "page" }, s.title)];
      const button = element("button", {}, s.title);
      button.addEventListener("click", () => visit(s.index));
      return [button, " › "];
    }));
  }

  // The panel: the whole array, the formula, the derivation.

  function show(card) {
    const node = data.nodes[card.node], panel = byId("panel");
    const line = (text, given = {}) => element("p", given, text);
    const head = (text, given = {}) => element("h3", given, text);
    const close = element("button", { class: "close", "aria-label": "close" }, "✕");
    close.addEventListener("click", hide);
    const parts = [close, element("h2", { id: "panel-title" }, node.name),
      line([node.role, node.value.shape, node.value.dtype, node.scope].filter(Boolean).join(" · "))];
    parts.push(...node.marks.map((m) => element("span", { class: "mark" }, `${m.sign} ${m.text}`)));
    if (node.op) {
      parts.push(head(`operation ${node.op.symbol}  ${node.op.name}`));
      if (node.op.formula) parts.push(line(node.op.formula, { class: "formula" }));
      if (node.op.gradient) {
        parts.push(head("its gradient rule, for the gradient g of its result"),
          line(node.op.gradient, { class: "formula" }));
      }
      parts.push(head("forward"), line(node.forward));
    }
    parts.push(head("value"), ...pictured(node.value, "value"));
    if (node.grad) {
      parts.push(head(`grad  ${node.of}`, { class: "grad" }), line(node.backward, { class: "grad" }));
      for (const [name, text] of node.parts) parts.push(line(`from ${name}: ${text}`));
      parts.push(...pictured(node.grad, "gradient"));
    }
    if (node.derivation) parts.push(head("derivation"), ...node.derivation.map(mathematics));
    panel.replaceChildren(...parts.filter(Boolean));
    panel.hidden = false;
    panel.scrollTop = 0;
    if (open === null) opener = document.activeElement;
    open = card;
    panel.focus({ preventScroll: true });
    if (!sheet.touched) fit();
    remember();
  }

  function hide() {
    byId("panel").hidden = true;
    open = null;
    opener?.focus?.();
    if (!sheet.touched) fit();
    remember();
  }

  function mathematics(text) {
    const given = text.replace("<math", '<math xmlns="http://www.w3.org/1998/Math/MathML"');
    const read = new DOMParser().parseFromString(given, "application/xml");
    return read.querySelector("parsererror") ? "" : document.importNode(read.documentElement, true);
  }

  function pictured(array, what) {
    if (!array.list && !array.base64) return [element("p", {}, array.says)];
    const values = decode(array), flat = array.columns === values.length;
    const columns = flat ? Math.min(5, values.length) : array.columns;
    const rows = Math.ceil(values.length / columns);
    const made = [];
    if (values.length > 1) made.push(element("p", {}, array.says));
    if (!flat && columns > 1 && values.length > 12) made.push(...heat(values, rows, columns, what));
    const table = element("table"), most = Math.min(rows, Math.max(1, Math.ceil(3000 / columns)));
    for (let i = 0; i < most; i++) {
      table.append(element("tr", {}, ...Array.from(values.subarray(i * columns, (i + 1) * columns),
        (x) => element("td", {}, number(x)))));
    }
    const box = element("div", { class: "numbers", tabindex: 0, role: "region",
      "aria-label": `numbers of the ${what}` }, table);
    if (most < rows) box.append(element("p", {}, `the first ${most} of ${rows} rows`));
    made.push(values.length > 48
      ? element("details", {}, element("summary", {}, "numbers"), box) : box);
    return made;
  }

  /** A heat map on a scale that is symmetric about 0: blue below, white at 0, red above. */
  function heat(values, rows, columns, what) {
    const canvas = element("canvas", { width: columns, height: rows, role: "img",
      "aria-label": `heat map of the ${what}` });
    const finite = values.filter(Number.isFinite);
    const top = finite.reduce((most, x) => Math.max(most, Math.abs(x)), 0) || 1;
    const stops = [[33, 102, 172], [146, 197, 222], [247, 247, 247], [244, 165, 130], [178, 24, 43]];
    const image = new ImageData(columns, rows);
    values.forEach((x, k) => {
      const at = Math.max(0, Math.min(3.9999, (x / top + 1) * 2)), j = Math.floor(at);
      const color = Number.isFinite(x)
        ? stops[j].map((c, n) => c + (stops[j + 1][n] - c) * (at - j)) : [0, 0, 0];
      image.data.set([...color, 255], 4 * k);
    });
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.style.height = `${Math.max(40, Math.min(260, rows * 14))}px`;
    const readout = element("span", {}, "");
    canvas.addEventListener("pointermove", (event) => {
      const j = Math.floor((event.offsetX / canvas.clientWidth) * columns);
      const i = Math.floor((event.offsetY / canvas.clientHeight) * rows);
      if (i >= 0 && j >= 0 && i < rows && j < columns)
        readout.textContent = `[${i}, ${j}] = ${number(values[i * columns + j])}`;
    });
    return [canvas, element("div", { class: "scale" }, number(-top), element("i"), number(top)),
      element("p", { class: "scale" }, readout)];
  }

  // The address holds what is shown, so that a link leads to a step.

  function remember() {
    const said = { sheet: sheet.index || null, step, card: open?.id,
      folded: sheet.frames.length ? [...sheet.folded].join(".") || null : null };
    const text = Object.entries(said).filter(([, value]) => value !== null && value !== undefined)
      .map(([key, value]) => `${key}=${value}`).join("&");
    try { history.replaceState(null, "", `#${text}`); } catch { /* a frame without an address */ }
  }

  function recall() {
    const said = new URLSearchParams(location.hash.slice(1));
    const s = sheets[Number(said.get("sheet") ?? 0)] ?? sheets[0];
    if (said.has("theme")) document.documentElement.dataset.theme = said.get("theme");
    if (said.has("folded")) {
      const frames = said.get("folded").split(".").filter(Boolean).map(Number);
      s.folded = new Set(frames.filter((k) => k in s.frames));
      if (s.svg) arrange(s);
    }
    visit(s.index);
    if (said.has("step")) {
      step = Math.max(0, Math.min(steps(s).length, Math.trunc(Number(said.get("step"))) || 0));
      render();
    }
    const card = s.cards.find(({ id }) => id === said.get("card"));
    if (card && data.nodes[card.node]) show(card);
  }

  const actions = {
    back: () => move(-1), step: () => move(1), all: () => { step = null; render(); },
    fit: () => fit(), in: () => zoom(0.8), out: () => zoom(1.25),
    theme: () => {
      const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
      const now = root.dataset.theme ?? (dark ? "dark" : "light");
      root.dataset.theme = now === "dark" ? "light" : "dark";
      byId("theme").textContent = now;
    },
  };
  for (const [id, act] of Object.entries(actions)) byId(id).addEventListener("click", act);
  const keys = { ArrowLeft: "back", ArrowRight: "step", a: "all", f: "fit", 0: "fit", "+": "in",
    "=": "in", "-": "out", d: "theme" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.(".numbers")) return;
    if (event.key === "Escape") return open ? hide() : sheet.up !== null && visit(sheet.up);
    if (event.key === "Home") { step = 0; return render(); }
    if (event.key === "End") { step = steps(sheet).length; return render(); }
    if (keys[event.key]) {
      event.preventDefault();
      actions[keys[event.key]]();
    }
  });
  window.addEventListener("hashchange", recall);
  window.addEventListener("resize", () => sheet.touched || fit());
  window.addEventListener("beforeprint", () => { sheet.view = bounds(sheet); frameView(sheet); });
  window.addEventListener("afterprint", () => fit());
  recall();
}

if (typeof document === "undefined") module.exports = { number, decode, reach, squeeze };
else start();

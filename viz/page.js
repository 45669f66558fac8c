const READABLE = 0.45, NEAREST = { block: "nearest", inline: "nearest" };

function start() {
  const byId = (id) => document.getElementById(id);
  const { hello, fits, styles, faces, operations, nodes: drawnNodes, sheets: packed, program } =
    JSON.parse(byId("data").textContent);
  const sheets = packed.map((s, k) => unpacked(s, k, faces));
  const root = document.documentElement, panel = byId("panel");

  // What is shown: the sheet, its scale, its step (null: everything), the node in the panel.
  let sheet = null, scale = 1, step = null, open = null, opener = null, looked = null;

  // What the page says about the nodes, for the numbers of the leaves.
  const original = (program.leaves ?? []).map(({ data }) => data.map(toNumber));
  let nodes = drawnNodes, leaves = original, arrayOf = null;

  // A picture is prepared when it is first shown.

  function ready(s) {
    s.svg = picture(s, styles, nodes);
    s.view.append(s.svg);
    for (const card of s.cards) {
      card.g = byId(card.id);
      card.box = card.g.getBBox();
      if (program.leaves) measureCard(card);
    }
    for (const frame of s.frames) {
      frame.g = byId(`${frame.id}-folded`);
      frame.open = byId(frame.id);
      frame.outline = frame.open.querySelector("rect");
      frame.heading = frame.open.querySelector("text");
      frame.box = frame.outline.getBBox();
      const { x, width } = frame.g.getBBox();
      frame.width = x + width + 12;
      frame.g.querySelector("rect").setAttribute("width", frame.width);
    }
    for (const edge of s.edges) {
      edge.g = byId(edge.id);
      edge.path = edge.g.querySelector("path");
      edge.tip = edge.g.querySelector("polygon");
      edge.texts = [...edge.g.querySelectorAll("text")];
      edge.d = edge.path.getAttribute("d");
      const line = edge.path.getBBox();
      if (line.width < 2) for (const text of edge.texts) {
        text.setAttribute("text-anchor", "start");
        text.setAttribute("x", line.x + 7);
      }
    }
  }

  // Folding: frames close in place, and the rest moves closer.

  const within = (s, frame, outer) =>
    frame !== null && (frame === outer || within(s, s.frames[frame].parent, outer));

  /** The outermost folded frame around a frame, null where all are open. */
  const closed = (s, frame) => frame === null ? null
    : closed(s, s.frames[frame].parent) ?? (s.folded.has(frame) ? frame : null);

  /** The visible item for a card: the card, or the frame that it is folded into. */
  const item = (s, k) => s.frames[closed(s, s.cards[k].frame)] ?? s.cards[k];

  function fold(k) {
    if (!sheet.folded.delete(k)) sheet.folded.add(k);
    arrange(sheet);
    fitReadable();
    if (step !== null) step = Math.min(step, steps(sheet).length);
    render();
    const { g, open: frame } = sheet.frames[k];
    (sheet.folded.has(k) ? g : frame).focus();
  }

  const shift = (g, x, y) => g.setAttribute("transform", `translate(${x} ${y})`);

  function arrange(s) {
    const shut = s.frames.filter((_, k) => closed(s, k) === k);
    const cards = s.cards.filter(({ frame }) => closed(s, frame) === null);
    const rigid = [...cards, ...s.frames.filter((_, k) => closed(s, k) === null &&
      !shut.some((frame) => within(s, s.frames.indexOf(frame), k)))];
    const along = (from, length, size) => squeeze(
      shut.map((f) => [f.box[from], f.box[from] + f.box[length], size(f) / f.box[length]]),
      rigid.map(({ box }) => [box[from], box[from] + box[length]]));
    const fx = along("x", "width", ({ width }) => width), fy = along("y", "height", () => 56);
    const moved = (g, x, y) => shift(g, fx(x) - x, fy(y) - y);
    const mapped = (d) => d.replace(/(-?[\d.]+)[, ](-?[\d.]+)/g,
      (_, x, y) => `${fx(Number(x)).toFixed(2)},${fy(Number(y)).toFixed(2)}`);
    for (const card of s.cards) {
      const { g, box: { x, y, width, height } } = card;
      g.toggleAttribute("hidden", !cards.includes(card));
      moved(g, x, y);
      card.now = { x: fx(x), y: fy(y), width, height };
    }
    s.frames.forEach((frame, k) => {
      const { x, y, width, height } = frame.box, beside = s.cards[frame.at].box;
      frame.open.toggleAttribute("hidden", closed(s, k) !== null);
      frame.g.toggleAttribute("hidden", !shut.includes(frame));
      const outline = { x: fx(x), y: fy(y), width: fx(x + width) - fx(x),
        height: fy(y + height) - fy(y) };
      for (const [side, length] of Object.entries(outline)) frame.outline.setAttribute(side, length);
      moved(frame.heading, x, y);
      frame.now = { x: (fx(x) + fx(x + width) - frame.width) / 2,
        y: fy(beside.y + beside.height / 2) - 28, width: frame.width, height: 56 };
      shift(frame.g, frame.now.x, frame.now.y);
    });
    const known = new Set();
    for (const edge of s.edges) {
      const a = item(s, edge.tail), b = item(s, edge.head), key = `${a.id} ${b.id}`;
      const straight = a === s.cards[edge.tail] && b === s.cards[edge.head];
      edge.g.toggleAttribute("hidden", a === b || (!straight && known.has(key)));
      for (const text of edge.texts) {
        text.toggleAttribute("hidden", !straight);
        moved(text, Number(text.getAttribute("x")), Number(text.getAttribute("y")));
      }
      if (straight) {
        const { x, y } = edge.tip.points[0];
        edge.path.setAttribute("d", mapped(edge.d));
        moved(edge.tip, x, y);
      } else {
        known.add(key);
        join(edge, a.now, b.now);
      }
    }
    const { x, y, width, height } = s.svg.getBBox();
    s.box = { width: width + 32, height: height + 32 };
    s.svg.setAttribute("viewBox", `${x - 16} ${y - 16} ${s.box.width} ${s.box.height}`);
  }

  /** Draw an arrow to or from a folded frame, horizontally or vertically. */
  function join(edge, p, q) {
    const beside = p.x + p.width + 8 > q.x, down = p.y < q.y;
    const middle = (box) => [box.x + box.width / 2, box.y + box.height / 2];
    const [x1, y1] = beside ? [middle(p)[0], p.y + down * p.height] : [p.x + p.width, middle(p)[1]];
    const [x2, y2] = beside ? [middle(q)[0], q.y + !down * q.height] : [q.x, middle(q)[1]];
    const bend = beside ? `${x1},${(y1 + y2) / 2} ${x2},${(y1 + y2) / 2}`
      : `${(x1 + x2) / 2},${y1} ${(x1 + x2) / 2},${y2}`;
    edge.path.setAttribute("d", `M${x1},${y1} C${bend} ${x2},${y2}`);
    // Turn the tip and move its point to the end.
    const [left, point, right] = edge.tip.points;
    const drawn = Math.atan2(2 * point.y - left.y - right.y, 2 * point.x - left.x - right.x);
    const turn = (beside ? (down ? 90 : -90) : 0) - drawn * 180 / Math.PI;
    edge.tip.setAttribute("transform",
      `translate(${x2} ${y2}) rotate(${turn}) translate(${-point.x} ${-point.y})`);
  }

  // Zoom and fit; the browser scrolls.

  function size(to) {
    scale = Math.max(0.02, Math.min(8, to));
    sheet.touched = true;
    sheet.svg.setAttribute("width", sheet.box.width * scale);
    sheet.svg.setAttribute("height", sheet.box.height * scale);
  }

  /** Show the whole picture, enlarged at most 1.45 times. */
  function fit() {
    const { clientWidth, clientHeight } = sheet.view;
    const scales = [clientWidth / sheet.box.width, clientHeight / sheet.box.height];
    size(Math.min(1.45, ...scales));
    return Math.min(1, Math.max(...scales));
  }

  /** Show the whole picture if that is readable, else fit one direction and scroll the other. */
  function fitReadable() {
    const wide = fit();
    if (scale < READABLE) size(wide);
    sheet.touched = false;
  }

  /** Zoom about a point of the window, or about its middle. */
  function zoom(factor, at) {
    const view = sheet.view.getBoundingClientRect(), old = sheet.svg.getBoundingClientRect();
    const { clientX: x, clientY: y } = at ??
      { clientX: view.x + view.width / 2, clientY: view.y + view.height / 2 };
    size(scale * factor);
    const now = sheet.svg.getBoundingClientRect();
    sheet.view.scrollBy(now.x + (x - old.x) / old.width * now.width - x,
      now.y + (y - old.y) / old.height * now.height - y);
  }

  let dragged = 0;
  const main = document.querySelector("main");
  main.addEventListener("wheel", (event) => {
    if (!event.ctrlKey || !sheet.view.contains(event.target)) return;
    event.preventDefault();
    zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 250), event);
  }, { passive: false });
  main.addEventListener("pointerdown", () => { dragged = 0; });
  main.addEventListener("pointermove", ({ pointerType, buttons, target, movementX, movementY }) => {
    if (pointerType !== "mouse" || buttons !== 1 || !sheet.view.contains(target)) return;
    dragged += Math.hypot(movementX, movementY);
    sheet.view.scrollBy(-movementX, -movementY);
  });

  // Hover and focus: what a card depends on, and what depends on it.

  function look({ target }) {
    const s = sheet, g = target.closest(".node");
    if (g === looked) return;
    looked = g;
    // A folded frame stands for all its cards.
    const starts = s.cards.flatMap((_, k) => (item(s, k).g === g ? [k] : []));
    const pairs = s.edges.map(({ tail, head }) => [tail, head]);
    const feeds = reach(starts, pairs), from = reach(starts, pairs.map(([a, b]) => [b, a]));
    s.svg.classList.toggle("looking", g !== null);
    for (const { g: other } of [...s.cards, ...s.frames]) other.classList.remove("seen");
    for (const k of [...feeds, ...from]) item(s, k).g.classList.add("seen");
    for (const edge of s.edges) {
      edge.g.classList.toggle("from", from.has(edge.tail) && from.has(edge.head));
      edge.g.classList.toggle("feeds", feeds.has(edge.tail) && feeds.has(edge.head));
    }
  }
  for (const event of ["pointerover", "focusin"]) main.addEventListener(event, look);
  for (const event of ["pointerleave", "focusout"]) {
    main.addEventListener(event, () => look({ target: main }));
  }

  // Steps: forward, then backward, one operation at a time.

  /** The steps of the visible items: [item, direction, sentence]; a folded frame has one. */
  function steps(s) {
    const order = new Map();
    for (const [k, direction] of s.steps) {
      const it = item(s, k), key = `${it.id} ${direction}`;
      order.delete(key);
      order.set(key, [it, direction]);
    }
    return [...order.values()];
  }

  /** A step in words. */
  function sentence({ node, title, contents }, direction) {
    const { forward, backward } = title === undefined ? nodes[node] : {
      forward: `${title}, ${contents}`, backward: `the gradient passes through ${title}` };
    return direction ? `backward: ${backward}` : `forward: ${forward}`;
  }

  function render() {
    const s = sheet, order = steps(s), all = step === null;
    const done = [new Set(), new Set()], moving = new Set();
    order.forEach(([it, direction], k) => {
      if (all || k < step) done[direction].add(it);
      if (direction === 0) moving.add(it);
    });
    const [current, direction] = (!all && order[step - 1]) || [];
    for (const it of [...s.cards, ...s.frames]) {
      it.g.classList.toggle("pending", moving.has(it) && !done[0].has(it));
      it.g.classList.toggle("ungraded", !done[1].has(it));
      it.g.classList.toggle("now", it === current);
    }
    for (const edge of s.edges) {
      const a = item(s, edge.tail), b = item(s, edge.head);
      edge.g.classList.toggle("now", current !== undefined && (direction ? a : b) === current);
      edge.g.classList.toggle("behind", direction === 1);
      edge.g.classList.toggle("quiet", !done[1].has(a));
    }
    byId("count").textContent = all ? `${order.length} steps` : `${step}/${order.length}`;
    const edited = root.dataset.edited;
    byId("caption").textContent = all ? (edited ? `with other numbers of ${edited}` : hello)
      : current ? sentence(current, direction) : "before the first step: only the leaves have values";
    byId("back").disabled = step === 0;
    byId("step").disabled = step === order.length;
    byId("all").setAttribute("aria-pressed", String(all));
    if (current) {
      if (scale < READABLE) size(1);
      current.g.scrollIntoView(NEAREST);
    }
    remember();
  }

  function walk(to) {
    step = Math.max(0, Math.min(steps(sheet).length, to));
    render();
  }

  // From sheet to sheet.

  function place(k) {
    for (const s of sheets) s.holder.hidden = s !== sheets[k];
    sheet = sheets[k];
    if (!sheet.svg) ready(sheet);
    refresh();
    arrange(sheet);
  }

  function visit(k) {
    place(k);
    step = null;
    fitReadable();
    render();
  }

  const depth = (frame) => frame === null ? 0 : 1 + depth(sheet.frames[frame].parent);

  /** Open the whole graph, folded as little as the window needs, or else its overview. */
  function enter() {
    const overview = sheets[0].up ?? 0;
    for (const k of fits ? new Set([0, overview]) : []) {
      place(k);
      const depths = sheet.frames.map((_, f) => depth(f));
      for (let open = Math.max(0, ...depths); open >= 0; open--) {
        sheet.folded = new Set(depths.keys().filter((f) => depths[f] > open));
        arrange(sheet);
        fit();
        if (scale >= READABLE) return visit(k);
      }
      if (k !== overview) sheet.folded.clear();
    }
    return visit(fits ? overview : 0);
  }

  // The panel: the array, the formula and the derivation of a node.

  function show(node) {
    byId("details").replaceChildren(...details(nodes[node], operations, edits(Number(node))));
    panel.ariaLabel = panel.querySelector("h2").textContent;
    for (const figure of panel.querySelectorAll("figure")) readable(figure);
    if (open === null) opener = document.activeElement;
    open = node;
    panel.hidden = false;
    panel.scrollTop = 0;
    panel.focus({ preventScroll: true });
    if (!sheet.touched) fitReadable();
    sheet.svg.querySelector(`[data-node="${node}"]`)?.scrollIntoView(NEAREST);
    remember();
  }

  // Editing: the numbers of a leaf, from which all others follow.

  /** The inputs in the panel of a leaf. */
  function edits(node) {
    if (nodes[node].op) return [];
    const k = original.length ? program.leaves.findIndex((leaf) => leaf.node === node) : -1;
    if (k < 0) return editor("", { fixed: program.reason });
    return editor(nodes[node].name, program.leaves[k], program.shapes[node], leaves[k],
      (numbers, focus) => {
        answerWith(leaves.with(k, numbers));
        panel.querySelectorAll("input")[focus]?.focus();
      });
  }

  /** Compute everything for other numbers of the leaves. */
  function answerWith(given) {
    const fresh = answered(program, given);
    const changed = program.leaves.filter((_, k) => given[k].some((x, j) => x !== original[k][j] &&
      !Number.isNaN(x)));
    // The formulas of a derivation may contain the numbers of an array without a name.
    const hides = changed.some(({ named }) => !named);
    nodes = Object.fromEntries(Object.entries(drawnNodes).map(([k, node]) => {
      const now = restated(node, Number(k), program, fresh);
      return [k, hides ? { ...now, derivation: [] } : now];
    }));
    [leaves, arrayOf] = [given, fresh];
    byId("reset").hidden = !changed.length;
    const names = new Set(changed.map(({ node }) => nodes[node].name));
    root.dataset.edited = [...names].join(", ");
    refresh();
    arrange(sheet);
    if (open !== null) show(open);
    render();
  }

  /** Bring the picture up to date. */
  function refresh() {
    if (sheet.shows === arrayOf) return;
    sheet.shows = arrayOf;
    for (const card of sheet.cards) {
      if (card.title === undefined) restateCard(card, nodes[card.node]);
      // The marks of a fold count those of nodes that the page need not know.
      else for (const { parts } of card.marks) {
        for (const part of parts) part.toggleAttribute("hidden", root.dataset.edited !== "");
      }
    }
    for (const edge of sheet.edges) if (edge.label.length) restateLabel(edge, arrayOf);
  }

  function hide() {
    panel.hidden = true;
    open = null;
    opener?.focus();
    if (!sheet.touched) fitReadable();
    remember();
  }

  /** Show the number under the pointer of a heat map. */
  function readable(figure) {
    const [image, readout, numbers] = ["img", ".readout", "pre"].map((x) => figure.querySelector(x));
    const rows = numbers.textContent.split("\n").map((row) => row.trim().split(/ +/));
    image.addEventListener("pointermove", ({ offsetX, offsetY }) => {
      const i = Math.floor((offsetY / image.clientHeight) * rows.length);
      const j = Math.floor((offsetX / image.clientWidth) * rows[0].length);
      if (rows[i]?.[j]) readout.textContent = `[${i}, ${j}] = ${rows[i][j]}`;
    });
  }

  // The address stores what is shown, so that a link can open a step.

  function remember() {
    const folded = sheet.frames.length ? [...sheet.folded].join(".") : "";
    const state = { sheet: sheets.indexOf(sheet) || "", step: step ?? "", node: open ?? "", folded };
    const text = Object.entries(state).filter(([, value]) => value !== "")
      .map(([key, value]) => `${key}=${value}`).join("&");
    try { history.replaceState(null, "", `#${text}`); } catch { /* a frame without an address */ }
  }

  function recall() {
    const state = new URLSearchParams(location.hash.slice(1));
    const k = Number(state.get("sheet")) in sheets ? Number(state.get("sheet")) : 0;
    const told = ["sheet", "step", "node", "folded"].some((key) => state.has(key));
    if (state.has("theme")) root.dataset.theme = state.get("theme");
    const shut = state.get("folded")?.match(/\d+/g)?.map(Number) ?? sheets[k].shut;
    sheets[k].folded = new Set(shut.filter((f) => f in sheets[k].frames));
    if (told) visit(k); else enter();
    if (state.has("step")) walk(Math.trunc(Number(state.get("step"))) || 0);
    if (nodes[state.get("node")]) show(state.get("node"));
  }

  const actions = {
    back: () => walk((step ?? steps(sheet).length + 1) - 1),
    step: () => walk((step ?? 0) + 1),
    all: () => { step = null; render(); },
    fit, in: () => zoom(1.25), out: () => zoom(0.8), close: hide,
    reset: () => answerWith(original),
    theme: () => {
      const dark = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
      root.dataset.theme = (root.dataset.theme ?? dark) === "dark" ? "light" : "dark";
    },
  };

  /** What a click on a button, a card or a frame's title does. */
  function act({ id, dataset }) {
    if (dataset.sheet) visit(Number(dataset.sheet));
    else if (dataset.frame) fold(Number(dataset.frame));
    else if (dataset.node) show(dataset.node);
    else actions[id]?.();
  }

  const keys = { ArrowLeft: "back", ArrowRight: "step", a: "all", f: "fit", 0: "fit", "+": "in",
    "=": "in", "-": "out", d: "theme" };
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("button, [role=button]");
    if (button && (dragged < 4 || button.tagName === "BUTTON")) act(button);
  });
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("pre")) return;
    if (target.closest("input") && key !== "Escape") return;
    const pressed = (key === "Enter" || key === " ") && target.closest("g[role=button]");
    if (key === "Escape" && open !== null) hide();
    else if (key === "Escape" && sheet.up !== null) visit(sheet.up);
    else if (key === "Home") walk(0);
    else if (key === "End") walk(Infinity);
    else if (pressed) act(pressed);
    else if (keys[key]) actions[keys[key]]();
    else return;
    event.preventDefault();
  });
  window.addEventListener("hashchange", recall);
  window.addEventListener("resize", () => sheet.touched || fitReadable());

  sheets.forEach((s, k) => {
    s.holder = byId(`s${k}`);
    s.view = s.holder.querySelector(".view");
    s.shut = s.folded;
    s.shows = null;
    s.folded = new Set(s.shut);
  });
  recall();
}

const toNumber = (x) => Number(typeof x === "string" ? x.replace("inf", "Infinity") : x);

start();

"use strict";

/** An SVG element. */
function svg(tag, attributes = {}, children = []) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** A list of numbers, each relative to the one two places before, in whole numbers. */
const summed = (steps) => steps.reduce((all, x, k) => [...all, k < 2 ? x : all[k - 2] + x], []);

/** The rectangles, lines and texts of a card or a frame; lengths are in tenths of a point. */
function drawn(styles, items) {
  const [, left, top] = items[0];
  return items.map(([style, dx, dy, wide, high], k) => {
    const [tag, look] = styles[style];
    const x = (dx + (k ? left : 0)) / 10, y = (dy + (k ? top : 0)) / 10;
    if (tag === "text") return svg(tag, { x, y, ...look }, [wide]);
    if (tag === "path") return svg(tag, { d: `M${x},${y} ${x + wide / 10},${y}`, ...look });
    return svg(tag, { x, y, width: wide / 10, height: high / 10, ...look });
  });
}

/** The curve, the tip and the texts of an arrow. */
function arrow(styles, curve, [x, y, dx, dy], texts) {
  const places = summed(curve).map((z) => z / 10).join(" ").replace(/(\S+) (\S+)/g, "$1,$2");
  const line = { fill: "none", stroke: "var(--arrow)", "stroke-width": 1.3 };
  // Graphviz draws the base of a tip 0.7 times as wide as the tip is long.
  const points = [[x + 0.35 * dy, y - 0.35 * dx], [x + dx, y + dy], [x - 0.35 * dy, y + 0.35 * dx]];
  return [
    svg("path", { ...line, d: places.replace(" ", " C").replace(/^/, "M") }),
    svg("polygon", { ...line, fill: "var(--arrow)",
      points: points.map((point) => point.map((z) => z / 10).join(",")).join(" ") }),
    ...texts.flatMap((text) => drawn(styles, [text])),
  ];
}

const button = (label) => ({ tabindex: 0, role: "button", "aria-label": label });

/** What a click on a card does, and how a screen reader calls it. */
function purpose({ node, title, contents, opens }, nodes) {
  if (title === undefined) return { "data-node": node, ...button(described(nodes[node])) };
  const label = `${title}, ${contents}`;
  return opens === null ? { ...button(label), role: "img" }
    : { "data-sheet": opens, ...button(`${label}, opens`) };
}

const toggle = (k, open, label) => ({ "data-frame": k, "aria-expanded": open, ...button(label) });

/** The picture of a sheet, with a small card for each frame in place of what it folds. */
function picture(s, styles, nodes) {
  const part = (kind, id, more, children) => svg("g", { id, class: kind, ...more }, children);
  const folded = s.frames.map(({ id, title, contents }, k) => part("node", `${id}-folded`,
    toggle(k, false, `${title}, ${contents}, unfold`), [
      svg("rect", { rx: 12, height: 56, fill: "var(--folded)", stroke: "var(--result-line)" }),
      svg("text", { x: 12, y: 23, "font-size": 14, "font-weight": "bold", fill: "var(--ink)" },
        [`▸ ${title}`]),
      svg("text", { x: 12, y: 42, "font-size": 11, fill: "var(--grey)" }, [contents]),
    ]));
  return svg("svg", { role: "group", "aria-label": s.label }, [svg("g", {}, [
    ...s.frames.map(({ id, title, items }, k) =>
      part("cluster", id, toggle(k, true, `${title}, fold`), drawn(styles, items))),
    ...s.cards.map((card) => part("node", card.id, purpose(card, nodes), drawn(styles, card.items))),
    ...s.edges.map(({ id, curve, tip, items }) =>
      part("edge", id, {}, arrow(styles, curve, tip, items))),
    ...folded,
  ])]);
}

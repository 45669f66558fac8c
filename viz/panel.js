/** An HTML element with attributes; nothing for no text. */
function html(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...[text].flat());
  return text === "" || text === undefined ? [] : [element];
}

/** The description of a node for a screen reader. */
const described = ({ name, role, op, text, marks = [] }) => [name, role, op, text,
  ...marks.map((mark) => mark.slice(2))].filter(Boolean).join(", ");

/** The rows of numbers, right-aligned in columns. */
function aligned(numbers) {
  const width = Math.max(...numbers.split(/\s/).map(({ length }) => length));
  return numbers.replace(/\S+/g, (text) => text.padStart(width));
}

/** An array: its range, its heat map, its numbers. */
function array(shown, what) {
  if (typeof shown === "string") return array({ numbers: shown }, what);
  const { about, numbers, folded, heat, height, scale } = shown;
  if (!numbers) return html("p", about);
  const pre = html("pre", aligned(numbers), { class: "numbers", tabindex: 0, role: "region",
    "aria-label": `numbers of the ${what}` });
  const under = folded ? html("details", [...html("summary", "numbers"), ...pre]) : pre;
  if (!heat) return [...html("p", about), ...under];
  return [...html("p", about), ...html("figure", [
    ...html("img", [], { alt: `heat map of the ${what}`, height,
      src: `data:image/png;base64,${heat}` }),
    ...html("p", [`−${scale}`, document.createElement("i"), scale], { class: "scale" }),
    ...html("p", [], { class: "readout" }), ...under])];
}

/** The array, the formula and the derivation of a node. */
function details(node, operations, edits) {
  const { op, badge, forward, constant, of, backward, parts = [], derivation = [] } = node;
  const formula = (text) => html("p", text, { class: "formula" });
  const [rule, gradient] = operations[op] ?? [];
  const steps = document.createElement("div");
  steps.innerHTML = derivation.join("\n");
  return [
    ...html("h2", node.name),
    ...html("p", [node.role, node.shape, node.dtype, node.place].filter(Boolean).join(" · ")),
    ...(node.marks ?? []).flatMap((mark) => html("span", mark, { class: "mark" })),
    ...(op ? [...html("h3", `operation ${badge}  ${op}`), ...formula(rule)] : []),
    ...(op && gradient && !constant ? [
      ...html("h3", "its gradient rule; g is the gradient of its result"),
      ...formula(gradient)] : []),
    ...(op ? [...html("h3", "forward"), ...html("p", forward)] : []),
    ...html("h3", "value"), ...array(node.value, "value"), ...edits,
    ...(of ? [...html("h3", `grad  ${of}`, { class: "grad" }),
      ...html("p", backward, { class: "grad" }), ...parts.flatMap((part) => html("p", part)),
      ...array(node.gradient, "gradient")] : []),
    ...(derivation.length ? [...html("h3", "derivation"), steps] : []),
  ];
}

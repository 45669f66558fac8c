"""Editing on a page, and everything that a page says."""

SAYS = """() => {
  const seen = (text) => text.getClientRects().length > 0 && text.textContent.trim();
  const sheet = document.querySelector(".sheet:not([hidden])"), found = {};
  const mark = (text) => text.matches('[font-weight="bold"][font-size="11"]');
  for (const g of sheet.querySelectorAll(".node[data-node]")) {
    const texts = [...g.querySelectorAll("text")].filter(seen);
    found[g.id] = [g.getAttribute("aria-label"),
      ...texts.filter((t) => !mark(t)).map((t) => t.textContent.trim()),
      ...texts.filter(mark).map((t) => t.textContent).sort()];
  }
  for (const g of sheet.querySelectorAll(".edge")) {
    found[g.id] = [...g.querySelectorAll("text")].map((t) => t.textContent).filter(Boolean);
  }
  const click = (element) => element.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  const step = document.querySelector("#step"), captions = [];
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true }));
  while (!step.disabled) {
    click(step);
    captions.push(document.querySelector("#caption").textContent);
  }
  found.captions = captions;
  click(document.querySelector("#all"));
  for (const g of sheet.querySelectorAll(".node[data-node]")) {
    click(g);
    const parts = [...document.querySelectorAll("#details :is(h2, h3, p, pre, .mark)")];
    found[`panel ${g.dataset.node}`] = parts.map((x) => x.textContent)
      .filter((text) => text !== "derivation");
  }
  click(document.querySelector("#close"));
  return found;
}"""
"""All texts of the whole graph: on cards, arrows, in steps and in panels."""

EDIT = """([node, texts]) => {
  const click = (element) => element.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  click(document.querySelector(`.sheet:not([hidden]) [data-node="${node}"]`));
  const inputs = [...document.querySelectorAll("#details input")];
  if (inputs.length !== texts.length) return `${inputs.length} inputs`;
  inputs.forEach((input, k) => { input.value = texts[k]; });
  inputs[0].dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  return document.querySelector("#details [role=alert]").textContent;
}"""
"""Type the numbers of a leaf and press Enter; returns what the page says against them."""


def differences(one, other):
    """What two pages say differently."""
    assert one.keys() == other.keys()
    return {key: (one[key], other[key]) for key in one if one[key] != other[key]}

"""The page of `autograd-lite play`: how tests open it, set its controls and read its weights."""

import json
import re
from functools import cache

import numpy as np

from autograd_lite.play.page import page
from autograd_lite.play.tables import generated


def data(text):
    """What the page's script reads."""
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', text, re.DOTALL)[1])


@cache
def text():
    """The page with the generated tables."""
    return page(generated())


SET = """(given) => {
  const fields = document.getElementById("controls").elements;
  for (const [name, value] of Object.entries(given)) {
    if (name === "activation") fields[name].selectedIndex = value;
    else fields[name].value = value;
    fields[name].dispatchEvent(new Event("change", { bubbles: true }));
  }
}"""


def choose(tab, units=None, **given):
    """Set the controls."""
    if units is not None:
        given |= {"depth": str(len(units))}
        given |= {f"units{k}": str(n) for k, n in enumerate(units, 1)}
    tab.evaluate(SET, given)


WEIGHTS = """(run) => Object.fromEntries(Object.entries(run.weights).map(([name, w]) =>
  [name, typeof w === "number" ? w : [...w]]))"""


def weights(tab):
    """The weights of the run on the page."""
    return tab.evaluate(f"({WEIGHTS})(playground.run)")


def shaped(θ, units):
    inputs = [2, *units]
    sizes = {f"W{k}": (n, inputs[k - 1]) for k, n in enumerate(units, 1)}
    return {
        name: np.reshape(w, sizes[name]) if name[0] == "W" else np.array(w) for name, w in θ.items()
    }

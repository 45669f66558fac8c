"""The page of `autograd-lite play`: a step and its drawing, in headless Chromium.

`python -m benchmarks.play` prints the median for a network with two hidden layers of 16 units on
200 points. A page that moves has 16 ms for a picture.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from autograd_lite.models.perceptron import ACTIVATIONS
from autograd_lite.play.page import page
from autograd_lite.play.tables import generated

PICTURES = 200

MEASURE = """async ([activation, pictures]) => {
  const fields = document.getElementById("controls").elements;
  fields.depth.value = "2";
  fields.units1.value = fields.units2.value = "16";
  fields.activation.selectedIndex = activation;
  fields.depth.dispatchEvent(new Event("change", { bubbles: true }));
  const times = [];
  for (let k = 0; k < pictures; k++) {
    await new Promise(requestAnimationFrame);
    const start = performance.now();
    playground.run.step();
    const stepped = performance.now();
    playground.draw();
    document.body.offsetHeight; // lay out what has changed
    times.push([stepped - start, performance.now() - start]);
  }
  const median = (of) => of.sort((a, b) => a - b)[of.length >> 1];
  return [0, 1].map((j) => median(times.map((pair) => pair[j])));
}"""


def milliseconds(tab: Any, activation: str, pictures: int = PICTURES) -> tuple[float, float]:
    """The medians of a step, and of a step and its drawing, on a page that is open."""
    step, both = tab.evaluate(MEASURE, [list(ACTIVATIONS).index(activation), pictures])
    return step, both


def main() -> None:
    """Print the medians for each activation."""
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as folder, sync_playwright() as driver:
        path = Path(folder) / "play.html"
        path.write_text(page(generated()), encoding="utf-8")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1250, "height": 700})
        tab.goto(path.as_uri())
        print("| activation | step, ms | step and drawing, ms |\n|---|---:|---:|")
        for activation in ACTIVATIONS:
            step, both = milliseconds(tab, activation)
            print(f"| {activation} | {step:.2f} | {both:.1f} |")
        browser.close()


if __name__ == "__main__":
    main()

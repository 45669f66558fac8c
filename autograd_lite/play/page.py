"""The page: a network to train in the browser, in one self-contained HTML file."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import Template

from autograd_lite import viz
from autograd_lite.play.programs import DEPTHS, formulas, programs
from autograd_lite.play.tables import Points
from autograd_lite.viz.page import embedded, hashed

__all__ = ["page"]

SCRIPTS = ("cards.js", "drawing.js", "training.js", "play.js")
"""The parts of the script, in the order of their use."""


def page(tables: Sequence[Points]) -> str:
    """The file; the first table is chosen at first.

    Raises:
        ImportError: if SymPy is not installed, which derives the formulas.
    """
    folder = Path(__file__).parent
    colors = (Path(viz.__file__).parent / "page.css").read_text(encoding="utf-8")
    style = colors + (folder / "page.css").read_text(encoding="utf-8")
    script = (
        '"use strict";\n'
        + _computed()
        + "".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)
    )
    # Nothing is fetched, and only this script and this style are allowed.
    policy = (
        f"default-src 'none'; img-src data:; script-src {hashed(script)}; "
        f"style-src {hashed(style)}; base-uri 'none'; form-action 'none'"
    )
    data = {"tables": [table.as_json() for table in tables], "formulas": formulas()}
    frame = (folder / "page.html").read_text(encoding="utf-8")
    return Template(frame).substitute(
        title=html.escape("Train a network"),
        policy=policy,
        style=style,
        script=script,
        data=embedded(data),
    )


@cache
def _computed() -> str:
    """The generated programs, by the number of hidden layers."""
    pairs = ", ".join(f"{{ step: step{k}, predict: predict{k} }}" for k in DEPTHS)
    return f"{programs()}\nconst PROGRAMS = [{pairs}];\n"

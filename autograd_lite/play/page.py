"""The page: a network to train in the browser, in one self-contained HTML file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from string import Template

from autograd_lite import viz
from autograd_lite.derivation.style import STYLE
from autograd_lite.models.perceptron import ACTIVATIONS
from autograd_lite.play.programs import DEPTHS, formulas, programs
from autograd_lite.play.tables import Points
from autograd_lite.viz.marks import EXPLODING, VANISHING
from autograd_lite.web_page import embedded, policy

__all__ = ["page"]

FOLDER = Path(__file__).parent

SCRIPTS = ("cards.js", "drawing.js", "training.js", "play.js")
"""The parts of the script, in the order of their use."""


def page(tables: Sequence[Points]) -> str:
    """The file; the first table is chosen at first.

    Raises:
        ImportError: if SymPy is not installed, which derives the formulas.
    """
    style = _read(Path(viz.__file__).parent, "page.css") + STYLE + _read(FOLDER, "page.css")
    script = f'"use strict";\n{_computed()}{_read(FOLDER, *SCRIPTS)}'
    data = {"tables": [table.as_json() for table in tables], "formulas": formulas()}
    return Template(_read(FOLDER, "page.html")).substitute(
        policy=policy(style, script), style=style, script=script, data=embedded(data)
    )


def _read(folder: Path, *names: str) -> str:
    """Some files one after the other, without their indentation."""
    texts = ((folder / name).read_text(encoding="utf-8") for name in names)
    return re.sub(r"^ +", "", "".join(texts), flags=re.MULTILINE)


def _computed() -> str:
    """The generated programs, by the number of hidden layers, and what else Python knows."""
    pairs = ", ".join(f"{{ step: step{k}, predict: predict{k} }}" for k in DEPTHS)
    signs = [sign for sign, _ in ACTIVATIONS.values()]
    return (
        f"{programs()}\nconst PROGRAMS = [{pairs}], ACTIVATIONS = {json.dumps(signs)};\n"
        f"const VANISHING = {VANISHING}, EXPLODING = {EXPLODING};\n"
    )

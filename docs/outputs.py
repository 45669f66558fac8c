"""Pages whose programs are run: the ```text or ```math block after a program is its output."""

from __future__ import annotations

import re
from pathlib import Path

import notebook

ROOT = Path(__file__).parent.parent

PAGES = ["README.md", *(f"docs/derivations/{name}.md" for name in (
    "logistic-regression", "mlp", "newton", "student"
))]  # fmt: skip

PROGRAM = re.compile(
    r"(?P<program>^```python\n.*?^```\n)(?:\n```(?P<kind>text|math)\n.*?^```\n)?",
    re.MULTILINE | re.DOTALL,
)


def page(name: str) -> str:
    """The page with the output that its programs print now."""
    text = (ROOT / name).read_text(encoding="utf-8")
    printed = (output for cell, output, _ in notebook.run(text, name) if cell.code)

    def shown(match: re.Match[str]) -> str:
        output = next(printed).rstrip()
        block = f"\n```{match['kind'] or 'text'}\n{output}\n```\n"
        return match["program"] + (block if output else "")

    return PROGRAM.sub(shown, text)

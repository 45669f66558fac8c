"""The page of hard cases, made from the tests in tests/attacks."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

HEAD = """\
# Hard cases

Each row is a test in `tests/attacks/`. The column *here* is what the test asserts. The column
*peers* was measured with PyTorch 2.13, JAX 0.10, HIPS autograd 1.9, MyGrad 2.5 and micrograd 0.1;
the entry for tinygrad is from its issue. A library that is not listed was not tested or has no such
feature.
"""


def page() -> str:
    """The page as Markdown."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
    try:
        for path in sorted((ROOT / "tests" / "attacks").glob("test_*.py")):
            importlib.import_module(f"attacks.{path.stem}")
        attacks = importlib.import_module("attacks.attack").ATTACKS.values()
    finally:
        del sys.path[:2]
    lines = [HEAD]
    for subject in sorted({attack.subject for attack in attacks}):
        lines += [f"## {subject.capitalize()}\n", "| case | here | peers |", "|---|---|---|"]
        for attack in attacks:
            if attack.subject == subject:
                peers = "; ".join(f"{peer}: {does}" for peer, does in attack.peers.items())
                cells = (attack.title, attack.right, peers)
                lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)

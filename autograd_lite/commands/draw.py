"""`autograd-lite draw`: the graph of a small example."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import autograd_lite as ag
from autograd_lite.models.examples import perceptron, student, students
from autograd_lite.viz import draw

EXAMPLES: dict[str, Callable[[], ag.Tensor]] = {
    "student": student,
    "logistic-regression": students,
    "mlp": perceptron,
}


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = "Draw the graph of a small example with every value and gradient."
    parser.set_defaults(run=_run)
    parser.add_argument("example", choices=list(EXAMPLES), help="the example to draw")
    parser.add_argument(
        "--out",
        type=Path,
        default="graph.svg",
        metavar="FILE",
        help="a .svg, .png, .pdf, .html or .dot file (default: %(default)s)",
    )
    parser.add_argument(
        "--gradients", action=argparse.BooleanOptionalAction, default=True, help="show gradients"
    )


def _run(args: argparse.Namespace) -> None:
    path = draw(EXAMPLES[args.example](), gradients=args.gradients).save(args.out)
    print(f"written to {path}")

"""`autograd-lite draw`: the graph of an example, of a function, or of a model."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograd_lite.commands.sources import add_source, explained
from autograd_lite.viz import draw
from autograd_lite.viz.rendering import FORMATS, format_of


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Draw the graph of an example, of a function of yours, or of a trained model, with every "
        "value and gradient."
    )
    parser.set_defaults(run=_run)
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
    add_source(parser)


def _run(args: argparse.Namespace) -> None:
    format_of(args.out, (*FORMATS, "dot", "html"))  # before a model or a table is read
    with explained(args) as result:
        path = draw(result, gradients=args.gradients).save(args.out)
    print(f"written to {path}")

"""`autograd-lite walkthrough`: every number of one training iteration."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograd_lite.commands.output import DEFAULT, write
from autograd_lite.models import walkthrough


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = "Show every number of one training iteration of logistic regression."
    parser.set_defaults(run=_run)
    option = parser.add_argument
    option("--x", type=_numbers, default="3,5", metavar="N,N,…", help=f"the example {DEFAULT}")
    option("--y", type=float, default=1.0, help=f"its label, 0 or 1 {DEFAULT}")
    option("--w", type=_numbers, default="0.1,-0.2", metavar="N,N,…", help=f"weights {DEFAULT}")
    option("--b", type=float, default=0.0, help=f"bias {DEFAULT}")
    option("--learning-rate", type=float, default=0.1, metavar="α", help=f"step size {DEFAULT}")
    option("--out", type=Path, metavar="FILE", help="write Markdown to a file")


def _run(args: argparse.Namespace) -> None:
    write(walkthrough(args.x, args.y, args.w, args.b, args.learning_rate), args.out)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers like 3,5") from None

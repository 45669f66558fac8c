"""`autograd-lite walkthrough`: one training iteration, every number read off the graph."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograd_lite.files import atomic
from autograd_lite.models import walkthrough


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = "One training iteration of logistic regression, read off the graph."
    parser.set_defaults(run=_run)
    option = parser.add_argument
    option("--x", type=_numbers, default="3,5", metavar="N,N,…", help="the example (default: 3,5)")
    option("--y", type=float, default=1.0, help="its label, 0 or 1 (default: 1)")
    option(
        "--w",
        type=_numbers,
        default="0.1,-0.2",
        metavar="N,N,…",
        help="the weights (default: 0.1,-0.2)",
    )
    option("--b", type=float, default=0.0, help="the bias (default: 0)")
    option(
        "--learning-rate",
        type=float,
        default=0.1,
        metavar="α",
        help="the length of the step (default: 0.1)",
    )
    option("--out", type=Path, metavar="FILE", help="write Markdown into a file")


def _run(args: argparse.Namespace) -> None:
    text = walkthrough(args.x, args.y, args.w, args.b, args.learning_rate)
    if args.out is None:
        print(text, end="")
        return
    with atomic(args.out) as file:
        file.write(text)
    print(f"written to {args.out}")


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers like 3,5") from None

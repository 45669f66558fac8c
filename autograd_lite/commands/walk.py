"""`autograd-lite walkthrough`: every number of one iteration, on one student or of any graph."""

from __future__ import annotations

import argparse
from pathlib import Path

import autograd_lite as ag
from autograd_lite.commands.model_rows import TABLE_OPTIONS
from autograd_lite.commands.output import DEFAULT, write
from autograd_lite.commands.sources import add_source, explained
from autograd_lite.models import walkthrough

_OF_STUDENT = ("--x", "--y", "--w", "--b")

KINDS = (".md", ".html", ".ipynb", ".txt")
"""How the names of files that can be written end."""


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Show every number of one iteration of training: forward, backward, update, and forward "
        "again. Without SOURCE it is that of logistic regression on one student."
    )
    parser.set_defaults(run=_run)
    option = parser.add_argument
    option("--learning-rate", type=float, default=0.1, metavar="α", help=f"step size {DEFAULT}")
    option(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"write to a file ({' '.join(KINDS)}; without SOURCE Markdown)",
    )
    student = parser.add_argument_group("without SOURCE").add_argument
    student("--x", type=_numbers, default="3,5", metavar="N,N,…", help=f"the example {DEFAULT}")
    student("--y", type=float, default=1.0, help=f"its label, 0 or 1 {DEFAULT}")
    student("--w", type=_numbers, default="0.1,-0.2", metavar="N,N,…", help=f"weights {DEFAULT}")
    student("--b", type=float, default=0.0, help=f"bias {DEFAULT}")
    add_source(parser, optional=True)


def _run(args: argparse.Namespace) -> None:
    unused = TABLE_OPTIONS if args.source is None else _OF_STUDENT
    if given := [option for option in args.given if option in unused]:
        how = "with a trained model only" if args.source is None else f"without {args.source} only"
        raise ValueError(f"{given[0]} can be used {how}")
    if args.source is None:
        write(walkthrough(args.x, args.y, args.w, args.b, args.learning_rate), args.out)
        return
    if args.out and args.out.suffix.lower() not in KINDS:
        raise ValueError(f"{args.out} must end in {', '.join(KINDS)}")
    with explained(args) as result:
        # A result that cannot be made smaller has no update, unless it is asked for.
        updated = "--learning-rate" in args.given or (result.requires_grad and result.size == 1)
        try:
            walk = ag.walkthrough(result, args.learning_rate if updated else None)
        except (TypeError, ImportError) as error:
            raise ValueError(str(error)) from error
        if args.out is None:
            write(str(walk), None)
        else:
            print(f"written to {walk.save(args.out)}")


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers like 3,5") from None

"""The command line: train models, predict with them, and show what the engine computes."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

import autograd_lite as ag
from autograd_lite.commands import derive, draw, plot, predict, train, walk
from autograd_lite.commands.output import message

COMMANDS = (
    ("train", "train models on a table", train.add),
    ("predict", "predict with a trained model", predict.add),
    ("walkthrough", "show every number of one training iteration", walk.add),
    ("draw", "draw the graph of a small example", draw.add),
    ("derive", "derive a gradient in closed form", derive.add),
    ("plot", "draw an explanatory curve or surface", plot.add),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, or 2 for bad input."""
    args = _parser().parse_args(_joined(sys.argv[1:] if argv is None else argv))
    for stream in (sys.stdout, sys.stderr):
        # On a terminal that cannot show ŷ, print a question mark instead of failing.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        return args.run(args) or 0
    except KeyboardInterrupt:
        message("interrupted")
        return 130
    except OSError as error:
        known = error.filename and error.strerror
        message(f"error: {error.filename}: {error.strerror}" if known else f"error: {error}")
        return 2
    except (ValueError, RuntimeError, ImportError) as error:
        message(f"error: {error}")
        return 2


class _Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="autograd-lite",
        description="Reverse-mode automatic differentiation that shows its work.",
    )
    parser.add_argument("--version", action="version", version=f"autograd_lite {ag.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, help, add in COMMANDS:
        add(commands.add_parser(name, help=help, allow_abbrev=False))
    return parser


def _joined(argv: Sequence[str]) -> list[str]:
    """Join `--w -0.1,0.2` to `--w=-0.1,0.2`; argparse would read the list as an option."""
    joined: list[str] = []
    for argument in argv:
        if re.match(r"-[\d.]", argument) and joined and re.match(r"--[^=]+$", joined[-1]):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined

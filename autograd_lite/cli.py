"""The command line: train models, predict with them, and show what the engine computes."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import takewhile
from typing import Any, NoReturn

import autograd_lite as ag
from autograd_lite.commands import derive, draw, export, play, plot, predict, train, walk
from autograd_lite.commands.output import message
from autograd_lite.interrupts import raise_again

COMMANDS = (
    ("train", "train models on a table", train.add),
    ("predict", "predict with a trained model", predict.add),
    ("export", "write a trained model as ONNX or safetensors", export.add),
    ("walkthrough", "show every number of one training iteration", walk.add),
    ("draw", "draw the graph of an example, a function or a model", draw.add),
    ("derive", "derive a gradient in closed form", derive.add),
    ("plot", "draw a curve or a surface, or what a trained model does", plot.add),
    ("play", "write a page on which a network is trained", play.add),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for bad input, or 130 for Ctrl-C."""
    try:
        raise_again()
        args = _parser().parse_args(_joined(sys.argv[1:] if argv is None else argv))
        for stream in (sys.stdout, sys.stderr):
            # On a terminal that cannot show ŷ, print a question mark instead of failing.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        return args.run(args) or 0
    except KeyboardInterrupt:
        message("interrupted")
        return 130
    except OSError as error:
        known = error.filename and error.strerror
        message(f"error: {error.filename}: {error.strerror}" if known else f"error: {error}")
        return 2
    except (ValueError, RuntimeError, ImportError, MemoryError, OverflowError) as error:
        message(f"error: {error or 'not enough memory'}")
        return 2


class _Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line, and what was meant if the name is close.

    Options of a command may stand before, between and after its other arguments.
    """

    _within = False

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split())
        joint = " See" if line.endswith("?") else "; see"
        self.exit(2, f"{self.prog}: error: {line}{joint} {self.prog} --help\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._within:  # of some versions, `parse_known_intermixed_args` calls this method
            return super().parse_known_args(args, namespace)
        own = iter(args or ())
        if self._subparsers:  # the options of a command are not known yet
            own = takewhile(lambda argument: argument.startswith("-"), own)
        given = []
        for argument in takewhile(lambda argument: argument != "--", own):
            option = re.match(r"--?[^\W\d][\w-]*(?=$|=)", argument)
            if option and option[0] not in self._option_string_actions:
                meant = _meant(option[0], self._option_string_actions)
                self.error(f"there is no option {option[0]}{meant}")
            given += [option[0]] if option else []
        self._within = True
        parse = super().parse_known_args if self._subparsers else self.parse_known_intermixed_args
        found, others = parse(args, namespace)
        found.given = [*given, *getattr(found, "given", ())]  # beside those of a command
        return found, others

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            meant = _meant(str(value), choices) or f"; choose from {', '.join(choices)}"
            raise argparse.ArgumentError(action, f"invalid choice: {value!r}{meant}")


def _meant(name: str, known: Iterable[str]) -> str:
    """The question whether a known name that is close was meant, or "" if none is."""
    close = [other for other in known if other.startswith(name)]
    close += get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close and name else ""


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
        if (
            re.match(r"-([\d.]|(inf|nan)$)", argument)
            and joined
            and re.match(r"--[^=]+$", joined[-1])
        ):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined

"""`autograd-lite plot`: a curve or a surface, or what trained models do, computed and drawn."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograd_lite.commands.model_pictures import MODEL_PICTURES
from autograd_lite.commands.model_rows import TABLE_OPTIONS, add_table
from autograd_lite.commands.output import write
from autograd_lite.commands.pictures import PICTURES
from autograd_lite.commands.table import names
from autograd_lite.viz import style


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Compute and draw a picture; needs matplotlib.\n\n"
        f"{_listed(PICTURES)}\n\nof trained models, with FILE:\n\n{_listed(MODEL_PICTURES)}"
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.set_defaults(run=_run)
    parser.add_argument(
        "name",
        choices=[*dict.fromkeys([*PICTURES, *MODEL_PICTURES])],
        metavar="NAME",
        help="one of the pictures listed above",
    )
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="weights from `train` or `export`"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="a .svg, .png or .pdf file (default: NAME.svg)"
    )
    group = parser.add_argument_group("the rows of a model")
    add_table(group.add_argument)
    group.add_argument(
        "--columns",
        type=names,
        metavar="NAME,NAME",
        help="of `boundary`; the other columns are at their means (default: the two of the model)",
    )


def _listed(pictures: Mapping[str, Any]) -> str:
    width = max(map(len, [*PICTURES, *MODEL_PICTURES]))
    return "\n".join(f"  {name:<{width}}  {p.title}" for name, p in pictures.items())


def _run(args: argparse.Namespace) -> None:
    path = args.out or Path(f"{args.name}.svg")
    format = style.format_of(path)  # an unknown one raises before the models are trained
    _check(args)
    try:
        axes = MODEL_PICTURES[args.name].axes(args) if args.files else PICTURES[args.name].axes()
        picture = style.render(axes, format)
    except ImportError as error:
        raise RuntimeError(str(error)) from None
    write(picture, path)


def _check(args: argparse.Namespace) -> None:
    """Refuse files and options that the picture does not use."""
    if args.files and args.name not in MODEL_PICTURES:
        known = ", ".join(MODEL_PICTURES)
        raise ValueError(f"plot {args.name} shows no trained model; pictures that do: {known}")
    if not args.files and args.name not in PICTURES:
        raise ValueError(f"plot {args.name} needs a trained model: plot {args.name} WEIGHTS")
    unused = [] if args.files and args.name == "boundary" else ["--columns"]
    if not args.files or args.name == "loss-curves":
        unused += TABLE_OPTIONS
    if given := [option for option in args.given if option in unused]:
        without = "" if args.files else " without a trained model"
        raise ValueError(f"plot {args.name} does not use {given[0]}{without}")

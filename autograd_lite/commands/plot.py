"""`autograd-lite plot`: a curve or a surface, computed and drawn."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograd_lite.commands.output import write
from autograd_lite.commands.pictures import PICTURES
from autograd_lite.viz import style


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    width = max(map(len, PICTURES))
    listed = "\n".join(f"  {name:<{width}}  {p.title}" for name, p in PICTURES.items())
    parser.description = f"Compute and draw a picture; needs matplotlib.\n\n{listed}"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.set_defaults(run=_run)
    parser.add_argument(
        "name", choices=list(PICTURES), metavar="NAME", help="one of the pictures listed above"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="a .svg, .png or .pdf file (default: NAME.svg)"
    )


def _run(args: argparse.Namespace) -> None:
    path = args.out or Path(f"{args.name}.svg")
    format = style.format_of(path)  # an unknown one raises before the models are trained
    try:
        picture = style.render(PICTURES[args.name].axes(), format)
    except ImportError as error:
        raise RuntimeError(str(error)) from None
    write(picture, path)

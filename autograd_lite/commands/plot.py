"""`autograd-lite plot`: a curve or a surface, computed and drawn."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograd_lite.commands.pictures import PICTURES
from autograd_lite.files import atomic
from autograd_lite.viz import style


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    width = max(map(len, PICTURES))
    listed = "\n".join(f"  {name:<{width}}  {p.title}" for name, p in PICTURES.items())
    parser.description = f"Compute and draw a picture that explains; needs matplotlib.\n\n{listed}"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.set_defaults(run=_run)
    parser.add_argument("name", choices=list(PICTURES), metavar="NAME", help="one of those above")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=".svg, .png or .pdf (default: NAME.svg)",
    )


def _run(args: argparse.Namespace) -> None:
    path = args.out or Path(f"{args.name}.svg")
    # What cannot be written is said before the models are trained.
    format = style.format_of(path)
    try:
        picture = style.render(PICTURES[args.name].axes(), format)
    except ImportError as error:
        raise RuntimeError(str(error)) from None
    with atomic(path, "wb") as file:
        file.write(picture)
    print(f"written to {path}")

"""`autograd-lite derive`: the gradient of a loss in closed form."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from autograd_lite.commands.output import page, write
from autograd_lite.commands.sources import add_source, explained
from autograd_lite.derivation import derive

KINDS = {".txt": "text", ".md": "markdown", ".tex": "latex", ".html": "html"}
"""The format for each file extension."""


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = "Derive the gradient of a loss in closed form, step by step."
    parser.set_defaults(run=_run)
    option = parser.add_argument
    option("--wrt", metavar="NAME,…", help="what to differentiate with respect to (default: all)")
    option(
        "--expand", action="store_true", help="substitute until only inputs and parameters are left"
    )
    option("--numbers", action="store_true", help="show the values next to the formulas")
    option("--lengths", action="store_true", help="write 1/m for the number of rows")
    option(
        "--format",
        choices=list(KINDS.values()),
        help="output format (default: from the extension of --out, else text)",
    )
    option("--out", type=Path, metavar="FILE", help=f"write to a file ({' '.join(KINDS)})")
    add_source(parser)


def _run(args: argparse.Namespace) -> None:
    extension = args.out.suffix.lower() if args.out else ".txt"
    if args.format is None and extension not in KINDS:
        raise ValueError(f"{args.out} must end in {', '.join(KINDS)}; or use --format")
    wrt = args.wrt.split(",") if args.wrt else None
    with explained(args) as loss:
        try:
            derivation = derive(loss, wrt, args.expand, args.numbers, lengths=args.lengths)
        except (TypeError, ImportError) as error:
            raise ValueError(str(error)) from error
    notations: dict[str, Any] = {
        "text": derivation.text,
        "markdown": derivation.markdown,
        "latex": derivation.latex,
        "html": lambda: page(args.source, derivation._repr_html_()),
    }
    write(notations[args.format or KINDS[extension]](), args.out)

"""`autograd-lite play`: a page on which a network is trained."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograd_lite.commands.output import DEFAULT, message, write
from autograd_lite.commands.table import add_reading, read


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Write a web page on which a network learns two classes in the plane; it needs no server "
        "and no network."
    )
    parser.set_defaults(run=_run)
    option = parser.add_argument
    option("--out", type=Path, default="play.html", metavar="FILE", help=f"the page {DEFAULT}")
    option("--data", metavar="FILE", help="a table of your own, such as a CSV file; - is stdin")
    option("--columns", nargs=2, metavar="NAME", help="its two numeric columns")
    option("--target", metavar="NAME", help="its column with the two classes")
    add_reading(option)


def _run(args: argparse.Namespace) -> None:
    # The compiler takes a while to load, which the other commands need not wait for.
    from autograd_lite.play.page import page
    from autograd_lite.play.tables import generated, of_columns

    tables = generated()
    if args.data is not None:
        if args.columns is None or args.target is None:
            raise ValueError("--data needs --columns with two names, and --target")
        own = of_columns(read(args, args.data), args.columns, args.target)
        if own.total > len(own.y):
            message(f"{len(own.y):,} of {own.total:,} rows are on the page, chosen at random")
        tables.insert(0, own)
    elif args.columns is not None or args.target is not None:
        raise ValueError("--columns and --target need --data")
    write(page(tables), args.out)

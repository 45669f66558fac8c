"""`autograd-lite export`: a trained model as a file for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograd_lite.models import load, save

KINDS = (".onnx", ".safetensors", ".npz")
"""How the names of files that can be written end."""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = (
        "Write a model that `train` saved as another file, whose name says which: .onnx for ONNX "
        "runtimes, .safetensors, which PyTorch reads, or .npz, which NumPy reads. `predict` reads "
        "the last two."
    )
    parser.set_defaults(run=_run)
    option = parser.add_argument
    option("weights", type=Path, metavar="WEIGHTS", help="weights from `train` or `export`")
    option("out", type=Path, metavar="OUT", help=f"the file to write ({' '.join(KINDS)})")


def _run(args: argparse.Namespace) -> None:
    if args.out.suffix.lower() not in KINDS:
        raise ValueError(f"{args.out} must end in {', '.join(KINDS)}")
    if args.out.resolve() == args.weights.resolve():
        raise ValueError(f"{args.out} would overwrite the weights; use another name")
    try:
        save(load(args.weights), args.out)
    except TypeError as error:
        raise ValueError(str(error)) from error
    print(f"written to {args.out}")

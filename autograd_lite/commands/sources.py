"""What `draw`, `walkthrough` and `derive` explain: a word of the command line as a Tensor."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

import autograd_lite as ag
from autograd_lite.commands.model_rows import TABLE_OPTIONS, add_table, model_rows
from autograd_lite.commands.onnx_inputs import onnx_result
from autograd_lite.commands.python_file import result_of
from autograd_lite.models.examples import perceptron, student, students

__all__ = ["EXAMPLES", "WEIGHTS", "add_source", "explained"]

EXAMPLES: dict[str, Callable[[], ag.Tensor]] = {
    "student": student,
    "logistic-regression": students,
    "mlp": perceptron,
}
"""The graphs that come with the package."""

WEIGHTS = (".npz", ".safetensors")
"""How the names of files of weights end."""


def add_source(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """The argument that says what to explain, and the options for the rows of a model."""
    parser.add_argument(
        "source",
        nargs="?" if optional else None,
        metavar="SOURCE",
        help=f"an example ({', '.join(EXAMPLES)}); FILE.py:FUNCTION, a function that returns a "
        "Tensor and is called without arguments; weights from `train` or `export`, whose loss on "
        "rows of a table it is; or a model of ONNX, also FILE.onnx:OUTPUT",
    )
    add_table(parser.add_argument_group("the rows of a model").add_argument)


@contextmanager
def explained(args: argparse.Namespace) -> Iterator[ag.Tensor]:
    """The Tensor that the word means, for a block that explains it.

    Raises ValueError, ImportError or OSError, in one line, if there is none, and in the block if
    the code of its file fails.
    """
    kind, file, name = _parts(args.source)
    if kind not in (*WEIGHTS, ".onnx"):
        given = [option for option in args.given if option in TABLE_OPTIONS]
        if given:
            raise ValueError(f"{given[0]} goes with a trained model, not with {args.source}")
    if kind == "":
        yield EXAMPLES[file]()
    elif kind == ".py":
        with result_of(file, name) as result:
            yield result
    elif kind == ".onnx":
        yield onnx_result(args, file, name)
    else:
        rows = model_rows(args, Path(file))
        yield rows.model.loss_graph(rows.X, rows.y)


def _parts(word: str) -> tuple[str, str, str]:
    """The suffix of a file, the file, and a name in it; suffix "" is an example."""
    if word in EXAMPLES:
        return "", word, ""
    file, colon, name = word.rpartition(":")
    if colon and (kind := Path(file).suffix.lower()) in (".py", ".onnx"):
        if not name:
            raise ValueError(f"{word} lacks a name after the colon")
        return kind, file, name
    kind = Path(word).suffix.lower()
    if kind == ".py":
        raise ValueError(f"{word}: which function? Use {word}:FUNCTION")
    if kind in (*WEIGHTS, ".onnx"):
        return kind, word, ""
    close = get_close_matches(word, EXAMPLES, 1)
    meant = f"; did you mean {close[0]}?" if close else ""
    raise ValueError(
        f"{word!r} is no example ({', '.join(EXAMPLES)}), no FILE.py:FUNCTION and no file that "
        f"ends in {', '.join((*WEIGHTS, '.onnx'))}{meant}"
    )

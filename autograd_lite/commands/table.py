"""The table that `train` and `predict` read: the options that say how, and what is printed."""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

from autograd_lite.data.encoder import Encoder, Feature
from autograd_lite.data.pieces import Pieces, open_table
from autograd_lite.data.reading import Frame, few, read_table
from autograd_lite.data.selection import Decision
from autograd_lite.models.estimator import Estimator

__all__ = ["Fitted", "Gaps", "add_reading", "lines_of", "listed", "names", "opened", "read"]


def add_reading(option: Callable[..., Any]) -> None:
    """The options that say how a text file writes a table."""
    option("--separator", type=_separator, help="between the values (default: detected)")
    option("--decimal", choices=[".", ","], help="decimal sign (default: detected)")
    option("--encoding", help="of a text file (default: UTF-8, or as a byte order mark says)")


def read(args: argparse.Namespace, path: Any, **options: Any) -> Frame:
    """The table at a path, read as the options say."""
    return read_table(path, **options, **_how(args))


def opened(args: argparse.Namespace, path: Any, **options: Any) -> Pieces:
    """The table at a path, to be read piece by piece as the options say."""
    return open_table(path, **options, **_how(args))


def _how(args: argparse.Namespace) -> dict[str, Any]:
    return {key: getattr(args, key) for key in ("separator", "decimal", "encoding")}


class Fitted(NamedTuple):
    """How the columns of a table became the features of a model; saved with its weights.

    `positive` is the index of the class that matters, for two classes.
    """

    encoder: Encoder
    decisions: list[Decision]
    positive: int = 1

    @classmethod
    def of(cls, model: Estimator, columns: Sequence[str]) -> Self:
        """What was saved with a model, or for a model without it, its columns as numbers.

        Raises ValueError if what was saved does not fit the model.
        """
        saved = getattr(model, "table_", None)
        if saved is None:
            names = [*getattr(model, "feature_names_in_", columns)]
            return cls(
                Encoder(tuple(Feature(name, "number", (), (0.0,)) for name in names), "drop"), []
            )
        try:
            content = json.loads(saved)
            encoder = Encoder.from_json(content["encoder"])
            decisions = [Decision(**decision) for decision in content["columns"]]
            positive = content["positive"]
        except (TypeError, KeyError, ValueError, RecursionError) as error:
            raise ValueError(f"the weights do not say how a table is read: {error}") from None
        if len(encoder.names) != model.n_features_in_ or repr(positive) not in ("0", "1"):
            raise ValueError("the weights say how to read another table than theirs")
        return cls(encoder, decisions, positive)

    def to_json(self) -> str:
        """What `of` reads."""
        content = {
            "encoder": self.encoder.to_json(),
            "columns": [decision._asdict() for decision in self.decisions],
            "positive": self.positive,
        }
        return json.dumps(content, ensure_ascii=False)


class Gaps:
    """The values of a table that a model cannot take, counted piece by piece."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._unseen: dict[str, Counter[str]] = {}
        self._missing: Counter[str] = Counter()

    def add(self, frame: Frame) -> None:
        """Count those of a piece."""
        for name, texts in self._encoder.unseen(frame).items():
            self._unseen.setdefault(name, Counter()).update(texts)
        self._missing.update(self._encoder.missing_in(frame))

    def lines(self) -> list[str]:
        """What is done with them, in sentences."""
        told = [
            f"column {name!r}: {listed(self._unseen[name])} not seen in training; taken as missing"
            for name in self._encoder.texts
            if name in self._unseen
        ]
        return told + self._encoder.filled(self._missing)


def names(text: str) -> list[str]:
    """The names of columns in a list with commas; a name with a comma is in quotes."""
    found = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not all(found) or not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of names")
    return found


def lines_of(decisions: Sequence[Decision], most: int = 40) -> list[str]:
    """What was decided for each column, as lines; in a long table, columns alike share a line."""
    rows = [(*map(_line, (d.name, d.kind, str(d.missing or ""), d.done)),) for d in decisions]
    if len(rows) > most:
        alike: dict[tuple[str, ...], list[str]] = {}
        for name, *rest in rows:
            alike.setdefault(tuple(rest), []).append(name)
        rows = [(_several(found), *rest) for rest, found in alike.items()]
    head = ("column", "kind", "missing", "what is done")
    width = [max(len(row[k]) for row in [head, *rows]) for k in range(3)]
    return [
        f"{name:<{width[0]}}  {kind:<{width[1]}}  {missing:>{width[2]}}  {done}".rstrip()
        for name, kind, missing, done in [head, *rows]
    ]


def _line(text: str) -> str:
    return " ".join(text.split())


def listed(texts: Counter[str]) -> str:
    """Some categories and how many rows have them."""
    rows = texts.total()
    return f"{few(sorted(texts))} in {rows:,} row{'s' * (rows != 1)}"


def _several(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _separator(text: str) -> str:
    sign = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}.get(text.lower(), text)
    if len(sign) != 1 or sign in '"\r\n':
        raise argparse.ArgumentTypeError(f"{text!r} is not a single sign such as ; or tab")
    return sign

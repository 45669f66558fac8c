"""From the columns of a table to the numbers X of a model, and back."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, Self, get_args

import numpy as np

from autograd_lite.data.cells import number
from autograd_lite.data.columns import Array, Column, Kind
from autograd_lite.data.facts import Facts
from autograd_lite.data.reading import Frame, few

__all__ = ["Encoder", "Feature", "Missing"]

Missing = Literal["drop", "mean", "indicator"]


@dataclass(frozen=True)
class Feature:
    """How a column of a table becomes one or more columns of X.

    A number stays a number, True and False are 1 and 0, and text has a column of 0 and 1 for each
    of its categories (one-hot). `means` are those of these columns over the rows that have a value.
    With `indicator` one more column is 1 where the value is missing.
    """

    name: str
    kind: Kind
    categories: tuple[str, ...]
    means: tuple[float, ...]
    indicator: bool = False
    unit: str = ""

    @property
    def names(self) -> list[str]:
        """The names of its columns of X."""
        own = [f"{self.name}={category}" for category in self.categories] or [self.name]
        return own + [f"{self.name} is missing"] * self.indicator

    @property
    def done(self) -> str:
        """What is done with the column, in words."""
        if self.kind != "text":
            without = f", without {self.unit}" if self.unit else ""
            return "0 and 1" if self.kind == "boolean" else f"as it is{without}"
        few = ", ".join(self.categories[:4]) + ", …" * (len(self.categories) > 4)
        return f"one-hot, {len(self.categories)} categories: {few}"

    @property
    def filling(self) -> str:
        """What stands for a missing value, in words."""
        return "the share of each category" if self.kind == "text" else f"{self.means[0]:.6g}"

    def encode(self, column: Column, source: str) -> Array:
        """The columns of X (rows, names), NaN where the value is missing or an unknown category.

        Raises ValueError if the column does not hold what the feature was learned from.
        """
        if self.kind == "text":
            codes = self._codes(column)
            X = np.eye(len(self.categories) + 1)[codes][:, :-1]
            X[codes < 0] = np.nan
        else:
            self._check(column, source)
            X = column.values[:, None]
        if not self.indicator:
            return X
        return np.column_stack([X, np.isnan(X[:, :1])])

    def decode(self, X: Array) -> Column:
        """The column of rows of X, without its missing values restored."""
        if self.kind != "text":
            return Column(self.name, self.kind, X[:, 0].copy())
        own = X[:, : len(self.categories)]
        exact = ((own == 0) | (own == 1)).all(axis=1) & (own.sum(axis=1) == 1)
        codes = np.where(exact, own.argmax(axis=1), -1)
        return Column(self.name, "text", codes, self.categories)

    def unseen(self, column: Column) -> Counter[str]:
        """The categories of the column that the feature does not know, with their rows."""
        if self.kind != "text" or column.kind != "text":
            return Counter()
        new = (self._codes(column) < 0) & ~column.missing
        return Counter(column.categories[code] for code in column.values[new])

    def _codes(self, column: Column) -> Array:
        if column.kind != "text":
            return np.full(len(column), -1)  # it has no values
        index = {category: k for k, category in enumerate(self.categories)}
        return np.array([*(index.get(text, -1) for text in column.categories), -1])[column.values]

    def _check(self, column: Column, source: str) -> None:
        where = f"{source}: column {self.name!r}"
        if column.kind not in ("number", "boolean"):
            texts = [text for text in column.categories if number(text) is None]
            shown = [repr(text) for text in (*texts, *column.categories)] or [f"{column.kind}s"]
            raise ValueError(f"{where} holds {shown[0]}, but the model was trained on {self.kind}s")
        if column.unit != self.unit and not column.missing.all():
            raise ValueError(
                f"{where} has the unit {column.unit or 'none'}, but the model was trained on "
                f"{self.unit or 'none'}"
            )
        values = column.values[~column.missing]
        if np.isinf(values).any():
            raise ValueError(f"{where} holds an infinite number")
        if self.kind == "boolean" and not np.isin(values, (0, 1)).all():
            raise ValueError(f"{where} must hold True and False, or 1 and 0")


@dataclass(frozen=True)
class Encoder:
    """What was learned from the columns of the training rows.

    `missing` says what stands for a missing value, and for a category that is not known: "mean",
    the mean of each column of X; "indicator", this too, and a column that is 1 where a value is
    missing; "drop", NaN, so that the caller drops the row.
    """

    features: tuple[Feature, ...]
    missing: Missing = "mean"

    @classmethod
    def learn(
        cls,
        frame: Frame,
        missing: Missing = "mean",
        facts: Mapping[str, Facts] | None = None,
    ) -> Self:
        """The encoder of the training rows: their categories, means, and where values are missing.

        A column without a value in them is no feature. `facts` are those of the columns, if the
        frame does not have all training rows. Raises ValueError for another `missing`, and if no
        column has a value.

        Example:
            >>> from autograd_lite.data.columns import Column
            >>> sex = Column("sex", "text", np.array([0, 1, 0]), ("f", "m"))
            >>> age = Column("age", "number", np.array([20, np.nan, 30]))
            >>> people = Frame("people.csv", (sex, age))
            >>> encoder = Encoder.learn(people)
            >>> encoder.names
            ['sex=f', 'sex=m', 'age']
            >>> encoder.encode(people).tolist()
            [[1.0, 0.0, 20.0], [0.0, 1.0, 25.0], [1.0, 0.0, 30.0]]
        """
        if missing not in get_args(Missing):
            raise ValueError(f"missing must be one of {', '.join(get_args(Missing))}")
        features = []
        for column in frame.columns:
            # Only different texts matter, and sorting numbers takes time.
            most = None if column.kind == "text" else 0
            known = facts[column.name] if facts else Facts.of(column, most)
            if known.present:
                features.append(_learned(known, missing, frame.source))
        if not features:
            raise ValueError(f"{frame.source}: no column has a value in the training rows")
        return cls(tuple(features), missing)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The encoder that `to_json` wrote.

        Raises ValueError if the text does not hold one.
        """
        try:
            content = json.loads(text)
            features = tuple(_feature(**feature) for feature in content["features"])
            missing = content["missing"]
        except (TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(f"it does not say how columns are encoded: {error}") from None
        names = {feature.name for feature in features}
        if missing not in get_args(Missing) or not features or len(names) < len(features):
            raise ValueError("it does not say how columns are encoded")
        return cls(features, missing)

    def to_json(self) -> str:
        """The encoder as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @property
    def names(self) -> list[str]:
        """The names of the columns of X."""
        return [name for feature in self.features for name in feature.names]

    @property
    def texts(self) -> list[str]:
        """The names of the columns of categories."""
        return [feature.name for feature in self.features if feature.kind == "text"]

    def encode(self, frame: Frame) -> Array:
        """X (rows, names) of a table, whatever the order of its columns.

        Raises ValueError, with the source, if columns are not there, or one does not hold what the
        feature was learned from.
        """
        parts = []
        for feature, column in self._pairs(frame):
            part = feature.encode(column, frame.source)
            if self.missing != "drop":
                means = np.array([*feature.means, 0.0][: part.shape[1]])
                part = np.where(np.isnan(part), means, part)
            parts.append(part)
        return np.column_stack(parts)

    def decode(self, X: Array) -> list[Column]:
        """The columns that X was encoded from; a missing value is what stands for it."""
        ends = np.cumsum([len(feature.names) for feature in self.features])[:-1]
        parts = np.split(X, ends, axis=1)
        return [feature.decode(part) for feature, part in zip(self.features, parts, strict=True)]

    def unseen(self, frame: Frame) -> dict[str, Counter[str]]:
        """The categories of each column that were not there in training, with their rows."""
        found = {feature.name: feature.unseen(column) for feature, column in self._pairs(frame)}
        return {name: categories for name, categories in found.items() if categories}

    def missing_in(self, frame: Frame) -> Counter[str]:
        """The rows without a value of each column."""
        return Counter(
            {feature.name: int(column.missing.sum()) for feature, column in self._pairs(frame)}
        )

    def filled(self, missing: Mapping[str, int]) -> list[str]:
        """What stands for missing values, in sentences; see `missing_in`."""
        return [
            f"column {feature.name!r}: {count:,} missing: {feature.filling}"
            for feature in self.features
            if self.missing != "drop" and (count := missing[feature.name])
        ]

    def _pairs(self, frame: Frame) -> list[tuple[Feature, Column]]:
        there = {column.name: column for column in frame.columns}
        lacking = [repr(feature.name) for feature in self.features if feature.name not in there]
        if lacking:
            which = "column" if len(lacking) == 1 else f"{len(lacking)} columns"
            raise ValueError(
                f"{frame.source} lacks the {which} {few(lacking)} of the model; it has "
                f"{len(there)}: {few(frame.names)}"
            )
        return [(feature, there[feature.name]) for feature in self.features]


def _learned(facts: Facts, missing: Missing, source: str) -> Feature:
    """How a column with these facts becomes columns of X."""
    where = f"{source}: column {facts.name!r}"
    if facts.infinite:
        raise ValueError(f"{where} holds an infinite number")
    categories: tuple[str, ...] = ()
    means: tuple[float, ...] = (float(facts.mean),)
    if facts.kind == "text":
        different = facts.different
        if different.values is None:
            raise ValueError(f"{where} has about {different} different texts, too many to learn")
        categories = tuple(different.values.tolist())
        means = tuple((different.counts / facts.present).tolist())
    indicator = missing == "indicator" and facts.missing > 0
    return Feature(facts.name, facts.kind, categories, means, indicator, facts.unit)


def _feature(
    name: str, kind: Kind, categories: list[str], means: list[float], indicator: bool, unit: str
) -> Feature:
    """A feature from JSON, checked."""
    texts = (name, unit, *categories)
    width = len(categories) if kind == "text" else 1
    if (
        kind not in ("number", "boolean", "text")
        or not all(isinstance(text, str) for text in texts)
        or not (isinstance(categories, list) and isinstance(means, list))
        or not isinstance(indicator, bool)
        or (kind == "text") != bool(categories)
        or len(set(categories)) != len(categories)
        or len(means) != width
        or not all(isinstance(mean, float) and math.isfinite(mean) for mean in means)
    ):
        raise ValueError(f"it does not say how the column {name!r} is encoded")
    return Feature(name, kind, tuple(categories), tuple(means), indicator, unit)

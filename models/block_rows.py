"""Rows by blocks for `fit`: what a model learns from them in one pass, and how they are encoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.compiler.cluster import ClusterSource, current_client
from autograd_lite.compiler.summation import over_blocks
from autograd_lite.dask_rows import DaskSource, dask_array, is_dask
from autograd_lite.models.inputs import (
    Array,
    column_scale,
    examples,
    flattened,
    numbers,
    row_weights,
    target,
)
from autograd_lite.row_blocks import JoinedSource, RowBlocks
from autograd_lite.row_sources import ArraySource, BlockError, Source

__all__ = ["Facts", "are_blocks", "facts_of", "joined"]

_SAMPLE = 20_000  # rows at least that stand for all, as far as there are
_LABELS = 100_000  # different labels at most


def are_blocks(X: Any) -> bool:
    """Whether data are read by blocks, or are a Dask array.

    Raises TypeError for a DataFrame or a Series of Dask.
    """
    if hasattr(X, "to_dask_array"):
        kind = type(X).__name__
        raise TypeError(f"give .to_dask_array(lengths=True) of a Dask {kind}, which is an array")
    return isinstance(X, RowBlocks) or is_dask(X)


def joined(X: Any, y: Any, weights: Any) -> Source:
    """A source of X, its targets and the weights of its rows, unless they are None.

    Raises BlockError if they have other numbers of rows.
    """
    if isinstance(X, RowBlocks):
        lengths = X.lengths
    else:
        there = all(x is None or is_dask(x) for x in (y, weights))
        lengths = () if there else DaskSource([X]).lengths
    y = flattened(y) if are_blocks(y) else target(y, sum(lengths))  # once, not for each block
    if not are_blocks(weights):
        weights = row_weights(weights, sum(lengths))
    given = [x for x in (y, weights) if x is not None]
    if isinstance(X, RowBlocks):
        return JoinedSource([X, *(_rows(x, X) for x in given)])
    client = current_client()
    arrays = [X]
    for x in given:
        if not is_dask(x):
            x = x.read() if isinstance(x, RowBlocks) else x
            if len(x) != sum(lengths):
                raise BlockError(f"X has {sum(lengths)} rows, but what is beside it has {len(x)}")
            x = dask_array(x, lengths)
        arrays.append(x)
    return DaskSource(arrays) if client is None else ClusterSource(arrays, client)


def _rows(x: Any, beside: RowBlocks) -> RowBlocks:
    if isinstance(x, RowBlocks):
        return x
    array = x.compute() if is_dask(x) else x
    return RowBlocks(ArraySource(array, max((1, *beside.lengths))))


class Problem(NamedTuple):
    """Why a block cannot be learned from, and in which of its rows, if it is one."""

    row: int | None
    why: str


@dataclass
class Facts:
    """What a pass over rows finds, of blocks that are joined.

    Attributes:
        rows, blocks: how many.
        weight: the sum of the weights of the rows.
        columns: the moments of the columns.
        labels, label_weights: the different labels of a classifier, and the weight of each.
        of_target: the moments of the target of a regressor.
        of_weights: the smallest and the largest weight.
        sample: some of the rows: examples, targets and weights.
        problem: the first, if there is one, with the numbers of its block and row.
    """

    rows: int
    blocks: int
    weight: float
    columns: Moments
    labels: Array | None
    label_weights: Array
    of_target: Moments | None
    of_weights: tuple[float, float]
    sample: list[tuple[Array, ...]]
    problem: tuple[int, int, Problem] | None = None

    def __add__(self, other: Facts) -> Facts:
        if self.problem:
            return self
        if other.problem:
            block, row, problem = other.problem
            self.problem = self.blocks + block, self.rows + row, problem
            return self
        labels, weights = self.labels, self.label_weights
        if labels is not None and other.labels is not None:
            both = np.concatenate([labels, other.labels])
            labels, places = np.unique(both, return_inverse=True)
            weights = np.bincount(places, np.concatenate([weights, other.label_weights]))
        pairs = zip(self.of_weights, other.of_weights, (min, max), strict=True)
        low, high = (choose(a, b) for a, b, choose in pairs)
        of_target = self.of_target
        if of_target is not None and other.of_target is not None:
            of_target = of_target + other.of_target
        return Facts(
            self.rows + other.rows,
            self.blocks + other.blocks,
            self.weight + other.weight,
            self.columns + other.columns,
            labels,
            weights,
            of_target,
            (low, high),
            [*self.sample, *other.sample],
        )


@dataclass
class Moments:
    """Moments of columns: of weight W the mean, the sum of squares about it, and the ends.

    Two are joined by the formula of Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise
    algorithm for computing sample variances".
    """

    weight: float
    mean: Array
    squares: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, X: Array, weights: Array | None) -> Moments:
        """The moments of rows; those without weight are as if they were not there."""
        w = np.ones(len(X)) if weights is None else weights
        X, w = (X, w) if w.all() else (X[w > 0], w[w > 0])
        total = float(w.sum())
        with np.errstate(all="ignore"):
            mean = w @ X / total if total else np.zeros(X.shape[1])
            squares = w @ np.square(X - mean, dtype=np.float64)
        none = np.full(X.shape[1], np.inf)
        low, high = (X.min(axis=0), X.max(axis=0)) if len(X) else (none, -none)
        return cls(total, mean, squares, low, high)

    def __add__(self, other: Moments) -> Moments:
        total = self.weight + other.weight
        share = other.weight / total if total else 0.0
        apart = other.mean - self.mean
        with np.errstate(all="ignore"):
            squares = self.squares + other.squares + apart**2 * (self.weight * share)
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        return Moments(total, self.mean + apart * share, squares, low, high)

    def scale(self, dtype: Any) -> tuple[Array, Array]:
        """The mean and the standard deviation of each column; of a constant one its value and 1.

        Raises ValueError if the square of a standard deviation overflows or vanishes.
        """
        constant = self.low == self.high
        mean = np.where(constant, self.low, self.mean).astype(dtype)
        with np.errstate(all="ignore"):
            scale = np.sqrt(self.squares / self.weight).astype(dtype)
        return mean, column_scale(scale, constant)


@dataclass(frozen=True)
class _Look:
    """The facts of one block."""

    classifier: bool
    weighted: bool
    width: int | None
    share: float

    def __call__(self, number: int, block: Sequence[Any]) -> Facts:
        rows = len(block[0])
        try:
            X, y = examples_of(block[0], self.width), targets_of(block[1], rows)
            w = row_weights_of(block[2], rows) if self.weighted else None
            y = y if self.classifier else numbers(y)
        except BadRowError as error:
            return self._bad(rows, Problem(error.row, str(error)))
        except (TypeError, ValueError) as error:
            return self._bad(rows, Problem(None, str(error)))
        labels: Array | None = None
        sums: Array = np.zeros(0)
        if self.classifier:
            labels, places = np.unique(y, return_inverse=True)
            sums = np.bincount(places, w)
            if len(labels) > _LABELS:
                return self._bad(rows, Problem(None, f"y has more than {_LABELS:,} labels"))
        random = np.random.default_rng([rows, 0])
        some = np.sort(random.choice(rows, min(rows, max(2, round(rows * self.share))), False))
        ends = (1.0, 1.0) if w is None else (float(w.min()), float(w.max()))
        return Facts(
            rows,
            1,
            float(rows if w is None else w.sum()),
            Moments.of(X, w),
            labels,
            sums,
            None if self.classifier else Moments.of(y[:, None], w),
            ends,
            [tuple(x[some] for x in (X, y, w) if x is not None)],
        )

    def _bad(self, rows: int, problem: Problem) -> Facts:
        none = Moments(0.0, *(np.zeros(0) for _ in range(4)))
        place = 0, problem.row or 0, problem
        return Facts(rows, 1, 0.0, none, None, np.zeros(0), None, (0.0, 0.0), [], place)


class BadRowError(ValueError):
    """A row of a block is not what it should be."""

    def __init__(self, row: int, why: str) -> None:
        super().__init__(why)
        self.row = row


def examples_of(block: Array, width: int | None) -> Array:
    """The examples of a block; `width` is the number of columns of the model, if it has one."""
    X = block
    if X.ndim == 2 and width is not None and X.shape[1] != width:
        raise ValueError(f"X has {X.shape[1]} features, but the model is expecting {width}")
    if X.dtype.kind == "f" and X.ndim == 2:
        with np.errstate(all="ignore"):
            suspect = not np.isfinite(np.add.reduce(X, axis=None))
        if suspect and not (finite := np.isfinite(X)).all():
            row, k = map(int, np.argwhere(~finite)[0])
            value = "NaN" if np.isnan(X[row, k]) else str(X[row, k])
            raise BadRowError(row, f"X must be finite; column {k} is {value}")
    return examples(X)


def targets_of(block: Array, rows: int) -> Array:
    """The targets of a block."""
    y = np.asarray(block)
    if y.ndim == 1 and y.dtype.kind == "f" and not (finite := np.isfinite(y)).all():
        row = int(np.argmin(finite))
        raise BadRowError(row, f"y must be finite; it is {'NaN' if np.isnan(y[row]) else y[row]}")
    return target(y, rows)


def row_weights_of(block: Array, rows: int) -> Array:
    """The weights of the rows of a block, which may all be 0."""
    w = np.asarray(block)
    if w.ndim == 1 and w.dtype.kind in "biuf" and len(w) == rows and not w.any():
        return np.zeros(rows)
    found = row_weights(w, rows)
    assert found is not None
    return found


def check_rows(source: Source) -> int:
    """The number of rows. Raises ValueError if there is none."""
    rows = sum(source.lengths)
    if not rows:
        raise ValueError(
            "X is empty: it has 0 sample(s) (shape="
            f"{RowBlocks(source, itemgetter(0)).shape}) while a minimum of 1 is required."
        )
    return rows


def check_weight(weight: float) -> None:
    """Raise ValueError if the sum of the weights of all rows is 0."""
    if weight == 0:
        raise ValueError("sample_weight is zero for every row")


def facts_of(
    source: Source, *, classifier: bool, weighted: bool, width: int | None, sample: int
) -> Facts:
    """What one pass over the blocks finds.

    Raises ValueError without rows, and BlockError, with block and row, if a block is not numbers,
    or not finite, or its labels are missing.
    """
    rows = check_rows(source)
    look = _Look(classifier, weighted, width, min(1.0, max(_SAMPLE, sample) / rows))
    facts: Facts = over_blocks(source, look, Facts.__add__)
    if facts.problem:
        block, row, problem = facts.problem
        places = [k for k, length in enumerate(source.lengths) if length]
        where = f"{source.name}: block {places[block]}, "
        where += f"from row {row} on" if problem.row is None else f"row {row}"
        raise BlockError(f"{where}: {problem.why}")
    check_weight(facts.weight)
    return facts

"""Rows by blocks as `fit` trains on them: encoded as they are read, and tallied block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from operator import add
from typing import Any

import numpy as np

from autograd_lite.compiler.summation import over_blocks
from autograd_lite.data.facts import hashed
from autograd_lite.models.block_rows import Facts, Moments, facts_of, joined
from autograd_lite.models.inputs import Array, scaled, target
from autograd_lite.models.rows import Rows
from autograd_lite.row_blocks import RowBlocks, ahead, together
from autograd_lite.row_sources import SomeBlocks

__all__ = ["Tally", "batches", "hold_out", "read_blocks", "tallied"]

_STEPS = 16  # of an epoch over chunks on a cluster


@dataclass(frozen=True)
class _Examples:
    """The examples of a block, standardized."""

    mean: Array | None
    scale: Array | None
    dtype: Any

    def __call__(self, block: Sequence[Any]) -> Array:
        X = np.asarray(block[0]).astype(self.dtype, copy=False)
        return np.ascontiguousarray(scaled(X, self.mean, self.scale))


@dataclass(frozen=True)
class _Targets:
    """The targets of a block as numbers."""

    encode: Callable[[Array], Array]
    dtype: Any

    def __call__(self, block: Sequence[Any]) -> Array:
        y = target(block[1], len(block[0]))
        return np.ascontiguousarray(self.encode(y).astype(self.dtype, copy=False))


@dataclass(frozen=True)
class _Weights:
    """The weights of the rows of a block: those given, times that of the class, over `unit`."""

    factors: Array | None
    codes: Callable[[Array], Array]
    unit: float
    dtype: Any

    def __call__(self, block: Sequence[Any]) -> Array:
        w = np.ones(len(block[0])) if len(block) < 3 else np.asarray(block[2], dtype=np.float64)
        if self.factors is not None:
            w = w * self.factors[self.codes(target(block[1], len(w)))]
        return (w / self.unit).astype(self.dtype)


def read_blocks(
    model: Any, X: Any, y: Any, weights: Any, learned: dict[str, Any], classes: Array | None
) -> Rows:
    """Rows by blocks, standardized as they are read, and what one pass over them finds.

    Args:
        model: whose rows they are.
        X, y, weights: the data; X by blocks.
        learned: what the model learned before, if it did.
        classes: those of a classifier, if they are known.

    Raises BlockError, with block and row, if the rows are not numbers or not finite.
    """
    again = bool(learned)
    source = joined(X, y, weights)
    facts = facts_of(
        source,
        classifier=model.kind == "classifier",
        weighted=weights is not None,
        width=learned["n_features_in_"] if again else None,
        sample=10 * source.head[0].shape[-1],
    )
    kind = source.head[0].dtype
    dtype = np.dtype(np.float32 if kind == np.float32 else np.float64)
    encode, factors, sums, more = model._encoding(facts, classes)
    learned = {"n_features_in_": source.head[0].shape[1]} | learned | more
    _check_range(facts, dtype)
    read_y = _Targets(encode, dtype)
    total = facts.weight if factors is None else float(sums @ factors)
    read_w = _weights(model, facts, encode, factors, total, dtype)
    if not again:
        columns = facts.columns
        if model.standardize and factors is not None:
            columns = over_blocks(source, _Columns(read_w), add)
        mean, scale = columns.scale(dtype) if model.standardize else (None, None)
        learned |= {"mean_": mean, "scale_": scale}
    read_X = _Examples(learned["mean_"], learned["scale_"], dtype)
    some = [np.concatenate(arrays) for arrays in zip(*facts.sample, strict=True)]
    total /= read_w.unit if read_w else 1.0

    def made(of: Callable[[Callable[[Any], Array]], Any]) -> tuple[Any, Any, Any]:
        return of(read_X), of(read_y), read_w and of(read_w)

    sample = Rows(*made(lambda read: read(some)), learned)
    if read_w and sample.weights.any():  # as in memory, rows without it are left out
        sample = sample.part(sample.weights > 0)
    return Rows(*made(lambda read: RowBlocks(source, read)), learned, sample, total)


@dataclass(frozen=True)
class _Columns:
    """The moments of the columns of a block, with the weights of classes."""

    weights: Callable[[Any], Array] | None

    def __call__(self, number: int, block: Any) -> Moments:
        return Moments.of(np.asarray(block[0]), self.weights and self.weights(block))


def _check_range(facts: Facts, dtype: Any) -> None:
    with np.errstate(over="ignore"):
        ends = [] if facts.of_target is None else [facts.of_target.low, facts.of_target.high]
        if not all(np.isfinite(end.astype(dtype)).all() for end in ends):
            raise ValueError(f"y has numbers that are too large for the {dtype} of X")


def _weights(
    model: Any,
    facts: Facts,
    encode: Callable[[Array], Array],
    factors: Array | None,
    total: float,
    dtype: Any,
) -> _Weights | None:
    """What reads the weights of rows, whose mean is 1 for a mean of costs; None if all are 1."""
    low, high = facts.of_weights
    mean = total / facts.rows
    unit = mean if model.reduction == "mean" else 1.0
    if factors is None and low == high == unit:
        return None
    return _Weights(factors, _Codes(encode), unit, dtype)


@dataclass(frozen=True)
class _Codes:
    """The number of the class of each label."""

    encode: Callable[[Array], Array]

    def __call__(self, y: Array) -> Array:
        t = self.encode(y)
        return np.asarray(t.argmax(axis=1) if t.ndim == 2 else t, dtype=int)


# Batches


def batches(
    data: Sequence[RowBlocks], random: np.random.Generator, size: int
) -> Iterator[list[Any]]:
    """The rows of an epoch a few at a time, of blocks in a random order.

    Blocks that are read here come in batches of `size` rows, in a random order; blocks on a cluster
    stay whole, and a batch has as many of them as have `size` rows, or a sixteenth of all.
    """
    source = data[0].source
    there = [k for k, length in enumerate(source.lengths) if length]
    order = random.permutation(there)
    if source.remote:
        count = max(1, round(size * len(there) / sum(source.lengths)), len(there) // _STEPS)
        for start in range(0, len(order), count):
            some = SomeBlocks(source, [*map(int, order[start : start + count])])
            yield [RowBlocks(some, x.pick) for x in data]
        return
    with closing(ahead(together(data, order))) as blocks:
        for block in blocks:
            within = random.permutation(len(block[0]))
            for start in range(0, len(within), size):
                yield [x.take(within[start : start + size], axis=0) for x in block]
            del block


# Rows held out


@dataclass(frozen=True)
class _HeldOut:
    """Whether rows are held out, or not, by a hash of their numbers."""

    seed: int
    share: float
    held_out: bool

    def __call__(self, rows: Array) -> Array:
        held = hashed(rows, self.seed) < np.uint64(self.share * 2**64)
        return held if self.held_out else ~held


def hold_out(
    rows: Rows, share: float, reduction: str, random: np.random.Generator
) -> tuple[Rows, Rows]:
    """The rows to train on, and those held out, by a hash of their numbers."""
    seed = int(random.integers(2**32))

    def part(held_out: bool) -> Rows:
        keep = _HeldOut(seed, share, held_out)
        X, y = rows.X.where(keep), rows.y.where(keep)
        weights, total = None, float(len(X))
        if rows.weights is not None and total:
            weights = rows.weights.where(keep)
            total = float(over_blocks(weights.source, _Sum(weights.pick), add))
        if len(X) < (2 if held_out else 1) or not total:
            raise ValueError(
                f"early_stopping: {len(rows.X)} rows are too few to hold out two and train on "
                "others, all with weights; rows by blocks are held out by a hash of their numbers"
            )
        if weights is not None and reduction == "mean":
            weights, total = weights.map(_Times(len(X) / total)), float(len(X))
        return Rows(X, y, weights, rows.learned, rows.sample, total)

    return part(False), part(True)


@dataclass(frozen=True)
class _Sum:
    """The sum of what is picked of a block."""

    pick: Callable[[Any], Array]

    def __call__(self, number: int, block: Any) -> float:
        return float(np.sum(self.pick(block), dtype=np.float64))


@dataclass(frozen=True)
class _Times:
    """A block times a number."""

    factor: float

    def __call__(self, block: Array) -> Array:
        return (block * self.factor).astype(block.dtype)


# Scores


@dataclass
class Tally:
    """Sums over rows that tell how well a model predicts them.

    Attributes:
        weight: of the rows.
        cost: the sum of the costs.
        right: the weight of the rows whose class is predicted, or the sum of squared errors.
        spread: the moments of the target of a regressor.
    """

    weight: float
    cost: float
    right: float
    spread: Moments | None

    @classmethod
    def of(
        cls,
        predicted: Array,
        y: Array,
        weights: Array | None,
        *,
        numbers: bool,
        cost: float = 0.0,
    ) -> Tally:
        """The tally of predictions, numbers or classes, of the mean cost that they have."""
        w = np.ones(len(y)) if weights is None else weights
        total = float(w.sum())
        if numbers:
            error = float(w @ np.square(predicted - y, dtype=np.float64))
            return cls(total, cost * total, error, Moments.of(y[:, None], weights))
        return cls(total, cost * total, float(w @ (predicted == y)), None)

    def __add__(self, other: Tally) -> Tally:
        spread = self.spread
        if spread is not None and other.spread is not None:
            spread = spread + other.spread
        return Tally(
            self.weight + other.weight, self.cost + other.cost, self.right + other.right, spread
        )

    @property
    def score(self) -> float:
        """The accuracy, or R²."""
        if self.spread is None:
            return self.right / self.weight
        squares = float(self.spread.squares[0])
        return 1 - self.right / squares if squares else float(self.right == 0)

    @property
    def loss(self) -> float:
        """The mean cost."""
        return self.cost / self.weight


@dataclass(frozen=True)
class _Outputs:
    """The tally of a block, by weights of a model."""

    model: Any
    weights: Mapping[str, Any]
    picks: Sequence[Callable[[Any], Any]]

    def __call__(self, number: int, block: Any) -> Tally:
        X, y, *w = (pick(block) for pick in self.picks)
        given = w[0] if w else None
        if given is not None:
            # Rows without weight are as if they were not there.
            X, y, given = X[given > 0], y[given > 0], given[given > 0]
        z = self.model.output(X, self.weights)
        if not np.isfinite(z).all():
            return Tally(1.0, np.inf, -np.inf, None)
        cost = self.model.loss_of(z, y, given) if len(z) else 0.0
        if self.model.kind == "regressor":
            return Tally.of(z, y, given, numbers=True, cost=cost)
        groups = self.model.groups(y)
        return Tally.of(self.model.chosen(z), groups, given, numbers=False, cost=cost)


def tallied(model: Any, rows: Rows, weights: Mapping[str, Any]) -> tuple[float, float]:
    """The score and the mean cost of weights on rows."""
    data = [x for x in (rows.X, rows.y, rows.weights) if x is not None]
    function = _Outputs(model, weights, [x.pick for x in data])
    tally: Tally = over_blocks(data[0].source, function, Tally.__add__)
    return (tally.score, tally.loss) if np.isfinite(tally.cost) else (-np.inf, np.inf)

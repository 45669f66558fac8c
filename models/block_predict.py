"""Predictions and scores of rows by blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np

from autograd_lite.compiler.summation import over_blocks
from autograd_lite.dask_rows import DaskSource
from autograd_lite.models.block_rows import (
    BadRowError,
    are_blocks,
    check_rows,
    check_weight,
    examples_of,
    joined,
    targets_of,
)
from autograd_lite.models.block_training import Tally
from autograd_lite.models.inputs import Array, row_weights, target
from autograd_lite.row_blocks import RowBlocks, ahead
from autograd_lite.row_sources import BlockError

__all__ = ["by_blocks", "score"]


def by_blocks(method: Callable[[Any, Any], Array]) -> Callable[[Any, Any], Array]:
    """A method of rows X that also takes rows by blocks, and Dask arrays, of which it makes one."""

    @wraps(method)
    def method_of_any(self: Any, X: Any) -> Any:
        if not are_blocks(X):
            return method(self, X)
        if isinstance(X, RowBlocks):
            return _joined(self, method, X)
        return _lazily(self, method.__name__, X)

    return method_of_any


def _joined(model: Any, method: Callable[[Any, Any], Array], X: RowBlocks) -> Array:
    model._check_fitted(method.__name__)
    parts, start = list[Array](), 0
    with closing(ahead(iter(X))) as blocks:
        for k, block in enumerate(blocks):
            if len(block):
                with _naming(X.source.name, k, start, block):
                    parts.append(method(model, block))
            start += len(block)
            del block
    return np.concatenate(parts) if parts else method(model, X.read())


@contextmanager
def _naming(name: str, number: int, start: int, X: Array, y: Any = None) -> Iterator[None]:
    """Say in an error which block it is about, and which row if that is known."""
    try:
        yield
    except BlockError:
        raise
    except (ValueError, TypeError) as error:
        where, why = f"from row {start} on", error
        try:
            examples_of(X, None)
            targets_of(np.zeros(len(X)) if y is None else y, len(X))
        except BadRowError as bad:
            where, why = f"row {start + bad.row}", bad
        except (ValueError, TypeError):
            pass  # the same error
        raise BlockError(f"{name}: block {number}, {where}: {why}") from None


def _lazily(model: Any, name: str, X: Any) -> Any:
    """A Dask array of the predictions."""
    model._check_fitted(name)
    source = DaskSource([X], "X")
    example = getattr(model, name)(np.zeros((1, *X.shape[1:]), X.dtype))
    return source.mapped(_Method(model, name, example[:0]), example.shape[1:], example.dtype)


@dataclass(frozen=True)
class _Method:
    """A method of a model, of a block, and what it returns for one without rows."""

    model: Any
    name: str
    none: Array

    def __call__(self, block: Array) -> Array:
        if not len(block):
            return self.none
        found: Array = getattr(self.model, self.name)(block)
        return found


@dataclass(frozen=True)
class _Score:
    """The tally of a block."""

    model: Any
    name: str
    starts: Sequence[int]

    def __call__(self, number: int, block: Any) -> Tally:
        X, y, *weights = block
        with _naming(self.name, number, self.starts[number], X, y):
            labels = target(y, len(X))
            w = row_weights(weights[0], len(X)) if weights and np.any(weights[0]) else None
            if weights and w is None:
                w = np.zeros(len(X))
            predicted = self.model.predict(X)
            self.model._check_labels(labels)
        return Tally.of(predicted, labels, w, numbers=self.model.kind == "regressor")


def score(model: Any, X: Any, y: Any, weights: Any) -> float:
    """The score of predictions of rows by blocks."""
    model._check_fitted("score")
    source = joined(X, y, weights)
    check_rows(source)
    tally: Tally = over_blocks(source, _Score(model, source.name, source.starts), Tally.__add__)
    check_weight(tally.weight)
    return tally.score

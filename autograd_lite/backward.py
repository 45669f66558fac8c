"""From a result to the ``.grad`` of the leaves that it was made from."""

from __future__ import annotations

import os
from threading import Lock
from typing import Any

import numpy as np

from autograd_lite.arrays import describe, plain
from autograd_lite.record import Recorded
from autograd_lite.sweep import swept

__all__ = ["accumulate"]

_accumulating = Lock()


def _after_fork() -> None:
    """A child process of fork has none of the threads that may have held the lock."""
    global _accumulating
    _accumulating = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def accumulate(result: Recorded, gradient: Any = None) -> None:
    """Add the gradient of a result to ``.grad`` of every leaf that it was made from."""
    if not result.requires_grad:
        raise ValueError(
            f"backward: {describe(result)} depends on nothing that wants a gradient; make a "
            "Tensor with requires_grad=True, outside no_grad(), and compute from it"
        )
    found = swept({result.node: _seed(result, gradient)})
    for node in found:
        if node.form.dtype.kind != "f":
            raise TypeError(
                f"backward: {node} holds {node.form.dtype}, which has no gradient; make a Tensor "
                "of floats"
            )
    owners: set[int] = set()
    with _accumulating:
        for node, g in found.items():
            node.grad = _owned(g, owners) if node.grad is None else node.grad + g


def _owned(g: Any, owners: set[int]) -> Any:
    """A gradient in memory of its own; a sweep may give several leaves views of the same."""
    owner = g if getattr(g, "base", None) is None else g.base
    if (
        type(owner) is np.ndarray
        and owner.size == g.size
        and g.flags.writeable
        and id(owner) not in owners
    ):
        owners.add(id(owner))
        return g
    return np.array(g)


def _seed(result: Recorded, gradient: Any, what: str = "backward") -> Any:
    if gradient is None:
        form = result.node.form
        if form.shape == ():
            return form.dtype.type(1)
        if result.size != 1:
            raise ValueError(
                f"{what}: {describe(result)} has {result.size} elements, and only one number has "
                "a gradient by itself; sum() or mean() it, or give gradient=, of its shape"
            )
        return np.ones(result.shape, result.dtype)
    seed = np.array(plain(gradient, what, "gradient"))
    if seed.shape != result.shape or seed.dtype.kind not in "biuf":
        raise ValueError(
            f"{what}: a gradient of shape {seed.shape} and dtype {seed.dtype} does not fit "
            f"{describe(result)}"
        )
    return seed.astype(result.dtype)

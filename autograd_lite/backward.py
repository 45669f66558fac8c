"""`Tensor.backward`: gradients are added to the ``.grad`` of the leaves."""

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
    """After a fork the threads that may hold the lock no longer exist."""
    global _accumulating
    _accumulating = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def accumulate(result: Recorded, gradient: Any = None) -> None:
    """Add the gradient of a result to the ``.grad`` of every leaf that it depends on."""
    if not result.requires_grad:
        raise ValueError(
            f"backward: {describe(result)} does not require a gradient; compute it outside "
            "no_grad() from a Tensor with requires_grad=True"
        )
    found = swept({result.node: _seed(result, gradient)})
    for node in found:
        if node.form.dtype.kind != "f":
            raise TypeError(
                f"backward: {node} of dtype {node.form.dtype} has no gradient; use floating-point "
                "numbers"
            )
    owners: set[int] = set()
    with _accumulating:
        for node, g in found.items():
            node.grad = _owned(g, owners) if node.grad is None else node.grad + g


def _owned(g: Any, owners: set[int]) -> Any:
    """A gradient in its own memory; a sweep may return views of one array for several leaves."""
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
                f"{what} needs a scalar; got {describe(result)}. Take its sum() or mean(), or pass "
                "gradient= of its shape"
            )
        return np.ones(result.shape, result.dtype)
    seed = np.array(plain(gradient, what, "gradient"))
    if seed.shape != result.shape or seed.dtype.kind not in "biuf":
        raise ValueError(
            f"{what}: gradient= of shape {seed.shape} and dtype {seed.dtype} does not match "
            f"{describe(result)}"
        )
    return seed.astype(result.dtype)

"""From the graph of a loss to the closed form of its gradient, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd_lite.derivation.derivation import Derivation

__all__ = ["CannotCheckWarning", "DerivationError", "derive", "derive_named"]


class DerivationError(RuntimeError):
    """A derived formula disagrees with the sweep."""


class CannotCheckWarning(UserWarning):
    """A derived formula could not be compared with the sweep."""


def derive(
    loss: Any,
    wrt: Any = None,
    expand: bool = False,
    numbers: bool = False,
    *,
    args: Sequence[Any] | None = None,
    lengths: bool | Mapping[str, int] = False,
) -> Derivation:
    """The closed form of a gradient, derived from the graph as a person would by hand.

    Args:
        loss: a Tensor with one element, or a function that returns one.
        wrt: what to differentiate by: a Tensor, a name, or a sequence of them; by default every
            leaf that requires a gradient. Intermediate results, such as z and ŷ, are allowed.
        expand: substitute all gradients that are not very long, instead of naming them.
        numbers: show the values beside the formulas.
        args: the arguments of the function; its parameters give the names.
        lengths: write the length of an axis as a letter: True for m, n, … where an operation
            averages, or {"m": 4} for every number 4 that stands for a length.

    Returns:
        A Derivation: `closed_form`, `steps`, `text()`, `markdown()`, `latex()`, `mathml()`. Its
        formulas are compared with the sweep, at the graph's values and at random points.

    Raises:
        ImportError: if SymPy is not installed.
        TypeError: if loss is neither a Tensor nor a function, or wrt is not in the graph.
        ValueError: if the loss has more than one element, or wrt holds a constant.
        DerivationError: if a derived formula disagrees with the sweep.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> A, y = ag.constant([[1, 3], [1, 1], [1, 4]], name="A"), ag.constant([1, 0, 1], name="y")
        >>> w = ag.Tensor([0.1, -0.2], name="w")
        >>> ŷ = ag.sigmoid(A @ w).named("ŷ")
        >>> L = -np.sum(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))
        >>> print(ag.derive(L).closed_form[w])
        Aᵀ(ŷ − y)
    """
    return _derived()(loss, wrt, expand, numbers, args, lengths)


def derive_named(loss: Any, names: Mapping[Any, str]) -> Derivation:
    """The derivation by every leaf that requires a gradient, with these names of the nodes."""
    return _derived()(loss, None, False, False, None, False, names)


def _derived() -> Callable[..., Derivation]:
    try:
        import sympy  # noqa: F401
    except ImportError:
        raise ImportError(
            "derive needs SymPy for its algebra: pip install 'autograd_lite[derive]'"
        ) from None
    from autograd_lite.derivation.derivation import derived

    return derived

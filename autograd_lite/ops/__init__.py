"""Every differentiable operation, each defined once; importing this fills the table."""

from autograd_lite.ops import (
    activations,
    arithmetic,
    choices,
    comparisons,
    exponential,
    indexing,
    losses,
    products,
    reductions,
    shapes,
    stable,
)

__all__ = [
    "activations",
    "arithmetic",
    "choices",
    "comparisons",
    "exponential",
    "indexing",
    "losses",
    "products",
    "reductions",
    "shapes",
    "stable",
]

"""Applies one rewrite to an expression, and compares both on numbers of every kind."""

from __future__ import annotations

import numpy as np

from autograd_lite.compiler import machine, rules, sigmoids, zeros
from autograd_lite.expressions.expr import (
    ARGUMENT,
    CONSTANT,
    Builder,
    function_of,
    in_order,
    replaced,
)

assert zeros  # its rules are in the table ALGEBRA

RULES = {
    rule.__name__: rule
    for table in (rules.ALGEBRA, sigmoids.SIGMOIDS, sigmoids.SHARING, machine.MACHINE)
    for found in table.values()
    for rule in found
}

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 5e-324, -1e-310, 1e-160, -1e-39, 1e20, -1e160, 1.7e308]
BEYOND = [np.inf, -np.inf, np.nan]


class Operands:
    """Draws operands: a letter for the dtype, then the shape, as in ``"d:4,3"``.

    The letters are NumPy's; a ``c`` in front stands for a scalar that the program holds.
    """

    def __init__(self, seed, special=SPECIAL):
        self.random = np.random.default_rng(seed)
        # Ordinary numbers, with extreme ones, or with infinities and NaN as well.
        self.pool = [[], special, special + BEYOND][seed % 3]

    def __call__(self, b, spec):
        held = spec.startswith("c")
        letter, _, sides = spec.removeprefix("c").partition(":")
        shape = tuple(int(side) for side in sides.split(",") if side)
        value = self.numbers(shape, np.dtype(letter))
        return b.constant(value) if held else b.argument(value, "x")

    def numbers(self, shape, dtype):
        if dtype.kind == "b":
            return self.random.random(shape) < 0.5
        if dtype.kind in "iu":
            # Indices are small, for axes of four elements.
            info = np.iinfo(dtype)
            high = 4 if dtype == np.int64 else info.max + 1
            return self.random.integers(0 if high == 4 else info.min, high, shape, dtype)
        x = self.random.standard_normal(shape) * 10.0 ** self.random.integers(-2, 3, shape)
        if self.pool:
            special = self.random.choice(self.pool, shape)
            x = np.where(self.random.random(shape) < 0.4, special, x)
        with np.errstate(over="ignore"):
            return np.asarray(x).astype(dtype)


def evaluated(root, values, change=lambda x: x, sizes=False):
    """The value of an expression after a change of its arguments and constants.

    With `sizes`, nothing cancels: differences become sums, and negative numbers positive.
    """
    found = {}
    with np.errstate(all="ignore"):
        for x in in_order([root]):
            if x.fn in (ARGUMENT, CONSTANT):
                found[x] = change(values[x] if x.fn == ARGUMENT else x.value)
                continue
            args = replaced(x.args, found.__getitem__)
            if x.fn == ".astype" and args[0].dtype == np.longdouble:
                args = (args[0], np.longdouble)
            keywords = {k: replaced(v, found.__getitem__) for k, v in x.keywords.items()}
            fn = x.fn
            if sizes:
                args = tuple(abs(y) if isinstance(y, float) else y for y in args)
                fn = {"np.subtract": "np.add", "np.negative": "np.absolute"}.get(fn, fn)
            found[x] = np.asarray(function_of(fn)(*args, **keywords))
    return found[root] if not isinstance(root, (int, float)) else np.asarray(root)


def wide(x):
    return x.astype(np.longdouble) if x.dtype.kind == "f" else x


def large(x):
    return np.abs(wide(x)) if x.dtype.kind == "f" else x


def compared(b, written, better, sums=False, scale=None):
    """Why an expression may not replace another, or None.

    Args:
        b: the builder of both.
        written, better: the expressions.
        sums: whether terms may cancel in both, so that rounding is relative to their sizes.
        scale: the size of rounding errors as an expression, if it is not that of the result.
    """
    values = b._values
    if better.shape != written.shape or better.dtype != written.dtype:
        return f"is {better.dtype} {better.shape}, not {written.dtype} {written.shape}"
    old, new = evaluated(written, values), evaluated(better, values)
    if written.dtype.kind != "f":
        return None if np.array_equal(old, new) else f"is {new}, not {old}"
    exact = evaluated(written, values, wide)
    with np.errstate(all="ignore"):
        known = np.isfinite(exact.astype(written.dtype))
        if scale is not None:
            size = np.abs(evaluated(scale, values, wide))
        else:
            size = evaluated(written, values, large, sizes=True) if sums else np.abs(exact)
        info = np.finfo(written.dtype)
        allowed = np.abs(old - exact) + 4 * info.eps * size + 4 * info.smallest_subnormal
        made_up = np.isfinite(new) & ~np.isfinite(old) & ~known
        lost = ~np.isfinite(new) & np.isfinite(old)
        off = np.isfinite(new) & known & (np.abs(new - exact) > allowed)
    for wrong, why in (
        (made_up, "a number for"),
        (lost, "no number for"),
        (off, "less accurate than"),
    ):
        if wrong.any():
            return f"{why} {old[wrong][:3]}: {new[wrong][:3]}, exact {exact[wrong][:3]}"
    return None


def alone(rule, case, specs, seed, **options):
    """Apply one rule to one case with random operands; returns the result and why it is wrong.

    With ``ordinary``, the operands are finite and not near the ends of the range.
    """
    b, operands = Builder(), Operands(seed - seed % 3 if options.pop("ordinary", False) else seed)
    given = [operands(b, spec) for spec in specs.split()]
    made = case(b, *given)
    written, *beside = made if isinstance(made, tuple) else (made,)
    b.live = set(in_order([written, *beside]))
    better = rule(b, written)
    if better is None:
        return None, None
    scale = options.pop("scale", None)
    if scale is not None:
        scale = scale(b, *given)
    return better, compared(b, written, better, scale=scale, **options)

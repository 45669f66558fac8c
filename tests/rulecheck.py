"""Checks of an operation's gradient rules; test_planted_faults.py checks that they find faults.

Each check takes a `Case` and raises AssertionError with the operation, the operand and
both numbers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from operands import Case

import autograd_lite as ag
from autograd_lite.differences import derivative
from autograd_lite.sweep import sweep

TOLERANCE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 2e-4}


def fail(case: Case, text: str) -> None:
    shapes = " and ".join(f"{np.shape(x)} {np.asarray(x).dtype}" for x in case.operands)
    raise AssertionError(f"{case.op.name} of {shapes}, {case.attributes}: {text}")


def compare(case: Case, what: str, got: Any, expected: Any, tolerance: float) -> None:
    """Equal to a tolerance, relative to the largest number expected."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    if got.shape != expected.shape:
        fail(case, f"{what} has shape {got.shape}, not {expected.shape}")
    if not got.size:
        return
    bound = tolerance * (1 + np.max(np.abs(expected)))
    wrong = ~(np.abs(got - expected) <= bound)
    if np.any(wrong):
        at = tuple(map(int, np.argwhere(wrong)[0]))
        fail(case, f"{what} at {at} is {got[at]}, and {expected[at]} was expected")


def several(result: Any) -> list[Any]:
    """The results that a gradient can enter at: one, or the floating ones of a tuple."""
    results = list(result) if isinstance(result, tuple) else [result]
    return [
        x for x in results if (x if isinstance(x, ag.Tensor) else np.asarray(x)).dtype.kind == "f"
    ]


def cotangents(results: list[Any]) -> list[Any]:
    """Something without symmetry to enter at each result."""
    random = np.random.default_rng(7)
    return [random.uniform(0.5, 1.5, x.shape).astype(x.dtype) for x in results]


def projected(results: list[Any], vs: list[Any]) -> Any:
    """The number ⟨v, f⟩ of plain arrays."""
    return sum(np.sum(np.asarray(y) * v) for y, v in zip(results, vs, strict=True))


def tensors(case: Case, requires_grad: bool = True) -> list[ag.Tensor]:
    """The operands as Tensors; the floating ones require a gradient."""
    floats = set(case.floats())
    return [
        ag.Tensor(x, name=f"operand {k}", requires_grad=requires_grad and k in floats)
        for k, x in enumerate(case.operands)
    ]


def gradients(case: Case) -> list[Any]:
    """The engine's gradient of ⟨v, f⟩ by each floating operand."""
    xs = tensors(case)
    results = [y for y in several(case(*xs)) if y.requires_grad]
    found = sweep(dict(zip(results, cotangents(results), strict=True)))
    return [found.get(xs[k]) for k in case.floats()]


def numerical(f: Callable[..., Any], operands: Sequence[Any], k: int) -> Any:
    """The derivative of a number by each element of operand k, by differences of values."""
    x = np.array(operands[k], np.float64)
    derivatives = np.empty(x.shape)

    def along(i: Any, h: float) -> float:
        moved = x.copy()
        moved[i] += h
        return float(f(*operands[:k], moved, *operands[k + 1 :]))

    for i in np.ndindex(x.shape):
        found = derivative(functools.partial(along, i), scale=0.05)
        assert not found.trouble, f"operand {k} at {i}: {found.trouble}"
        derivatives[i] = found.value
    return derivatives


def check_gradient(case: Case) -> None:
    """First order: against differences of the forward's values."""
    wide = case.astype(np.float64)
    results = several(case.forward(*case.operands))
    vs = cotangents(results)

    def f(*operands: Any) -> Any:
        return projected(several(wide.forward(*operands)), vs)

    for k, got in zip(case.floats(), gradients(case), strict=True):
        expected = numerical(f, wide.operands, k)
        dtype = case.operands[k].dtype
        if got is None:
            compare(
                case,
                f"the gradient of operand {k}, which has no rule,",
                0 * expected,
                expected,
                1e-7,
            )
            continue
        precision = max([dtype, *(y.dtype for y in results)], key=TOLERANCE.__getitem__)
        compare(case, f"the gradient of operand {k}", got, expected, TOLERANCE[precision])


def check_second_order(case: Case) -> None:
    """Second order: the gradient of the gradient, by the operands and by the cotangent."""
    floats = [
        k for k, rule in enumerate(case.rules()) if rule is not None and k in set(case.floats())
    ]
    vs = cotangents(several(case.forward(*case.operands)))

    def first(*given: Any) -> Any:
        def of_floats(*moved: Any) -> Any:
            operands = list(case.operands)
            for k, x in zip(floats, moved, strict=True):
                operands[k] = x
            return case(*operands)

        value, pull = ag.vjp(of_floats, *given[: len(floats)])
        entering = iter(given[len(floats) :])
        if isinstance(value, tuple):
            return pull(tuple(next(entering) if y.dtype.kind == "f" else y for y in value))
        return pull(next(entering))

    given = [case.operands[k] for k in floats] + vs
    values, pull = ag.vjp(first, *given)
    us = cotangents(list(values))
    for j, got in enumerate(pull(tuple(us))):
        (u,) = cotangents([given[j]])

        def along(t: Any, j: int = j, u: Any = u) -> Any:
            moved = [*given[:j], given[j] + t * u, *given[j + 1 :]]
            return projected(list(first(*moved)), us)

        what = f"operand {floats[j]}" if j < len(floats) else "the cotangent"
        expected = numerical(along, [0.0], 0)
        compare(case, f"the second derivative by {what}", np.sum(got * u), expected, 1e-8)


def check_shape_and_dtype(case: Case) -> None:
    """A gradient has the shape and the dtype of its input."""
    for k, got in zip(case.floats(), gradients(case), strict=True):
        x = case.operands[k]
        if got is not None and (got.shape, got.dtype) != (x.shape, x.dtype):
            fail(case, f"the gradient of operand {k} is {got.shape} {got.dtype}")


def check_nothing_is_changed(case: Case) -> None:
    """Neither forward nor a rule writes into what it is given; the operands are read-only here."""
    given = [np.array(x) for x in case.operands]
    before = [x.tobytes() for x in given]
    result = case.forward(*given)
    results = list(result) if isinstance(result, tuple) else [result]
    after = [np.asarray(y).tobytes() for y in results]
    for g, out, k, rule in _entering(case, result):
        entering = np.array(g) if not isinstance(g, tuple) else g
        with np.errstate(all="ignore"):
            rule(entering, out, *given, **case.attributes)
        if np.asarray(entering).tobytes() != np.asarray(g).tobytes():
            fail(case, f"the rule of operand {k} writes into the gradient it is given")
    for k, x in enumerate(given):
        if x.tobytes() != before[k]:
            fail(case, f"operand {k} was written into")
    if [np.asarray(y).tobytes() for y in results] != after:
        fail(case, "a rule writes into the result")


def check_nothing_is_shared(case: Case) -> None:
    """No rule returns memory of an operand or of the result: a ``.grad`` is never the record."""
    operands = [np.array(x) for x in case.operands]
    result = case.forward(*operands)
    for g, out, k, rule in _entering(case, result):
        part = rule(g, out, *operands, **case.attributes)
        if any(np.may_share_memory(part, x) for x in operands if np.size(x)):
            fail(case, f"the rule of operand {k} returns memory of an operand")
        if not isinstance(out, tuple) and np.size(out) and np.may_share_memory(part, out):
            fail(case, f"the rule of operand {k} returns memory of the result")


def check_on_tensors(case: Case) -> None:
    """Every rule runs on Tensors, and gives there what it gives on arrays."""
    result = case.forward(*case.operands)
    xs = tensors(case)
    node = case(*xs)
    for g, out, k, rule in _entering(case, result):
        on_arrays = rule(g, out, *case.operands, **case.attributes)
        on_tensors = rule(ag.constant(g), node, *xs, **case.attributes)
        if not isinstance(on_tensors, ag.Tensor):
            fail(case, f"the rule of operand {k} gives a {type(on_tensors).__name__} for Tensors")
        compare(
            case, f"the rule of operand {k} on Tensors", on_tensors.detach().data, on_arrays, 1e-12
        )


def check_linear(case: Case) -> None:
    """A rule is linear in the gradient that it is given."""
    result = case.forward(*case.operands)
    for g, out, k, rule in _entering(case, result):
        h = np.asarray(g)[..., ::-1] * 0.7 if np.ndim(g) else np.asarray(g) * 0.7
        both = rule(2 * g - 3 * h, out, *case.operands, **case.attributes)
        one = rule(g, out, *case.operands, **case.attributes)
        other = rule(h, out, *case.operands, **case.attributes)
        compare(case, f"the rule of operand {k} of 2g − 3h", both, 2 * one - 3 * other, 1e-11)


def _entering(case: Case, result: Any) -> Any:
    """For each rule with a floating result: what enters, the result, the operand, the rule."""
    if isinstance(result, tuple) or np.asarray(result).dtype.kind != "f":
        return
    result = np.asarray(result)[()]
    floats = set(case.floats())
    for k, rule in enumerate(case.rules()):
        if rule is not None and k in floats:
            yield cotangents([result])[0], result, k, rule


CHECKS = (
    check_gradient,
    check_second_order,
    check_shape_and_dtype,
    check_nothing_is_changed,
    check_nothing_is_shared,
    check_on_tensors,
    check_linear,
)


def check_everything(case: Case) -> None:
    """All of the above."""
    for check in CHECKS:
        check(case)

"""Every operation whose derivative jumps has `kinks`, and detect_anomaly names the line there."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from operands import DIFFERENTIABLE, Case, cases

import autograd_lite as ag
from autograd_lite.op import OPS

STEP = 1e-7

# The derivatives of these jump at repeated or vanishing eigenvalues and singular values, which
# floating point numbers hit only by accident.
SPECTRAL = {
    "det",
    "eigh_vectors",
    "eigvalsh",
    "log_abs_det",
    "pinv",
    "qr_q",
    "qr_r",
    "svd_u",
    "svd_vh",
    "svdvals",
}


def gradients(op, operands, attributes):
    """The gradients of the sum of the results by each floating operand."""
    case = Case(op, operands, attributes)
    xs = [ag.Tensor(x, requires_grad=x.dtype.kind == "f") for x in operands]
    with np.errstate(all="ignore"):
        out = case(*xs)
        if not out.requires_grad:
            return [None for _ in xs]
        if not np.all(np.isfinite(out.data)):
            return [None for _ in xs]
        random = np.random.default_rng(1)
        out.backward(random.uniform(0.5, 1.5, out.shape))
    return [x.grad for x in xs]


LEVELS = ("quantile", "nanquantile")
"""Operations whose second operand is most often a plain number, and exactly at an element."""


def jumps(op, operands, attributes):
    """The elements (operand, index) at which the gradient differs on the two sides."""
    found = []
    if all(g is None for g in gradients(op, operands, attributes)):
        # A pole, or outside the domain: the result says so itself.
        return found
    for k, x in enumerate(operands):
        if x.dtype.kind != "f" or (k and op.name in LEVELS):
            continue
        for index in np.ndindex(x.shape):
            sides = []
            for step in (-STEP, STEP):
                moved = x.copy()
                moved[index] += step
                sides.append(
                    gradients(op, (*operands[:k], moved, *operands[k + 1 :]), attributes)[k]
                )
            if any(side is None or not np.all(np.isfinite(side)) for side in sides):
                continue
            if np.any(np.abs(sides[0] - sides[1]) > 1e-3):
                found.append((k, index))
    return found


def mask_of(op, operands, attributes):
    if op.traits.kinks is None:
        return np.zeros((), bool)
    with np.errstate(all="ignore"):
        return np.asarray(op.traits.kinks(*operands, **attributes))


def check(op, operands, attributes):
    found = jumps(op, operands, attributes)
    if found:
        assert np.any(mask_of(op, operands, attributes)), (op.name, operands, attributes, found)
    return bool(found)


PARAMETERS = ("polygamma", "iv", "ive", "gammainc", "gammaincc", "gamma_density")
WHOLE = {"ldexp": 1, **dict.fromkeys(PARAMETERS, 0)}
"""The operand of whole numbers; those of the first kind have no gradient and are not negative."""

NUMBERS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)


@pytest.mark.parametrize(
    "name",
    [name for name in DIFFERENTIABLE if OPS[name].traits.elementwise and OPS[name].arity < 3],
)
def test_elementwise_operations_say_where_their_derivative_jumps(name):
    op = OPS[name]
    for numbers in itertools.product(NUMBERS, repeat=op.arity):
        operands = tuple(
            np.array([x]).astype(int if k == WHOLE.get(name) else float)
            for k, x in enumerate(numbers)
        )
        if name in PARAMETERS:
            operands = (abs(operands[0]), operands[1])
        found = check(op, operands, {})
        if op.traits.kinks is not None and not found and np.any(mask_of(op, operands, {})):
            # Then the value jumps, or the derivative in another direction does.
            assert name in ("arctan2", "copysign", "fmod", "hypot", "remainder")


@pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")
@given(st.sampled_from([name for name in DIFFERENTIABLE if name not in SPECTRAL]), st.data())
def test_all_operations_say_where_their_derivative_jumps(name, data):
    case = data.draw(cases(OPS[name]))
    # Rounded to halves, the numbers hold zeros and ties.
    operands = tuple(
        np.asarray(np.round(2 * x) / 2) if x.dtype.kind == "f" else x for x in case.operands
    )
    if sum(x.size for x in operands) < 30:
        check(OPS[name], operands, case.attributes)


@pytest.mark.parametrize(
    ("name", "x", "attributes"),
    [
        ("max", [1.0, 1.0, 0.0], {}),
        ("min", [[1.0, 1.0], [0.0, 3.0]], {"axis": 1}),
        ("norm", [0.0, 0.0], {}),
        ("norm", [1.0, 0.0], {"ord": 1}),
        ("norm", [[0.0, 0.0], [1.0, 2.0]], {"axis": 1}),
        ("norm", [[0.0, 0.0], [1.0, 2.0]], {"axis": 1, "ord": 3.0}),
        ("std", [2.0, 2.0, 2.0], {}),
        ("relu", [0.0], {}),
        ("leaky_relu", [0.0], {"negative_slope": 0.2}),
        ("elu", [0.0], {"alpha": 0.5}),
        ("absolute", [0.0], {}),
    ],
)
def test_these_have_kinks(name, x, attributes):
    x = np.array(x)
    assert check(OPS[name], (x,), attributes)
    # What is moved off the kink is on none.
    moved = x + np.geomspace(1.1, 9.7, x.size).reshape(x.shape)
    assert not np.any(mask_of(OPS[name], (moved,), attributes))


@pytest.mark.parametrize(
    ("name", "operands", "attributes"),
    [
        ("leaky_relu", [[0.0]], {"negative_slope": 1.0}),
        ("elu", [[0.0]], {"alpha": 1.0}),
        ("max", [[1.0, 0.0, 0.0]], {}),
        ("norm", [[1.0, 0.0]], {}),
        ("std", [[2.0]], {}),
        ("remainder", [[1.5], [1.0]], {}),
        ("fmod", [[0.0], [1.0]], {}),
        ("arctan2", [[0.0], [1.0]], {}),
    ],
)
def test_these_are_smooth(name, operands, attributes):
    assert not np.any(mask_of(OPS[name], tuple(map(np.array, operands)), attributes))


def kink(f):
    with pytest.raises(ag.KinkError) as caught, ag.detect_anomaly(kinks=True):
        f()
    return str(caught.value)


def test_a_kink_of_parts_is_named_with_the_line():
    def parts():
        t = ag.Tensor([1.0, 0.0, 2.0], name="t")
        y = ag.relu(t) - ag.relu(3 - t)
        np.sum(y).backward()

    text = kink(parts)
    assert text.startswith("relu: an operand sits exactly on a kink at [1], 1 of 3 numbers\n")
    assert f"{__file__}:{parts.__code__.co_firstlineno + 2}, in parts" in text
    assert text.endswith("\n  t (3,) float64: [0.] there")


@pytest.mark.parametrize(
    ("f", "x", "who"),
    [
        (lambda x: np.sum(np.abs(x)), [1.0, 0.0], "absolute"),
        (lambda x: np.sum(np.maximum(0, 1 - x)), [1.0, 2.0], "maximum"),
        (lambda x: np.sum(np.clip(x, -1, 1)), [0.0, 1.0], "minimum"),
        (lambda x: np.sum(np.minimum(x, x[::-1])), [1.0, 1.0], "minimum"),
        (np.max, [3.0, 3.0], "max"),
        (np.median, [1.0, 1.0, 3.0], "median"),
        (lambda x: np.linalg.norm(x), [0.0, 0.0], "norm"),
        (lambda x: np.hypot(x[0], x[1]), [0.0, 0.0], "hypot"),
        (lambda x: np.sum(np.where(x > 1, 2 * x, x)), [1.0, 3.0], "greater"),
        (lambda x: np.sum(x * np.sign(x)), [0.0, 3.0], "sign"),
        (lambda x: np.sum(x - np.floor(x)), [0.5, 3.0], "floor"),
        (lambda x: np.sum(x % 1.0), [0.5, 3.0], "remainder"),
        (lambda x: np.interp(x[0], [0.0, 1.0, 2.0], [0.0, 1.0, 5.0]), [1.0, 0.0], "searchsorted"),
        (lambda x: np.take(x, int(np.argmax(x))), [1.0, 1.0], "argmax"),
        (lambda x: np.std(x), [4.0, 4.0], "std"),
    ],
)
def test_kinks_and_jumps_are_found(f, x, who):
    t = ag.Tensor(np.array(x))
    assert kink(lambda: f(t).backward()).startswith(f"{who}: an operand sits exactly on a ")
    with ag.detect_anomaly():
        f(t).backward()
    with ag.detect_anomaly(kinks=True):
        f(t.detach())
        with ag.no_grad():
            f(t)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.where([False, True], x * x, ag.relu(x))),
        lambda x: np.sum(ag.relu(x) * [3.0, 0.0]),
        lambda x: np.sum(np.abs(x) ** 2),
        lambda x: np.sum(ag.relu(ag.stop_gradient(x)) + x),
        lambda x: np.max(x),
        lambda x: np.sum(np.tanh(x) + ag.softplus(x) + ag.elu(x)),
    ],
)
def test_what_does_not_matter_is_left_alone(f):
    x = ag.Tensor([2.0, 0.0])
    with ag.detect_anomaly(kinks=True):
        f(x).backward()
        ag.hessian(f)(np.array([2.0, 0.0]))


def test_a_kink_error_is_an_anomaly_error():
    assert issubclass(ag.KinkError, ag.AnomalyError)


def test_a_missing_mask_is_found():
    absolute = OPS["absolute"]
    silent = replace(absolute, traits=replace(absolute.traits, kinks=None))
    with pytest.raises(AssertionError, match="absolute"):
        check(silent, (np.array([0.0]),), {})

"""What is exported to ONNX computes there what it computes here.

`PROGRAMS=1000 pytest tests/test_onnx_export.py -k random` exports that many random programs.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_programs import Program, programs, with_gradients
from onnx_runs import BY_ONNXRUNTIME, difference, exported, largest, leaves, run
from operands import VOCABULARY, cases

import autograd_lite as ag
from autograd_lite.exchange.to_onnx.forms import FORMS
from autograd_lite.op import NUMPY, OPS

pytestmark = pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")

MANY = int(os.environ.get("PROGRAMS", "40"))

TOLERANCE = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}
"""Of the largest intermediate value of a program."""


def _home(op):
    """The module of an operation."""
    return op.forward.__module__.rpartition(".")[2]


REFUSED = {
    *("cholesky", "eigvalsh", "eigh_vectors", "svdvals", "svd_u", "svd_vh", "qr_q", "qr_r"),
    *("inv", "pinv", "solve", "det", "det_sign", "log_abs_det", "cofactors", "cofactors_along"),
    *("matrix_rank", "regular", "distinct", "nanargmax", "nanargmin", "argpartition", "argwhere"),
    *("digitize", "unwrap", "signbit", "exponent", "erfinv", "erfcinv", "ndtri"),
}
REFUSED |= {x.name for x in OPS.values() if _home(x) in ("special_gamma", "special_bessel")}


def check(folder, f, arrays, dtype=np.float64):
    """Export a function, and compare its results."""
    with np.errstate(all="ignore"):
        expected = leaves(f(*arrays))
    model = exported(folder, f, arrays)
    error = difference(run(model, arrays), expected)
    if error > TOLERANCE[np.dtype(dtype)] * min(1.0, largest(expected)):
        # Not in the first run: where all values are outputs, onnxruntime fuses no operations.
        values = run(model, arrays, every=True)
        assert error <= TOLERANCE[np.dtype(dtype)] * largest(values)


def gradient_of(case):
    """The gradient of a weighted sum of the results of a case, by all operands of floats."""
    places = [*case.floats()]

    def results(*operands):
        def total(*floats):
            given = [*operands]
            for k, x in zip(places, floats, strict=True):
                given[k] = x
            found = case(*given)
            found = found if isinstance(found, tuple) else (found,)
            weights = [np.cos(1.0 + np.arange(x.size)).reshape(x.shape) for x in found]
            return sum(np.sum(x * w.astype(x.dtype)) for x, w in zip(found, weights, strict=True))

        return ag.grad(total, tuple(range(len(places))))(*[operands[k] for k in places])

    return results


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.mark.parametrize("name", [name for name in VOCABULARY if name not in REFUSED])
@settings(max_examples=2)
@given(st.data())
def test_every_operation(folder, name, data):
    dtype = data.draw(st.sampled_from([np.float64, np.float32]))
    case = data.draw(cases(OPS[name])).astype(dtype)
    check(folder, case, case.operands, dtype)
    if OPS[name].differentiable and [*case.floats()]:
        check(folder, gradient_of(case), case.operands, dtype)


@pytest.mark.parametrize("name", sorted(REFUSED))
@settings(max_examples=1)
@given(st.data())
def test_what_onnx_cannot_say_is_refused(folder, name, data):
    case = data.draw(cases(OPS[name]))
    with pytest.raises(ValueError, match=r"^export_onnx: \S+ .*operands.py, line \d+\) cannot be"):
        ag.export_onnx(case, case.operands, folder / "refused.onnx")
    assert not (folder / "refused.onnx").exists()


def test_the_page_names_what_is_refused():
    page = (Path(__file__).parents[1] / "docs/onnx.md").read_text(encoding="utf-8")
    for function, op in NUMPY.items():
        if op in {OPS[name] for name in REFUSED if _home(OPS[name]) != "special_bessel"}:
            home = "np.linalg" if "linalg" in function.__module__ else "np"
            assert f"`{home}.{function.__name__}`" in page
    for name in ("erfinv", "erfcinv", "ndtri"):
        assert f"`{name}`" in page


# Zeros of both signs, infinities, NaN, ties, and numbers near the ends of the range

ELEMENTWISE = sorted(
    name
    for name in VOCABULARY
    if OPS[name].traits.elementwise and name not in REFUSED and name != "ldexp"
)


def corners(dtype):
    about = np.finfo(dtype)
    sizes = [0, 0.5, 1, 1.5, 2, 2.5, 3, 20, 40, 90, 700, 710, 1e-8, 1e8, np.inf]
    sizes += [about.max, about.tiny, about.eps, 1 + about.eps, 1 - about.epsneg]
    signed = [sign * x for x in sizes for sign in (1, -1)]
    return np.array([*signed, np.nan], dtype)


def on_corners(arity, dtype):
    x = corners(dtype)
    if arity == 1:
        return [x]
    a, b = (part.ravel() for part in np.meshgrid(x, x))
    return [a, b] if arity == 2 else [a > 0, a, b]


def is_logical(op):
    return op.name.startswith("bitwise") or op.name == "invert"


@pytest.mark.skipif(not BY_ONNXRUNTIME, reason="needs onnxruntime")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("arity", [1, 2, 3])
def test_corners(folder, arity, dtype):
    ops = [op for op in map(OPS.get, ELEMENTWISE) if op.arity == arity]

    def every(*operands):
        found = {}
        for op in ops:
            found[op.name] = op(*[x > 0 for x in operands] if is_logical(op) else operands)
        return found

    operands = on_corners(arity, dtype)
    with np.errstate(all="ignore"):
        expected = every(*operands)
    found = run(exported(folder, every, operands), operands)
    for name, part in zip(expected, found, strict=True):
        assert_right(name, part, np.asarray(expected[name]), operands)


def assert_right(name, found, expected, operands):
    """Check each element, relatively, not only in comparison with the largest one."""
    known = np.ones(found.shape, bool)
    if name == "copysign":
        known = ~np.isnan(operands[1])  # the sign of NaN is not known in ONNX
        assert np.isnan(found[~known]).all()
    if name == "normal_hazard":  # there SciPy's is infinite
        known = operands[0] != np.finfo(found.dtype).min
    found, expected = found[known], expected[known]
    try:
        difference([found], [expected])  # the same NaN and infinities
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}") from error
    if found.dtype.kind == "f":
        about, finite = np.finfo(found.dtype), np.isfinite(expected)
        apart = np.abs(found[finite].astype(np.longdouble) - expected[finite])
        least = 1.0 if name in {"sin", "cos", "sinc", "logaddexp", "logaddexp2"} else about.tiny
        # In a tail of the normal distribution SciPy has fewer digits, too.
        digits = 2000 if name in {"erfcx", "ndtr", "log_ndtr"} else 100
        size = np.maximum(np.abs(expected[finite]), least)
        assert (apart <= digits * about.eps * size).all(), name


NAN_TOO = ["max", "min", "argmax", "argmin", "logsumexp", "mean", "sort", "median", "nanmedian"]


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("name", NAN_TOO)
def test_nan_is_seen_wherever_it_is(folder, name, axis):
    x = np.array([[1.0, np.nan, 3.0], [2.0, 5.0, 4.0], [np.nan, np.nan, -np.inf]])
    f = getattr(ag, name, None) or getattr(np, name)
    check(folder, lambda x: f(x, axis=axis), [x])


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_of_nan_and_infinities(folder, name):
    rows = [[1, np.nan, 2], [-np.inf, 1, 2], [-np.inf] * 3, [0, 800, -800]]
    check(folder, OPS[name], [np.array(rows)])
    x = np.array([[np.inf, 1.0, 2.0]])  # as compiled: what is known of one ∞ is not seen
    assert np.isnan(run(exported(folder, OPS[name], [x]), [x])[0][0, 0])


INTEGERS = {
    "a + b * 2 - np.abs(a)": "a sum",
    "a // b": "a division by 0 is 0",
    "a % b": "the sign of the divisor",
    "np.sum(a * (2**53 + 1), axis=0)": "more digits than float64 has",
    "np.cumsum(a) + np.max(a) - np.min(b)": "",
    "np.maximum(a, b) @ a": "",
    "a**2 - b**3 + (a + 40) ** 11": "more digits than float64 has",
    "a / b": "a true division",
    "np.where(a > b, a, b) * 1.5": "",
    "(a & b) | ~a ^ b": "",
    "(a > 0) & (b > 0) | ~(a == b)": "",
    "np.where(a > 0, a > 1, b > 1)": "ONNX chooses no booleans",
    "(a > 0) * 2.5 + np.sum(a > 0)": "",
    "np.logical_xor(a, b)": "",
    "np.sign(a) + np.argmax(a > 1)": "",
    "np.mean(a) + np.var(b)": "",
    "np.any(a > 1) & np.all(b < 9)": "",
    "np.add(a > 1, b > 1)": "a sum of booleans is one",
    "np.astype(np.tanh(a / 9) * 5, np.int32) + np.astype(b, np.int32)": "",
}


@pytest.mark.parametrize("text", INTEGERS)
def test_integers_and_booleans(folder, text):
    a, b = np.array([-7, 7, 0, 3, 5, -2]), np.array([2, -2, 0, 3, 0, 5])

    def f(a, b):
        return eval(text, {"np": np, "a": a, "b": b})

    check(folder, f, [a, b])


@settings(max_examples=MANY)
@given(programs())
def test_random_programs(folder, program):
    check(folder, with_gradients(program), program.arrays, program.arrays[0].dtype)


def test_a_wrong_form_is_found(folder, monkeypatch):
    program = Program("def program(x):\n    return np.sum(np.log1p(x)), x\n", (np.ones(3),))
    check(folder, with_gradients(program), program.arrays)
    monkeypatch.setitem(FORMS, "np.log1p", lambda x: np.log(1.0000001 + x))
    with pytest.raises(AssertionError):
        check(folder, with_gradients(program), program.arrays)


def test_losses_are_exported_from_logits(folder):
    z = np.array([-800.0, -40.0, 0.0, 40.0, 800.0])

    def loss(z):
        return -np.log(1 / (1 + np.exp(-z))), np.log(1 - ag.sigmoid(z)), np.log(ag.softmax(z))

    found = run(exported(folder, loss, [z]), [z])
    with np.errstate(over="ignore"):
        expected = loss(ag.constant(z))
    for part, own in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, own.numpy(), rtol=1e-14)
    assert found[0][0] == 800


@pytest.mark.parametrize(
    "text",
    [
        "np.sum(x, axis=0)",
        "np.mean(x)",
        "np.prod(x, axis=1)",
        "x.T @ x",
        "x @ np.ones((3, 2))",
        "ag.softmax(x)",
        "np.concatenate([x, x])",
        "np.reshape(x, (3, 0))",
        "np.sum(x * x, axis=1)",
        "np.where(x > 0, x, 1) + np.cumsum(x, axis=0)",
        "np.any(x > 0)",
        "ag.relu(x)[:, :2]",
    ],
)
def test_empty_arrays(folder, text):
    def f(x):
        return eval(text, {"np": np, "ag": ag, "x": x})

    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        check(folder, f, [np.ones((0, 3))])


def test_second_derivatives(folder):
    def f(w, x):
        return np.sum(np.tanh(x @ w) ** 2)

    w, x = np.array([0.3, -0.2]), np.array([[1.0, 2.0], [0.5, -1.0], [0.1, 3.0]])
    check(folder, ag.hessian(f), [w, x])
    check(folder, lambda w, x: ag.hvp(f)(w, x, w), [w, x])


def test_a_model_of_other_dtypes(folder):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    check(folder, lambda x: np.tanh(x / 255), [pixels])
    with pytest.raises(ValueError, match=r"np.add \(.*: its result is uint8; use one of"):
        ag.export_onnx(lambda x: x + x, (pixels,), folder / "refused.onnx")
    assert onnx.load(folder / "model.onnx").ir_version == 8


@pytest.mark.parametrize(
    "key", ["np.zeros(2, int)", ":, np.ones(4, int)", "np.ones(2, int), [0, 2]"]
)
def test_indices_that_are_all_equal(folder, key):
    def f(x):
        return eval(f"x[{key}]", {"np": np, "x": x})

    x = np.arange(6.0).reshape(2, 3)
    check(folder, lambda x: (f(x), ag.grad(lambda x: np.sum(f(x) ** 2))(x)), [x])


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="it is float64 here")
def test_an_argument_of_a_dtype_that_onnx_lacks(folder):
    with pytest.raises(TypeError, match=r"export_onnx: x is \S+, which ONNX does not have"):
        ag.export_onnx(lambda x: 2 * x, (np.ones(2, np.longdouble),), folder / "model.onnx")

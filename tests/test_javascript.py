"""Programs in JavaScript, run in headless Chromium beside Python."""

from __future__ import annotations

import contextlib
import re
import warnings
from functools import partial

import loops
import native_programs
import numpy as np
import pytest
import rich
from hypothesis import given as drawn_from
from hypothesis import settings
from operands import VOCABULARY
from scripts import RUN, found, given, same
from test_namespaces import DTYPES, ELEMENTWISE, MIXED, example, value_and_gradient_of

import autograd_lite as ag
from autograd_lite.compiler import javascript_language
from autograd_lite.compiler.javascript import javascript
from autograd_lite.models.perceptron import ACTIVATIONS
from autograd_lite.op import OPS
from autograd_lite.testing import programs


@pytest.fixture(scope="module")
def run(browser):
    """Run calls (source, name, arguments) at once; returns what each returned."""
    context = browser.new_context(offline=True)
    tab = context.new_page()

    def together(calls):
        return tab.evaluate(RUN, [[text, name, [*map(given, args)]] for text, name, args in calls])

    yield together
    context.close()


@pytest.fixture
def compare(run):
    """Compare calls (name, function, arguments) with Python; returns those that are refused."""

    def compared(calls, close=1e-9):
        refused, ready, expected = {}, [], []
        for name, function, args in calls:
            with np.errstate(all="ignore"):
                value = ag.compile(function)(*args)
                try:
                    ready.append((javascript(function, args, "program"), "program", args))
                except ValueError as error:
                    refused[name] = str(error)
                    continue
            expected.append(value)
        results = run(ready)
        for result, value, (text, _, _) in zip(results, expected, ready, strict=True):
            same(found(result), value, close, text)
        return refused

    return compared


# What every operation of the table does

REFUSED = """
angle argpartition argwhere bitwise_and bitwise_or bitwise_xor cholesky cofactors cofactors_along
convolve cross det det_sign digitize distinct eigh_vectors eigvalsh exponent inv isclose iscomplex
isin isreal ldexp log_abs_det matrix_rank nanargmax nanargmin pinv qr_q qr_r regular searchsorted
solve svd_u svd_vh svdvals unwrap gelu
beta betaln digamma entr erf erfc erfcinv erfcx erfinv gamma gamma_density gammainc gammaincc
gammaln i0 i0e i1 i1e inverse_mills iv ive ive_derivative log_ndtr logit ndtr ndtri polygamma
polygamma_difference rel_entr truncated_moment xlog1py xlogy
"""
"""Operations that JavaScript lacks: linear algebra, what SciPy computes, and a few others."""

PARTS = [VOCABULARY[k::6] for k in range(6)]


@pytest.mark.parametrize("part", range(6))
def test_each_operation_and_its_gradient(compare, part):
    drawn = {name: example(name, 1) for name in PARTS[part]}
    calls = [(name, value_and_gradient_of(case), case.operands) for name, case in drawn.items()]
    refused = compare(calls, 1e-7)
    assert {*refused} <= {*REFUSED.split()}
    for error in refused.values():
        assert re.fullmatch(r"save: JavaScript has no equal of [\w. ]+", error)


FLOATS = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 0.5, -1e-20, 1e300, 3])
INTEGERS = np.array([0, 1, -1, 5, -7, 3, 127, -128])
TIES = {"maximum", "minimum", "fmax", "fmin", "relu"}  # of −0 and 0, where processors differ


SMALL = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32)


@pytest.mark.parametrize("dtype", [*dict.fromkeys((*DTYPES, *SMALL))])
def test_corners_of_elementwise_operations(run, dtype):
    elements = FLOATS if np.dtype(dtype).kind == "f" else INTEGERS
    if dtype in SMALL:
        elements = np.append(elements.astype(dtype), [np.iinfo(dtype).min, np.iinfo(dtype).max])
    ready, expected = [], []
    for name in ELEMENTWISE:
        op = OPS[name]
        with (
            np.errstate(all="ignore"),
            contextlib.suppress(TypeError, ValueError, OverflowError),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            pairs = [x.ravel() for x in np.meshgrid(*[elements.astype(dtype)] * (op.arity or 2))]

            def function(*x, op=op):
                return op(*x) if op.arity else op(x)

            value = function(*pairs)
            ready.append((javascript(function, pairs, "program"), "program", pairs))
            expected.append((name, value))
    assert len(ready) > 35
    for result, (name, value) in zip(run(ready), expected, strict=True):
        values = found(result)
        same(values, value, 1e-13, name)
        if name not in TIES:
            zeros = values[0] == 0
            np.testing.assert_array_equal(np.signbit(values[0][zeros]), np.signbit(value[zeros]))


REDUCTIONS = (np.max, np.min, np.mean, np.std, np.var, np.sum, np.ptp, np.median)
AXES = ({}, {"axis": 0}, {"axis": -1}, {"axis": (0, 1), "keepdims": True})


@pytest.mark.parametrize("dtype", [*SMALL, np.int64, np.bool_])
def test_reductions_of_integers_and_booleans(compare, dtype):
    x = np.array([[-128, -7, -3], [-5, -100, -2]]).astype(dtype)
    calls = [
        (f"{function.__name__} {given}", partial(function, **given), [x])
        for function in REDUCTIONS
        for given in AXES
        if dtype is not np.bool_ or function not in (np.ptp, np.median)
    ]
    calls.append(("without axes", lambda x: (np.max(x), np.mean(x), np.std(x)), [x[0, 0]]))
    assert not compare(calls)


@pytest.mark.parametrize("one", DTYPES)
def test_dtypes_are_those_of_numpy(compare, one):
    rng, calls = np.random.default_rng(0), []
    for k, function in enumerate(MIXED):
        for two in DTYPES:
            x, y = (
                rng.normal(size=6).astype(dtype)
                if np.dtype(dtype).kind == "f"
                else rng.integers(0, 5, 6).astype(dtype)
                for dtype in (one, two)
            )
            with contextlib.suppress(TypeError, IndexError), np.errstate(all="ignore"):
                function(x, y)
                calls.append(((k, one, two), function, (x, y)))
    # Sums of float32 in NumPy's own order differ by a rounding.
    refused = compare(calls, 2e-6 if np.float32 in (one, np.float32) else 1e-9)
    assert all("dtype float16" in error for error in refused.values())


# Random programs


def examples(strategy, count):
    drawn = []

    @settings(max_examples=count)
    @drawn_from(strategy)
    def note(x):
        drawn.append(x)

    note()
    return drawn


def test_long_sums_lose_no_digits(compare):
    x, X = np.full(10**6, 0.1), np.random.default_rng(3).normal(3, 1, (5, 3001))

    def function(x, X):
        return np.mean(x), np.var(x + X[0, 0]), np.sum(X * X), np.mean(np.exp(X), axis=None)

    assert not compare([("long", function, [x, X])], 2e-14)
    assert "start < 1000000; start += 2048" in javascript(np.sum, [x], "program")
    assert "start" not in javascript(np.sum, [X], "program", {"rows": 3001}).partition("\n\n")[0]


ALONG = (np.cumsum, np.cumprod, np.sort, np.argsort, np.argmax, np.argmin)


def test_functions_along_an_axis_of_few_axes_or_all(compare):
    x = np.array([[3.0, 1.0, 3.0], [-2.0, 5.0, 1.0]])
    calls = [
        (f"{function.__name__} {axis}", partial(function, axis=axis), [x[::-1]])
        for function in ALONG
        for axis in (None, 0, -1, -2)
    ]
    one = [np.array(3.0)]
    calls += [(f.__name__, partial(f, axis=axis), one) for f in ALONG[:2] for axis in (None, 0, -1)]
    calls += [(f.__name__, partial(f, axis=None), one) for f in ALONG]
    calls += [("keepdims", partial(np.argmax, axis=axis, keepdims=True), [x]) for axis in (None, 1)]
    assert not compare(calls)


@pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")
def test_random_array_programs(compare):
    calls = [("arrays", p, p.arguments) for p in examples(native_programs.programs(), 40)]
    assert not compare(calls)


def test_random_programs_and_their_gradients(compare):
    calls = [
        ("program", ag.value_and_grad(p, tuple(range(len(p.arrays)))), p.arrays)
        for p in examples(programs(), 25)
    ]
    assert not compare(calls)


def test_random_programs_and_their_second_derivatives(compare):
    calls = []
    for p in examples(rich.programs(), 25):
        direction = [np.cos(1 + np.arange(x.size)).reshape(x.shape) for x in p.arrays]
        calls.append(("rich", rich.derivatives(p), (*p.arrays, *direction)))
    assert not compare(calls, 1e-8)


def test_random_loops(compare):
    calls = [("loop", *drawn) for drawn in examples(loops.looped(), 25)]
    assert not compare(calls, 1e-7)


WRONG = {
    "np.fmax": "{0} >= {1} ? {0} : {1}",
    "np.expm1": "Math.exp({0})",
    "np.remainder": "{0} % {1}",
    "np.power": "{0} ** {1}",
}


@pytest.mark.parametrize("fn", WRONG)
def test_a_wrong_statement_is_seen(compare, monkeypatch, fn):
    def function(x, y):
        return np.fmax(x, y), np.expm1(x), np.remainder(x, y), np.power(x, y)

    call = ("statements", function, (np.array([1.0, 2.0, -3.0]), np.array([np.nan, 3.0, 2.0])))
    assert not compare([call])
    monkeypatch.setitem(javascript_language.STATEMENTS, fn, WRONG[fn])
    with pytest.raises(AssertionError):
        compare([call])


# Training


def layers(rng, sizes):
    params = {}
    for k, (n, m) in enumerate(zip(sizes[1:], sizes, strict=False), 1):
        params |= {f"W{k}": rng.normal(size=(n, m)), f"b{k}": rng.normal(size=n)}
    return params | {"w": rng.normal(size=sizes[-1]), "b": np.array(rng.normal())}


def perceptron(depth):
    """A training step; which activation is an argument."""

    def step(params, X, y, rate, kind):
        def loss(params):
            h = X
            for k in range(1, depth + 1):
                a = h @ params[f"W{k}"].T + params[f"b{k}"]
                relu, tanh, logistic = (g(a) for _, g in ACTIVATIONS.values())
                h = np.where(kind == 0, relu, np.where(kind == 1, tanh, logistic))
            z = h @ params["w"] + params["b"]
            penalty = sum(np.sum(params[f"W{k}"] ** 2) for k in range(1, depth + 1))
            return ag.binary_cross_entropy_with_logits(z, y) + 0.001 * penalty

        value, gradient = ag.value_and_grad(loss)(params)
        return value, {k: x - rate * gradient[k] for k, x in params.items()}

    return step


def task(rng, sizes, kind):
    params = layers(rng, [*sizes.values()][1:])
    X = rng.normal(size=(sizes["rows"], sizes["inputs"]))
    y = (np.sin(3 * X[:, 0]) > X.sum(1) - X[:, 0]) * 1.0
    return params, X, y, np.array(0.05), np.array(kind)


TRAIN = """
function train(params, X, y, rate, kind, sizes) {
  const losses = [];
  for (let k = 0; k < 100; k++) {
    const [loss, next] = step(params, X, y, rate, kind, sizes);
    losses.push(loss);
    params = next;
  }
  return [losses, params];
}"""


@pytest.mark.parametrize("depth", range(5))
def test_100_steps_at_random_sizes_by_one_program(run, depth):
    """Two architectures of each depth, with each activation, by the program of other sizes."""
    assert [*ACTIVATIONS] == ["relu", "tanh", "logistic"]
    rng, step = np.random.default_rng(depth), perceptron(depth)
    names = ["rows", "inputs", *(f"units{k}" for k in range(1, depth + 1))]
    base = dict(zip(names, range(5, 5 + len(names)), strict=True))
    text = javascript(step, task(rng, base, 0), "step", base)
    calls, expected = [], []
    for units in rng.integers(1, 17, (2, depth)).tolist():
        sizes = dict(zip(names, [40, 2, *units], strict=True))
        for kind in range(3):
            args = task(rng, sizes, kind)
            calls.append((text + TRAIN, "train", (*args, sizes)))
            compiled, params, losses = ag.compile(step), args[0], []
            for _ in range(100):
                loss, params = compiled(params, *args[1:])
                losses.append(loss)
            expected.append((losses, params))
    for result, value in zip(run(calls), expected, strict=True):
        same(found(result), value, 1e-9)


SIZED = {
    "softmax": lambda X, W: ag.softmax(X @ W.T, axis=1),
    "normalised": lambda X, W: (
        (X - X.mean(1, keepdims=True)) / np.sqrt(X.var(1, keepdims=True) + 1)
    ),
    "logsumexp": lambda X, W: ag.logsumexp(X @ W.T, axis=0),
    "joined": lambda X, W: np.concatenate([X, X]) * 2,
    "reversed": lambda X, W: X[:, ::-1] @ W.T,
    "outer": lambda X, W: np.outer(X[:, 0], W[:, 0]),
    "flat": lambda X, W: X.reshape(-1) ** 2,
    "max": lambda X, W: np.max(X, axis=0) * np.min(W),
    "argmax": lambda X, W: np.argmax(X @ W.T, axis=1),
    "distances": lambda X, W: np.mean((X[:, None] - W[None]) ** 2, axis=(0, 2)),
    "gradient": lambda X, W: ag.grad(lambda W: np.mean(np.tanh(X @ W.T)) + np.mean(W**2))(W),
    "product": lambda X, W: ag.hvp(lambda W: np.mean(np.tanh(X @ W.T) ** 2))(W, W),
    "lengths": lambda X, W: X * X.shape[0] ** 2 / X.shape[1],
    "trace": lambda X, W: np.trace(X.T @ X),
}
REFUSED_SIZES = {
    "differences": lambda X, W: X[1:] - X[:-1],
    "every second": lambda X, W: X[::2] * 1,
    "half": lambda X, W: X[: X.shape[0] // 2] * 1,
    "root": lambda X, W: X / np.sqrt(X.shape[0]),
    "numbered": lambda X, W: X * np.arange(X.shape[1]),
    "branch": lambda X, W: X * 2 if X.shape[0] < 20 else X * 3,
}


def test_other_sizes_are_right_or_refused(run):
    rng, base = np.random.default_rng(3), {"rows": 11, "inputs": 5, "units": 7}

    def arguments(sizes):
        rows, inputs, units = sizes.values()
        return rng.normal(size=(rows, inputs)), rng.normal(size=(units, inputs))

    calls, expected = [], []
    for name, function in SIZED.items():
        text = javascript(function, arguments(base), "program", base)
        for _ in range(4):
            sizes = {key: int(rng.integers(1, 13)) for key in base}
            args = arguments(sizes)
            calls.append((text, "program", (*args, sizes)))
            expected.append((name, sizes, function(*args)))
    for result, (name, sizes, value) in zip(run(calls), expected, strict=True):
        same(found(result), value, 1e-9, f"{name} {sizes}")
    for function in REFUSED_SIZES.values():
        with pytest.raises(ValueError, match="cannot serve other sizes"):
            javascript(function, arguments(base), "program", base)


def test_a_step_in_float32(compare):
    rng = np.random.default_rng(1)
    args = task(rng, {"rows": 20, "inputs": 2, "units1": 4, "units2": 3}, 1)
    single = [
        {k: v.astype(np.float32) for k, v in args[0].items()},
        *(x.astype(np.float32) for x in args[1:4]),
        args[4],
    ]
    assert not compare([("float32", perceptron(2), single)])


def test_any_number_of_rows(run):
    def loss(w, X, y):
        return np.mean(np.square(np.tanh(X @ w) - y))

    compiled = ag.compile(ag.value_and_grad(loss), rows="auto")
    rng = np.random.default_rng(2)
    w = rng.normal(size=3)
    compiled(w, rng.normal(size=(40, 3)), rng.normal(size=40))
    text = compiled._latest("").javascript()
    given = [(w, rng.normal(size=(n, 3)), rng.normal(size=n)) for n in (2, 11, 1009)]
    script = text.partition("if (typeof module")[0]
    results = run([(script, "loss", args) for args in given])
    for args, result in zip(given, results, strict=True):
        same(found(result), compiled(*args), 1e-9, text)


def test_rows_with_classes_as_labels(run):
    """Each row has an index of its own, which no constant holds."""

    def step(weights, X, labels):
        return ag.value_and_grad(lambda w: ag.cross_entropy(np.tanh(X @ w), labels))(weights)

    def arguments(n):
        return rng.normal(size=(3, 4)), rng.normal(size=(n, 3)), rng.integers(0, 4, n)

    rng, compiled = np.random.default_rng(4), ag.compile(step, rows="auto")
    compiled(*arguments(30))
    script = compiled._latest("").javascript().partition("if (typeof module")[0]
    calls = [arguments(n) for n in (2, 57, 2018)]
    for args, result in zip(calls, run([(script, "step", args) for args in calls]), strict=True):
        same(found(result), step(*args), 1e-9, script)

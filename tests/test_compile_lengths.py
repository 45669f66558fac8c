"""One program for any number of rows."""

from __future__ import annotations

import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler import lengths
from autograd_lite.compiler.lengths import LengthError, Number, check_constants, scaled
from autograd_lite.expressions.expr import Builder
from autograd_lite.trees import flatten

RANDOM = np.random.default_rng(11)
FIXED = np.array([0.25, -2.0, 0.7], np.float32)
W, V = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=3)


NUMBERS = np.arange(900.0)[:, None]
CLOSED = RANDOM.normal(size=(1 << 16, 2))


def table(length, dtype=np.float64):
    X = RANDOM.normal(size=(length, 4)).astype(dtype)
    return X, (X[:, 0] > 0).astype(dtype)


def network(params, X, y):
    def loss(params):
        W, v = params
        h = ag.relu(X @ W.T)
        return ag.binary_cross_entropy(ag.sigmoid(h @ v), y) + 0.01 * np.sum(W * W)

    value, gradients = ag.value_and_grad(loss)(params)
    return value, [p - 0.1 * g for p, g in zip(params, gradients, strict=True)]


FUNCTIONS = {
    "network": network,
    "mean": lambda p, X, y: np.mean(X @ p[0].T, axis=0) * 3 + p[1],
    "mean of all": lambda p, X, y: np.mean(X) / 7,
    "length": lambda p, X, y: np.sum(X, axis=0) * len(X) + X.shape[0] / 3,
    "squares of the length": lambda p, X, y: (np.sum(y) / len(y)) / len(y),
    "rows": lambda p, X, y: (np.tanh(X @ p[0].T), X * (1 / len(X)), np.mean(y)),
    "an argument with rows": lambda p, X, y: (np.sum(X.T * y, axis=1), y, X),
    "reshaped": lambda p, X, y: np.sum(np.reshape(X, (len(X), 2, 2)) ** 3, axis=0) / len(X),
    "expanded": lambda p, X, y: np.mean(y[:, None] * X, axis=0),
    "classes": lambda p, X, y: ag.value_and_grad(
        lambda W: ag.cross_entropy(X @ W.T, (y > 0).astype(np.int64))
    )(p[0]),
    "a fixed array": lambda p, X, y: ag.grad(
        lambda W: np.mean((np.tanh(X @ W.T) @ FIXED - y) ** 2)
    )(p[0]),
    "unused rows": lambda p, X, y: np.mean(X, axis=0),
    "constant": lambda p, X, y: (np.mean(y), 0.5, {"a": p[1]}),
    "factor": lambda p, X, y: p[1] / len(X) + np.sum(X),
    "where": lambda p, X, y: np.sum(np.where(y > 0, y / len(y), 2.0)),
}


def assert_same(found, expected, rtol=1e-11):
    for a, b in zip(flatten(found)[0], flatten(expected)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol / 10)
        assert np.asarray(a).dtype == np.asarray(b).dtype


def eager(function, *args):
    found = function(
        *[ag.constant(x) if isinstance(x, np.ndarray) else [*map(ag.constant, x)] for x in args]
    )
    return [x.numpy() if isinstance(x, ag.Tensor) else x for x in flatten(found)[0]]


@settings(max_examples=10)
@given(
    st.lists(st.integers(5, 3000), min_size=2, max_size=4),
    st.sampled_from([np.float64, np.float32]),
    st.sampled_from(["auto", 1, 10, 700]),
)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_program_serves_any_number_of_rows(name, counts, dtype, rows):
    traces = 0  # counts of 2, 3 and 4 are also lengths of other axes

    def function(p, X, y):
        nonlocal traces
        traces += 1
        return FUNCTIONS[name](p, X, y)

    compiled = ag.compile(function, rows=rows)
    params = [W.astype(dtype), V.astype(dtype)]
    for count in counts:
        X, y = table(count, dtype)
        found = flatten(compiled(params, X, y))[0]
        expected = eager(FUNCTIONS[name], params, X, y)
        assert_same(found, expected, 1e-10 if dtype is np.float64 else 1e-3)
    assert len(compiled._programs) == 1
    reads_shape = name in ("length", "squares of the length", "rows", "reshaped", "factor", "where")
    assert traces == 4 + reads_shape * len({*counts[1:]} - {counts[0], 1009, 1013})


def test_a_million_rows_need_no_other_program():
    compiled, sources = ag.compile(network, rows="auto"), set()
    for count in (1000, 1001, 10**6, 2):
        X, y = table(count)
        assert_same(compiled([W, V], X, y), network([W, V], X, y), 1e-9)
        sources.add(compiled.source)
        ((fits, _),) = compiled._quick
        assert fits(([W, V], X, y))
        assert not fits(([W, V], X, y[:-1]))
    assert len(sources) == 1


@pytest.mark.parametrize("rows", ["auto", 50, 60])
def test_the_source_contains_neither_the_number_of_rows_nor_the_size_of_a_block(rows):
    texts = {
        (compiled.source, compiled.readable())
        for count in (569, 12345)
        for compiled in [ag.compile(network, rows=rows)]
        if compiled([W, V], *table(count))
    }
    assert len(texts) == 1
    ((source, readable),) = texts
    numbers = set(re.findall(r"\b\d+\b", source + readable))
    assert not numbers & {"569", "12345", "50", "60", "1000", "1007"}


def test_the_readable_form_serves_any_number_of_rows():
    compiled = ag.compile(network, rows="auto")
    compiled([W, V], *table(100))
    assert "n = X.shape[0]" in compiled.readable()
    assert "X: float64 (n, 4)" in compiled.readable()
    space = {}
    exec(compiled.readable(), space)
    for count in (3, 100, 5000):
        X, y = table(count)
        assert_same(space["network"]([W, V], X, y), network([W, V], X, y), 1e-10)


def test_an_argument_may_be_called_n():
    compiled = ag.compile(lambda n, i, j: np.mean(n * i, axis=0) + j, rows=10)
    for count in (5, 50):
        n = RANDOM.normal(size=(count, 2))
        assert_same(compiled(n, n * 2, V[:2]), np.mean(2 * n * n, axis=0) + V[:2])
        exec(compiled.readable(), {})


DEPENDENT = {
    "a branch": lambda X: np.sum(X) if len(X) > 500 else np.sum(X * X),
    "a parity": lambda X: np.sum(X) if len(X) % 2 else np.sum(X * X),
    "an array that it closes over": lambda X: np.sum(X * NUMBERS[: len(X)]),
    "at most 100 rows": lambda X: np.sum(X) * min(len(X), 100),
    "few rows": lambda X: np.sum(X) * (3 if len(X) < 10 else 4),
    "a root": lambda X: np.sum(X) / len(X) ** 0.5,
    "one less": lambda X: np.sum(X) / (len(X) - 1),
    "a refusal": lambda X: np.sum(X) if len(X) <= 600 else 1 / 0,
}


@pytest.mark.parametrize("name", DEPENDENT)
def test_what_depends_on_the_number_of_rows_is_compiled_for_each(name):
    function = DEPENDENT[name]
    compiled = ag.compile(lambda X: function(X), rows=100)
    for count in (300, 301, 600):
        X, _ = table(count)
        assert_same(compiled(X), function(X))
    assert len(compiled._programs) == 3


@pytest.mark.parametrize("rows", ["auto", 2, 10])
@pytest.mark.parametrize("name", ["network", "mean", "rows", "length"])
def test_no_row_and_a_single_row_have_programs_of_their_own(name, rows):
    function = FUNCTIONS[name]
    compiled = ag.compile(function, rows=rows)
    for count in (100, 1, 7, 0 if name == "length" else 1):
        X, y = table(count)
        assert_same(flatten(compiled([W, V], X, y))[0], eager(function, [W, V], X, y))
    assert len(compiled._programs) == (3 if name == "length" else 2)


def test_rows_that_do_not_match_are_an_error():
    compiled = ag.compile(network, rows=10)
    compiled([W, V], *table(100))
    with pytest.raises(ValueError, match="must have the same shape"):
        compiled([W, V], table(100)[0], table(99)[1])


def test_a_length_equal_to_that_of_another_axis_does_not_matter():
    compiled = ag.compile(network, rows=2)
    for count in (4, 3, 12):
        X, y = table(count)
        assert_same(compiled([W, V], X, y), network([W, V], X, y))


@given(
    st.floats(1e-6, 1e6),
    st.lists(st.integers(2, 10**6), min_size=2, max_size=3, unique=True),
    st.sampled_from(["{k} * {n}", "{k} / {n}"]),
)
def test_numbers_are_found_as_multiples_of_the_number_of_rows(k, counts, form):
    values = [k * n if "*" in form else k / n for n in counts]
    number = scaled(values, counts)
    for n, value in zip(counts, values, strict=True):
        np.testing.assert_allclose([number(n), eval(number.text(str(n)))], value, rtol=2e-15)


@pytest.mark.parametrize("power", [-3, -0.5, 0.5, 3])
def test_other_powers_are_refused(power):
    with pytest.raises(LengthError):
        scaled([3.0 * n**power for n in (1000, 1007)], (1000, 1007))


def test_numbers_taken_as_constants_fail_the_test(monkeypatch):
    """The tests above see a number of rows that stays in the program."""
    monkeypatch.setattr(lengths, "scaled", lambda values, *_: Number(values[0] / 1000, 1))
    compiled = ag.compile(network, rows=10)
    X, y = table(300)
    with pytest.raises(AssertionError):
        assert_same(compiled([W, V], X, y), network([W, V], X, y))


def test_the_source_map_knows_the_lines_of_a_program_for_any_number_of_rows():
    compiled = ag.compile(network, rows=10)
    compiled([W, V], *table(300))
    lines = compiled.readable().splitlines()
    places = compiled.source_map()
    assert {file for file, _ in places.values()} == {network.__code__.co_filename}
    found = {text.split(" = ")[0].strip() for k in places if " = " in (text := lines[k - 1])}
    assert len(found) >= 4


COUNTS = {
    "len": len,
    "shape": lambda X: X.shape[0],
    "np.shape": lambda X: np.shape(X)[0],
    "size": lambda X: X.size // 3,
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_function_that_branches_on_the_number_of_rows_is_right_on_each_side(name):
    def gradient(w, X):
        return ag.grad(lambda w: np.mean((X @ w) ** 2) * (2 if COUNTS[name](X) > 2000 else 3))(w)

    compiled, w = ag.compile(gradient, rows=64), np.array([0.5, -1.0, 2.0])
    for length in (500, 700, 1999, 2000, 2001, 2500, 600):
        X = np.linspace(-1, 1, 3 * length).reshape(length, 3)
        for _ in range(2):  # the second call finds the program by the fast test
            np.testing.assert_allclose(compiled(w, X), gradient(w, X), rtol=1e-12)


def test_only_a_function_that_reads_a_shape_is_traced_for_each_number_of_rows():
    traces = []

    def gradient(w, X, y):
        traces.append(1)
        return ag.value_and_grad(lambda w: np.mean((X @ w - y) ** 2))(w)

    compiled, w = ag.compile(gradient, rows="auto"), np.array([0.5, -1.0, 2.0])
    for length in (1000, 1001, 17, 4096):
        X = np.linspace(-1, 1, 3 * length).reshape(length, 3)
        compiled(w, X, X[:, 0])
    assert len(traces) == 4


def test_a_table_without_rows_beside_one_with_rows():
    def function(X, b):
        return np.ones(len(X)), np.sum(np.ones_like(X[:, 0]))

    compiled = ag.compile(function, rows="auto")
    for length in (0, 3, 10, 0):
        X, b = np.ones((length, 2)), np.ones(3)
        for found, expected in zip(compiled(X, b), function(X, b), strict=True):
            np.testing.assert_array_equal(found, expected)


def fails(f):
    try:
        f()
    except Exception:
        return True
    return False


@pytest.mark.parametrize(
    "reads",
    [
        lambda X: 40 < sum(1 for _ in X) < 900,
        lambda X: 40 < X.array.shape[0] < 900,
        lambda X: 400 < len(str(X)) < 9000,
        lambda X: not fails(lambda: X + np.ones((100, 4))),
        lambda X: not fails(lambda: np.reshape(X, (100, 4))),
        lambda X: not fails(lambda: X[50]),
        lambda X: not fails(lambda: np.split(X, 100)),
    ],
)
def test_a_branch_on_the_number_of_rows_is_noticed_however_it_is_found(reads):
    def function(X):
        return np.sum(X * 1.5, axis=0) * (5.0 if reads(X) else 1.0)

    compiled = ag.compile(function, rows="auto")
    for count in (31, 100, 1000, 31):
        X = table(count)[0]
        assert_same(compiled(X), ag.compile(function)(X), 1e-10)


def test_a_first_call_with_many_rows_takes_no_more_memory_than_one_of_them_does():
    X, y = table(1 << 17)
    ag.compile(network, rows="auto")([W, V], X[:9], y[:9])  # imports the compiler
    compiled = ag.compile(network, rows="auto")
    tracemalloc.start()
    try:
        found = compiled([W, V], X[:, ::-1], y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes / 2
    assert_same(found, ag.compile(network)([W, V], X[:, ::-1], y))


@pytest.mark.parametrize(
    "function",
    [
        lambda X: np.sum(X + CLOSED, axis=0),
        lambda X: np.sum(X, axis=0) * (2.0 if len(X) > 50_000 else 1.0),
    ],
)
def test_many_rows_that_are_not_like_few_are_traced_with_all_of_them(function):
    compiled = ag.compile(function, rows="auto")
    assert_same([compiled(CLOSED)], [function(CLOSED)])


def test_a_program_with_a_number_for_each_row_is_refused():
    b = Builder()
    check_constants([b.constant(np.arange(7)), b.constant(np.zeros((3, 0)))], 1009, "loss")
    with pytest.raises(ValueError, match="loss needs an array with a number for each row"):
        check_constants([b.constant(np.arange(2018))], 1009, "loss")

"""Compiled functions of data by blocks of rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_compile_lengths import FUNCTIONS, V, W, table

import autograd_lite as ag
from autograd_lite.compiler import NotSeparableError, summation
from autograd_lite.row_blocks import RowBlocks
from autograd_lite.row_sources import ArraySource, BlockError, Source
from autograd_lite.trees import flatten

PROGRAMS = {
    **{name: f for name, f in FUNCTIONS.items() if name != "reshaped"},
    "reshaped by -1": lambda p, X, y: np.sum(np.reshape(X, (-1, 2, 2)) ** 3, axis=0) / len(X),
    "softmax of rows": lambda p, X, y: np.sum(ag.softmax(X @ p[0].T, axis=1) * y[:, None], axis=0),
    "the largest of each row": lambda p, X, y: np.sum(np.max(np.abs(X), axis=1) * y),
    "a norm of rows": lambda p, X, y: np.mean(np.sqrt(np.sum(X**2, axis=1) + 1)),
    "sizes": lambda p, X, y: np.sum(np.sin(X)) / np.size(X) + np.sum(y) / np.shape(X)[0],
    "covariance": lambda p, X, y: (X.T @ X) / len(X),
    "picked columns": lambda p, X, y: np.mean(X[:, ::2] * X[:, 1:2], axis=0),
    "joined": lambda p, X, y: np.sum(np.concatenate([X, y[:, None] * X], axis=1) ** 2, axis=0),
    "a gradient by rows": lambda p, X, y: ag.grad(lambda X: np.sum(np.tanh(X @ p[0].T)))(X),
    "by another gradient": lambda p, X, y: ag.grad(
        lambda v: np.mean(np.logaddexp(0, np.tanh(X @ p[0].T) @ v) * y)
    )(p[1]),
    "curvature": lambda p, X, y: ag.hvp(
        lambda v: np.mean(np.logaddexp(0, np.tanh(X @ p[0].T) @ v) * y)
    )(p[1], p[1]),
}


class Cut(Source):
    """Blocks of an array, of any lengths."""

    name = "the data"

    def __init__(self, array, lengths):
        self.array, self._lengths = array, tuple(lengths)

    @property
    def lengths(self):
        return self._lengths

    @property
    def head(self):
        return self.array[:3]

    def read(self, k):
        start = self.starts[k]
        return self.array[start : start + self.lengths[k]]


def cut(array, lengths):
    return RowBlocks(Cut(array, lengths))


def assert_close(found, expected):
    for a, b in zip(flatten(found)[0], flatten(expected)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-11)


lengths = st.lists(st.sampled_from([0, 1, 1, 2, 3, 17, 400]), min_size=1, max_size=7)


@settings(max_examples=80)
@given(
    st.sampled_from(sorted(PROGRAMS)),
    lengths,
    st.sampled_from(["an array", "the same blocks", "others"]),
    st.sampled_from([1, 2]),
)
def test_any_split_gives_what_arrays_give(name, lengths, beside, workers):
    X, y = table(sum(lengths))
    others = {"an array": y, "the same blocks": cut(y, lengths), "others": cut(y, lengths[::-1])}
    function = PROGRAMS[name]
    compiled = ag.compile(function, rows="auto", workers=workers)
    rows = cut(X, lengths), others[beside]
    with np.errstate(all="ignore"):
        if not len(X):
            with pytest.raises(Exception):  # noqa: B017
                assert_close(compiled([W, V], *rows), None)
            return
        assert_close(compiled([W, V], *rows), function([W, V], X, y))


@settings(max_examples=30)
@given(st.sampled_from(sorted(PROGRAMS)), st.integers(2, 40), st.integers(2, 50))
def test_the_bits_are_those_of_memory_where_blocks_coincide(name, rows, count):
    X, y = table(rows * count)
    compiled = ag.compile(PROGRAMS[name], rows=rows)
    found = ag.compile(PROGRAMS[name], rows=rows)(
        [W, V], RowBlocks(ArraySource(X, rows)), RowBlocks(ArraySource(y, rows))
    )
    program = compiled._program(compiled._arrays(([W, V], X, y), {}))
    expected = program.in_blocks([W, V], X, y) if program.in_blocks else compiled([W, V], X, y)
    for a, b in zip(flatten(found)[0], flatten(expected)[0], strict=True):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_a_block_left_out_fails_the_test(monkeypatch):
    """The tests above see every block."""
    together = summation.together

    def without_one(data):
        yield from [*together(data)][:-1]

    monkeypatch.setattr(summation, "together", without_one)
    X, y = table(100)
    found = ag.compile(FUNCTIONS["classes"], rows="auto")([W, V], cut(X, [50, 50]), y)
    with pytest.raises(AssertionError):
        assert_close(found, FUNCTIONS["classes"]([W, V], X, y))


def test_results_with_rows_are_arrays():
    X, _ = table(100)
    compiled = ag.compile(lambda X: (np.tanh(X), np.sum(X)), rows="auto")
    rows, total = compiled(cut(X, [30, 0, 69, 1]))
    np.testing.assert_array_equal(rows, np.tanh(X))
    np.testing.assert_allclose(total, X.sum())


BRANCHES = {
    "a branch": lambda X: np.sum(X) if len(X) < 5000 else np.sum(X * X),
    "a branch by size": lambda X: np.sum(X) if X.size < 20_000 else np.sum(X * X),
    "a branch by np.shape": lambda X: np.sum(X) if np.shape(X)[0] < 5000 else np.sum(X * X),
    "a bounded factor": lambda X: np.sum(X) * (1 / min(len(X), 5000)),
    "a shape": lambda X: np.sum(np.reshape(X, (len(X), 2, 2))),
    "rows in a loop": lambda X: sum(np.sum(row) for row in X),
    "an array with rows": lambda X: np.sum(X * np.ones((len(X), 1))),
    "an error that is caught": lambda X: _tried(X),
}


def _tried(X):
    try:
        return np.sum(X + np.ones((1009, 1)))
    except ValueError:
        return np.sum(X)


@pytest.mark.parametrize("name", BRANCHES)
def test_a_function_that_may_do_something_else_for_so_many_rows_is_refused(name):
    X, _ = table(6000)
    compiled = ag.compile(BRANCHES[name], rows="auto")
    with pytest.raises(NotSeparableError):
        compiled(cut(X, [2000] * 3))


def test_the_same_branch_is_taken_where_the_function_takes_it():
    X, _ = table(3000)
    compiled = ag.compile(BRANCHES["a branch"], rows="auto")
    np.testing.assert_allclose(compiled(cut(X, [1500] * 2)), X.sum())


SEPARATE = {
    "a mean of all rows": (lambda X: np.sum((X - np.mean(X, axis=0)) ** 2), "subtract"),
    "a median": (lambda X: np.median(X, axis=0), r"test_streams.py, line"),
    "a product of rows": (lambda X: np.sum(X @ X.T), "every other"),
    "a sorted column": (lambda X: np.sum(np.sort(X, axis=0)[:10]), "sort"),
}


@pytest.mark.parametrize("name", SEPARATE)
def test_what_is_no_sum_over_rows_is_refused_before_a_block_is_read(name):
    function, word = SEPARATE[name]

    class Unread(Cut):
        def read(self, k):
            raise AssertionError

    X, _ = table(100)
    with pytest.raises(NotSeparableError, match=word):
        ag.compile(function, rows="auto")(RowBlocks(Unread(X, [50, 50])))


def test_what_derive_and_source_show_does_not_change():
    X, y = table(4000)
    compiled = ag.compile(FUNCTIONS["network"], rows="auto")
    compiled([W, V], X, y)
    source, readable = compiled.source, compiled.readable()
    compiled([W, V], cut(X, [1000] * 4), y)
    assert (compiled.source, compiled.readable()) == (source, readable)
    assert "(n, 4)" in readable


def test_errors_of_calls():
    X, y = table(100)
    rows = cut(X, [50, 50])
    with pytest.raises(ValueError, match='rows="auto"'):
        ag.compile(lambda X: np.sum(X))(rows)
    with pytest.raises(BlockError, match="X has 100, y has 99"):
        ag.compile(lambda X, y: np.sum(X[:, 0] * y), rows="auto")(rows, cut(y[1:], [99]))
    with pytest.raises(ValueError, match="X is donated"):
        ag.compile(lambda X: np.sum(X), rows="auto", donate="X")(rows)
    with pytest.raises(TypeError, match=r"rows\.read\(\)"):
        np.sum(rows)
    with pytest.raises(TypeError, match=r"rows\.read\(\)"):
        ag.Tensor(rows)


def test_an_error_in_a_block_ends_the_pass_and_names_it():
    class Torn(Cut):
        def read(self, k):
            return super().read(k)[:, :3] if k == 1 else super().read(k)

    X, _ = table(100)
    with pytest.raises(BlockError, match="block 1, from row 50 on"):
        ag.compile(lambda X: np.sum(X), rows="auto")(RowBlocks(Torn(X, [50, 50])))


def test_parameters_with_as_many_rows_are_no_rows():
    X, _ = table(4)
    P = np.arange(16.0).reshape(4, 4)
    compiled = ag.compile(lambda P, X: np.sum(X @ P, axis=0), rows="auto")
    np.testing.assert_allclose(compiled(P, cut(X, [2, 2])), (X @ P).sum(axis=0))


def test_many_parameters_with_as_many_rows_are_no_rows():
    """Each choice of them takes a trace, and there are 2¹⁶."""
    X, y = table(4)
    params = [(np.eye(4) / 2, np.full(4, 0.1)) for _ in range(8)]

    def loss(params, X, y):
        for weights, b in params:
            X = np.tanh(X @ weights.T + b)
        return np.mean((np.sum(X, axis=1) - y) ** 2)

    compiled = ag.compile(ag.value_and_grad(loss), rows="auto")
    found = compiled(params, cut(X, [2, 2]), y)
    assert_close(found, ag.value_and_grad(loss)(params, X, y))
    with pytest.raises(NotSeparableError, match="rows of"):
        ag.compile(lambda p, X, y: np.median(X, axis=0) + loss(p, X, y), rows="auto")(
            params, cut(X, [2, 2]), y
        )


def test_an_error_says_that_few_rows_stand_for_all():
    X, y = table(100)
    compiled = ag.compile(lambda X: np.sum(X[:, 0] * y), rows="auto")
    with pytest.raises(ValueError, match="could not be broadcast") as found:
        compiled(cut(X, [50, 50]))
    assert found.value.__notes__ == ["compile: 1,051 rows stand for the 100 of data by blocks"]

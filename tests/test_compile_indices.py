"""Integer arrays as arguments that index: the indices are not constants of the program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler import NotSeparableError

TABLE = np.random.default_rng(0).normal(size=(5, 3))

PICKING = {
    "rows": lambda E, i: E[i],
    "rows by take": lambda E, i: np.take(E, i, axis=0),
    "columns": lambda E, i: np.take(E, i % 3, axis=1),
    "elements": lambda E, i: np.take(E, i),
    "of a vector": lambda E, i: E[:, 1][i],
    "of a stack": lambda E, i: np.reshape(E, (5, 3, 1))[i],
    "clipped": lambda E, i: np.take(E, i + 2, axis=0, mode="clip"),
    "wrapped": lambda E, i: np.take(E, 3 * i, axis=0, mode="wrap"),
    "one": lambda E, i: E[np.sum(i) % 5],
}


def squares(pick):
    """The derivative of the sum of squares of the picked elements by the table."""
    return lambda E, i: ag.value_and_grad(lambda E: np.sum(pick(E, i) ** 2))(E)


def executed(compiled, *args):
    space = {}
    exec(compiled.readable(*args), space)
    return space["function"](*args)


@pytest.mark.parametrize("name", PICKING)
@settings(max_examples=12)
@given(data=st.data())
def test_indexing_and_its_gradient(name, data):
    shape = data.draw(st.sampled_from([(), (4,), (2, 3), (0,)]))
    kind = data.draw(st.sampled_from([np.int64, np.int8, np.uint8]))
    size = int(np.prod(shape))
    low = 0 if kind is np.uint8 or name == "columns" else -5
    numbers = data.draw(st.lists(st.integers(low, 4), min_size=size, max_size=size))
    i = np.reshape(np.array(numbers, kind), shape)
    pick = PICKING[name]
    compiled = ag.compile(lambda E, i: (pick(E, i), *squares(pick)(E, i)))
    compiled(TABLE, np.zeros(shape, kind))  # other numbers of the same shape
    expected = pick(ag.constant(TABLE), i).numpy(), *squares(pick)(TABLE, i)
    for found in (compiled(TABLE, i), executed(compiled, TABLE, i)):
        for x, y in zip(found, expected, strict=True):
            assert np.shape(x) == np.shape(y)
            np.testing.assert_allclose(x, y, rtol=1e-13)


def test_an_embedding_reads_like_one():
    numbers = np.array([0, 2, 2])
    text = ag.compile(PICKING["rows"]).readable(TABLE, numbers)
    assert text.endswith("return E[i]\n")
    assert "return E[i]" in ag.compile(PICKING["rows"]).readable(TABLE, np.zeros((2, 2), int))
    assert "_add_at(2 * t1, key=i, shape=(5, 3))" in ag.compile(squares(PICKING["rows"])).readable(
        TABLE, numbers
    )


def test_indices_out_of_range_raise():
    compiled = ag.compile(PICKING["rows"])
    compiled(TABLE, np.array([0, 1]))
    with pytest.raises(IndexError, match="out of bounds"):
        compiled(TABLE, np.array([0, 5]))


@pytest.mark.parametrize(
    "pick",
    [lambda E, i: E[:, i], lambda E, i: E[np.arange(3), i], lambda E, i: E[E > 0]],
)
def test_errors_about_indices_suggest_a_remedy(pick):
    with pytest.raises(
        TypeError, match=r"is being traced; as an index, x\[i\] and np.take.*take_along_axis"
    ):
        ag.compile(pick)(TABLE, np.array([0, 2, 2]))
    along = ag.compile(lambda E, i: np.take_along_axis(E, i[:, None], axis=1)[:, 0])
    np.testing.assert_array_equal(along(TABLE[:3], np.array([0, 2, 1])), TABLE[range(3), [0, 2, 1]])


def test_indices_have_rows():
    numbers, y = np.arange(53) % 5, np.linspace(0, 1, 53)
    compiled = ag.compile(lambda E, i, y: np.sum((E[i] @ np.ones(3) - y) ** 2), rows=10)
    found = compiled(TABLE, numbers, y)
    assert "def partial(" in compiled.source
    np.testing.assert_allclose(found, np.sum((TABLE[numbers].sum(1) - y) ** 2))
    with pytest.raises(NotSeparableError, match="add_at"):
        ag.compile(squares(PICKING["rows"]), rows=10)(TABLE, numbers)

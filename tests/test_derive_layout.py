"""Indices, and axes of length one, in matrix formulas."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from derived_forms import agree

import autograd_lite as ag

pytest.importorskip("sympy")


def leaves(**shapes):
    random = np.random.default_rng(5)
    return {
        name: ag.Tensor(random.uniform(0.3, 1.5, shape), name=name)
        for name, shape in shapes.items()
    }


@pytest.mark.parametrize(
    "key",
    [
        ...,
        (),
        None,
        (..., 1),
        (..., None),
        (None, ..., slice(None, None, -1)),
        (1, ...),
        (slice(None), None, ..., slice(None, None, -2)),
        (..., [0, 0, 1]),
        ([True, False], ..., np.array([2, 0])),
        (np.int64(-1), None),
    ],
)
def test_an_index_of_any_kind_is_derived(key):
    x = leaves(x=(2, 3))["x"]
    agree(np.sum(np.sin(x[key])))
    agree(np.sum(x[key] ** 2) * np.sum(x))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize(
    "f", [lambda t: np.where(t > 0.7, t, -t), lambda t: np.where(t > t, t, t * t), np.tanh]
)
def test_a_norm_along_an_axis_of_something_with_a_new_one(f, axis):
    x = leaves(x=(2, 3))["x"]
    agree(np.sum(np.linalg.norm(f(x)[..., None], axis=axis)))
    agree(np.sum(np.sinh(np.linalg.norm(x[:, None] * f(x)[..., None], axis=axis, keepdims=True))))


@pytest.mark.parametrize("relation", [np.greater, np.less_equal, np.equal, np.not_equal])
def test_a_comparison_of_equal_things(relation):
    t = leaves(t=(2, 3))["t"]
    agree(np.sum(np.sinh(np.where(relation(t, t), t, t * t))))
    agree(np.sum(np.sinh(relation(t, t) * t)))
    agree(np.sum(relation(np.log(t), np.log(t))[:, None] * t[:, :, None] ** 2))


def test_a_logsumexp_over_a_stack_of_twice_the_same():
    for shape in ((2, 2), (3, 3), (2, 1, 3), (1, 1, 2)):
        t = leaves(t=shape)["t"]
        for axis in (0, 1, -1, None):
            sums = ag.logsumexp(np.stack([t, t], axis=1), axis=axis)
            agree(np.sum(sums) + np.sum(np.trace(t)))
            agree(np.sum(np.sinh(sums)) * np.sum(np.trace(t, 1)))
        agree(np.sum(ag.log_softmax(np.concatenate([t, np.sinh(t), t], axis=0), axis=0) * 0.3))


SHAPES = [(3, 1), (1, 3), (3, 1, 1), (1, 3, 1), (2, 1, 3), (1, 1), (2, 3, 1), (3,), ()]


@pytest.mark.parametrize("shape", SHAPES)
def test_axes_of_length_one_broadcast(shape):
    made = leaves(u=shape, M=(3, 3), c=(3, 1))
    u, M, c = made["u"], made["M"], made["c"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ag.BroadcastWarning)
        agree(np.sum(np.sin(u * c) * np.abs(u) ** M))
        agree(np.max(np.where(u * (u >= c) >= M, c, 1.0) * M) ** 2 + np.sum(u) ** 2)
        agree(np.sum(np.linalg.norm(np.exp(u) * M / c, axis=-1) * np.sum(u * M)))


def test_literals_of_every_kind_are_python():
    x = leaves(x=(3,))["x"]
    other = np.array([np.nan, np.inf, -1])
    agree(np.sum(np.where(x > 0, x * np.array([1.0, 2.0, 3.0]), other)))
    agree(np.sum(x * np.array([True, False, True])) + np.sum(np.concatenate([x, np.zeros(0)])))


def test_a_sigmoid_that_gets_its_name_on_the_way():
    """A node that the first pass names is not defined by its own name in the second."""
    z = leaves(z=(3,))["z"]
    named, σ = (np.exp(z) / (1 + np.exp(z))).named("ŷ"), ag.sigmoid(z)
    chosen = np.where(named <= σ, σ, σ)
    p = ag.softmax(np.log(chosen)).named("p")
    agree(np.sum((p <= chosen) * p * z))


def test_a_row_and_a_column_have_the_same_axes_in_every_run():
    from autograd_lite.derivation.tree import Tree, common

    column, row = Tree("node", (), (0, None), 1), Tree("node", (), (None, 0), 2)
    # Of two equally good layouts the last counts, not the first of a set.
    assert common([column, row], ()) == row.axes
    assert common([row, column], ()) == column.axes


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ((slice(0, 2),), "x[0:2]"),
        ((slice(np.int64(0), None, np.int64(2)),), "x[0::2]"),
        ((np.int64(-1), None), "x[-1, None]"),
        (([0, 1],), "Sx"),
        (((0, 1),), "Sx"),
        ((slice(None), [2, 0]), "xSᵀ"),
        (([0, 1], [2, 0]), "S(x)"),
        ((Ellipsis, slice(None, -1)), "x[..., :-1]"),
    ],
)
def test_an_index_is_written_as_in_python_or_as_a_selection(key, text):
    x = leaves(x=(3, 3))["x"]
    derivation = ag.derive(np.sum(np.sin(x[key])))
    assert derivation.text().startswith(f"L = Σ sin({text})\n")


def test_the_axis_of_a_sum_is_not_the_position_of_a_parameter():
    from autograd_lite.derivation.arrange import summed
    from autograd_lite.derivation.index import Space
    from autograd_lite.derivation.tree import Tree

    space = Space()
    space.parameters = [1]
    vector, matrix = Tree("node", (), (-1,), 5), Tree("node", (), (-1, 0), 6)
    rows = Tree("sum", (matrix,), (-1,), 1)
    assert summed(space, ([vector, rows], []), ()).args == (vector, rows)

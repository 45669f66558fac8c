"""Broadcasting: undone once, in the sweep, and reported where it surprises."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Values, together

import autograd_lite as ag

quiet = pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")


def summed(g, shape):
    """The sum over what broadcasting repeated, by counting: the slow and obvious way."""
    total = np.zeros(shape)
    for index in np.ndindex(g.shape):
        own = index[len(index) - len(shape) :]
        total[tuple(0 if n == 1 else i for i, n in zip(own, shape, strict=True))] += g[index]
    return total


@quiet
@settings(max_examples=40)
@given(shapes=together(), seed=st.integers(0, 2**32 - 1))
def test_the_gradient_is_summed_over_what_was_repeated(shapes, seed):
    values = Values(seed)
    a, b = (ag.Tensor(values(shape)) for shape in shapes)
    product = a * b
    g = values(product.shape)
    product.backward(g)
    np.testing.assert_allclose(a.grad, summed(g * b.data, a.shape), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(b.grad, summed(g * a.data, b.shape), rtol=1e-12, atol=1e-12)


@quiet
@settings(max_examples=25)
@given(shapes=together(), seed=st.integers(0, 2**32 - 1))
def test_broadcast_to_is_what_broadcasting_does(shapes, seed):
    values = Values(seed)
    arrays = [values(shape) for shape in shapes]
    whole = np.broadcast_shapes(*shapes)

    def written(a, b):
        return np.sum(np.tanh(np.broadcast_to(a, whole) + np.broadcast_to(b, whole)))

    for ours, theirs in zip(
        ag.grad(lambda a, b: np.sum(np.tanh(a + b)), (0, 1))(*arrays),
        ag.grad(written, (0, 1))(*arrays),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@quiet
@settings(max_examples=25)
@given(shapes=together(3), seed=st.integers(0, 2**32 - 1))
def test_where_broadcasts_all_three(shapes, seed):
    values = Values(seed)
    condition, x, y = (
        values(shapes[0]) > 0,
        ag.Tensor(values(shapes[1])),
        ag.Tensor(values(shapes[2])),
    )
    chosen = np.where(condition, x, y)
    g = values(chosen.shape)
    chosen.backward(g)
    np.testing.assert_allclose(x.grad, summed(np.where(condition, g, 0), x.shape), rtol=1e-12)
    np.testing.assert_allclose(y.grad, summed(np.where(condition, 0, g), y.shape), rtol=1e-12)


def test_a_bias_gets_the_sum_over_the_rows():
    a, bias = ag.Tensor(np.ones((5, 3))), ag.Tensor(np.zeros(3))
    np.sum(a + bias).backward()
    np.testing.assert_array_equal(bias.grad, [5, 5, 5])


def test_a_number_gets_the_sum_of_everything():
    scale = ag.Tensor(2.0)
    np.sum(scale * np.arange(6.0).reshape(2, 3)).backward()
    assert scale.grad == 15
    assert scale.grad.shape == ()


@pytest.mark.parametrize("shapes", [((4, 1), (4,)), ((4,), (4, 1)), ((3, 1, 1), (2, 1))])
def test_an_accidental_broadcast_is_reported(shapes):
    a, b = ag.Tensor(np.ones(shapes[0]), name="ŷ"), ag.Tensor(np.ones(shapes[1]), name="y")
    with pytest.warns(ag.BroadcastWarning, match=r"subtract: ŷ .* and y .* were broadcast to"):
        a - b


@pytest.mark.parametrize(
    "shapes",
    [((5, 3), (3,)), ((5, 3), ()), ((5, 1), (1, 3)), ((5, 1), (5, 3)), ((2, 5, 3), (5, 3))],
)
def test_no_false_alarm_where_broadcasting_is_usual(shapes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ag.Tensor(np.ones(shapes[0])) + ag.Tensor(np.ones(shapes[1]))
        ag.Tensor(np.ones(shapes[1])) * np.ones(shapes[0])


def test_the_warning_points_to_the_line_that_broadcast():
    with pytest.warns(ag.BroadcastWarning) as caught:
        ag.Tensor(np.ones((3, 1))) - ag.Tensor(np.ones(3))
    assert caught[0].filename == __file__


@pytest.mark.parametrize("loss", [ag.binary_cross_entropy, ag.binary_cross_entropy_with_logits])
@pytest.mark.parametrize("shapes", [((4, 1), (4,)), ((4,), (4, 1)), ((4,), ()), ((4,), (3,))])
def test_a_loss_refuses_operands_of_two_shapes(loss, shapes):
    prediction = ag.Tensor(np.full(shapes[0], 0.5), name="p")
    with pytest.raises(ValueError, match=rf"{loss.name}.*p .*the same shape.*reshape") as caught:
        loss(prediction, np.ones(shapes[1]))
    assert all(str(shape) in str(caught.value) for shape in shapes)


@pytest.mark.parametrize(
    "f",
    [np.add, np.subtract, np.multiply, np.divide, np.maximum, np.power, np.less, np.matmul],
    ids=lambda f: f.__name__,
)
def test_shapes_that_do_not_fit_name_operation_operands_and_both_shapes(f):
    a, b = ag.Tensor(np.ones((2, 3)), name="A"), ag.Tensor(np.ones(4), name="w")
    with pytest.raises(ValueError, match=rf"{f.__name__}.*A \(2, 3\).*w \(4,\)"):
        f(a, b)


@quiet
@pytest.mark.parametrize("shapes", [((0,), (1,)), ((0, 3), (3,)), ((2, 0), ())])
def test_empty_arrays_broadcast(shapes):
    a, b = ag.Tensor(np.ones(shapes[0])), ag.Tensor(np.ones(shapes[1]))
    np.sum(a * b).backward()
    assert a.grad.shape == shapes[0]
    np.testing.assert_array_equal(b.grad, np.zeros(shapes[1]))

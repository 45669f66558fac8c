"""Shapes that fit by accident."""

import numpy as np
import pytest
from attacks.attack import attack

import autograd_lite as ag

SILENT = "(n, n), silently"


@attack("(n, 1) − (n,)", "BroadcastWarning, naming both", torch=SILENT, jax=SILENT, mygrad=SILENT)
def test_column_minus_row():
    p, y = ag.Tensor(np.ones((3, 1)), name="p"), ag.constant(np.ones(3), name="y")
    with pytest.warns(ag.BroadcastWarning, match=r"p \(3, 1\) and y \(3,\).*\(3, 3\)"):
        p - y


@attack("(n, d) + (d,), the usual bias", "no alarm")
def test_usual_bias():
    (ag.Tensor(np.ones((3, 2))) + np.ones(2)).sum().backward()


@attack("(n, 1) + (1, m), an outer sum that says so", "no alarm")
def test_outer_sum():
    assert (ag.Tensor(np.ones((3, 1))) + np.ones((1, 4))).shape == (3, 4)


@attack("binary_cross_entropy of (n, 1) with (n,)", "raises, naming both", torch="raises")
def test_loss_of_other_shape():
    y_hat = ag.Tensor(np.full((3, 1), 0.5), name="ŷ")
    with pytest.raises(ValueError, match=r"ŷ \(3, 1\).*\(3,\)"):
        ag.binary_cross_entropy(y_hat, np.ones(3))


@attack("matrices that do not fit", "names operation, operands and shapes")
def test_mismatch():
    A, w = ag.Tensor(np.ones((3, 2)), name="A"), ag.Tensor(np.ones(3), name="w")
    with pytest.raises(ValueError, match=r"matmul.*A \(3, 2\) and w \(3,\)"):
        A @ w


@attack("backward() on three elements", "raises", torch="raises", mygrad="sums, silently")
def test_backward_of_an_array():
    with pytest.raises(ValueError, match="needs a scalar"):
        (ag.Tensor(np.ones(3)) * 2).backward()


@attack("a gradient of another shape given to backward()", "raises")
def test_seed_of_another_shape():
    with pytest.raises(ValueError, match="does not match"):
        (ag.Tensor(np.ones(3)) * 2).backward(np.ones((3, 1)))


@attack("data of another shape assigned to a leaf", "raises; the leaf keeps its data")
def test_data_of_another_shape():
    w = ag.Tensor(np.ones(3))
    with pytest.raises(ValueError, match="new Tensor"):
        w.data = np.ones(2)
    assert w.shape == (3,)


@attack("an index twice: x[[0, 0, 1]]", "2, 1: they add up", torch="2, 1", autograd="2, 1")
def test_repeated_index():
    assert ag.grad(lambda x: np.sum(x[[0, 0, 1]]))(np.ones(2)).tolist() == [2, 1]


@attack("a rule that gives another shape than its operand has", "raises, never sums silently")
def test_rule_of_wrong_shape():
    wrong = ag.custom_gradient(lambda g, out, x: np.sum(g))(lambda x: x * 1.0)
    with pytest.raises(ValueError, match="shape"):
        ag.grad(lambda x: np.sum(wrong(x)))(np.ones(3))


@attack("sums, means and products of empty arrays", "gradients of their empty shape")
@pytest.mark.parametrize("f", [np.sum, np.prod, lambda x: np.sum(x @ np.ones((0, 2)))])
def test_empty(f):
    assert ag.grad(f)(np.ones((3, 0))).shape == (3, 0)


@attack("σ in both branches of where, under a mask of more axes", "the shape of the mask")
def test_two_branches_under_a_larger_mask():
    z, mask = ag.Tensor([1.0, 2.0]), np.array([[True, False], [True, True]])
    both = np.where(mask, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))
    assert both.shape == (2, 2)


@attack("softmax written out, its divisor taken by an index", "as NumPy has it")
def test_divisor_by_an_index():
    z = np.arange(6.0).reshape(2, 3)
    quotient = lambda z: np.exp(z[:1]) / np.sum(np.exp(z), axis=1)[np.array([0, 1, 1])]  # noqa: E731
    np.testing.assert_allclose(quotient(ag.Tensor(z)).numpy(), quotient(z))


@attack("a custom function that returns two results", "raises")
def test_own_function_with_two_results():
    own = ag.custom_gradient(lambda g, out, x: g)(lambda x: (x, x))
    with pytest.raises(TypeError, match="returned tuple"):
        own(ag.Tensor([1.0]))

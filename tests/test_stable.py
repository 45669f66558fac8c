"""Stable forms: their numbers against long double, and what is shown."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.op import OPS
from autograd_lite.ops import reductions
from autograd_lite.ops.stable import stable_form_of

LONG = np.longdouble
PRECISIONS = (np.float64, np.float32)


def quiet(f):
    """An exponential that a user writes overflows with a warning, as in NumPy."""

    def quietly(*args):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return f(*args)

    return quietly


def shared(z):
    e = np.exp(z)
    return e / (e + 1)


def in_two_branches(z):
    return np.where(z >= 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))


SIGMOIDS = {
    "σ(z)": ag.sigmoid,
    "1/(1 + exp(−z))": lambda z: 1 / (1 + np.exp(-z)),
    "1/(exp(−z) + 1)": lambda z: 1.0 / (np.exp(-z) + 1.0),
    "reciprocal": lambda z: np.reciprocal(1 + np.exp(-z)),
    "power −1": lambda z: (1 + np.exp(-z)) ** -1,
    "exp z/(1 + exp z)": lambda z: np.exp(z) / (1 + np.exp(z)),
    "e/(e + 1)": shared,
    "1 − 1/(1 + exp z)": lambda z: 1 - 1 / (1 + np.exp(z)),
    "1 − (1 − σ(z))": lambda z: 1 - (1 - ag.sigmoid(z)),
    "two branches": in_two_branches,
    "a column, taken": lambda z: ag.sigmoid(z[:, None])[:, 0],
    "reshaped": lambda z: np.ravel(ag.sigmoid(np.reshape(z, (-1, 1)))),
    "transposed and flipped": lambda z: np.flip(ag.sigmoid(np.flip(z)[None]).T[:, 0]),
}

LOSSES = {
    "naive": lambda p, y: -(y * np.log(p) + (1 - y) * np.log(1 - p)),
    "log1p": lambda p, y: -(y * np.log(p) + (1 - y) * np.log1p(-p)),
    "log2": lambda p, y: -(y * np.log2(p) + (1 - y) * np.log2(1 - p)) * 0.6931471805599453,
    "log10": lambda p, y: -(y * np.log10(p) + (1 - y) * np.log10(1 - p)) * 2.302585092994046,
    "in one call": lambda p, y: ag.binary_cross_entropy(p, y, reduction="none"),
}

LABEL_LOSSES = {
    "where of logarithms": lambda p, y: -np.where(y == 1, np.log(p), np.log(1 - p)),
    "logarithm of where": lambda p, y: -np.log(np.where(y == 1, p, 1 - p)),
}


def reference(z, y):
    """The loss, its derivative and its second derivative in longer floats."""
    z, y = z.astype(LONG), y.astype(LONG)
    e = np.exp(-np.abs(z))
    small, large = e / (1 + e), 1 / (1 + e)
    s, complement = np.where(z < 0, small, large), np.where(z < 0, large, small)
    loss = np.maximum(z, 0) - y * z + np.log1p(e)
    return loss, (1 - y) * s - y * complement, s * complement


def close(got, expected, dtype, roundings_of_one=0):
    """Equal to some relative roundings, or to some roundings of 1."""
    unit, tiny = np.finfo(dtype).eps, np.finfo(dtype).tiny
    np.testing.assert_allclose(
        np.asarray(got, LONG), expected, rtol=40 * unit, atol=max(roundings_of_one * unit, tiny)
    )


EDGES = [-1e4, -800.0, -745.0, -104.0, -88.0, -40.0, -1.0, -1e-3, 0.0, 0.5, 17.0, 40.0, 710.0, 1e4]
LOGITS = st.lists(
    st.one_of(st.sampled_from(EDGES), st.floats(-1e4, 1e4, width=32)), min_size=1, max_size=6
).map(np.array)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("loss", [*LOSSES, *LABEL_LOSSES])
@pytest.mark.parametrize("sigmoid", SIGMOIDS)
def test_the_naive_loss_is_as_good_as_the_stable_one(sigmoid, loss, dtype):
    z = np.array(EDGES, dtype)
    for y in (np.zeros_like(z), np.ones_like(z), np.linspace(0, 1, z.size, dtype=dtype)):
        if loss in LABEL_LOSSES and y[0] != y[-1]:
            continue

        @quiet
        def losses(t, y=y):
            return (LOSSES | LABEL_LOSSES)[loss](SIGMOIDS[sigmoid](t), y)

        value, gradient, curvature = reference(z, y)
        t = ag.Tensor(z)
        result = losses(t)
        result.backward(np.ones_like(z))
        assert result.dtype == t.grad.dtype == dtype
        labels = set(y) <= {0, 1}
        close(result.numpy(), value, dtype, 0 if labels else 1)
        # In one call the gradient is the closed form ŷ − y, exact to a rounding of 1.
        close(t.grad, gradient, dtype, 0 if labels and loss != "in one call" else 4)
        second = ag.grad(lambda t: np.sum(ag.grad(lambda u: np.sum(losses(u)))(t)))(z)
        close(second, curvature, dtype, 4)


@given(LOGITS, st.sampled_from(PRECISIONS), st.integers(0, 2**20))
def test_the_mean_loss_at_any_logit(z, dtype, labels):
    z = z.astype(dtype)
    y = np.array([labels >> k & 1 for k in range(z.size)], dtype)
    naive, stable = ag.Tensor(z), ag.Tensor(z)
    y_hat = ag.sigmoid(naive)
    loss = -np.mean(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))
    loss.backward()
    with_logits = ag.binary_cross_entropy_with_logits(stable, y)
    with_logits.backward()
    close(loss.item(), with_logits.item(), dtype)
    value, gradient, _ = reference(z, y)
    close(loss.item(), np.mean(value), dtype)
    close(naive.grad, gradient / z.size, dtype, 1)
    close(stable.grad, gradient / z.size, dtype, 1)


def test_zero_times_infinity_does_not_arise():
    z, y = ag.Tensor([800.0, -800.0, 1e4]), np.array([1.0, 0.0, 1.0])
    y_hat = ag.sigmoid(z)
    terms = [y * np.log(y_hat), (1 - y) * np.log(1 - y_hat)]
    for term in terms:
        assert all(np.isfinite(x).all() for x in term.operands)
        np.testing.assert_array_equal(term.numpy(), 0)
    np.sum(terms[0] + terms[1]).backward()
    np.testing.assert_array_equal(z.grad, 0)


def test_the_two_examples_that_peers_fail():
    z = ag.Tensor(40.0)
    loss = -np.log(1 - ag.sigmoid(z))
    loss.backward()
    assert (loss.item(), z.grad) == (40, 1)
    z = ag.Tensor(-800.0)
    loss = -np.log(ag.sigmoid(z))
    loss.backward()
    assert (loss.item(), z.grad) == (800, -1)


# Softplus, logsumexp, softmax


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(
    "written",
    [
        lambda z: np.log(1 + np.exp(z)),
        lambda z: np.log(np.exp(z) + 1),
        lambda z: np.log1p(np.exp(z)),
        lambda z: -np.log(1 / (1 + np.exp(z))),
        lambda z: -np.log(1 - ag.sigmoid(z)),
    ],
)
def test_softplus_written_out(written, dtype):
    z = ag.Tensor(np.array(EDGES, dtype))
    value, gradient, _ = reference(z.data, np.zeros(len(EDGES)))
    result = quiet(written)(z)
    np.sum(result).backward()
    close(result.numpy(), value, dtype)
    close(z.grad, gradient, dtype)


def normalized(shape):
    def softmax(z):
        e = np.exp(z)
        total = np.sum(e, axis=1)
        return e / {"index": total[:, None], "reshape": np.reshape(total, (-1, 1))}[shape]

    return softmax


SOFTMAXES = {
    "softmax": lambda z: ag.softmax(z, axis=1),
    "keepdims": lambda z: np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True),
    "an index": normalized("index"),
    "reshaped": normalized("reshape"),
    "over the first axis": lambda z: (np.exp(z.T) / np.sum(np.exp(z.T), axis=0)).T,
    "shifted": lambda z: ag.softmax(z - np.max(z, axis=1, keepdims=True)),
}

PICKS = {
    "an index": lambda p, k: p[np.arange(len(k)), k],
    "take_along_axis": lambda p, k: np.take_along_axis(p, k[:, None], axis=1)[:, 0],
}


@pytest.mark.parametrize("pick", PICKS)
@pytest.mark.parametrize("softmax", SOFTMAXES)
def test_the_logarithm_of_a_softmax(softmax, pick):
    values = np.array([[1e4, 0.0, -1e4], [1.0, 2.0, 3.0], [-800.0, 800.0, 5.0]])
    labels = np.array([1, 0, 0])
    z, stable = ag.Tensor(values), ag.Tensor(values)
    losses = -np.log(PICKS[pick](quiet(SOFTMAXES[softmax])(z), labels))
    np.mean(losses).backward()
    ag.cross_entropy(stable, labels).backward()
    np.testing.assert_allclose(losses.numpy(), [1e4, 2.40760596, 1600])
    np.testing.assert_allclose(z.grad, stable.grad, rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_the_logarithm_of_a_sum_of_exponentials(axis, keepdims):
    z = ag.Tensor([[1e4, 9999.0], [-1e4, -1e4]])
    written = quiet(lambda z: np.log(np.sum(np.exp(z), axis=axis, keepdims=keepdims)))(z)
    assert stable_form_of(written).op is OPS["logsumexp_of_exp"]
    expected = ag.logsumexp(z, axis=axis, keepdims=keepdims)
    np.testing.assert_array_equal(written.numpy(), expected.numpy())


@given(
    st.lists(st.floats(-50, 50), min_size=1, max_size=4),
    st.sampled_from([-1e4, -740.0, -300.0, 0.0, 300.0, 720.0, 1e4]),
)
def test_the_gradient_of_it_is_the_softmax_wherever_the_sum_is_accurate_or_not(z, shift):
    z = np.array(z) + shift
    written = ag.Tensor(z)
    loss = quiet(lambda z: np.log(np.sum(np.exp(z))))(written)
    loss.backward()
    np.testing.assert_allclose(loss.item(), ag.logsumexp(z), rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(written.grad, ag.softmax(z), rtol=1e-11)


@pytest.mark.parametrize("size", [1e8, 1e16, 1e300])
def test_the_gradient_of_logsumexp_is_the_softmax_of_numbers_of_any_size(size):
    z = np.array([size, size - 1, size, -np.inf])
    for gradient in (ag.grad(ag.logsumexp), ag.compile(ag.grad(ag.logsumexp))):
        np.testing.assert_allclose(gradient(z), ag.softmax(z), rtol=1e-14)
    hessian = ag.hessian(ag.logsumexp)(z)
    p = ag.softmax(z)
    np.testing.assert_allclose(hessian, np.diag(p) - np.outer(p, p), rtol=1e-14, atol=1e-16)


def test_exponentials_that_are_known_are_not_computed_again(monkeypatch):
    monkeypatch.setattr(reductions, "in_place", None)
    monkeypatch.setattr(reductions, "softmax", None)
    z = ag.Tensor([2.0, -700.0, -800.0])
    np.log(np.sum(np.exp(z - np.max(z)))).backward()
    np.testing.assert_allclose(z.grad, [0, np.exp(-702.0), 0], rtol=1e-13, atol=1e-300)


# Roots

ROOTS = {
    "x*x": lambda x: np.sqrt(np.sum(x * x)),
    "x**2": lambda x: np.sqrt(np.sum(x**2)),
    "square, rows": lambda x: np.sum(np.sqrt(np.square(x).sum(axis=1))),
    "keepdims": lambda x: np.sum(np.sqrt(np.sum(x * x, axis=0, keepdims=True))),
    "to the ½": lambda x: np.sum(x**2) ** 0.5,
    "x @ x": lambda x: (lambda v: np.sqrt(v @ v))(x[0]),
    "mean square": lambda x: np.sqrt(np.mean(x**2)),
    "several": lambda x: np.sqrt(sum(np.sum(v**2) for v in (x[0], 2 * x[1]))),
    "√(a² + b²)": lambda x: np.sum(np.sqrt(x[0] ** 2 + x[1] * x[1])),
    "√x²": lambda x: np.sum(np.sqrt(x * x)),
    "√(0 + x²)": lambda x: np.sum(np.sqrt(0 + x * x)),
    "norm": np.linalg.norm,
    "norm 3": lambda x: np.linalg.norm(x, 3, axis=0).sum(),
    "norm 1.5": lambda x: np.linalg.norm(x[0], 1.5),
    "nuclear": lambda x: np.linalg.norm(x, "nuc"),
    "spectral": lambda x: np.linalg.norm(x, 2),
    "where": lambda x: np.sum(np.where(x > 0, np.sqrt(np.abs(x)), 0 * x)),
}


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("root", ROOTS)
def test_a_norm_at_zero_has_the_gradient_zero(root, dtype):
    x = ag.Tensor(np.zeros((2, 3), dtype))
    y = ROOTS[root](x)
    y.backward()
    assert y.dtype == dtype
    assert y.item() == 0
    np.testing.assert_array_equal(x.grad, 0)


@pytest.mark.parametrize("root", ROOTS)
def test_a_norm_elsewhere_is_what_was_written(root):
    x = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.5]])
    ag.check_gradients(ROOTS[root], x)
    np.testing.assert_allclose(ROOTS[root](ag.Tensor(x)).item(), ROOTS[root](x), rtol=1e-14)
    if root not in ("where", "√x²"):
        ag.check_gradients(ROOTS[root], x, order=2)


def test_a_branch_that_was_not_taken_contributes_nothing():
    x = ag.Tensor([0.0, 4.0])
    with np.errstate(all="ignore"):
        np.sum(np.where(x > 0, np.sqrt(x), 0 * x)).backward()
    np.testing.assert_array_equal(x.grad, [0, 0.25])


# What holds when


def test_pictures_and_derivations_see_what_was_written():
    z = ag.Tensor(40.0)
    loss = -np.log(1 - ag.sigmoid(z))
    names = [node.op.name for node in ag.Graph.of(loss).nodes if node.op]
    assert names == ["sigmoid", "subtract", "log", "negative"]


def test_data_that_changed_are_not_taken_for_what_they_were():
    z = ag.Tensor([40.0])
    y_hat = ag.sigmoid(z)
    z.data = [1.0]
    complement = 1 - y_hat
    assert complement.stable_form is None
    assert complement.item() == 0
    z.data = [40.0]
    assert (1 - y_hat).stable_form is not None


@pytest.mark.parametrize(
    "written",
    [
        lambda z: 2 - ag.sigmoid(z),
        lambda z: ag.sigmoid(z) - 1,
        lambda z: np.ones(2) - ag.sigmoid(z),
        lambda z: 1 / (2 + np.exp(z)),
        lambda z: 1 / (1 + np.cos(z)),
        lambda z: 2 / (1 + np.exp(z)),
        lambda z: np.exp(z) / (1 + np.exp(2 * z)),
        lambda z: np.exp(z[:, None]) / np.sum(np.exp(z[:, None] + z), axis=1),
        lambda z: np.log(2 + np.exp(z)),
        lambda z: np.log(np.sum(z * z)),
        lambda z: np.log(ag.sigmoid(z) + 1e-12),
        lambda z: np.log(np.where(z > 0, ag.sigmoid(z), z * z)),
        lambda z: np.sqrt(np.sum(z * np.exp(z))),
        lambda z: np.sqrt(z**2 + np.exp(z)),
        lambda z: np.sqrt(np.sum(z**4)),
        lambda z: (z * z) ** 0.25,
        lambda z: np.where(z > 0, ag.sigmoid(z), ag.sigmoid(2 * z)),
    ],
)
@pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")
def test_what_is_something_else_is_left_alone(written):
    z = np.array([0.5, 1.5])
    assert written(ag.Tensor(z)).stable_form is None
    ag.check_gradients(lambda z: np.sum(written(z)), z, order=2)


def test_an_argument_that_happens_to_be_one_is_not_a_constant():
    graph = ag.trace(lambda one, z: one - ag.sigmoid(z), 1, np.zeros(2))
    assert graph.outputs[0].stable_form is None


def test_a_form_keeps_shape_and_dtype():
    wide = np.float64(1) - ag.sigmoid(ag.Tensor(np.float32([40.0])))
    assert wide.dtype == np.float64
    z = ag.Tensor(np.float32([40.0]))
    assert (1 - ag.sigmoid(z)).dtype == np.float32
    column = ag.Tensor([[1.0], [2.0]])
    assert np.sqrt(column**2 + np.square(ag.Tensor([[3.0, 4.0]]))).shape == (2, 2)


def test_the_derivative_by_a_probability_stays_the_derivative_by_it():
    y_hat = ag.sigmoid(ag.Tensor([0.3, 2.0]))
    gradient = ag.grad(lambda p: np.sum(np.log(p)))(y_hat)
    np.testing.assert_allclose(gradient.numpy(), 1 / y_hat.numpy())


def test_a_long_chain_does_not_recurse():
    y_hat = ag.sigmoid(ag.Tensor([1.0, 2.0]))
    for _ in range(3000):
        y_hat = np.flip(y_hat)
    assert np.isfinite(np.log(y_hat).numpy()).all()
    for _ in range(3000):
        y_hat = 1 - y_hat
    np.testing.assert_allclose(y_hat.numpy(), ag.sigmoid(ag.Tensor([1.0, 2.0])).numpy())

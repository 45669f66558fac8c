"""The solvers: they reach the optimum, step as published, and say whether they arrived."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite.models import (
    ConvergenceWarning,
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
)
from autograd_lite.models.monitor import Monitor
from autograd_lite.models.objective import Objective
from autograd_lite.models.solvers import SOLVERS, chosen

EACH = pytest.mark.parametrize("solver", SOLVERS)
OF_SECOND_ORDER = "lbfgs", "newton-cg"
SEEDS = st.integers(0, 2**32 - 1)
RATES = {"gd": 1.0, "sgd": 0.1, "adam": 0.05}


def σ(z):
    return 1 / (1 + np.exp(-z))


def overlapping(seed, columns):
    """Rows of two classes that no plane separates: some of them have both labels."""
    random = np.random.default_rng(seed)
    both = np.vstack([np.zeros(columns), np.eye(columns), -np.eye(columns)])
    X = np.vstack([both, both, random.normal(size=(20, columns))])
    some = np.repeat([0, 1], len(both))
    return X, np.append(some, random.integers(2, size=20))


def slope(model, X, y):
    """The gradient of the loss by the formula that people derive by hand."""
    A, w = np.column_stack([np.ones(len(X)), X]), model.parameters_["w"]
    penalty = model.alpha * np.append(0, w[1:])
    return A.T @ (σ(A @ w) - y) / len(y) + penalty


@EACH
@settings(max_examples=15)
@given(SEEDS, st.sampled_from([1, 3]), st.sampled_from([0.0, 0.01, 1.0]))
def test_the_gradient_is_zero_where_it_ends(solver, seed, columns, alpha):
    X, y = overlapping(seed, columns)
    options = {"learning_rate_init": RATES.get(solver), "max_iter": 20_000, "tol": 1e-7}
    model = LogisticRegression(solver=solver, alpha=alpha, **options).fit(X, y)
    assert model.solver_ == solver
    assert np.abs(slope(model, X, y)).max() < 1e-6
    assert model.loss_ <= min(model.loss_curve_)


@EACH
def test_the_loss_falls(solver):
    X, y = overlapping(1, 3)
    for model in (LogisticRegression, MLPClassifier):
        trained = model(solver=solver, max_iter=30, tol=0, random_state=0)
        trained.set_params(learning_rate_init=0.01).fit(X, y)
        losses = np.array([*trained.loss_curve_, trained.loss_])
        assert losses[-1] < losses[0]
        if solver not in ("sgd", "adam"):  # whose momentum may climb
            assert (np.diff(losses) <= 1e-12).all()


@EACH
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_number_of_steps(solver, steps):
    X, y = overlapping(2, 2)
    model = LogisticRegression(solver=solver, max_iter=steps, tol=0).fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) == steps
    assert model.loss_curve_[0] == pytest.approx(np.log(2))


@EACH
def test_a_rerun_gives_the_same_bits(solver):
    X, y = overlapping(3, 3)
    options = {"solver": solver, "batch_size": 10, "max_iter": 9, "tol": 0, "random_state": 4}
    one, other = (LogisticRegression(**options).fit(X, y) for _ in range(2))
    assert one.loss_curve_ == other.loss_curve_
    np.testing.assert_array_equal(one.parameters_["w"], other.parameters_["w"])


# The steps of one batch after the other, written out.


def adam_by_hand(w, gradients, rate):
    m = v = 0.0
    for t, gradient in enumerate(gradients, start=1):
        g = gradient(w)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


def sgd_by_hand(w, gradients, rate, momentum, nesterov):
    v = 0.0
    for gradient in gradients:
        g = gradient(w)
        v = momentum * v - rate * g
        w = w + (momentum * v - rate * g if nesterov else v)
    return w


def by_torch(kind, w, gradients, **options):
    torch = pytest.importorskip("torch", reason="no torch to compare with")
    w = torch.tensor(w, requires_grad=True)
    optimizer = getattr(torch.optim, kind)([w], **options)
    for gradient in gradients:
        w.grad = torch.tensor(gradient(w.detach().numpy()))
        optimizer.step()
    return w.detach().numpy()


def batches(seed, count=6):
    random = np.random.default_rng(seed)
    for _ in range(count):
        X = random.normal(size=(8, 3))
        yield X, np.append([0, 1], random.integers(2, size=6))


def gradient_of(X, y):
    A = np.column_stack([np.ones(len(X)), X])
    return lambda w: A.T @ (σ(A @ w) - y) / len(y)


def by_the_model(seed, **options):
    """The weights after one step on each batch; the columns are scaled as they are."""
    model = LogisticRegression(tol=0, **options)
    for X, y in batches(seed):
        model.partial_fit(X, y)
    return model.parameters_["w"]


@pytest.fixture
def raw_columns(monkeypatch):
    """The solvers work in the coordinates of the weights themselves."""
    monkeypatch.setattr("autograd_lite.models.training.standardized", lambda it, state, **_: it)


@pytest.mark.usefixtures("raw_columns")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rate", [0.01, 0.3])
def test_the_steps_of_adam(seed, rate):
    w = by_the_model(seed, solver="adam", learning_rate_init=rate)
    gradients = [gradient_of(*batch) for batch in batches(seed)]
    start = np.zeros(4)
    np.testing.assert_allclose(w, adam_by_hand(start, gradients, rate), rtol=1e-6)
    np.testing.assert_allclose(w, by_torch("Adam", start, gradients, lr=rate), rtol=1e-6)


@pytest.mark.usefixtures("raw_columns")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("momentum", "nesterov"), [(0, False), (0.9, False), (0.9, True)])
def test_the_steps_of_sgd(seed, momentum, nesterov):
    w = by_the_model(seed, solver="sgd", momentum=momentum, nesterovs_momentum=nesterov)
    gradients = [gradient_of(*batch) for batch in batches(seed)]
    start = np.zeros(4)
    by_hand = sgd_by_hand(start, gradients, 0.1, momentum, nesterov)
    np.testing.assert_allclose(w, by_hand, rtol=1e-9)
    options = {"lr": 0.1, "momentum": momentum, "nesterov": nesterov}
    np.testing.assert_allclose(w, by_torch("SGD", start, gradients, **options), rtol=1e-9)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@given(SEEDS, st.integers(1, 50), st.integers(1, 60))
@settings(max_examples=20)
def test_an_epoch_takes_each_row_once(solver, seed, rows, size):
    taken, part = [], Objective._part

    def counted(self, X, *more):
        taken.append(X)
        return part(self, X, *more)

    X = np.random.default_rng(seed).permutation(rows + 1)[:, None]
    y = np.arange(rows + 1) % 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Objective, "_part", counted)
        model = LogisticRegression(solver=solver, batch_size=size, random_state=seed)
        model.partial_fit(X, y)
    if size >= rows + 1:
        assert not taken
    else:
        assert sorted(np.concatenate(taken)[:, 0]) == list(range(rows + 1))
        assert max(map(len, taken)) == size


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_gradients_of_batches_have_the_one_of_all_rows_as_mean(solver, reduction):
    X, y = overlapping(5, 3)
    model = LogisticRegression(reduction=reduction, alpha=0.5)
    rows = model._read(X, y, np.linspace(0.1, 2, len(y)))
    objective = Objective(model, model._layout(rows), rows)
    w = np.linspace(-1, 1, 4)
    parts = objective.batches(np.random.default_rng(0), -(-len(y) // 4))
    mean = sum(part(w)[1] * part.rows for part in parts) / len(y)
    np.testing.assert_allclose(mean, objective(w)[1], rtol=1e-12)


# Columns as people have them.


@pytest.mark.parametrize("solver", ["sgd", "adam", *OF_SECOND_ORDER])
@pytest.mark.parametrize("intercept", ["column", "separate"])
def test_columns_of_unlike_scales(solver, intercept):
    X, y = overlapping(7, 4)
    raw = X * [1e-4, 1.0, 1e3, 1e6] + [1.0, -20.0, 4e4, 3e6]
    options = {"solver": solver, "intercept": intercept, "max_iter": 20_000, "tol": 1e-7}
    one, other = (LogisticRegression(**options).fit(data, y) for data in (X, raw))
    np.testing.assert_allclose(
        other.decision_function(raw), one.decision_function(X), rtol=1e-3, atol=1e-5
    )


def test_plain_descent_says_what_to_do_about_unlike_scales():
    X, y = overlapping(7, 2)
    raw = X * [1.0, 1e3]
    with pytest.warns(ConvergenceWarning, match="scales of the columns are very unlike.*"):
        LogisticRegression(solver="gd", max_iter=5).fit(raw, y)
    with pytest.warns(ConvergenceWarning, match="too large: .*; use standardize=True"):
        LogisticRegression(solver="gd", learning_rate_init=1).fit(raw, y)
    LogisticRegression(solver="gd", learning_rate_init=1, standardize=True).fit(raw, y)


def test_auto():
    X = np.arange(6.0)[:, None]
    assert chosen("auto", exact=True) == LinearRegression().fit(X, X[:, 0]).solver_ == "lbfgs"
    assert chosen("auto") == "adam"


def test_other_names():
    with pytest.raises(ValueError, match="solver must be one of gd, sgd, adam, lbfgs, newton-cg"):
        LogisticRegression(solver="liblinear").fit(*overlapping(0, 1))


# Whether a solver arrived.


class Function:
    """A function of one number with its derivatives, as the solvers take it."""

    rows = 1

    def __init__(self, value, first, second):
        self.value, self.first, self.second = value, first, second

    def __call__(self, w):
        with np.errstate(all="ignore"):
            return float(self.value(w[0])), np.array([self.first(w[0])], dtype=float)

    def hvp(self, w, vector):
        return self.second(w[0]) * vector


def solved(solver, function, start, max_iter=200, tol=1e-6):
    monitor = Monitor(max_iter, tol)
    rate = {"gd": 0.01, "sgd": 0.003, "adam": 0.05}.get(solver)
    options = SimpleNamespace(rate=rate, momentum=0.9, nesterov=True, batch_size=1, state={})
    with np.errstate(all="ignore"):
        w = SOLVERS[solver](function, np.array([start]), monitor, options)
    return w, monitor


HARD = {
    # L-BFGS tries values at which it is infinite.
    "infinite": (lambda w: w - np.log(w) if w > 0 else np.inf, lambda w: 1 - 1 / w, None, 1e-3, 1),
    # The Hessian is 0 at the start.
    "flat": (lambda w: w**4 - w, lambda w: 4 * w**3 - 1, lambda w: 12 * w**2, 0.0, 0.25 ** (1 / 3)),
    # The loss is so large that its fall is in the last digits.
    "large": (lambda w: 1e9 + (w - 3) ** 2 / 2, lambda w: w - 3, lambda w: 1.0, 0.0, 3.0),
}


@pytest.mark.parametrize("name", HARD)
@EACH
def test_convergence_is_judged_by_the_gradient(solver, name):
    value, first, second, start, optimum = HARD[name]
    function = Function(value, first, second or (lambda w: 1 / w**2))
    w, monitor = solved(solver, function, start, max_iter=5000)
    assert monitor.converged == (abs(first(monitor.best.weights[0])) <= 1e-6)
    if solver in OF_SECOND_ORDER:
        assert monitor.converged
        np.testing.assert_allclose(w, [optimum], atol=1e-5)


@EACH
def test_weights_that_are_reported_stay(solver):
    function = Function(lambda w: w**2 / 2, lambda w: w, lambda w: 1.0)
    _, monitor = solved(solver, function, 3.0, max_iter=3, tol=0)
    assert monitor.best.loss == pytest.approx(monitor.best.weights[0] ** 2 / 2)


@EACH
def test_a_loss_that_is_never_finite(solver):
    function = Function(lambda w: np.nan, lambda w: np.nan, lambda w: np.nan)
    w, monitor = solved(solver, function, 3.0)
    assert w.tolist() == [3.0]
    assert monitor.best is None
    assert not monitor.converged


@EACH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tolerance_below_rounding_still_ends(solver, dtype):
    X, y = overlapping(11, 2)
    options = {"learning_rate_init": RATES.get(solver), "max_iter": 5000, "tol": 1e-300}
    model = LogisticRegression(solver=solver, **options)
    with warnings.catch_warnings():
        if solver in OF_SECOND_ORDER:  # whose line searches need a loss that falls
            warnings.filterwarnings("ignore", ".*the loss falls no further", ConvergenceWarning)
        model.fit(X.astype(dtype), y)
    assert model.n_iter_ < 5000
    assert np.abs(slope(model, X, y)).max() < 10 * np.sqrt(np.finfo(dtype).eps)

"""A training that stopped goes on as if it had not: the same losses and weights, bit by bit."""

import contextlib
import io
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite.models import (
    ConvergenceWarning,
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
)
from autograd_lite.models.checkpoint import Checkpoint
from autograd_lite.models.npz import Npz
from autograd_lite.models.objective import Objective
from autograd_lite.models.solvers import SOLVERS

MODELS = LogisticRegression, LinearRegression, MLPClassifier, MLPRegressor
RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(60, 3)) * [1.0, 5.0, 0.1] + [0.0, 20.0, 1.0]
y = (X[:, 0] + RANDOM.normal(size=60) > 0).astype(int)

SETTINGS = st.fixed_dictionaries(
    {
        "batch_size": st.sampled_from([7, 60, "auto"]),
        "early_stopping": st.booleans(),
        "alpha": st.sampled_from([0.0, 0.1]),
        "tol": st.sampled_from([0.0, 1e-3]),
        "max_iter": st.integers(1, 12),
        "random_state": st.integers(0, 3),
    }
)


def written(checkpoint):
    """The checkpoint as it is in a file."""
    file = io.BytesIO()
    np.savez(file, **{f"it.{name}": array for name, array in checkpoint.arrays.items()})
    return Checkpoint.read(Npz(file), "it.")


def trained(model, checkpoint, X=X, y=y, weights=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model._fit(X, y, weights, checkpoint)


def stopped(model, call, X=X, y=y, weights=None):
    """The checkpoint of a training in which Ctrl-C is pressed at this evaluation of the loss."""
    checkpoint, left, evaluate = Checkpoint("checkpoint.npz"), [call], Objective.__call__

    def interrupted(self, w):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return evaluate(self, w)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Objective, "__call__", interrupted)
        with contextlib.suppress(KeyboardInterrupt):
            trained(model, checkpoint, X, y, weights)
    return written(checkpoint) if checkpoint.arrays else None


def same(one, other):
    assert one.loss_curve_ == other.loss_curve_
    assert getattr(one, "validation_scores_", None) == getattr(other, "validation_scores_", None)
    assert (one.loss_, one.n_iter_, one.backend_) == (other.loss_, other.n_iter_, other.backend_)
    for name, array in one.parameters_.items():
        assert array.tobytes() == other.parameters_[name].tobytes()


@pytest.mark.parametrize("solver", SOLVERS)
@given(st.sampled_from(MODELS), SETTINGS, st.integers(1, 60), st.booleans(), st.booleans())
@settings(max_examples=60)
def test_it_goes_on_as_if_it_had_not_stopped(solver, model, options, call, single, weighted):
    data = (X.astype("f4") if single else X), y, np.linspace(0.5, 2, 60) if weighted else None
    options = options | {"solver": solver, "backend": "numpy"}
    whole = trained(model(**options), None, *data)
    arrays = stopped(model(**options), call, *data)
    rest = model(**options)
    trained(rest, Checkpoint("checkpoint.npz", arrays=arrays), *data)
    same(rest, whole)


@pytest.mark.parametrize("solver", SOLVERS)
@given(st.sampled_from(MODELS), st.integers(1, 9), st.integers(0, 9), st.sampled_from([7, 60]))
@settings(max_examples=20)
def test_more_steps_are_those_of_a_longer_training(solver, model, steps, more, size):
    options = {"solver": solver, "batch_size": size, "random_state": 0, "tol": 0}
    first = Checkpoint("checkpoint.npz")
    trained(model(max_iter=steps, **options), first)
    rest = model(max_iter=steps + more, **options)
    trained(rest, Checkpoint("checkpoint.npz", arrays=written(first)))
    same(rest, trained(model(max_iter=steps + more, **options), None))


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_numba_takes_over_at_the_same_step(solver, monkeypatch):
    pytest.importorskip("numba")
    pytest.importorskip("scipy")
    used, use = [], Objective.use

    def recorded(self, backend):
        used.append(backend)
        use(self, backend)

    monkeypatch.setattr(Objective, "calls_to_pay", 5 * (9 if solver == "sgd" else 1))
    monkeypatch.setattr(Objective, "use", recorded)
    options = {"solver": solver, "batch_size": 7, "max_iter": 12, "tol": 0, "random_state": 0}
    whole = trained(MLPClassifier(**options), Checkpoint("checkpoint.npz"))
    steps = ["numpy"] * 5 + ["numba"] * 7
    assert used[2:] == steps
    assert whole.backend_ == "numba"
    for call in (2, 5, 6, 7, 20, 47, 60):
        rest = MLPClassifier(**options)
        arrays = stopped(MLPClassifier(**options), call)
        used.clear()
        same(trained(rest, Checkpoint("checkpoint.npz", arrays=arrays)), whole)
        # The step before computed the loss that the solver asks for first.
        assert used[2:] == ["numpy", *steps][len(arrays["losses"]) :]


def test_a_checkpoint_of_another_model_is_refused():
    first = Checkpoint("checkpoint.npz")
    trained(MLPClassifier(max_iter=3, tol=0), first)
    other = MLPClassifier(max_iter=3, tol=0, hidden_layer_sizes=(7,))
    with pytest.raises(ValueError, match="is of 81 weights; the model has 36"):
        trained(other, Checkpoint("checkpoint.npz", arrays=written(first)))
    assert not hasattr(other, "loss_")


def test_fewer_steps_than_were_taken_are_refused():
    first = Checkpoint("checkpoint.npz")
    trained(LogisticRegression(max_iter=9, tol=0), first)
    with pytest.raises(ValueError, match="max_iter must be at least 8, the steps that were taken"):
        trained(
            LogisticRegression(max_iter=7, tol=0),
            Checkpoint("checkpoint.npz", arrays=written(first)),
        )

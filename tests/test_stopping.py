"""When training ends, goes on, or is interrupted, and what it says then."""

import copy
import re
import sys
import warnings
from pathlib import Path

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
from autograd_lite.models import training as module
from autograd_lite.models.monitor import Monitor
from autograd_lite.models.objective import Objective
from autograd_lite.models.solvers import SOLVERS

ALL = pytest.mark.parametrize(
    "model", [LogisticRegression, LinearRegression, MLPClassifier, MLPRegressor]
)
SEVERAL = pytest.mark.parametrize("solver", ["gd", "sgd", "adam"])
EACH = pytest.mark.parametrize("solver", SOLVERS)
BATCHES = pytest.mark.parametrize("batch_size", [7, 200])
RANDOM = np.random.default_rng(8)
X = RANDOM.normal(size=(60, 3))
y = (X[:, 0] + RANDOM.normal(size=60) > 0).astype(int)
CALM = {"learning_rate_init": 1e-3, "random_state": 0}


def is_now(trained):
    """A copy of the fitted attributes, to compare."""
    return copy.deepcopy({name: x for name, x in vars(trained).items() if name.endswith("_")})


def same(one, other):
    assert one.keys() == other.keys()
    arrays = one.keys() & {"solver_state_", "parameters_"}
    for name in one.keys() - arrays:
        np.testing.assert_array_equal(one[name], other[name])
    for name in arrays:
        assert one[name].keys() == other[name].keys()
        for key, array in one[name].items():
            np.testing.assert_array_equal(array, other[name][key])


# Early stopping.


def stopped(monkeypatch, model, X=X, y=y, **options):
    """A model that held rows out, its losses on them, and the rows: trained on, and held out."""
    parts, losses, split, scored = [], [], module._split, module._scored

    def kept(*given):
        parts[:] = split(*given)
        return parts

    def recorded(*given):
        losses.append(scored(*given)[1])
        return scored(*given)

    monkeypatch.setattr(module, "_split", kept)
    monkeypatch.setattr(module, "_scored", recorded)
    trained = model(early_stopping=True, random_state=0, **options).fit(X, y)
    return trained, losses, *parts


@ALL
@SEVERAL
@BATCHES
def test_the_weights_of_the_smallest_loss_are_kept(model, solver, batch_size, monkeypatch):
    options = {"solver": solver, "batch_size": batch_size, "learning_rate_init": 0.01}
    trained, losses, _, held_out = stopped(monkeypatch, model, max_iter=40, tol=0, **options)
    assert len(losses) == len(trained.validation_scores_) >= trained.n_iter_
    z = getattr(trained, "decision_function", trained.predict)(held_out.X)
    assert trained.loss_of(z, held_out.y, None) == pytest.approx(min(losses))
    assert trained.score_of(z, held_out.y, None) == pytest.approx(
        trained.validation_scores_[int(np.argmin(losses))]
    )


@ALL
@SEVERAL
@BATCHES
@pytest.mark.parametrize("patience", [1, 4])
def test_it_stops_when_the_loss_no_longer_falls(model, solver, batch_size, patience, monkeypatch):
    options = {"solver": solver, "batch_size": batch_size, "learning_rate_init": 0.05}
    trained, losses, *_ = stopped(
        monkeypatch, model, max_iter=5000, tol=1e-3, n_iter_no_change=patience, **options
    )
    assert trained.n_iter_ < 5000
    assert min(losses[-patience:]) >= min(losses[:-patience]) - 1e-3 * patience


@given(st.floats(0.02, 0.95), st.lists(st.integers(0, 2), max_size=40))
@settings(max_examples=60)
def test_of_each_class_the_same_fraction_is_held_out(fraction, labels):
    labels = np.array([0, 1, 2, 0, 1, 2, *labels])
    data = np.arange(2.0 * len(labels)).reshape(-1, 2)
    options = {"max_iter": 2, "tol": 0, "validation_fraction": fraction}
    with pytest.MonkeyPatch.context() as patch:
        _, _, rows, held_out = stopped(patch, LogisticRegression, data, labels, **options)
    # One row of each class is for training; of the others the same fraction is held out.
    others = len(labels) - 3
    assert len(held_out.y) == min(max(2, round(fraction * len(labels))), others)
    for k in range(3):
        count, held = np.sum(labels == k), int(held_out.y[:, k].sum())
        assert abs(held - len(held_out.y) * (count - 1) / others) < 1 + 1e-9
        assert rows.y[:, k].sum() == count - held > 0
    together = np.vstack([rows.X, held_out.X])
    np.testing.assert_array_equal(together[together[:, 0].argsort()], data)


@ALL
def test_no_row_is_held_out_otherwise(model):
    assert not hasattr(model(max_iter=2, tol=0, **CALM).fit(X, y), "validation_scores_")
    few = 2 if model in (LogisticRegression, MLPClassifier) else 1
    with pytest.raises(ValueError, match=r"early_stopping: .*row"):
        model(early_stopping=True).fit(X[:few], range(few))


@ALL
@pytest.mark.parametrize("fraction", [0.99, 0.5, 0.1])
def test_rows_are_left_to_train_on(model, fraction):
    options = {"validation_fraction": fraction, "max_iter": 3, "tol": 0, **CALM}
    trained = model(early_stopping=True, **options).fit(X, y)
    assert np.isfinite(trained.loss_)


def test_a_class_of_one_row_is_trained_on():
    options = {"validation_fraction": 0.01, "max_iter": 2, "tol": 0, **CALM}
    trained = MLPClassifier(early_stopping=True, **options).fit(X, np.arange(60) > 0)
    assert trained.classes_.tolist() == [False, True]


# Going on.


@ALL
@SEVERAL
def test_epochs_one_at_a_time(model, solver):
    """The first rows say how columns are scaled, and the solver's state goes on."""
    whole = model(solver=solver, max_iter=5, tol=0, **CALM).fit(X, y)
    parts = model(solver=solver, **CALM)
    for k in range(1, 6):
        assert parts.partial_fit(X, y) is parts
        assert parts.n_iter_ == len(parts.loss_curve_) == k
    assert parts.loss_curve_ == whole.loss_curve_
    for name, array in whole.parameters_.items():
        np.testing.assert_array_equal(parts.parameters_[name], array)


@ALL
@SEVERAL
@pytest.mark.parametrize("standardize", [False, True])
def test_epochs_on_other_rows(model, solver, standardize):
    trained = model(solver=solver, standardize=standardize, batch_size=10, **CALM)
    mean = None
    for part in np.split(np.arange(60), 3):
        trained.partial_fit(X[part], y[part])
        mean = trained.mean_ if mean is None else mean
        np.testing.assert_array_equal(trained.mean_, mean)
    assert trained.n_iter_ == 3
    assert np.isfinite(trained.score(X, y))


@ALL
def test_another_solver_starts_with_its_own_state(model):
    one = model(solver="adam", **CALM).partial_fit(X, y)
    assert set(one.solver_state_) >= {"mean", "square", "steps"}
    one.set_params(solver="sgd").partial_fit(X, y)
    assert set(one.solver_state_) >= {"velocity"}
    assert one.n_iter_ == 2


@ALL
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
def test_solvers_that_need_all_rows(model, solver):
    assert not hasattr(model(solver=solver), "partial_fit")
    with pytest.raises(AttributeError, match="needs all rows at once; use another one"):
        model(solver=solver).partial_fit(X, y)


@ALL
def test_auto_trains_epochs_with_adam(model):
    assert model(solver="auto", **CALM).partial_fit(X, y).solver_ == "adam"


@ALL
@EACH
def test_a_warm_start_goes_on_from_the_last_weights(model, solver):
    options = {"solver": solver, "max_iter": 4, "tol": 0, **CALM}
    trained = model(warm_start=True, **options).fit(X, y)
    reached = trained.loss_
    trained.fit(X, y)
    np.testing.assert_allclose(trained.loss_curve_[0], reached)
    assert trained.loss_ <= reached
    assert trained.n_iter_ <= 4
    cold = model(**options).fit(X, y).fit(X, y)
    np.testing.assert_allclose(cold.loss_curve_[0], model(**options).fit(X, y).loss_curve_[0])


@ALL
def test_a_warm_start_keeps_what_the_weights_are_for(model):
    trained = model(warm_start=True, max_iter=3, tol=0, standardize=True, **CALM).fit(X, y)
    mean = trained.mean_
    np.testing.assert_array_equal(trained.fit(X + 1, y).mean_, mean)
    with pytest.raises(ValueError, match=r"X has 2 features, but .* is expecting 3"):
        trained.fit(X[:, :2], y)
    if trained.kind == "classifier":
        with pytest.raises(ValueError, match="y has the label 7; the classes are 0, 1"):
            trained.fit(X, np.where(y, 7, 0))
        assert trained.fit(X[y == 0], y[y == 0]).classes_.tolist() == [0, 1]


@pytest.mark.parametrize("model", [LogisticRegression, MLPClassifier])
def test_classes_stay_those_of_the_first_epoch(model):
    trained = model(**CALM).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="classes"):
        trained.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="y has the label 3; the classes are 0, 1, 2"):
        trained.partial_fit(X, y + 2)
    assert trained.partial_fit(X, y, classes=[2, 1, 0]).n_iter_ == 2


# What is said.


@ALL
@EACH
def test_too_few_steps_are_said(model, solver):
    # Two steps of second order are enough for a parabola.
    steps = 1 if model is LinearRegression else 2
    with pytest.warns(ConvergenceWarning) as caught:
        trained = model(solver=solver, max_iter=steps, tol=1e-9, **CALM).fit(X, y)
    [warning] = caught
    assert warning.filename == __file__
    assert re.fullmatch(
        rf"{solver} took {steps} steps? and did not converge: the largest element of the gradient "
        r"is [\d.e-]+, and tol is 1e-09; increase max_iter",
        str(warning.message),
    )
    assert trained.n_iter_ == steps


@ALL
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_too_few_epochs_are_said(model, solver):
    expected = "did not converge: the loss was still falling, by more than tol = 1e-09; increase"
    with pytest.warns(ConvergenceWarning, match=f"{solver} took 2 steps and {expected} max_iter"):
        model(solver=solver, max_iter=2, tol=1e-9, batch_size=20, **CALM).fit(X, y)


@ALL
@EACH
def test_without_a_tolerance_nothing_is_said(model, solver):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(solver=solver, max_iter=2, tol=0, **CALM).fit(X, y)


@ALL
@SEVERAL
def test_a_loss_that_is_not_finite_is_said(model, solver):
    data = 1e3 * X
    wild = {"gd": 1e300, "sgd": 1e305, "adam": 1e305}[solver]
    trained = model(solver=solver, learning_rate_init=wild, random_state=0)
    with pytest.warns(ConvergenceWarning, match="is too large: the loss (became|rose)"):
        trained.fit(data, y)
    assert np.isfinite(trained.loss_)
    assert all(np.isfinite(array).all() for array in trained.parameters_.values())
    assert np.isfinite(trained.predict(data)).all()


@ALL
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_epochs_that_no_longer_help_end_it(model, solver):
    options = {"solver": solver, "batch_size": 20, "n_iter_no_change": 3, "max_iter": 5000}
    trained = model(tol=1e-3, **options, **CALM).fit(X, y)
    losses = np.array(trained.loss_curve_)
    assert 3 < len(losses) < 5000
    assert losses[-3:].min() > losses[:-3].min() - 3e-3
    assert losses[-3:].min() < losses[0]


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_the_weights_of_the_best_epoch_are_kept(solver, monkeypatch):
    epochs, report = [], Monitor.epoch

    def recorded(self, weights, loss):
        epochs.append((loss, weights.copy()))
        return report(self, weights, loss)

    monkeypatch.setattr(Monitor, "epoch", recorded)
    options = {"batch_size": 6, "max_iter": 25, "tol": 0, "random_state": 0}
    # Far too long steps, so that the last epoch is not the best; the columns are as they are.
    options |= {"learning_rate_init": 0.4, "intercept": "separate"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        trained = LogisticRegression(solver=solver, **options).fit(X, y)
    losses = [loss for loss, _ in epochs]
    best = int(np.argmin(losses))
    assert trained.loss_curve_ == losses
    assert best < len(losses) - 1
    kept = np.concatenate([array.ravel() for array in trained.parameters_.values()])
    np.testing.assert_array_equal(kept, epochs[best][1])


# Interrupts.


def after(fit, trained, before, start):
    """What holds after an interrupt: the model is the one before, or better than at the start."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit()
    except KeyboardInterrupt:
        if is_now(trained).keys() == before.keys() and trained.loss_ == before["loss_"]:
            same(is_now(trained), before)
            return "before"
        said = ["after all was done"]
    else:
        said = [str(warning.message) for warning in caught]
    assert trained.loss_ <= start + 1e-12
    assert np.isfinite(trained.predict(X)).all()
    np.testing.assert_allclose(trained.loss_graph(X, y).item(), trained.loss_, rtol=1e-9)
    return said


@ALL
@EACH
def test_interrupted_at_each_evaluation(model, solver, monkeypatch):
    options = {"solver": solver, "max_iter": 4, "tol": 0, **CALM}
    trained = model(max_iter=1, solver="gd", tol=0, random_state=0).fit(X, 1 - y)
    trained.set_params(**options)
    before, start = is_now(trained), model(**options).loss_graph(X, y).item()
    call = Objective.__call__
    kinds = []
    for k in range(30):
        calls = iter(range(k))

        def interrupted(self, w, calls=calls):
            if next(calls, None) is None:
                monkeypatch.setattr(Objective, "__call__", call)
                raise KeyboardInterrupt
            return call(self, w)

        monkeypatch.setattr(Objective, "__call__", interrupted)
        trained.__dict__ = trained.get_params() | before
        kinds.append(after(lambda: trained.fit(X, y), trained, before, start))
        monkeypatch.setattr(Objective, "__call__", call)
        if kinds[-1] == []:
            break
    assert kinds[0] == "before"
    assert kinds[-1] == []
    inside = [said for said in kinds if said not in ("before", [])]
    assert inside
    for [said] in inside:
        assert re.fullmatch(r"fit was interrupted after \d+ steps?; the best weights .*kept", said)


@SEVERAL
@BATCHES
@pytest.mark.parametrize("report", ["step", "end", "epoch"])
def test_an_interrupted_epoch_is_not_kept(solver, batch_size, report, monkeypatch):
    trained = LogisticRegression(solver=solver, batch_size=batch_size, **CALM).partial_fit(X, y)
    before, reported = is_now(trained), getattr(Monitor, report)

    def interrupted(self, *given):
        reported(self, *given)
        raise KeyboardInterrupt

    monkeypatch.setattr(Monitor, report, interrupted)
    batches = solver != "gd" and batch_size < len(X)
    if batches == (report == "epoch"):
        with pytest.raises(KeyboardInterrupt):
            trained.partial_fit(X, y)
        same(is_now(trained), before)


HOME = str(Path(module.__file__).parent)


class Tracer:
    """Raises KeyboardInterrupt at the n-th operation of the interpreter in the models' code."""

    def __init__(self, n):
        self.left = n

    def __call__(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(HOME):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self

    def run(self, function):
        previous = sys.gettrace()
        sys.settrace(self)
        try:
            return function()
        finally:
            sys.settrace(previous)


@pytest.mark.parametrize("model", [LogisticRegression, MLPRegressor])
@EACH
@given(st.floats(0, 1))
@settings(max_examples=60)
def test_interrupted_at_any_moment(model, solver, moment):
    options = {"solver": solver, "max_iter": 3, "tol": 0, "early_stopping": False, **CALM}
    trained = model(max_iter=1, solver="gd", tol=0, random_state=0).fit(X, 1 - y)
    trained.set_params(**options)
    before, start = is_now(trained), model(**options).loss_graph(X, y).item()
    calm = model(**options)
    counter = Tracer(1 << 60)
    counter.run(lambda: calm.fit(X, y))
    operations = (1 << 60) - counter.left
    tracer = Tracer(1 + int(moment * (operations - 1)))
    errors = np.geterr()
    after(lambda: tracer.run(lambda: trained.fit(X, y)), trained, before, start)
    np.seterr(**errors)
    # Nothing that all models share is damaged.
    np.testing.assert_array_equal(model(**options).fit(X, y).loss_curve_, calm.loss_curve_)

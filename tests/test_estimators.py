"""The models as estimators of scikit-learn: its own checks, and its tools around them."""

import pickle
import subprocess
import sys
import unittest
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from autograd_lite.models import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    NotFittedError,
)

sklearn = pytest.importorskip("sklearn", reason="no scikit-learn")

from sklearn import base, exceptions, inspection, metrics, model_selection, pipeline  # noqa: E402
from sklearn.calibration import CalibratedClassifierCV  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils import estimator_checks  # noqa: E402

ROOT = Path(__file__).parent.parent
RANDOM = np.random.default_rng(2)
X = RANDOM.normal(size=(60, 3))
y = (X[:, 0] + 0.5 * RANDOM.normal(size=60) > 0).astype(int)
SETTINGS = {"max_iter": 20, "tol": 0.0, "random_state": 0}
CLASSIFIERS = [LogisticRegression(**SETTINGS), MLPClassifier(4, **SETTINGS)]
REGRESSORS = [LinearRegression(**SETTINGS), MLPRegressor(4, **SETTINGS)]

CLASSIFIER = pytest.mark.parametrize("model", CLASSIFIERS, ids=repr)
ALL = pytest.mark.parametrize("model", CLASSIFIERS + REGRESSORS, ids=repr)


def unfitted(model):
    return base.clone(model)


def checks():
    """Every check of scikit-learn for each of the models with its default settings."""
    models = LogisticRegression(), LinearRegression(), MLPClassifier(), MLPRegressor()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* does not inherit from `sklearn.base.BaseEstimator`")
        for model in models:
            for estimator, check in estimator_checks.estimator_checks_generator(model):
                id = f"{type(model).__name__}-{estimator_checks._check_name(check)}"
                yield pytest.param(estimator, check, id=id)


# The checks train on a few rows of noise, with a few steps, which the models warn of.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_the_checks_of_scikit_learn(estimator, check):
    try:
        check(estimator)
    except unittest.SkipTest as skip:
        assert "SCIPY_ARRAY_API is not set" in str(skip)  # noqa: PT017
        pytest.skip(str(skip))


@ALL
def test_a_clone_has_the_settings_and_nothing_learned(model):
    trained = unfitted(model).fit(X, y)
    other = base.clone(trained)
    assert other.get_params() == trained.get_params() == model.get_params()
    assert not other.__sklearn_is_fitted__()
    assert repr(other) == repr(trained)


@ALL
def test_settings_by_name(model):
    other = unfitted(model)
    assert other.set_params(alpha=0.5, max_iter=7) is other
    assert (other.get_params()["alpha"], other.max_iter) == (0.5, 7)
    with pytest.raises(ValueError, match="Invalid parameter 'depth' for "):
        other.set_params(alpha=0.1, depth=3)
    assert other.alpha == 0.5


def test_what_a_model_is_written_as():
    assert repr(LogisticRegression()) == "LogisticRegression()"
    model = MLPClassifier((3, 2), alpha=0.1, solver="sgd")
    assert eval(repr(model)).get_params() == model.get_params()


@ALL
def test_what_kind_of_estimator_it_is(model):
    assert base.is_classifier(model) == (model in CLASSIFIERS)
    assert base.is_regressor(model) == (model in REGRESSORS)
    assert model.__sklearn_tags__().target_tags.required


@ALL
def test_in_a_pipeline(model):
    scale, column = X.std(axis=0), X - X.mean(axis=0)
    both = pipeline.make_pipeline(StandardScaler(), unfitted(model)).fit(X, y)
    alone = unfitted(model).fit(column / scale, y)
    np.testing.assert_allclose(both.predict(X), alone.predict(column / scale), atol=1e-9)
    assert both.score(X, y) == pytest.approx(alone.score(column / scale, y))


@ALL
def test_scores_by_cross_validation(model):
    scores = model_selection.cross_val_score(model, X, y, cv=3)
    kind = model_selection.StratifiedKFold if model in CLASSIFIERS else model_selection.KFold
    own = [
        unfitted(model).fit(X[train], y[train]).score(X[test], y[test])
        for train, test in kind(3).split(X, y)
    ]
    np.testing.assert_allclose(scores, own)


@ALL
def test_a_search_over_settings(model):
    scoring = "neg_log_loss" if model in CLASSIFIERS else "r2"
    search = model_selection.GridSearchCV(model, {"max_iter": [1, 20]}, scoring=scoring, cv=3)
    assert search.fit(X, y).best_params_ == {"max_iter": 20}
    np.testing.assert_array_equal(search.predict(X), unfitted(model).fit(X, y).predict(X))


@CLASSIFIER
def test_a_score_of_probabilities(model):
    by_name = model_selection.cross_val_score(model, X, y, cv=3, scoring="neg_log_loss")
    folds = model_selection.StratifiedKFold(3).split(X, y)
    own = [
        np.log(
            unfitted(model)
            .fit(X[train], y[train])
            .predict_proba(X[test])[range(len(test)), y[test]]
        ).mean()
        for train, test in folds
    ]
    np.testing.assert_allclose(by_name, own)


@CLASSIFIER
@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibrated(model, method):
    calibrated = CalibratedClassifierCV(model, method=method, cv=3).fit(X, y)
    p = calibrated.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert calibrated.score(X, y) > 0.7


@CLASSIFIER
def test_the_pictures_of_scikit_learn(model):
    matplotlib = pytest.importorskip("matplotlib", reason="no matplotlib")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    matplotlib.use("Agg")
    trained = unfitted(model).fit(X, y)
    roc = metrics.RocCurveDisplay.from_estimator(trained, X, y)
    assert roc.roc_auc == metrics.roc_auc_score(y, trained.decision_function(X))
    confusion = metrics.ConfusionMatrixDisplay.from_estimator(trained, X, y)
    assert np.trace(confusion.confusion_matrix) / len(y) == trained.score(X, y)
    boundary = inspection.DecisionBoundaryDisplay.from_estimator(
        unfitted(model).fit(X[:, :2], y), X[:, :2], grid_resolution=5
    )
    assert boundary.response.shape == (5, 5)
    pyplot.close("all")


@ALL
def test_the_importance_of_columns(model):
    trained = unfitted(model).fit(X, y)
    importance = inspection.permutation_importance(trained, X, y, random_state=0)
    assert importance.importances_mean.argmax() == 0


@ALL
def test_weights_through_routing(model):
    weights = RANDOM.uniform(1, 5, len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        asked = unfitted(model).set_fit_request(sample_weight=True)
        asked.set_score_request(sample_weight="importance")
        validate = partial(model_selection.cross_validate, X=X, y=y, cv=2)
        got = validate(
            asked,
            params={"sample_weight": weights, "importance": weights[::-1]},
            return_estimator=True,
            return_indices=True,
        )
        with pytest.raises(exceptions.UnsetMetadataPassedError):
            validate(unfitted(model), params={"sample_weight": weights})
    for k, trained in enumerate(got["estimator"]):
        rows, held = got["indices"]["train"][k], got["indices"]["test"][k]
        own = unfitted(model).fit(X[rows], y[rows], weights[rows])
        np.testing.assert_array_equal(own.predict(X), trained.predict(X))
        assert got["test_score"][k] == own.score(X[held], y[held], weights[::-1][held])


@ALL
def test_what_was_requested_survives_a_clone_and_a_fit(model):
    asked = unfitted(model).set_partial_fit_request(sample_weight=False)
    for other in (base.clone(asked), asked.fit(X, y), base.clone(asked.fit(X, y))):
        assert other.get_metadata_routing().partial_fit.requests == {"sample_weight": False}
        assert other.get_metadata_routing().fit.requests == {"sample_weight": None}


@ALL
@pytest.mark.parametrize("way", ["pickle", "joblib"])
def test_there_and_back(model, way, tmp_path):
    trained = unfitted(model).fit(X, y)
    if way == "pickle":
        back = pickle.loads(pickle.dumps(trained))
    else:
        joblib = pytest.importorskip("joblib")
        joblib.dump(trained, tmp_path / "model.joblib")
        back = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(back.predict(X), trained.predict(X))
    assert back.get_params() == trained.get_params()


def test_processes_beside_each_other():
    alone, together = (
        model_selection.cross_val_score(CLASSIFIERS[0], X, y, cv=2, n_jobs=n) for n in (1, 2)
    )
    np.testing.assert_array_equal(alone, together)


@ALL
def test_the_error_before_fit_is_also_scikit_learns(model):
    with pytest.raises(exceptions.NotFittedError, match="call fit") as failure:
        unfitted(model).predict(X)
    assert isinstance(failure.value, NotFittedError)
    assert pickle.loads(pickle.dumps(failure.value)).args == failure.value.args


def test_warnings_are_also_scikit_learns():
    with pytest.warns(exceptions.ConvergenceWarning, match="did not converge"):
        LogisticRegression(max_iter=2).fit(X, y)
    with pytest.warns(exceptions.DataConversionWarning, match="column-vector"):
        CLASSIFIERS[0].fit(X, y[:, None])


USE = """
import sys
HIDDEN
import numpy as np
from autograd_lite.models import *
X, y = np.arange(12.0).reshape(6, 2) % 5, [0, 1, 0, 1, 1, 0]
for model in (LogisticRegression, LinearRegression, MLPClassifier, MLPRegressor):
    model = model(max_iter=3, tol=0, solver="adam")
    try:
        model.predict(X)
    except NotFittedError:
        pass
    model.fit(X, y).score(X, y)
    model.set_params(**model.get_params()).partial_fit(X, y)
    repr(model), model.loss_graph(X, y)
print(sorted({name.partition(".")[0] for name in sys.modules} & {"sklearn", "pandas"}))
"""
HIDE = "for name in ('sklearn', 'scipy', 'numba', 'threadpoolctl'): sys.modules[name] = None"


@pytest.mark.parametrize("hidden", [False, True])
def test_nothing_is_imported_for_those_who_do_not_use_it(hidden):
    code = USE.replace("HIDDEN", HIDE if hidden else "")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "pandas" not in ran.stdout
    assert hidden or "sklearn" not in ran.stdout


class Sharper(LogisticRegression):
    """A subclass as scikit-learn's users write them."""

    def __init__(self, sharpness=1, **settings):
        super().__init__(**settings)
        self.sharpness = sharpness


def test_a_subclass_keeps_its_settings():
    copied = base.clone(Sharper(sharpness=3, alpha=0.5))
    assert copied.get_params() == Sharper(sharpness=3, alpha=0.5).get_params()
    assert repr(copied) == "Sharper(sharpness=3, alpha=0.5)"
    assert copied.fit([[0.0], [1.0], [2.0]], [0, 0, 1]).sharpness == 3

"""Models that skl2onnx writes: the probabilities of scikit-learn, the classes, and derivatives."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx")
skl2onnx = pytest.importorskip("skl2onnx")

from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge  # noqa: E402
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler  # noqa: E402

import autograd_lite as ag  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)) * [1, 3, 0.5, 2] + [0, 5, 1, -1]
THREE = np.digitize(X @ [1, -0.4, 2, 0.1], [-0.5, 1])
NAMES = np.array(["gentoo", "chinstrap", "adélie"])[THREE]
TWO = (THREE > 0).astype(int)
Y = np.tanh(X @ [1, -0.4, 2, 0.1])
FEW = {"max_iter": 30, "random_state": 0, "tol": 10.0}

CLASSIFIERS = {
    "logistic, 2": (LogisticRegression(), TWO),
    "logistic, 3": (LogisticRegression(max_iter=500), NAMES),
    "scaled logistic, 2": (make_pipeline(StandardScaler(), LogisticRegression()), TWO),
    "scaled logistic, 3": (make_pipeline(MinMaxScaler(), LogisticRegression()), NAMES),
    "one against the rest": (OneVsRestClassifier(LogisticRegression()), THREE),
    "MLP, 2": (MLPClassifier((5,), "tanh", **FEW), TWO),
    "MLP, 3": (make_pipeline(StandardScaler(), MLPClassifier((5, 3), "relu", **FEW)), NAMES),
    "MLP, logistic": (MLPClassifier((5,), "logistic", **FEW), THREE),
}
REGRESSIONS = {
    "linear": (LinearRegression(), Y),
    "two targets": (LinearRegression(), np.stack([Y, Y**2], axis=1)),
    "ridge of rows of length 1": (make_pipeline(Normalizer("l2"), Ridge()), Y),
    "ridge without missing": (make_pipeline(SimpleImputer(), StandardScaler(), Ridge()), Y),
    "ridge of shares": (make_pipeline(Normalizer("l1"), Ridge()), Y),
    "MLP": (make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(5,), **FEW)), Y),
}


def written(estimator, y, dtype, folder, **options):
    """The fitted estimator, and its model as imported."""
    estimator.fit(X, y)
    options = {"options": {id(estimator): options}} if options else {}
    model = skl2onnx.to_onnx(estimator, X[:1].astype(dtype), **options)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return ag.import_onnx(path)


pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore::FutureWarning"
)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("zipmap", [None, False])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier(name, zipmap, dtype, tmp_path):
    estimator, y = CLASSIFIERS[name]
    options = {} if zipmap is None else {"zipmap": zipmap}
    model = written(estimator, y, dtype, tmp_path, **options)
    x = X.astype(dtype)
    found, expected = model(x), estimator.predict_proba(X)
    close = 2e-6 if dtype == np.float32 else 1e-14
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=close)
    np.testing.assert_array_equal(model.classes, estimator.classes_)
    assert len(model.labels) == 1
    assert model.labels[0] not in model.outputs
    recorded = model(ag.constant(x))
    np.testing.assert_array_equal(recorded.numpy(), found)
    compiled = ag.compile(model)(x)
    np.testing.assert_allclose(compiled, found, rtol=0, atol=close)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", REGRESSIONS)
def test_a_regression(name, dtype, tmp_path):
    estimator, y = REGRESSIONS[name]
    model = written(estimator, y, dtype, tmp_path)
    found, expected = model(X.astype(dtype)), estimator.predict(X)
    close = 1e-5 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=close, atol=close)
    assert model.classes is None
    assert model.labels == ()


def test_one_against_one_is_refused_or_has_all_classes(tmp_path):
    """Its votes are labels of models of two classes."""
    estimator = OneVsOneClassifier(LogisticRegression())
    with pytest.raises(ValueError, match=r"LinearClassifier '.*': its labels are used as numbers"):
        written(estimator, NAMES, np.float32, tmp_path)
    model = written(estimator, NAMES, np.float64, tmp_path)
    np.testing.assert_array_equal(model.classes, estimator.classes_)
    chosen = estimator.classes_[np.argmax(model(X), axis=1)]
    np.testing.assert_array_equal(chosen, estimator.predict(X))


def test_the_gradient_of_the_loss_of_a_fitted_model_is_its_penalty(tmp_path):
    """At the minimum of Σ loss + α/2 Σ W² the gradient of the loss is −α W."""
    estimator = LogisticRegression(C=0.5, tol=1e-12, max_iter=5000)
    model = written(estimator, THREE, np.float64, tmp_path, zipmap=False)
    onehot = np.eye(3)[THREE]

    def loss(parameters):
        return -np.sum(onehot * np.log(model(X, parameters=parameters)))

    gradient = ag.grad(loss)(model.parameters)
    weights = model.parameters["coef"]
    np.testing.assert_allclose(gradient["coef"], -2 * weights, atol=1e-4)
    np.testing.assert_allclose(gradient["intercept"], 0, atol=1e-4)


def test_the_formula_and_the_hessian_of_a_logistic_regression(tmp_path):
    pytest.importorskip("sympy")
    model = written(LogisticRegression(max_iter=500), THREE, np.float64, tmp_path, zipmap=False)
    names = {"coef": "W", "intercept": "b"}
    given = {k: ag.Tensor(v, names[k]) for k, v in model.parameters.items()}
    p = model(ag.constant(X, "X"), parameters=given).named("p")
    onehot = ag.constant(np.eye(3)[THREE], "y")
    derivation = ag.derive(-np.sum(onehot * np.log(p)))
    assert str(derivation.closed_form[given["coef"]]) == "Xᵀ(p − y)"

    def loss(b):
        return -np.sum(onehot * np.log(model(X, parameters={"intercept": b})))

    hessian = ag.hessian(loss)(model.parameters["intercept"])[0, :, 0]
    p = model(X)
    np.testing.assert_allclose(hessian, np.diag(p.sum(axis=0)) - p.T @ p, atol=1e-10)


def test_logarithms_of_probabilities_far_from_the_boundary(tmp_path):
    for name in ("scaled logistic, 2", "scaled logistic, 3"):
        estimator, y = CLASSIFIERS[name]
        model = written(estimator, y, np.float32, tmp_path)
        far = ag.constant(np.float32(1e4) * (X[:5] - X.mean(axis=0)).astype(np.float32))
        logs = np.log(model(far)).numpy()
        assert np.isfinite(logs).all()
        assert logs.min() < -1000


def test_onnxruntime_agrees(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    for dtype in (np.float32, np.float64):
        for name, (estimator, y) in (CLASSIFIERS | REGRESSIONS).items():
            if "missing" in name and dtype == np.float64:
                continue  # its imputer has no kernel for float64
            options = {"zipmap": False} if name in CLASSIFIERS else {}
            model = written(estimator, y, dtype, tmp_path, **options)
            session = runtime.InferenceSession(tmp_path / "model.onnx")
            (expected,) = session.run(list(model.outputs), {"X": X.astype(dtype)})
            close = 2e-6 if dtype == np.float32 else 1e-13
            found = model(X.astype(dtype))
            np.testing.assert_allclose(found, expected, rtol=close, atol=close, err_msg=name)

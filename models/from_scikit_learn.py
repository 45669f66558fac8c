"""Models from fitted estimators of scikit-learn, whose names say what they are.

scikit-learn is not imported: who has such an estimator has it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.models.errors import NotFittedError, shared
from autograd_lite.models.estimator import Estimator
from autograd_lite.models.inputs import Array
from autograd_lite.models.layers import Layers
from autograd_lite.models.state_dict import fitted

__all__ = ["from_sklearn"]

_LINEAR = (
    *("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV"),
    *("LogisticRegression", "LogisticRegressionCV"),
)
_PERCEPTRONS = ("MLPClassifier", "MLPRegressor")


def from_sklearn(estimator: Any) -> Estimator:
    """The model that predicts what a fitted estimator of scikit-learn predicts, to rounding.

    `estimator` is a LinearRegression, Ridge, Lasso or ElasticNet, a LogisticRegression (also those
    with CV), an MLPClassifier or an MLPRegressor of one output, or a Pipeline that ends in one of
    them and has a StandardScaler, or nothing, before it. Its weights, classes and names of columns
    are taken, not the settings of its training. `model.to_sklearn()` is the way back.

    Raises TypeError for an estimator or a step of another kind, NotFittedError if it is not fitted,
    and ValueError if it predicts several numbers or labels of a row, or has an activation that the
    models here do not have.

    Example:
        >>> from sklearn.linear_model import Ridge
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> theirs = make_pipeline(StandardScaler(), Ridge()).fit([[1.0], [2.0], [6.0]], [1, 2, 4])
        >>> model = from_sklearn(theirs)
        >>> model
        LinearRegression(standardize=True)
        >>> np.allclose(model.predict([[3.0]]), theirs.predict([[3.0]]))
        True
    """
    *before, last = _steps(estimator)
    if [_kind(step) for step in before] not in ([], ["StandardScaler"]):
        raise TypeError(
            "from_sklearn: before the last step there may be one StandardScaler and nothing else; "
            f"here is {', '.join(type(step).__name__ for step in before)}"
        )
    kind = _kind(last)
    if kind not in _LINEAR + _PERCEPTRONS:
        raise TypeError(
            f"from_sklearn: {type(last).__name__} is not supported; it may be "
            f"{', '.join(_LINEAR + _PERCEPTRONS)}, or a Pipeline that ends in one of them"
        )
    needed = "coef_" if kind in _LINEAR else "coefs_"
    if not hasattr(last, needed) or any(not hasattr(step, "scale_") for step in before):
        raise shared(NotFittedError)(f"from_sklearn: this {type(estimator).__name__} is not fitted")
    try:
        return fitted(
            layers := _linear(last) if kind in _LINEAR else _perceptron(last),
            activation=getattr(last, "activation", None),
            classes=getattr(last, "classes_", None),
            columns=next(
                (step.feature_names_in_ for step in (*before, last) if _named(step)), None
            ),
            **_standard(before, layers),
        )
    except ValueError as error:
        raise ValueError(f"from_sklearn: {kind}: {error}") from None


def _kind(step: Any) -> str:
    """The name of an estimator of scikit-learn itself; a subclass may predict something else."""
    kind = type(step)
    return kind.__name__ if kind.__module__.split(".")[0] == "sklearn" else ""


def _steps(estimator: Any) -> list[Any]:
    if _kind(estimator) != "Pipeline":
        return [estimator]
    steps = [step for _, step in estimator.steps]
    return [step for step in steps if step is not None and step != "passthrough"] or [estimator]


def _named(step: Any) -> bool:
    return hasattr(step, "feature_names_in_")


def _standard(before: list[Any], layers: Layers) -> dict[str, Array]:
    """The means and scales of the StandardScaler, if there is one."""
    columns = layers[0][0].shape[1]
    return {
        name: array
        for scaler in before
        for name, array in (
            ("mean", scaler.mean_ if scaler.with_mean else np.zeros(columns, np.float32)),
            ("scale", scaler.scale_ if scaler.with_std else np.ones(columns, np.float32)),
        )
    }


def _linear(estimator: Any) -> Layers:
    coef = estimator.coef_
    weight = np.atleast_2d(coef.toarray() if hasattr(coef, "toarray") else coef)
    intercept = estimator.intercept_  # a Python number if there is none
    bias = np.full(len(weight), intercept, np.result_type(weight, intercept))
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        _one(len(weight), "numbers")
    elif len(classes) > 2 and estimator.solver == "liblinear":
        raise ValueError("it has a model for each class against the rest; here there is softmax")
    return [(weight, bias)]


def _perceptron(estimator: Any) -> Layers:
    output = estimator.out_activation_
    if output == "logistic":
        _one(estimator.n_outputs_, "labels")
    elif output == "identity":
        _one(estimator.n_outputs_, "numbers")
    elif output != "softmax":
        raise ValueError(f"the models here have no output {output!r} (loss={estimator.loss!r})")
    return [
        (np.ascontiguousarray(coef.T), intercept)
        for coef, intercept in zip(estimator.coefs_, estimator.intercepts_, strict=True)
    ]


def _one(count: int, what: str) -> None:
    if count > 1:
        raise ValueError(f"it predicts {count} {what} of a row; the models here predict one")

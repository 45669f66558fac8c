"""What only scikit-learn asks for: its tags, its metadata routing, its errors and warnings.

It needs scikit-learn, and is imported when scikit-learn is in use. Everything else that an
estimator needs (`get_params`, `set_params`, `fit`, the fitted attributes) is a convention, which
the models follow without inheriting from `BaseEstimator`: importing that takes longer than training
most models.
"""

from __future__ import annotations

from typing import Any

from sklearn import exceptions
from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags
from sklearn.utils.metadata_routing import MetadataRequest

from autograd_lite.models import errors

__all__ = [
    "ConvergenceWarning",
    "DataConversionWarning",
    "NotFittedError",
    "request",
    "routing",
    "tags",
]


class NotFittedError(errors.NotFittedError, exceptions.NotFittedError):
    """The model is used before `fit`."""


class ConvergenceWarning(errors.ConvergenceWarning, exceptions.ConvergenceWarning):
    """Training ended before it converged."""


class DataConversionWarning(errors.DataConversionWarning, exceptions.DataConversionWarning):
    """The data were read in another shape than the one given."""


def tags(kind: str) -> Tags:
    """The tags of a "classifier" or "regressor" of dense numbers without gaps."""
    return Tags(
        estimator_type=kind,
        target_tags=TargetTags(required=True),
        classifier_tags=ClassifierTags() if kind == "classifier" else None,
        regressor_tags=RegressorTags() if kind == "regressor" else None,
        input_tags=InputTags(),
    )


def routing(model: Any) -> MetadataRequest:
    """The metadata that a model requests, which `clone` copies; none unless the user asks."""
    if not hasattr(model, "_metadata_request"):
        model._metadata_request = MetadataRequest(owner=model)
        for method in ("fit", "partial_fit", "score"):
            request(model, method, None)
    return model._metadata_request


def request(model: Any, method: str, sample_weight: Any) -> None:
    """Whether a method requests sample_weight: True, False, None, or another name for it."""
    getattr(routing(model), method).add_request(param="sample_weight", alias=sample_weight)

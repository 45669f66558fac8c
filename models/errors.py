"""The errors and warnings of the models, which are scikit-learn's too wherever it is in use."""

from __future__ import annotations

import sys
import warnings
from typing import TypeVar

__all__ = ["ConvergenceWarning", "DataConversionWarning", "NotFittedError", "shared", "warn"]


class NotFittedError(ValueError, AttributeError):
    """The model is used before `fit`."""


class ConvergenceWarning(UserWarning):
    """Training ended before it converged."""


class DataConversionWarning(UserWarning):
    """The data were read in another shape than the one given."""


Kind = TypeVar("Kind", bound=Exception)


def shared(kind: type[Kind]) -> type[Kind]:
    """The class to raise: a subclass of scikit-learn's of the same name if that is imported.

    Who catches or filters scikit-learn's class has imported it, so nothing is imported for those
    who do not use it.
    """
    if "sklearn.exceptions" not in sys.modules or kind.__module__ != __name__:
        return kind
    from autograd_lite.models import scikit_learn

    twin: type[Kind] = getattr(scikit_learn, kind.__name__)
    return twin


def warn(text: str, kind: type[Warning]) -> None:
    """Warn about the line of the user that called a model, however deep the call is."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(__package__):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, shared(kind), stacklevel=level)

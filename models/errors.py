"""The errors and warnings of the models, which are scikit-learn's too wherever it is in use."""

from __future__ import annotations

import sys
from typing import TypeVar

__all__ = ["ConvergenceWarning", "DataConversionWarning", "NotFittedError", "shared"]


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
    if "sklearn.exceptions" not in sys.modules:
        return kind
    from autograd_lite.models import scikit_learn

    twin: type[Kind] = getattr(scikit_learn, kind.__name__)
    return twin

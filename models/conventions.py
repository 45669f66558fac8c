"""What scikit-learn expects of an estimator beside `fit` and `predict`.

The models follow these conventions without inheriting from `BaseEstimator`, so that scikit-learn
stays optional and is not imported, which takes longer than training most models. What only it can
make is in `scikit_learn.py`, which it alone calls for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from inspect import Parameter, signature
from typing import Any, ClassVar, Self

from autograd_lite.models.errors import NotFittedError, shared

__all__ = ["Conventions"]


@dataclass(kw_only=True, eq=False, repr=False)
class Conventions:
    """The settings of a model are the arguments of its class, which its attributes hold."""

    kind: ClassVar[str]

    @property
    def _names(self) -> list[str]:
        arguments = signature(type(self)).parameters.values()
        names = [a.name for a in arguments if a.kind is not Parameter.VAR_KEYWORD]
        if len(names) < len(arguments):  # the others go to the class that a subclass extends
            names += [field.name for field in fields(self) if field.name not in names]
        return names

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings by name; a copy, but not of their values."""
        return {name: getattr(self, name) for name in self._names}

    def set_params(self, **settings: Any) -> Self:
        """Change settings by name.

        Raises ValueError for a name that is not a setting.
        """
        for name in settings:
            if name not in self._names:
                raise ValueError(
                    f"Invalid parameter {name!r} for {type(self).__name__}; its settings are "
                    f"{', '.join(self._names)}"
                )
        for name, value in settings.items():
            setattr(self, name, value)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return "parameters_" in vars(self)

    def _check_fitted(self, what: str) -> None:
        if not self.__sklearn_is_fitted__():
            name = type(self).__name__
            raise shared(NotFittedError)(f"this {name} is not fitted; call fit(X, y) before {what}")

    def __sklearn_tags__(self) -> Any:
        from autograd_lite.models.scikit_learn import tags

        return tags(self.kind)

    def get_metadata_routing(self) -> Any:
        """What scikit-learn's metadata routing asks for."""
        from autograd_lite.models.scikit_learn import routing

        return routing(self)

    def set_fit_request(self, *, sample_weight: bool | str | None) -> Self:
        """Whether `fit` requests sample_weight of scikit-learn's metadata routing."""
        return self._request("fit", sample_weight)

    def set_partial_fit_request(self, *, sample_weight: bool | str | None) -> Self:
        """Whether `partial_fit` requests sample_weight of scikit-learn's metadata routing."""
        return self._request("partial_fit", sample_weight)

    def set_score_request(self, *, sample_weight: bool | str | None) -> Self:
        """Whether `score` requests sample_weight of scikit-learn's metadata routing."""
        return self._request("score", sample_weight)

    def _request(self, method: str, sample_weight: bool | str | None) -> Self:
        from autograd_lite.models.scikit_learn import request

        request(self, method, sample_weight)
        return self

    def to_sklearn(self) -> Any:
        """A fitted estimator of scikit-learn that predicts the same, to rounding.

        A LogisticRegression, LinearRegression, MLPClassifier or MLPRegressor; with `standardize` a
        Pipeline of a StandardScaler and that. Its settings of training are scikit-learn's default.
        `from_sklearn` is the way back.

        Raises NotFittedError before `fit`, and ImportError without scikit-learn.
        """
        self._check_fitted("to_sklearn")
        from autograd_lite.models.to_scikit_learn import converted

        return converted(self)

    def __repr__(self) -> str:
        """The settings that are not the default ones."""
        usual = {field.name: field.default for field in fields(self)}
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if name not in usual or repr(value) != repr(usual[name])
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

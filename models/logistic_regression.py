"""Logistic regression: ŷ = σ(z), z = A w with a first column of ones, or z = X w + b."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from autograd_lite.models.classifier import Classifier
from autograd_lite.models.estimator import Array
from autograd_lite.models.linear import Linear

__all__ = ["LogisticRegression"]


@dataclass(kw_only=True, eq=False, repr=False)
class LogisticRegression(Classifier, Linear):
    """Logistic regression for two or more classes.

    For two classes ŷ = σ(z) is the probability of the second; for more, z = A Wᵀ and
    ŷ = softmax(z), with a row of W for each class. Without a penalty the gradient of the loss is
    Aᵀ(ŷ − y), or (ŷ − y)ᵀA, divided by the number of rows for "mean".

    Args:
        intercept: "column" for z = A w, where A is X with a first column of ones, so that w
            (1 + columns,) begins with the intercept; "separate" for z = X w + b.
        init: "zeros"; "random" for normal numbers with standard deviation 0.01; or the weights
            themselves, {"w": …} or {"w": …, "b": …}.
        solver: "adam", "sgd", "gd", "lbfgs" or "newton-cg"; "auto" is "lbfgs" if a batch holds all
            rows, and else "adam".
        alpha: the penalty α/2 Σ w² on the weights, not on the biases, added to the loss as reduced;
            for "sum" it is scikit-learn's 1/C.
        learning_rate_init: the step size of "gd", "sgd" and "adam"; by default 0.1, and
            0.01 where a batch does not hold all rows.
        max_iter: the maximum number of steps; of epochs, where a batch does not hold all rows.
        tol: training ends when no element of the gradient exceeds it. Where a batch does not hold
            all rows, when the loss has not fallen by more for `n_iter_no_change` epochs.
        batch_size: the rows of a step of "sgd" and "adam"; "auto" is 200.
        momentum: how much of its velocity "sgd" keeps.
        nesterovs_momentum: whether "sgd" uses Nesterov's momentum.
        early_stopping: hold out `validation_fraction` of the rows, keep the weights of their
            smallest loss, and stop when it has not fallen for `n_iter_no_change` steps or epochs.
        validation_fraction, n_iter_no_change: see `early_stopping`.
        warm_start: `fit` continues from the weights of the last `fit`.
        class_weight: a factor for each class by its label; "balanced" gives all classes the same
            weight.
        reduction: the "mean" or the "sum" of the rows' losses.
        standardize: subtract each column's mean and divide by its standard deviation, as
            computed by `fit`. The weights are then those of the standardized columns.
        random_state: a seed or a generator.
        verbose: show progress and the loss.
        workers: the number of threads that compute large tables; by default one for each core, if
            threadpoolctl is installed. It does not change the result.
        backend: "numpy"; "numba" for native code; "auto" for Numba, if it is installed, after so
            many steps that compiling pays. The results are equal to rounding.

    Example:
        >>> X = [[3.0, 5.0], [1.0, 4.0], [4.0, 8.0], [0.5, 6.0]]
        >>> model = LogisticRegression(alpha=0.1)
        >>> _ = model.fit(X, ["pass", "fail", "pass", "fail"])
        >>> model.predict([[5.0, 6.0], [0.0, 6.0]]).tolist()
        ['pass', 'fail']
        >>> round(model.loss_curve_[0], 4)
        0.6931
    """

    title: ClassVar[str] = "logistic regression"

    def _shown(self, weights: Mapping[str, Array], *names: str) -> Array:
        array = super()._shown(weights, *names)
        return array if "W" in weights else array[None]

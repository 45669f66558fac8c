"""Linear regression: ŷ = A w with a first column of ones, or ŷ = X w + b."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from autograd_lite.models.linear import Linear
from autograd_lite.models.regressor import Regressor

__all__ = ["LinearRegression"]


@dataclass(kw_only=True, eq=False, repr=False)
class LinearRegression(Regressor, Linear):
    """Linear regression: the number ŷ = A w, by half the squared error.

    Without a penalty the gradient of the loss is Aᵀ(ŷ − y), divided by the number of rows for
    "mean". With reduction="sum", alpha is that of scikit-learn's Ridge.

    Args:
        intercept: "column" for ŷ = A w, where A is X with a first column of ones, so that w
            (1 + columns,) begins with the intercept; "separate" for ŷ = X w + b.
        init: "zeros"; "random" for normal numbers with standard deviation 0.01; or the weights
            themselves, {"w": …} or {"w": …, "b": …}.
        solver: "adam", "sgd", "gd", "lbfgs" or "newton-cg"; "auto" is "lbfgs".
        alpha: the penalty α/2 Σ w² on the weights, not on the biases, added to the loss as reduced;
            for "sum" it is that of Ridge.
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
        >>> model = LinearRegression().fit([[0.0], [1.0], [2.0], [3.0]], [1, 3, 5, 7])
        >>> model.coef_.round(3).tolist(), round(float(model.intercept_), 3)
        ([2.0], 1.0)
    """

    tol: float = 1e-6

    title: ClassVar[str] = "linear regression"

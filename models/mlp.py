"""The multilayer perceptron for classes and for numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from autograd_lite.models.classifier import Classifier
from autograd_lite.models.perceptron import Perceptron
from autograd_lite.models.regressor import Regressor

__all__ = ["MLPClassifier", "MLPRegressor"]


@dataclass(kw_only=True, eq=False, repr=False)
class MLPClassifier(Classifier, Perceptron):
    """A multilayer perceptron for two or more classes.

    Its parameters are W1, b1, W2, b2, … of the hidden layers, and w, b of the output: ŷ = σ(w·h +
    b) is the probability of the second class. For more classes they are W, b, and ŷ =
    softmax(W h + b). W1 is (units, inputs), and examples are rows: a = W⁽¹⁾x + b⁽¹⁾ for one example
    becomes a = X W⁽¹⁾ᵀ + b⁽¹⁾.

    Args:
        hidden_layer_sizes: the number of units of each hidden layer, or of a single one.
        activation: g, "relu", "tanh" or "logistic".
        init: "he" for normal weights with variance 2 / inputs and zero biases (He et al. 2015,
            arXiv:1502.01852), for columns of standard deviation 1; or the weights themselves.
        solver: "adam", "sgd", "gd", "lbfgs" or "newton-cg"; "auto" is "adam".
        alpha: the penalty α/2 Σ w² on the weights, not on the biases, added to the loss as reduced;
            for "sum" it is the alpha of scikit-learn's MLP.
        learning_rate_init: the step size; by default 0.1 for "gd", and 0.01 for "sgd" and "adam",
            or 0.001 where a batch does not hold all rows.
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
        >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]
        >>> model = MLPClassifier(8, max_iter=1000, tol=0.01, random_state=0).fit(X, y)
        >>> model.score(X, y)
        1.0
    """

    title: ClassVar[str] = "multilayer perceptron"


@dataclass(kw_only=True, eq=False, repr=False)
class MLPRegressor(Regressor, Perceptron):
    """A multilayer perceptron for a number, by half the squared error.

    Its parameters are those of `MLPClassifier` for two classes; ŷ = w·h + b.

    Args:
        hidden_layer_sizes: the number of units of each hidden layer, or of a single one.
        activation: g, "relu", "tanh" or "logistic".
        init: "he" for normal weights with variance 2 / inputs and zero biases (He et al. 2015,
            arXiv:1502.01852), for columns of standard deviation 1; or the weights themselves.
        solver: "adam", "sgd", "gd", "lbfgs" or "newton-cg"; "auto" is "lbfgs".
        alpha: the penalty α/2 Σ w² on the weights, not on the biases, added to the loss as reduced;
            for "sum" it is the alpha of scikit-learn's MLP.
        learning_rate_init: the step size; by default 0.1 for "gd", and 0.01 for "sgd" and "adam",
            or 0.001 where a batch does not hold all rows.
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
        >>> X = [[0.0], [1.0], [2.0], [3.0]]
        >>> model = MLPRegressor(8, tol=1e-3, random_state=0).fit(X, [0.0, 1.0, 4.0, 9.0])
        >>> model.score(X, [0.0, 1.0, 4.0, 9.0]) > 0.99
        True
    """

    title: ClassVar[str] = "multilayer perceptron"

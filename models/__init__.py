"""Linear and logistic regression and the multilayer perceptron, as graphs, and their training."""

from autograd_lite.models.descent import gradient_descent
from autograd_lite.models.errors import ConvergenceWarning, DataConversionWarning, NotFittedError
from autograd_lite.models.examples import student
from autograd_lite.models.from_scikit_learn import from_sklearn
from autograd_lite.models.linear_regression import LinearRegression
from autograd_lite.models.logistic_regression import LogisticRegression
from autograd_lite.models.mlp import MLPClassifier, MLPRegressor
from autograd_lite.models.state_dict import from_state_dict
from autograd_lite.models.walkthrough import walkthrough
from autograd_lite.models.weights import load, save

__all__ = [
    "ConvergenceWarning",
    "DataConversionWarning",
    "LinearRegression",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "NotFittedError",
    "from_sklearn",
    "from_state_dict",
    "gradient_descent",
    "load",
    "save",
    "student",
    "walkthrough",
]

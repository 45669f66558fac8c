"""Logistic regression and the multilayer perceptron, built as graphs, and their training."""

from autograd_lite.models.classifier import NotFittedError
from autograd_lite.models.examples import student
from autograd_lite.models.logistic_regression import LogisticRegression
from autograd_lite.models.mlp import MLPClassifier
from autograd_lite.models.training import ConvergenceWarning, gradient_descent
from autograd_lite.models.walkthrough import walkthrough
from autograd_lite.models.weights import load, save

__all__ = [
    "ConvergenceWarning",
    "LogisticRegression",
    "MLPClassifier",
    "NotFittedError",
    "gradient_descent",
    "load",
    "save",
    "student",
    "walkthrough",
]

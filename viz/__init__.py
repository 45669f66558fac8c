"""Pictures of graphs, of training and of trained models."""

from autograd_lite.viz.curves import layer_histograms, loss_curves, sigmoid_curves
from autograd_lite.viz.decisions import confusion_matrix, decision_boundary
from autograd_lite.viz.drawing import Drawing, draw
from autograd_lite.viz.scores import calibration_curves, predicted_against_true, roc_curves
from autograd_lite.viz.surfaces import descent_path, learning_rates

__all__ = [
    "Drawing",
    "calibration_curves",
    "confusion_matrix",
    "decision_boundary",
    "descent_path",
    "draw",
    "layer_histograms",
    "learning_rates",
    "loss_curves",
    "predicted_against_true",
    "roc_curves",
    "sigmoid_curves",
]

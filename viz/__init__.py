"""Pictures of graphs and of training."""

from autograd_lite.viz.drawing import Drawing, draw

__all__ = ["Drawing", "draw"]

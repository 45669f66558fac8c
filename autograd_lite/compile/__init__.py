"""From the graph of a function to the NumPy that a person would write, and faster."""

from autograd_lite.compile.function import Compiled, compile

__all__ = ["Compiled", "compile"]

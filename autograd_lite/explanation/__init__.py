"""A graph in words and numbers: names, sentences, and walkthroughs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd_lite.explanation.walk import Walkthrough

__all__ = ["walkthrough"]


def walkthrough(loss: Any, learning_rate: float | None = None) -> Walkthrough:
    r"""Every step of a graph with its numbers: forward, backward, update and forward again.

    Each step has the rule of the operation, the numbers in it, and the result. Matrices are small
    tables, and large arrays their shape and range. A graph of many operations is summed up by
    scope (`ag.scope`), and equal layers are shown once. With SymPy installed, the closed forms of
    the gradients stand beside the numbers, for a graph of up to 40 operations.

    Args:
        loss: a Tensor, usually a scalar. For a result with several elements the gradient is that
            of their sum.
        learning_rate: the size of a step of gradient descent, w − α ∂L/∂w, on every leaf that
            requires a gradient. The operations of the graph then run again with the new arrays;
            the Tensors keep theirs. None shows no update.

    Returns:
        A Walkthrough: `text()`, `markdown()`, `html()`, `notebook()`, and `save("walk.html")`, also
        .txt, .md and .ipynb. `print` prints the text, and a notebook displays it.

    Raises:
        TypeError: if the loss is not a Tensor, or the learning rate not a number.
        ValueError: if the learning rate is not positive and finite; with a learning rate, if the
            loss is not a scalar or depends on no Tensor that requires a gradient.
        ChangedError: if the data of a leaf changed between two uses in the graph.

    Example:
        >>> import autograd_lite as ag
        >>> w, x = ag.Tensor(3.0, name="w"), ag.constant(2.0, name="x")
        >>> L = ((w * x - 5) ** 2).named("L")
        >>> text = ag.walkthrough(L, learning_rate=0.1).text()
        >>> print(text[text.index("new w") : text.index("\n\n## 4")])
        new w = w − α ∂L/∂w
              = 3 − 0.1 × 4
              = 2.6
    """
    from autograd_lite.explanation.walk import walked

    return walked(loss, learning_rate)

"""The loss over training, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours stay apart with any kind of colour vision, dashes also in grey.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_DASHES = ("-", "--", "-.", ":")


def loss_curves(losses: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the loss before each step, one line a model; needs matplotlib.

    The y axis is logarithmic where every finite loss is positive. Losses that are not finite leave
    a gap. The figure belongs to no window: `figure.savefig(path)` writes it.

    Raises ValueError when there is nothing to draw, ImportError without matplotlib.

    Example:
        >>> loss_curves({"logistic regression": [0.69, 0.3, 0.2]}).axes[0].get_ylabel()
        'loss'
    """
    from matplotlib.figure import Figure

    if not losses or not all(len(curve) for curve in losses.values()):
        raise ValueError("loss_curves: there are no losses to draw")
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for k, (name, curve) in enumerate(losses.items()):
        axes.plot(
            curve,
            label=name,
            color=_COLOURS[k % len(_COLOURS)],
            linestyle=_DASHES[k % len(_DASHES)],
            marker="o" if len(curve) == 1 else None,
        )
    every = np.concatenate([np.asarray(curve, dtype=float) for curve in losses.values()])
    if (every[np.isfinite(every)] > 0).all():
        axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure

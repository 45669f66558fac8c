"""Curves: losses during training, the sigmoid, and histograms of layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import autograd_lite as ag
from autograd_lite.sweep import gradients
from autograd_lite.text import number
from autograd_lite.viz import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["layer_histograms", "loss_curves", "sigmoid_curves"]

ACTIVATIONS = frozenset(
    {"relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "tanh", "sigmoid", "maximum"}
)
"""The operations whose results are activations."""


@style.styled
def loss_curves(losses: Mapping[str, Sequence[float]], ax: Axes | None = None) -> Axes:
    """The loss before each step, one line a run; needs matplotlib.

    The y axis is logarithmic if every finite loss is positive. Losses that are not finite or
    exceed 1e250 leave a gap.

    Raises ValueError if there is nothing to draw.

    Example:
        >>> loss_curves({"logistic regression": [0.69, 0.3, 0.2]}).get_ylabel()
        'loss'
    """
    if not losses or not all(len(curve) for curve in losses.values()):
        raise ValueError("loss_curves: there are no losses to draw")
    ax = style.axes(ax, (7, 4))
    # Larger values would overflow the margin of a logarithmic axis.
    curves = {
        name: np.where(np.abs(curve) < 1e250, curve, np.nan) for name, curve in losses.items()
    }
    longest = max(map(len, losses.values()))
    for k, (name, curve) in enumerate(curves.items()):
        # Stagger the markers so that lines do not hide each other's.
        every = (k * max(1, longest // 40), max(1, longest // 10)) if len(curve) > 12 else 1
        look: dict[str, Any] = style.SERIES[k % len(style.SERIES)] | {"markersize": 5}
        ax.plot(curve, label=name, markevery=every, **look)
    values = np.concatenate(list(curves.values()))
    if np.all(values[np.isfinite(values)] > 0):
        _logarithmic(ax)
    ax.set_xlabel("step")
    ax.set_ylabel("loss")
    ax.margins(x=0.02)
    if len(losses) > 1:
        ax.legend()
    else:
        ax.set_title(next(iter(losses)))
    return ax


def _logarithmic(ax: Axes) -> None:
    """A logarithmic y axis with plain numbers at its ticks: 0.1, 0.2, 0.5."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=9))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    ax.yaxis.set_minor_formatter(NullFormatter())


@style.styled
def sigmoid_curves(ax: Axes | None = None) -> Axes:
    """The sigmoid and its derivative σ′ = σ (1 − σ), which is at most ¼; needs matplotlib.

    Example:
        >>> sigmoid_curves().get_xlabel()
        'z'
    """
    ax = style.axes(ax, (7, 4))
    z = np.linspace(-8, 8, 401)
    σ = ag.sigmoid(z)
    derivative = ag.grad(lambda z: ag.sigmoid(z).sum())(z)
    ax.axhline(1, color=style.GREY, linewidth=0.8, linestyle=(0, (1, 2)))
    ax.axvline(0, color=style.GREY, linewidth=0.8)
    ax.plot(z, σ, color=style.VALUE, label="σ(z) = 1 / (1 + exp(−z))")
    dashed: dict[str, Any] = {"color": style.GRADIENT, "linestyle": (0, (5, 1.5))}
    ax.plot(z, derivative, label="σ′(z) = σ(z) (1 − σ(z))", **dashed)
    for value, text, up in ((0.5, "σ(0) = ½", -4), (0.25, "σ′(0) = ¼", 5)):
        ax.plot([0], [value], "o", color=style.INK, markersize=5)
        place = {"textcoords": "offset points", "va": "top" if up < 0 else "bottom"}
        ax.annotate(text, (0, value), (10, up), **place)  # type: ignore[arg-type]
    for at in (-5.2, 5.2):
        ax.text(at, 0.1, "saturated:\nhardly a gradient", ha="center", color=style.GREY, size=9)
    ax.set_xlabel("z")
    ax.set_ylim(-0.04, 1.08)
    ax.set_xlim(-8, 8)
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, 0.93))
    return ax


@style.styled
def layer_histograms(loss: ag.Tensor, names: Sequence[str] | None = None) -> Any:
    """Histograms of the activations and their gradients, a row for each layer; needs matplotlib.

    The bars leave out exact zeros, whose share is written above, and the outermost half percent
    on either side. All layers share one scale, which shows whether gradients vanish or explode.

    Args:
        loss: the graph of a loss, such as `model.loss_graph(X, y)`.
        names: the names of the nodes to show; by default all results of activation functions.

    Returns:
        An array (layers, 2) of Axes.

    Raises:
        ValueError: if the graph has no such node.

    Example:
        >>> from autograd_lite.models import student
        >>> layer_histograms(student(), ["z", "ŷ"]).shape
        (2, 2)
    """
    layers = list(_layers(loss, names))
    gradient_of = gradients(loss).of
    axes = style.panels(len(layers), 2, (7.5, 0.9 + 1.55 * len(layers)), sharex="col", sharey="col")
    names = [node.name or node.op.name for node in layers]
    columns: tuple[tuple[list[Any], list[str], dict[str, Any]], ...] = (
        (
            [node.array for node in layers],
            names,
            {"edgecolor": style.VALUE, "facecolor": style.VALUE},
        ),
        (
            [gradient_of[node] for node in layers],
            [f"∂{loss.name or 'L'}/∂{name}" for name in names],
            {"edgecolor": style.GRADIENT, "facecolor": "#F6DFD2", "hatch": "////"},
        ),
    )
    for column, (arrays, titles, look) in zip(axes.T, columns, strict=True):
        bins = _bins(np.concatenate([np.ravel(array) for array in arrays]))
        for ax, title, array in zip(column, titles, arrays, strict=True):
            _histogram(ax, np.ravel(array), bins, look)
            ax.set_title(title)
    for ax in axes[:, 0]:
        ax.set_ylabel("% of all")
    axes[-1, 0].set_xlabel("activation")
    axes[-1, 1].set_xlabel("gradient of the loss")
    return axes


def _histogram(ax: Axes, array: Any, bins: Any, look: dict[str, Any]) -> None:
    """The histogram of an array, with its share of zeros and its standard deviation above."""
    shown = _shown(array)
    share = np.full(shown.size, 100 / array.size)
    ax.hist(shown, bins, weights=share, histtype="stepfilled", **look)
    zeros = 1 - np.count_nonzero(array) / array.size
    words = [f"{zeros:.0%} are 0"] if zeros else []
    words.append(f"deviation {number(float(f'{array.std():.2g}'))}")
    place: dict[str, Any] = {"transform": ax.transAxes, "ha": "right", "va": "bottom"}
    ax.text(1, 1.03, ", ".join(words), color=style.GREY, size=9, **place)
    ax.grid(axis="x", visible=False)
    ax.locator_params(nbins=5)
    ax.axvline(0, color=style.GREY, linewidth=0.8)


def _layers(loss: ag.Tensor, names: Sequence[str] | None) -> Iterator[Any]:
    nodes = [node for node in ag.Graph.of(loss).nodes if node.requires_grad and node is not loss]
    if names is None:
        found = [node for node in nodes if node.op is not None and node.op.name in ACTIVATIONS]
        if not found:
            raise ValueError(
                "layer_histograms: no node of this graph is the result of an activation function; "
                "use names= to choose the nodes"
            )
        yield from found
        return
    for name in names:
        known = [node for node in nodes if node.name == name]
        if len(known) != 1:
            few = "no node" if not known else f"{len(known)} nodes"
            raise ValueError(f"layer_histograms: {few} with a gradient is called {name!r}")
        yield known[0]


def _shown(array: Any) -> Any:
    return array[np.isfinite(array) & (array != 0)]


def _bins(array: Any) -> Any:
    """Bins without the outermost half percent on either side, which would hide the rest."""
    shown = _shown(array)
    if not shown.size:
        return np.linspace(-1, 1, 49)
    low, high = np.percentile(shown, (0.5, 99.5))
    return np.linspace(min(low, 0.0), max(high, 0.0), 49)

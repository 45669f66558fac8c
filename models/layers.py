"""The layers of a model by the names that PyTorch gives them: 0.weight, 0.bias, 2.weight, …"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_lite.models.inputs import Array

__all__ = ["Layers", "layers_of", "parameters_of", "state_of"]

Layers = list[tuple[Array, Array]]
"""The weight (units, inputs) and the bias (units,) of each layer, the first one first."""

_FLOATS = ("float32", "float64")


def state_of(weights: Mapping[str, Array]) -> dict[str, Array]:
    """The weights of a model, every bias apart, by PyTorch's names.

    Those are the names of the linear layers of `torch.nn.Sequential`, with an activation, which has
    no parameters, between two of them.
    """
    pairs = zip(
        [np.atleast_2d(array) for name, array in weights.items() if not name.startswith("b")],
        [np.atleast_1d(array) for name, array in weights.items() if name.startswith("b")],
        strict=True,
    )
    names = ("weight", "bias")
    return {
        f"{2 * k}.{name}": array
        for k, pair in enumerate(pairs)
        for name, array in zip(names, pair, strict=True)
    }


def parameters_of(model: Any, state: Mapping[str, Array], outputs: int) -> dict[str, Array]:
    """The parameters of a model of so many outputs, by its own names: the inverse of `state_of`.

    Raises ValueError that names the array if `state` does not have exactly those of the model.
    """
    first = state.get("0.weight")
    columns = first.shape[1] if first is not None and first.ndim == 2 else 1
    shapes = model.shapes(columns, outputs)
    # Every element at one place: what a file declares takes no memory.
    views = model.separated({name: np.broadcast_to(0.0, shapes[name]) for name in shapes})
    expected = state_of(views)
    if missing := [name for name in expected if name not in state]:
        raise ValueError(f"it has no {missing[0]!r}")
    if others := [name for name in state if name not in expected]:
        raise ValueError(f"it has {others[0][:40]!r}, which the model does not have")
    arrays = {name: state[name] for name in expected}
    for name, array in arrays.items():
        if array.dtype.name not in _FLOATS or array.shape != expected[name].shape:
            raise ValueError(
                f"{name!r} must be float32 or float64 of shape {expected[name].shape}; it is "
                f"{array.dtype} of shape {array.shape}"
            )
    pairs = zip(views.items(), arrays.values(), strict=True)
    joined: dict[str, Array] = model.joined({name: a.reshape(v.shape) for (name, v), a in pairs})
    return joined


def layers_of(state: Mapping[str, Any]) -> Layers:
    """The linear layers of a `state_dict`, of arrays or tensors, in the order of their numbers.

    Raises TypeError if it is no mapping, and ValueError that names the array if it is not of linear
    layers that are numbered, or they do not follow one another.
    """
    if not isinstance(state, Mapping):
        raise TypeError(
            f"from_state_dict: state must be arrays by name, not a {type(state).__name__}; "
            "of a module of torch use module.state_dict()"
        )
    modules: dict[str, dict[str, str]] = {}
    for name in state:
        module, _, kind = str(name).rpartition(".")
        if kind not in ("weight", "bias"):
            raise ValueError(f"{name!r} is not the weight or the bias of a linear layer")
        modules.setdefault(module, {})[kind] = name
    if not modules:
        raise ValueError("it has no layers")
    texts = {module: tuple(re.split(r"\d+", module)) for module in modules}
    numbers = {module: tuple(map(int, re.findall(r"\d+", module))) for module in modules}
    if len(set(texts.values())) > 1 or len(set(numbers.values())) < len(modules):
        few = ", ".join(repr(module)[:40] for module in list(modules)[:4])
        raise ValueError(
            f"the order of the layers {few} is not known; their names must differ in their "
            'numbers alone, as in "0.weight", "2.weight"'
        )
    layers: Layers = []
    for module in sorted(modules, key=numbers.__getitem__):
        names = modules[module]
        if "weight" not in names:
            raise ValueError(f"{names['bias']!r} has no weight beside it")
        weight = _array(names["weight"], state, 2)
        # A layer without a bias adds 0.
        zeros = np.zeros(len(weight), weight.dtype)
        bias = _array(names["bias"], state, 1) if "bias" in names else zeros
        if bias.shape != weight.shape[:1]:
            raise ValueError(
                f"{names['bias']!r} has shape {bias.shape}; {names['weight']!r}, of shape "
                f"{weight.shape}, needs {weight.shape[:1]}"
            )
        if layers and weight.shape[1] != len(layers[-1][1]):
            raise ValueError(
                f"{names['weight']!r} has shape {weight.shape}, but the layer before it has "
                f"{len(layers[-1][1])} outputs"
            )
        layers.append((weight, bias))
    return layers


def _array(name: str, state: Mapping[str, Any], ndim: int) -> Array:
    """A copy of an array or tensor of `state`, checked."""
    value = state[name]
    try:
        # A tensor of torch may be on a device, and want a gradient.
        array = np.array(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"{name!r} is not an array that NumPy has: {error}") from None
    if array.dtype.name not in _FLOATS:
        raise ValueError(f"{name!r} must be float32 or float64; it is {array.dtype}")
    if array.ndim != ndim or not array.size:
        what = "(units, inputs)" if ndim == 2 else "(units,)"
        raise ValueError(f"{name!r} must have shape {what} of a linear layer; it is {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name!r} has numbers that are not finite")
    return array.astype(array.dtype.newbyteorder("="))

"""What the page computes: a step of training and a prediction, printed as JavaScript.

There is one of each for every number of hidden layers; the lengths of the axes and the activation
are arguments. The formulas on the page are derived from the same network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.compiler.javascript import javascript
from autograd_lite.derivation import derive
from autograd_lite.models.estimator import symbol
from autograd_lite.models.perceptron import ACTIVATIONS

__all__ = ["DEPTHS", "formulas", "parameters", "predict", "programs", "step"]

DEPTHS = range(5)
"""The numbers of hidden layers."""

_ROWS, _UNITS = 11, (3, 5, 7, 13)  # all different, so that each is known by its length

Arrays = dict[str, Any]


def _chosen(a: Any, activation: Any) -> Any:
    """The activation of an index in the table of the models."""
    *others, chosen = (g(a) for _, g in ACTIVATIONS.values())
    for k, h in reversed([*enumerate(others)]):
        chosen = np.where(activation == k, h, chosen)
    return chosen


def _affine(h: Any, W: Any, b: Any) -> Any:
    """The pre-activations of a layer; the weights of the output are a vector."""
    return h @ W.T + b


def _cost(z: Any, y: Any) -> Any:
    return ag.binary_cross_entropy(ag.sigmoid(z), y)


def _layers(θ: Mapping[str, Any]) -> range:
    return range(1, len(θ) // 2)


def _penalty(θ: Mapping[str, Any], alpha: Any) -> Any:
    """α/2 Σ w² over the weights."""
    return alpha / 2 * sum(np.sum(θ[name] ** 2) for name in θ if name[0] in "wW")


def predict(θ: Arrays, X: Any, activation: Any) -> Arrays:
    """The outputs of the hidden layers, h1, h2, …, and the probability ŷ of class 1."""
    found, h = {}, X
    for k in _layers(θ):
        h = found[f"h{k}"] = _chosen(_affine(h, θ[f"W{k}"], θ[f"b{k}"]), activation)
    return found | {"ŷ": ag.sigmoid(_affine(h, θ["w"], θ["b"]))}


def step(θ: Arrays, X: Any, y: Any, rate: Any, alpha: Any, activation: Any) -> Arrays:
    """One step of gradient descent on the loss of `MLPClassifier`, with all that the page shows.

    Returns the loss, the values of all results, the gradients by them and by the parameters, the
    sum of the squares of the latter, and the parameters after the step.
    """
    values: Arrays = {}
    gradients: Arrays = {}
    back, h = [], X
    for k in _layers(θ):
        a, affine = ag.vjp(_affine, h, θ[f"W{k}"], θ[f"b{k}"])
        h, bend = ag.vjp(lambda a: _chosen(a, activation), a)
        values |= {f"a{k}": a, f"h{k}": h}
        back.append((k, affine, bend))
    z, affine = ag.vjp(_affine, h, θ["w"], θ["b"])
    E, cost = ag.vjp(lambda z: _cost(z, y), z)
    values |= {"z": z, "ŷ": ag.sigmoid(z)}
    (gradients["z"],) = cost(1.0)
    (gradients["ŷ"],) = ag.vjp(lambda ŷ: ag.binary_cross_entropy(ŷ, y), values["ŷ"])[1](1.0)
    entering, gradients["w"], gradients["b"] = affine(gradients["z"])
    for k, affine, bend in reversed(back):
        gradients[f"h{k}"] = entering
        (gradients[f"a{k}"],) = bend(entering)
        entering, gradients[f"W{k}"], gradients[f"b{k}"] = affine(gradients[f"a{k}"])
    penalty, shrunk = ag.value_and_grad(_penalty)(θ, alpha)
    for name in θ:
        if name[0] in "wW":
            gradients[name] = gradients[name] + shrunk[name]
    return {
        "loss": E + penalty,
        "values": values,
        "gradients": gradients,
        "squares": sum(np.sum(gradients[name] ** 2) for name in θ),
        "next": {name: θ[name] - rate * gradients[name] for name in θ},
    }


def parameters(units: tuple[int, ...], fill: Callable[..., Any]) -> dict[str, npt.NDArray[Any]]:
    """Parameters for two inputs and these hidden layers; `fill` makes an array of a shape."""
    found: Arrays = {}
    inputs = 2
    for k, n in enumerate(units, 1):
        found |= {f"W{k}": fill((n, inputs)), f"b{k}": fill((n,))}
        inputs = n
    return found | {"w": fill((inputs,)), "b": fill(())}


@cache
def programs() -> str:
    """The functions step0, predict0, step1, … as JavaScript."""
    found = []
    for depth in DEPTHS:
        units = _UNITS[:depth]
        sizes = {"rows": _ROWS} | {f"units{k}": n for k, n in enumerate(units, 1)}
        θ, X, y = parameters(units, np.ones), np.ones((_ROWS, 2)), np.ones(_ROWS)
        rate, alpha, activation = np.float64(0.1), np.float64(0.01), np.int64(0)
        found += [
            javascript(step, (θ, X, y, rate, alpha, activation), f"step{depth}", sizes),
            javascript(predict, (θ, X, activation), f"predict{depth}", sizes),
        ]
    return "\n".join(found)


@cache
def formulas() -> dict[str, Any]:
    """The formulas of each value and gradient, in MathML, for each depth and activation.

    Under "texts" stand the different formulas; under "of", for each depth, for each activation,
    the numbers of the formulas of the value and of the gradient by the name of the array; under
    "notes" what the symbols in them mean.
    """
    texts: dict[str, int] = {}
    of: list[list[dict[str, list[int]]]] = []
    notes: list[list[list[str]]] = []
    for depth in DEPTHS:
        of.append([])
        notes.append([])
        for _, g in ACTIVATIONS.values():
            found, said = _derived(depth, g)
            numbers = {
                name: [texts.setdefault(text, len(texts)) for text in lines]
                for name, lines in found.items()
            }
            of[-1].append(numbers)
            notes[-1].append(said)
    return {"texts": list(texts), "of": of, "notes": notes}


def _derived(depth: int, g: Callable[[Any], Any]) -> tuple[dict[str, list[str]], list[str]]:
    """The formulas of a network: for each name, its value if it is a result, and its gradient."""
    random = np.random.default_rng(0)
    X = ag.constant(random.normal(size=(_ROWS, 2)), name="X")
    y = ag.constant(random.integers(0, 2, _ROWS).astype(float), name="y")
    arrays = parameters(_UNITS[:depth], lambda shape: random.normal(size=shape))
    θ: Arrays = {name: ag.Tensor(array, name=symbol(name)) for name, array in arrays.items()}
    named: Arrays = dict(θ)
    h = X
    for k in _layers(θ):
        a = named[f"a{k}"] = _affine(h, θ[f"W{k}"], θ[f"b{k}"]).named(symbol(f"a{k}"))
        h = named[f"h{k}"] = g(a).named(symbol(f"h{k}"))
    named["z"] = _affine(h, θ["w"], θ["b"]).named("z")
    named["ŷ"] = ag.sigmoid(named["z"]).named("ŷ")
    named["E"] = ag.binary_cross_entropy(named["ŷ"], y).named("E")
    named["R"] = _penalty(θ, ag.constant(0.01, name="α")).named("R")
    named["L"] = (named["E"] + named["R"]).named("L")
    derivation = derive(named["L"], lengths=True)
    from autograd_lite.derivation.pages import step_mathml  # with SymPy

    key = {tensor.name: name for name, tensor in named.items()}
    found: dict[str, list[str]] = {name: [] for name in named}
    definitions = re.findall(r"<math.*?</math>", derivation.mathml(), re.DOTALL)
    for (name, _), line in zip(derivation.definitions(), definitions, strict=False):
        found[key[name]].append(line)
    for made in derivation.steps:
        found[key[made.node.name]].append(step_mathml(derivation, made, brief=True))
    return found, derivation.notes()

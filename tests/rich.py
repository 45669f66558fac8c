"""Programs rich in σ, softplus, tanh, log, exp, quotients and products whose factors are shared."""

from __future__ import annotations

import jets
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import autograd_lite as ag
from autograd_lite.compiler import polynomial
from autograd_lite.testing import Program

# Every step takes numbers of a moderate size to such, so that a rounding stays one.
STEPS = (
    "sigmoid({0})",
    "sigmoid(-{0})",
    "1 - sigmoid({0})",
    "1 / (1 + exp(-{0}))",
    "1 / (1 + exp({0}))",
    "exp({0}) / (1 + exp({0}))",
    "exp(-{0}) / (1 + exp(-{0}))",
    "tanh({0})",
    "softplus({0}) / 2",
    "softplus(-{0}) / 2",
    "log(1 + exp({0})) / 2",
    "log1p(exp(-{0})) / 2",
    "softplus({0}) ** 2 / 4",
    "log(sigmoid({0})) / 2",
    "log(1 - sigmoid({0})) / 2",
    "log(1 + {0} * {0})",
    "sqrt(1 + {0} * {0}) - 1",
    "exp(-{0} * {0})",
    "-{0}",
    "({0} + {1}) / 2",
    "({0} - {1}) / 2",
    "{0} * {1} / 2",
    "{0} * {1} - {0} * {0} * {1}",
    "{0} * (1 - {1}) - {1} * (1 - {0})",
    "{0} / (1 + {1} * {1})",
    "{0} / (2 + {0} * {0} + {1} * {1})",
    "{0} * sigmoid({0}) / 2",
    "{0} * sigmoid({1}) * sigmoid(-{1}) - {1} * sigmoid({1}) * sigmoid(-{1})",
    "(1 - {0}) * sigmoid({1}) - {0} * sigmoid(-{1})",
    "{0} * softplus(-{1}) / 4 + (1 - {0}) * softplus({1}) / 4",
    "{0} * log(sigmoid({1})) / 4 + (1 - {0}) * log(1 - sigmoid({1})) / 4",
    "sigmoid({0}) * log(sigmoid({0})) + (1 - sigmoid({0})) * log(1 - sigmoid({0}))",
    "log(sigmoid({0}) / (1 - sigmoid({0}))) / 2",
    "sigmoid({0}) * log(sigmoid({0}) / sigmoid({1}))",
    "{0} - mean({0}) + mean({1})",
    "sum(sigmoid({0})) / (sum(sigmoid({0})) + 2) * {1}",
    "exp({0}) / sum(exp({0}))",
    "0.3 * {0} + 0.7 * {1}",
    "A @ {0} / 2",
)

LOSSES = (
    "mean({0}) + mean({1})",
    "sum({0} * sigmoid({0}))",
    "sum(sigmoid({0})) / (sum(sigmoid({0})) + 2)",
    "1 - 2 * sum(sigmoid({0}) * {1}) / (sum(sigmoid({0})) + sum({1} * {1}) + 1)",
    "-mean({1} * log(sigmoid({0})) + (1 - {1}) * log(1 - sigmoid({0})))",
    "-sum(sigmoid({0}) * log(sigmoid({0})) + (1 - sigmoid({0})) * log(1 - sigmoid({0})))",
    "sum(sigmoid({0}) * log(sigmoid({0}) / sigmoid({1})))",
    "mean(log(sigmoid({0}) / (1 - sigmoid({0}))) * {1})",
    "sum(softplus({0}) ** 2) - sum(softplus({0}) * {1})",
    "sum({0} * sigmoid({1}) * sigmoid(-{1}) - {1} * sigmoid({1}) * sigmoid(-{1}))",
    "log(sum(exp({0}))) + mean({0} * {1})",
)

A = np.array([[0.5, -1.0, 0.25], [1.5, 0.5, -0.75], [-0.25, 1.0, 0.5]])

NAMES = {
    **{name: getattr(np, name) for name in ("exp", "log", "log1p", "sqrt", "tanh", "sum", "mean")},
    "sigmoid": ag.sigmoid,
    "softplus": ag.softplus,
}


@st.composite
def numbers(draw, shape):
    """An array from −3 to 3; in every second draw no element is filled in from another."""
    filled = draw(st.sampled_from([None, st.nothing()]))
    return draw(arrays(np.float64, shape, elements=st.floats(-3, 3, width=16), fill=filled))


@st.composite
def programs(draw, most=6):
    """A program of a few steps on few values, so that what it makes is used again and again."""
    inputs = draw(st.sampled_from([[(3,)], [(3,), (3,)], [(3,), ()], [(2, 3)], [(2, 3), (3,)]]))
    values = [f"x{k}" for k in range(len(inputs))]
    lines = [f"def program({', '.join(values)}):"]
    fits = [step for step in STEPS if len(inputs[0]) == 1 or "A @" not in step]

    def pair():
        return (draw(st.sampled_from(values[-3:])) for _ in range(2))

    for _ in range(draw(st.integers(0, most))):
        step = draw(st.sampled_from(fits))
        one, two = pair()
        if "A @" in step:
            one = f"({one} + x0)"  # a scalar is no vector
        lines.append(f"    v{len(lines)} = {step.format(one, two)}")
        values.append(f"v{len(lines) - 1}")
    lines.append(f"    return {draw(st.sampled_from(LOSSES)).format(*pair())}\n")
    text = "\n".join(lines)
    return Program(text, tuple(draw(numbers(shape)) for shape in inputs), {**NAMES, "A": A})


def derivatives(program):
    """The value, the gradients and a product with the Hessian of a program, as one function."""
    argnums = tuple(range(len(program.arrays)))

    def derivatives(*given):
        arrays, direction = given[: len(argnums)], given[len(argnums) :]
        value, gradients = ag.value_and_grad(program, argnums)(*arrays)
        return value, gradients, ag.hvp(program, argnums)(*arrays, direction)

    return derivatives


def flat(found):
    value, gradients, product = found
    return [np.asarray(value), *map(np.asarray, gradients), *map(np.asarray, product)]


def disagreement(program):
    """In what the compiled derivatives of a program differ from the others, or nothing."""
    function = derivatives(program)
    direction = [np.cos(1 + np.arange(x.size)).reshape(x.shape) for x in program.arrays]
    given = (*program.arrays, *direction)
    with np.errstate(all="ignore"):
        eager, compiled = flat(function(*given)), flat(ag.compile(function)(*given))
        exact = flat(
            jets.derivatives(program.within({**jets.NAMES, "A": A}), program.arrays, direction)
        )
    for k, (x, y, z) in enumerate(zip(compiled, eager, exact, strict=True)):
        if x.shape != y.shape or x.dtype != y.dtype:
            return f"result {k} is {x.dtype} {x.shape}, not {y.dtype} {y.shape}"
        if not np.isfinite(z).all():
            z = y  # log σ(−10⁵) as it is written is −∞ in long double, too; 1 − σ(36) has no digits
        # Where the engine does not know, as in log(1 − σ(40)), its result is no finite number.
        said, compared = np.isfinite(y), np.isfinite(x) & np.isfinite(z)
        scale = 1 + np.max(np.abs(z[np.isfinite(z)]), initial=0)
        error = np.max(np.abs(y - z)[said], initial=0)
        if (said & ~np.isfinite(x)).any():
            return f"result {k} is {x}, eager {y}"
        if not np.all(np.abs(x - z)[compared] <= 1e-11 * scale + 100 * error):
            return f"result {k} is {x}, eager {y}, exact {z}"
        if not error <= 1e-6 * scale:
            return f"eager result {k} is {y}, exact {z}"
    return None


def planted(b, e):
    """`lowest_terms` as it once was: it takes a common factor out with all its powers."""
    order = polynomial._calls(e)
    complements = polynomial._complements(order)
    atoms = [x for x in order if x.fn not in polynomial.RING and x not in complements]
    if not complements:
        return None
    found = polynomial._expanded(order, atoms, complements)
    terms = {key: x for key, x in found.items() if x}
    common = set.intersection(*map(set, terms)) if terms else set()
    rests = [([k for k in key if k not in common], x) for key, x in terms.items()]
    if not rests or any(abs(x) != 1 or not rest for rest, x in rests):
        return None

    def product(keys):
        result = atoms[keys[0]]
        for k in keys[1:]:
            result = b.call("np.multiply", result, atoms[k])
        return result

    result = polynomial._sum(b, [(product(rest), x) for rest, x in rests])
    for k in common:
        result = b.call("np.multiply", atoms[k], result)
    return result if (result.shape, result.dtype) == (e.shape, e.dtype) else None

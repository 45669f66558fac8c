"""Values that leave the record: a warning, an error, or intended; and masks that would be lost."""

from __future__ import annotations

import array
import json
import math
import struct
import subprocess
import sys
import warnings

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.data import split
from autograd_lite.models import LogisticRegression


def number():
    return ag.Tensor(1.5) * 2


def written(write):
    out = np.zeros(3)
    write(out)
    return out


def assign(key):
    def write(out):
        out[key] = number()

    return write


def add_in_place(out):
    out[0] += number()


WAYS = {
    "float(t)": lambda: float(number()),
    "complex(t)": lambda: complex(number()),
    "math.exp(t)": lambda: math.exp(number()),
    "math.fsum": lambda: math.fsum([number()]),
    "np.float64(t)": lambda: np.float64(number()),
    "np.fromiter": lambda: np.fromiter([number()], float),
    "out[0] = t": lambda: written(assign(0)),
    "out[-1] = t": lambda: written(assign(-1)),
    "out[0] += t": lambda: written(add_in_place),
    "out.flat[0] = t": lambda: written(lambda out: out.flat.__setitem__(0, number())),
    "out.fill(t)": lambda: written(lambda out: out.fill(number())),
    "array.array": lambda: array.array("d", [number()]),
    "struct.pack": lambda: struct.pack("d", number()),
    "'%f' % t": lambda: "%f" % number(),  # noqa: UP031 - the old form is the point
}

REFUSED = {
    "np.array(t)": lambda: np.array(number()),
    "np.float32(t)": lambda: np.float32(number()),
    "np.array([t, t])": lambda: np.array([number(), 1.0]),
    "np.full(3, t)": lambda: np.full(3, number()),
    "np.arange(t)": lambda: np.arange(number()),
    "out[:] = t": lambda: written(assign(slice(None))),
    "out[mask] = t": lambda: written(lambda out: out.__setitem__(out == 0, number())),
    "out += t": lambda: written(lambda out: out.__iadd__(number())),
    "np.put": lambda: written(lambda out: np.put(out, 0, number())),
    "np.copyto": lambda: written(lambda out: np.copyto(out, number())),
    "json": lambda: json.dumps([number()]),
    "random": lambda: np.random.default_rng(0).normal(number()),
}

MEANT = {
    "item": lambda: number().item(),
    "numpy": lambda: number().numpy(),
    "detach": lambda: float(number().detach()),
    "a constant": lambda: float(ag.constant(1.5) * 2),
    "format": lambda: f"{number():.3f} {number()} {number()!r}",
    "str.format": lambda: "{:.3e} {}".format(number(), number()),  # noqa: UP032
    "a branch": lambda: 1 if number() > 0 else 0,
    "bool": lambda: bool(number()),
    # Constant between jumps: there is nothing to lose.
    "int": lambda: int(number()),
    "max": lambda: max(number(), number()),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_number_that_loses_its_gradient_warns(way):
    with pytest.warns(ag.DetachedWarning, match=r"the result of \w+ \(\).*t\.item") as caught:
        WAYS[way]()
    assert {warning.filename for warning in caught} == {__file__}
    with ag.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("error")
        WAYS[way]()


@pytest.mark.parametrize("way", REFUSED)
def test_what_would_be_an_array_is_refused(way):
    with pytest.raises(TypeError, match=r"lose its gradient|(accept|write) a Tensor|not JSON"):
        REFUSED[way]()


@pytest.mark.parametrize("way", MEANT)
def test_what_is_intended_does_not_warn(way):
    MEANT[way]()


@pytest.mark.parametrize("way", ["float(t)", "math.exp(t)", "out[0] = t", "np.float64(t)"])
def test_inside_a_transform_it_is_an_error(way, monkeypatch):
    def f(x):
        monkeypatch.setitem(globals(), "number", lambda: x * 1)
        return WAYS[way]()

    # Where a float() raises, NumPy says that it cannot write the number either.
    with pytest.raises((TypeError, ValueError), match=r"lose its gradient|array element"):
        ag.grad(f)(1.5)


PROGRAM = """
import numpy as np, autograd_lite as ag
w = ag.Tensor([1.0, 2.0], name="w")
out = np.zeros(2)
for k in range(5):
    out[0] = w[0] ** 2
    out[1] = w[1] * k
"""


def test_it_is_shown_once_a_line():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stderr.count("DetachedWarning") == 2
    assert "<string>:6" in done.stderr
    assert "<string>:7" in done.stderr


def test_the_warning_has_the_name_and_not_the_value():
    with pytest.warns(ag.DetachedWarning, match=r"^the bias \(\) becomes a plain number"):
        float(ag.Tensor(2.5, name="the bias"))
    with pytest.warns(ag.DetachedWarning, match=r"^a Tensor becomes a plain number"):
        float(ag.Tensor(2.5))


# Masks

X = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.0], [2.0, 2.0]])
Y = np.array([0, 1, 0, 1])
MASKED = np.ma.masked_array(X, X > 2)
LABELS = np.ma.masked_array(Y, Y > 0)
START = {"w": np.ma.masked_array([0.5, 1.0], [0, 1])}


def fitted():
    return LogisticRegression(max_iter=1, tol=0).fit(X, Y)


MASKS = {
    "a Tensor": lambda: ag.Tensor(MASKED),
    "in a list": lambda: ag.Tensor([MASKED, MASKED]),
    "an element": lambda: ag.constant([1.0, np.ma.masked]),
    "an operand": lambda: ag.Tensor(X) * MASKED,
    "an index": lambda: ag.Tensor(X)[LABELS],
    "an index in a tuple": lambda: ag.Tensor(X)[0, LABELS],
    "indices of take": lambda: np.take(ag.Tensor(X), LABELS),
    "a condition": lambda: np.compress(np.ma.masked_array([True], [True]), ag.Tensor(X)),
    "a gradient": lambda: (ag.Tensor(X) * 1).backward(MASKED),
    "an argument of grad": lambda: ag.grad(np.sum)(MASKED),
    "a vector of hvp": lambda: ag.hvp(np.sum)(X, MASKED),
    "a cotangent": lambda: ag.vjp(np.sin, X)[1](MASKED),
    "a tangent": lambda: ag.jvp(np.sin, (X,), (MASKED,)),
    "an argument of trace": lambda: ag.trace(np.sum, MASKED),
    "a compiled argument": lambda: ag.compile(np.sum)(MASKED),
    "a compiled constant": lambda: ag.compile(lambda x: x * MASKED)(X),
    "the result of a custom forward": lambda: ag.custom_gradient(lambda g, out, x: g)(
        lambda x: np.ma.masked_array(x, x > 2)
    )(ag.Tensor(X)),
    "labels of a loss": lambda: ag.cross_entropy(ag.Tensor(X), LABELS),
    "fit: X": lambda: LogisticRegression().fit(MASKED, Y),
    "fit: rows of X": lambda: LogisticRegression().fit(list(MASKED), Y),
    "fit: y": lambda: LogisticRegression().fit(X, LABELS),
    "fit: start weights": lambda: LogisticRegression(init=START).fit(X, Y),
    "predict": lambda: fitted().predict(MASKED),
    "predict_proba": lambda: fitted().predict_proba(MASKED),
    "score": lambda: fitted().score(X, LABELS),
    "loss_graph": lambda: LogisticRegression().loss_graph(X, LABELS),
    "split": lambda: split(MASKED, Y),
}


@pytest.mark.parametrize("way", MASKS)
def test_a_mask_is_never_dropped(way):
    with pytest.raises(TypeError, match=r"a masked array would lose its mask.*filled"):
        MASKS[way]()


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize(
    "use",
    [
        ag.Tensor,
        lambda m: m * ag.Tensor(X),
        lambda m: ag.Tensor(X) @ m,
        ag.grad(np.sum),
        ag.compile(np.sum),
        lambda m: LogisticRegression().fit(m, Y),
    ],
)
def test_a_matrix_that_multiplies_otherwise_is_refused(use):
    with pytest.raises(TypeError, match=r"np\.matrix is not accepted"):
        use(np.matrix(X))


@pytest.mark.parametrize(
    "data",
    [
        np.array([1.0, 2.0], dtype=object),
        np.array([(1.0, 2.0)], dtype=[("a", float), ("b", float)]),
        np.array(["2020-01-01"], dtype="M8[D]"),
        np.array(["1.0"]),
        np.array([1j]),
    ],
)
def test_other_kinds_of_data_are_refused(data):
    with pytest.raises(TypeError, match=r"dtype .* is not supported"):
        ag.Tensor(data)
    if data.dtype != object:  # of numbers, which the models read
        with pytest.raises((TypeError, ValueError), match="real numbers"):
            LogisticRegression().fit(data.reshape(-1, 1), [0] * len(data))

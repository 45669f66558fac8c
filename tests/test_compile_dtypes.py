"""Compiled programs of integers, booleans and floats of several dtypes give what eager ones give.

The values are at the ends of the range of each dtype, where integers wrap around.
"""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler import rules

DTYPES = [np.bool_, np.int8, np.uint8, np.int16, np.uint32, np.int64, np.uint64]
FLOATS = [np.float32, np.float64]

# One step of a program, of two values.
STEPS = (
    *(
        "-{0}",
        "np.abs({0})",
        "np.abs(-{0})",
        "-np.abs({0})",
        "-(-{0})",
        "np.sign({0})",
        "~({0} > 0)",
    ),
    *("{0} + {0}", "{0} - {0}", "{0} * {0}", "{0} / {0}", "{0} @ {0}", "{0} + {1}", "{0} - {1}"),
    *(
        "{0} * {1}",
        "{0} / {1}",
        "{0} @ {1}.T",
        "{0} % {1}",
        "{0} // {1}",
        "{0} > {1}",
        "{0} == {1}",
    ),
    *("-{0} + {1}", "{0} + -{1}", "{0} - -{1}", "-({0} - {1})", "-{0} * {1}", "(-{0}) @ {1}"),
    *("np.maximum({0}, {1})", "np.minimum({0}, 0)", "np.maximum({0}, 0) > 0", "{0}.T", "{0}[0]"),
    *(
        "np.where({0}, {1}, 0) * {0}",
        "np.where({0} > 0, {0}, {1})",
        "np.where({0} == 0, 0, {0} * {1})",
    ),
    *("np.copysign({0}, {1})", "np.power({0}, {1})", "np.power(2, {0})", "np.square({0})"),
    *("({0} > 0) + ({1} > 0)", "({0} > 0) * {1}", "np.logical_not({0})", "np.reciprocal({0})"),
    *(
        "np.sum({0})",
        "np.sum({0}, axis=0)",
        "np.sum({0} * {1})",
        "np.mean({0})",
        "np.max({0}, axis=0)",
    ),
    *("np.sum({0}[:1], axis=0)", "np.mean({0}, axis=0)", "np.cumsum({0})", "np.prod({0})"),
    *("np.ones_like({0}) * {1}", "np.zeros_like({0}) - {1}", "np.ones((2, 2), np.int8) @ {0}"),
    *("np.full((2, 2), 3, np.uint8) * {0}", "{0} / np.ones((2, 2), np.float32)", "{0}[:1] @ {0}"),
    *("np.sqrt({0})", "np.exp(-{0})", "np.tanh({0})", "ag.relu({0})", "np.log1p({0})"),
    *("ag.sigmoid({0}) + np.exp(-np.abs({0}))", "ag.softplus(-{0})", "1 - ag.sigmoid({0})"),
    *("ag.softplus(np.array([-3, -1], np.int8)) + {0}", "{0}.astype(np.int8)", "{0}.astype(float)"),
    *("({0} * 2) / 4", "2 * {0} - 2 * {1}", "np.sum(2 * {0}) / 3", "np.reshape(-{0}, (-1,))"),
)
NUMBERS = ("0", "1", "-1", "2", "True", "0.0", "1.0", "-1.0", "2.0", "np.int8(1)", "np.uint8(2)")
NUMBERS += ("np.float32(1)", "np.float64(2)", "np.True_")
OPERATORS = ("{0} + {1}", "{1} + {0}", "{0} - {1}", "{1} - {0}", "{0} * {1}", "{1} * {0}")
OPERATORS += ("{0} / {1}", "{1} / {0}", "{0} ** {1}", "{0} // {1}", "{1} % {0}")


@st.composite
def arrays(draw, dtypes, shape):
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    if dtype.kind == "f":
        pool = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, np.inf, np.nan]
    elif dtype.kind == "b":
        pool = [False, True]
    else:
        ends = np.iinfo(dtype)
        pool = [0, 1, 2, 3, ends.min, ends.max, ends.max // 2 + 1]
    values = [draw(st.sampled_from(pool)) for _ in range(int(np.prod(shape)))]
    return np.array(values, dtype).reshape(shape)


@st.composite
def programs(draw, dtypes=(*DTYPES, *FLOATS)):
    """The source of a function of two arrays, and the arrays."""
    shape = draw(st.sampled_from([(2, 2), (2, 2), (2, 2), ()]))
    values, lines = ["x", "y"], ["def program(x, y):"]
    for k in range(draw(st.integers(1, 4))):
        one, two = draw(st.sampled_from(values[-3:])), draw(st.sampled_from(values[-3:]))
        if draw(st.booleans()):
            text = draw(st.sampled_from(STEPS)).format(one, two)
        else:
            text = draw(st.sampled_from(OPERATORS)).format(one, draw(st.sampled_from(NUMBERS)))
        lines.append(f"    z{k} = {text}")
        values.append(f"z{k}")
    lines.append(f"    return {', '.join(values[-2:])},")
    return "\n".join(lines), draw(arrays(dtypes, shape)), draw(arrays(dtypes, shape))


def agree(found, expected):
    """Whether two results have the same shape and dtype, and the same values but for rounding."""
    found, expected = np.asarray(found), np.asarray(expected)
    if (found.shape, found.dtype) != (expected.shape, expected.dtype):
        return False
    if found.dtype.kind != "f":
        return np.array_equal(found, expected)
    rtol = {2: 4e-3, 4: 2e-6}.get(found.dtype.itemsize, 1e-13)
    with np.errstate(all="ignore"):
        return np.allclose(found, expected, rtol=rtol, atol=rtol, equal_nan=True)


def disagreement(function, source, *arrays):
    """The results in which the running or the readable form differs from the function itself."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            results = function(*map(ag.constant, arrays))
        except (TypeError, ValueError, OverflowError, ZeroDivisionError, IndexError):
            assume(False)  # as np.negative of a boolean, or a vector multiplied by a matrix
        expected = [x.numpy() if isinstance(x, ag.Tensor) else x for x in results]
        compiled, space = ag.compile(function), {}
        found = compiled(*arrays)
        text = compiled.readable()
        exec(text, space)
        read = space[compiled.__name__](*arrays)
    for name, results in (("running", found), ("readable", read)):
        for k, (one, other) in enumerate(zip(results, expected, strict=True)):
            if not agree(one, other):
                return f"{name} result {k}: {one!r}, not {other!r}\n{source}\n{text}"
    return None


@settings(max_examples=150)
@given(programs(), st.sampled_from(FLOATS))
def test_gradients_of_floats_beside_integers(program, dtype):
    source, x, y = program
    space = {"np": np, "ag": ag}
    exec(source, space)

    def gradient(x, y, w):
        return ag.value_and_grad(lambda w: sum(np.sum(z * w) for z in space["program"](x, y)))(w)

    assert disagreement(gradient, source, x, y, np.asarray([0.5, -2.0], dtype)) is None


def check_programs(count, phases=tuple(Phase)):
    @settings(max_examples=count, phases=phases)
    @given(programs())
    def check(program):
        source, x, y = program
        space = {"np": np, "ag": ag}
        exec(source, space)
        assert disagreement(space["program"], source, x, y) is None

    check()


def test_values_and_dtypes_are_those_of_the_eager_engine():
    check_programs(400)


def test_long_double():
    def values(x, y):
        loss, gradient = ag.value_and_grad(lambda x: np.sum(np.tanh(3 * x) / 7 * y) - 2 * x[0])(x)
        return loss, gradient, x - 0.1 * gradient

    x, y = np.linspace(-1, 2, 5, dtype=np.longdouble), np.linspace(0.5, 3, 5)
    for found, expected in zip(ag.compile(values)(x, y), values(x, y), strict=True):
        assert found.dtype == expected.dtype == np.longdouble
        np.testing.assert_allclose(found, expected, rtol=8 * np.finfo(np.longdouble).eps)


@pytest.mark.parametrize(
    ("fn", "wrong"),
    [
        ("np.absolute", lambda b, e: e.args[0].fn == "np.negative" and e.args[0].args[0]),
        ("np.add", lambda b, e: e.args[0] is e.args[1] and b.call("np.multiply", 2.0, e.args[0])),
    ],
)
def test_a_rule_without_a_condition_on_the_dtype_is_found(monkeypatch, fn, wrong):
    monkeypatch.setitem(rules.ALGEBRA, fn, [lambda b, e: wrong(b, e) or None])
    with pytest.raises(AssertionError):
        check_programs(400, [Phase.generate])


@pytest.mark.parametrize("shape", [(), (3,), (3, 2)])
@pytest.mark.parametrize("dtype", "?bhilBHILfd")
def test_an_unpickled_array_takes_the_fast_way(dtype, shape):
    # Its dtype is equal to that of other arrays, but another object; so are native results.
    array = np.ones(shape, dtype)
    other = pickle.loads(pickle.dumps(array))
    assert other.dtype is not array.dtype
    for first in (array, other):
        compiled = ag.compile(lambda x: x + x)
        compiled(first)
        ((fits, _),) = compiled._quick
        assert fits((array,))
        assert fits((other,))
        assert not fits((array.astype(np.float16),))
        assert not fits((array.astype(array.dtype.newbyteorder()),)) or array.itemsize == 1

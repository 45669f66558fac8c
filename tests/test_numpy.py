"""NumPy's whole public face on Tensors: a Tensor, a plain fact, or a TypeError that names it."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.op import NUMPY, REFUSED

pytestmark = pytest.mark.filterwarnings("ignore")  # deprecated functions warn

STATEFUL = {"test", "show_config", "show_runtime", "info", "setbufsize", "seterr", "seterrcall"}
STATEFUL |= {"set_printoptions", "printoptions", "errstate", "get_include", "save", "savez"}
STATEFUL |= {"savez_compressed", "savetxt", "empty", "empty_like", "fromiter"}
"""What prints, writes files, changes NumPy's settings, gives memory as it lies, or, as fromiter
does, takes numbers one by one with float()."""

MODULES = {"numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft}

FUNCTIONS = sorted(
    f"{module}.{name}"
    for module, home in MODULES.items()
    for name in dir(home)
    if not name.startswith("_")
    and name not in STATEFUL
    and callable(getattr(home, name))
    and not isinstance(getattr(home, name), type)
)


def function(path):
    module, name = path.rsplit(".", 1)
    return getattr(MODULES[module], name)


def calls(shift=0.0):
    """Ways to call an unknown function with at least one Tensor that requires a gradient."""
    square = ag.Tensor(np.array([[2.0, 0.5], [0.5, 1.5]]) + shift)
    row = ag.Tensor(np.array([0.25, 0.75]) + shift)
    mask = np.array([[True, False], [False, True]])
    yield from ((square,), (row,), (square, square), (row, row), ([row, row],), ((square, square),))
    yield from ((square, 1), (1, square), (square, (1, 0)), (square, 0, 1), (row, 2), (2, row))
    yield from ((square, square, square), (row, row, row), (square, 0.5, 1.0), (row, 1, row))
    yield from ((mask, square, square), (mask, square), (square, mask), ([mask], [square]))
    yield from (("ij->ji", square), ("i,i", row, row), (square, mask, square))
    yield from ((square, np.array([[0], [1]]), 1), (row, np.array([0]), row), (np.sum, 0, square))
    yield from ((square, [0, 1]), (square, "f8"), (square, 2, 0), (lambda x: x, 0, square))
    yield from (([row[0], row[1]],), ([1.0, row[0]],), ([[1.0, row[0]], [2.0, 3.0]],))


def numbers(found):
    """The floating arrays and numbers in a result that are no Tensors."""
    if isinstance(found, (tuple, list)):
        return [x for part in found for x in numbers(part)]
    if isinstance(found, (np.ndarray, np.generic, float, complex)) and not isinstance(found, bool):
        array = np.asarray(found)
        if array.dtype.kind == "O":
            return [x for part in array.ravel().tolist() for x in numbers(part)]
        return [array] if array.dtype.kind in "fc" else []
    return []


@pytest.mark.parametrize("path", FUNCTIONS)
def test_no_function_quietly_gives_an_array(path, tmp_path, monkeypatch):
    """Whatever comes back that is no Tensor does not depend on the numbers in the Tensor."""
    monkeypatch.chdir(tmp_path)
    f = function(path)
    refusals, results = [], 0
    with np.errstate(all="ignore"):
        for args, others in zip(calls(), calls(0.125), strict=True):
            if isinstance(f, np.ufunc) and len(args) != f.nin:
                continue
            try:
                found = f(*args)
            except Exception as error:
                refusals.append(error)
                continue
            results += 1
            for ours, theirs in zip(numbers(found), numbers(f(*others)), strict=False):
                same = ours.shape == theirs.shape and np.array_equal(ours, theirs, equal_nan=True)
                assert same, f"{path}{args} gave {ours!r}"
    assert list(tmp_path.iterdir()) == []
    if f not in NUMPY and not results and hasattr(f, "_implementation"):
        assert any(isinstance(e, TypeError) and f.__name__ in str(e) for e in refusals)


UFUNCS = sorted({name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)})


@pytest.mark.parametrize("name", UFUNCS)
def test_every_ufunc_gives_a_tensor_or_names_itself(name):
    f = getattr(np, name)
    t = ag.Tensor([[0.5, 0.25], [0.75, 0.125]])
    found = None
    try:
        found = f(*[t] * f.nin)
    except TypeError as error:
        refusal = str(error)
    if found is None:
        assert f.__name__ in refusal
    else:
        assert all(isinstance(x, ag.Tensor) for x in (found if f.nout > 1 else [found]))


def results(found):
    return found if isinstance(found, tuple) else (found,)


METHODS = {
    "reduce": ["add", "multiply", "maximum", "minimum", "logical_and", "logical_or", "logaddexp"],
    "accumulate": ("add", "multiply"),
    "outer": [
        name
        for name in UFUNCS
        if getattr(np, name) in NUMPY
        and getattr(np, name).nin == 2
        and getattr(np, name).signature is None  # else it has no outer
        and not name.startswith(("bitwise", "ldexp"))  # which take integers
    ],
}
"""The methods of ufuncs that have a gradient, or need none; every other one is refused."""


@pytest.mark.parametrize("name", UFUNCS)
@pytest.mark.parametrize("method", ["reduce", "accumulate", "outer", "at", "reduceat"])
def test_the_methods_of_ufuncs(name, method):
    f = getattr(np, name)

    def call(x):
        args = {"outer": (x, x), "at": (x, [0], x)[: 1 + f.nin], "reduceat": (x, [0, 1])}
        return getattr(f, method)(*args.get(method, (x,)))

    x = np.array([0.5, 0.25])
    if name in METHODS.get(method, ()):
        result = call(ag.Tensor(x))
        for ours, theirs in zip(results(result), results(call(x)), strict=True):
            assert isinstance(ours, ag.Tensor)
            np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-15)
        return
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        call(ag.Tensor(x))


@pytest.mark.parametrize("name", ["exp", "add", "multiply", "maximum", "sqrt", "tanh"])
def test_what_a_ufunc_takes_besides_is_right_or_refused(name):
    f, data = getattr(np, name), np.array([0.5, 0.25])
    t, out = ag.Tensor(data), np.zeros(2)
    args = [t] * f.nin
    with pytest.raises(TypeError, match=f"{name}.*out="):
        f(*args, out=out)
    for extra in ({"where": np.array([True, False])}, {"dtype": np.float32}, {"casting": "no"}):
        with pytest.raises(TypeError, match=rf"{name}: {next(iter(extra))}="):
            f(*args, **extra)
    np.testing.assert_array_equal(out, 0)


def test_an_unknown_function_is_refused_by_name():
    t = ag.Tensor([1.0, 2.0])
    for f in (np.fft.fft, np.unique, np.histogram, np.roots, np.nextafter):
        args = [t] * getattr(f, "nin", 1)
        with pytest.raises(TypeError, match=f.__name__):
            f(*args)


def test_a_refusal_gives_its_reason():
    for f in (np.unique, np.copyto):
        assert len(REFUSED[f]) > 20
    with pytest.raises(
        TypeError, match=r"numpy\.unique: does not accept a Tensor: .*depends on the values"
    ):
        np.unique(ag.Tensor([1.0]))


def test_nothing_is_both_answered_and_refused():
    assert not NUMPY.keys() & REFUSED.keys()


def test_facts_about_arrays_are_plain():
    t = ag.Tensor(np.ones((2, 3)))
    assert np.shape(t) == (2, 3)
    assert np.ndim(t) == 2
    assert np.size(t) == 6
    assert np.result_type(t, np.float32) == np.float64


def test_an_array_that_requires_a_gradient_is_refused_with_advice():
    t = ag.Tensor([1.0, 2.0], name="w")
    for f in (np.asarray, np.array, lambda t: np.array([t, t]), lambda t: np.asarray(t, "f4")):
        with pytest.raises(TypeError, match=r"w \(2,\) would lose its gradient.*\.numpy\(\)"):
            f(t)


def test_an_array_of_a_constant_is_a_copy():
    c = ag.constant([1.0, 2.0])
    found = np.asarray(c)
    found[0] = 100
    np.testing.assert_array_equal(c.data, [1, 2])
    with pytest.raises(ValueError, match="copy"):
        np.array(c, copy=False)


def test_functions_of_constants_are_recorded_too():
    c = ag.constant([1.0, 2.0])
    y = np.exp(c)
    assert isinstance(y, ag.Tensor)
    assert not y.requires_grad
    assert y.op.name == "exp"


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda t: np.sum(t, axis=5), r"sum.*w \(2, 3\).*axis=5"),
        (lambda t: np.reshape(t, (4,)), r"reshape.*w \(2, 3\)"),
        (lambda t: t[7], r"getitem.*w \(2, 3\).*key=7"),
        (lambda t: t["a"], r"getitem.*w \(2, 3\)"),
        (lambda t: np.concatenate([t, np.ones(2)]), r"concatenate.*w \(2, 3\)"),
        (lambda t: np.stack([t, np.ones(2)]), r"stack.*w \(2, 3\)"),
        (lambda t: np.transpose(t, (0, 2)), r"transpose.*w \(2, 3\)"),
        (lambda t: np.squeeze(t, 0), r"squeeze.*w \(2, 3\)"),
        (lambda t: np.broadcast_to(t, (2, 4)), r"broadcast_to.*w \(2, 3\)"),
        (lambda t: np.where(t > 0, t, np.ones(5)), r"where.*w \(2, 3\).*\(5,\)"),
        (lambda t: np.sum(t, axis=0, where=np.ones((4, 3), bool)), "sum.*where"),
        (lambda t: np.sum(t, axis=0, where=np.ones((2, 3))), "sum.*where"),
        (lambda t: np.max(t, axis=0, where=t > 0), "max.*initial"),
        (lambda t: np.min(t, initial=[1.0, 2.0]), "min.*initial"),
        (lambda t: np.std(t, ddof=1, correction=1), "std.*ddof"),
        (lambda t: np.sum(t, colour="red"), "sum.*colour|colour"),
        (lambda t: np.exp(t, t, t), "exp|arguments"),
    ],
)
def test_what_does_not_fit_is_named(f, message):
    with pytest.raises((ValueError, TypeError, IndexError), match=message):
        f(ag.Tensor(np.ones((2, 3)), name="w"))


def test_an_argument_that_is_not_an_operand_takes_no_gradient():
    t = ag.Tensor(2.0, name="axis")
    with pytest.raises(TypeError, match="axis"):
        np.sum(np.ones((2, 2)) * t, axis=t)
    np.testing.assert_array_equal(ag.Tensor([5.0, 6.0])[ag.constant([1, 1])].data, [6, 6])


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64", "float64"])
def test_the_powers_of_vander_are_those_of_numpy(dtype):
    x = np.array([3, 1, 0, 5]).astype(dtype)
    for options in ({}, {"N": 7}, {"increasing": True}):
        expected, found = np.vander(x, **options), np.vander(ag.constant(x), **options).array
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)

"""Numbers of other kinds."""

import numpy as np
import pytest
from attacks.attack import attack

import autograd_lite as ag


@attack(
    "integers that require a gradient",
    "float64",
    torch="raises",
    jax="raises",
    autograd="raises",
    mygrad="gradient None, silently",
)
def test_integers():
    x = ag.Tensor([1, 2])
    assert x.dtype == np.float64
    np.sum(x * x).backward()
    assert x.grad.tolist() == [2, 4]


@attack("integers that require none", "stay integers, and index")
def test_integer_constants():
    index = ag.constant([1, 0])
    assert index.dtype.kind == "i"
    assert ag.Tensor([1.0, 2.0])[index].numpy().tolist() == [2, 1]


@attack("float32 times a Python number", "float32", torch="float32", mygrad="float64, silently")
def test_float32_and_python_numbers():
    x = ag.Tensor(np.ones(2, np.float32))
    y = 2.0 * x + 1 - x / 3 + x**2
    assert y.dtype == np.float32
    np.sum(y).backward()
    assert x.grad.dtype == np.float32


@attack("float32 times a float64 array", "the gradient comes back float32", autograd="float64")
def test_gradient_keeps_its_dtype():
    x = ag.Tensor(np.ones(2, np.float32))
    np.sum(x * np.ones(2)).backward()
    assert x.grad.dtype == np.float32


@attack("float16", "refused, with advice", mygrad="overflows to inf, silently")
def test_float16():
    with pytest.raises(TypeError, match="float32"):
        ag.Tensor(np.ones(2, np.float16))
    with pytest.raises(TypeError, match="float16"):
        ag.Tensor(np.ones(2)).astype(np.float16)


@attack("longdouble", "stays longdouble")
def test_longdouble():
    x = ag.Tensor(np.ones(2, np.longdouble))
    np.sum(np.exp(x)).backward()
    assert x.grad.dtype == np.longdouble


@attack("complex numbers", "refused, with advice", micrograd="2j, silently", autograd="raises")
def test_complex():
    with pytest.raises(TypeError, match="real and imaginary"):
        ag.Tensor(1j)
    with pytest.raises(TypeError, match="complex"):
        ag.Tensor(1.0) * 1j


@attack("text, objects, dates", "refused")
@pytest.mark.parametrize("data", ["abc", [object()], [None], np.array(["2026-11-21"], "M8[D]")])
def test_no_numbers(data):
    with pytest.raises(TypeError, match="a Tensor"):
        ag.Tensor(data)


@attack("ragged lists", "refused")
def test_ragged():
    with pytest.raises(TypeError, match="not an array of numbers"):
        ag.Tensor([[1.0], [1.0, 2.0]])


@attack("a Python integer beyond 64 bits", "refused")
def test_huge_integer():
    with pytest.raises(TypeError, match="dtype object"):
        ag.Tensor(1.0) * 10**30


@attack("booleans", "constants: True is 1 in a product, and a mask in an index")
def test_booleans():
    x, mask = ag.Tensor([1.0, 2.0]), ag.constant([True, False])
    assert ag.grad(lambda x: np.sum(x * mask))(np.ones(2)).tolist() == [1, 0]
    assert x[mask].shape == (1,)


@attack("big-endian data", "taken, in the machine's order")
def test_byte_order():
    x = ag.Tensor(np.array([1.0, 2.0], ">f8"))
    assert x.dtype.isnative
    assert ag.grad(lambda x: np.sum(x * x))(np.array([3.0], ">f8")).tolist() == [6]


@attack("c.requires_grad = True on integers", "backward() raises, and never rounds a gradient")
def test_integers_that_want_a_gradient_later():
    c = ag.constant([1, 2, 3])
    c.requires_grad = True
    with pytest.raises(TypeError, match="of dtype int64 has no gradient"):
        np.sum(c * 0.5).backward()

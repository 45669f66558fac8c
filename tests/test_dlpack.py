"""Arrays of PyTorch and JAX go into Tensors and compiled functions, and Tensors into theirs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_lite as ag
from autograd_lite.models import LogisticRegression

DTYPES = st.sampled_from([np.float64, np.float32, np.int64, np.int32, np.uint8, np.bool_])


@st.composite
def views(draw):
    """Arrays of any strides: transposed, reversed, with gaps or spread."""
    base = draw(hnp.arrays(draw(DTYPES), hnp.array_shapes(min_dims=0, max_dims=3, max_side=3)))
    turned = draw(st.sampled_from(["as it is", "transposed", "backwards", "gaps", "spread"]))
    if turned == "transposed" or not base.ndim:
        return base.T
    if turned == "backwards":
        return base[::-1]
    if turned == "gaps":
        return np.repeat(base, 2, axis=0)[::2]
    return np.broadcast_to(base, (2, *base.shape)) if turned == "spread" else base


@given(views())
def test_numpy_reads_a_tensor(array):
    found = np.from_dlpack(ag.constant(array))
    np.testing.assert_array_equal(found, array)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.flags.c_contiguous


def read_by(name):
    if name == "numpy":
        return np.from_dlpack
    if name == "torch":
        return pytest.importorskip("torch").from_dlpack
    return pytest.importorskip("jax.numpy").from_dlpack


LIBRARIES = ["numpy", "torch", "jax"]


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
def test_libraries_read_a_tensor(name, shape):
    array = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    made = read_by(name)(ag.constant(array))
    np.testing.assert_array_equal(np.asarray(made), array)
    made = read_by(name)(ag.constant(array) + 1)  # a result, too
    np.testing.assert_array_equal(np.asarray(made), array + 1)


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_writing_into_what_was_exported_changes_no_record(name):
    w, x = ag.Tensor([1.0, 2.0]), ag.constant([3.0, 4.0])
    doubled = 2 * x
    loss = np.sum(w * x) + np.sum(w * doubled)
    for exported in (x, doubled):
        made = read_by(name)(exported)
        made[:] = -100
    loss.backward()
    np.testing.assert_array_equal(w.grad, [9.0, 12.0])
    np.testing.assert_array_equal(x.numpy(), [3.0, 4.0])


def test_a_tensor_that_requires_a_gradient_is_refused():
    w = ag.Tensor([1.0, 2.0], name="w")
    with pytest.raises(TypeError, match="would lose its gradient"):
        np.from_dlpack(w)
    with pytest.raises(TypeError, match="would lose its gradient"):
        ag.grad(lambda x: np.sum(np.from_dlpack(x)))(np.ones(2))
    with pytest.raises(TypeError, match="would lose its gradient"):
        ag.compile(lambda x: np.from_dlpack(x))(np.ones(2))


def test_what_the_consumer_asks_for():
    x = ag.constant([1.0, 2.0], name="x")
    assert x.__dlpack_device__() == (1, 0)
    for asked in ({}, {"copy": True}, {"max_version": (1, 0)}, {"dl_device": (1, 0)}):
        assert "dltensor" in repr(x.__dlpack__(**asked))
    assert "dltensor_versioned" in repr(x.__dlpack__(max_version=(1, 1)))
    np.testing.assert_array_equal(np.from_dlpack(x, copy=True), [1, 2])
    for asked in ({"copy": False}, {"dl_device": (2, 0)}, {"stream": 1}):
        with pytest.raises(BufferError, match="x \\(2,\\) is exported"):
            x.__dlpack__(**asked)
    with pytest.raises(BufferError, match="exported as a copy"):
        np.from_dlpack(x, copy=False)


# Arrays of other libraries


def test_arrays_of_torch_are_copied():
    torch = pytest.importorskip("torch")
    data = torch.arange(6.0, dtype=torch.float64).reshape(2, 3).T
    w, c = ag.Tensor(data), ag.constant(data)
    loss = np.sum(w * c)
    data.fill_(-1)
    loss.backward()
    np.testing.assert_array_equal(w.grad, np.arange(6.0).reshape(2, 3).T)
    np.testing.assert_array_equal(w.numpy(), np.arange(6.0).reshape(2, 3).T)


def test_arrays_of_jax_are_not_copied():
    jax = pytest.importorskip("jax")
    data = jax.numpy.arange(6, dtype=np.float32) + 1
    w, c = ag.Tensor(data), ag.constant(data)
    assert np.shares_memory(w.array, np.asarray(data))
    assert np.shares_memory(c.array, np.asarray(data))
    w.data -= 1.0  # never writes into the memory of JAX
    np.testing.assert_array_equal(data, np.arange(6) + 1)
    loss = np.sum(w * c)
    jax.jit(lambda x: 0 * x, donate_argnums=0)(data).block_until_ready()
    loss.backward()
    np.testing.assert_array_equal(w.grad, np.arange(6) + 1)


def foreign(name):
    if name == "torch":
        return pytest.importorskip("torch").tensor
    return pytest.importorskip("jax.numpy").asarray


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_compiled_functions_and_transforms_take_them(name):
    made = foreign(name)
    A, w = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(3, np.float32)

    def loss(w, A):
        return np.sum(np.tanh(A @ w["w"]))

    expected = ag.value_and_grad(loss)({"w": w}, A)
    for f in (ag.value_and_grad(loss), ag.compile(ag.value_and_grad(loss))):
        value, gradient = f({"w": made(w)}, made(A))
        np.testing.assert_allclose(value, expected[0], 1e-6)
        np.testing.assert_allclose(gradient["w"], expected[1]["w"], 1e-5)
        assert type(gradient["w"]) is np.ndarray
    result = ag.compile(lambda x: x)(x := made(w))
    assert not np.shares_memory(result, np.asarray(x))
    np.testing.assert_array_equal((ag.constant(w) * made(w)).numpy(), w)


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_models_take_them(name):
    made = foreign(name)
    X = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    y = (X[:, 0] > 0).astype(np.int32)
    ours, theirs = LogisticRegression().fit(X, y), LogisticRegression().fit(made(X), made(y))
    np.testing.assert_allclose(theirs.predict_proba(made(X)), ours.predict_proba(X), 1e-5)


def test_arrays_that_numpy_cannot_read_are_refused():
    torch = pytest.importorskip("torch")
    plain = torch.ones(2, 2)
    tensors = {
        "detach": torch.ones(2, requires_grad=True),
        "BFloat16": torch.ones(2, dtype=torch.bfloat16),
        "to_dense": plain.to_sparse(),
        "resolve_conj": torch.ones(2, dtype=torch.complex64).conj(),
        "resolve_neg": torch.ones(2, dtype=torch.complex64).conj().imag,
        "meta": torch.empty(2, device="meta"),
    }
    for advice, tensor in tensors.items():
        for take in (ag.Tensor, ag.constant, ag.compile(lambda x: x), ag.grad(np.sum)):
            with pytest.raises(TypeError, match=advice):
                take(tensor)
    with pytest.raises(TypeError, match="complex64 is not supported"):
        ag.Tensor(torch.ones(2, dtype=torch.complex64))


def test_bfloat16_of_jax_is_refused():
    jnp = pytest.importorskip("jax.numpy")
    with pytest.raises(TypeError, match="bfloat16 is not supported; convert it to float32"):
        ag.Tensor(jnp.ones(2, jnp.bfloat16))


def test_a_gradient_is_donated_only_by_arrays_that_can_be_written():
    jnp = pytest.importorskip("jax.numpy")
    step = ag.compile(lambda w: w - 1, donate="w")
    with pytest.raises(ValueError, match="w is donated, but it is read-only"):
        step(jnp.ones(3))


def test_neither_is_imported():
    code = "import sys, autograd_lite, numpy as np; np.from_dlpack(autograd_lite.constant(1.0)); "
    code += "assert not {'torch', 'jax'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

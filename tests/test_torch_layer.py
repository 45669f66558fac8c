"""Functions of arrays as layers of PyTorch: values, derivatives of any order, torch.func."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings

import autograd_lite as ag
from autograd_lite.exchange.derivatives import Program
from autograd_lite.testing import programs

torch = pytest.importorskip("torch")


def network(x, layers, scale=1.0):
    """Results of several kinds in a dict, from nested containers and a plain number."""
    hidden = np.tanh(x @ layers["w"] + layers["b"])
    return {"hidden": scale * hidden, "total": np.sum(x * x), "best": np.argmax(hidden, axis=1)}


layer = ag.interop.torch(network)


def given_tensors(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    shapes = (4, 3), (3, 2), (2,)
    return [torch.randn(s, generator=generator, dtype=dtype, requires_grad=True) for s in shapes]


def floats(x, w, b):
    found = layer(x, {"w": w, "b": b}, scale=2.0)
    return found["hidden"], found["total"]


def test_the_checkers_of_torch_accept_it():
    tensors = given_tensors()
    assert torch.autograd.gradcheck(floats, tensors)
    assert torch.autograd.gradgradcheck(floats, tensors)


@settings(max_examples=10)
@given(program=programs(max_size=8))
def test_random_programs_have_the_gradients_of_the_engine(program):
    argnums = tuple(range(len(program.arrays)))
    value, gradients = ag.value_and_grad(program, argnums)(*program.arrays)
    tensors = [torch.tensor(x, requires_grad=True) for x in program.arrays]
    found = ag.interop.torch(program)(*tensors)
    np.testing.assert_allclose(found.item(), value, 1e-10)
    second = torch.autograd.grad(found, tensors, create_graph=True, allow_unused=True)
    for x, y in zip(second, gradients, strict=True):
        np.testing.assert_allclose(x.detach(), y, 1e-9, 1e-9)
    vector = [np.cos(1 + np.arange(x.size)).reshape(x.shape) for x in program.arrays]
    inner = sum((g * torch.tensor(v)).sum() for g, v in zip(second, vector, strict=True))
    product = ag.hvp(program, argnums)(*program.arrays, tuple(vector))
    if inner.requires_grad:
        found = torch.autograd.grad(inner, tensors, allow_unused=True)
        for x, y in zip(found, product, strict=True):
            x = np.zeros(y.shape) if x is None else x
            np.testing.assert_allclose(x, y, 1e-7, 1e-7 * (1 + np.abs(y).max()))


def test_a_gradient_that_is_no_layer_fails_the_second_check(monkeypatch):
    def pulled(self, args, kwargs, cotangents, wanted):
        from autograd_lite.trees import tree_map

        whole = tree_map(ag.stop_gradient, (args, kwargs))
        return plain(self, *whole, cotangents, wanted)

    plain = Program._pull
    monkeypatch.setattr(Program, "_pull", pulled)
    wrong = ag.interop.torch(lambda x: np.sum(np.sin(x)))
    x = torch.ones(3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(wrong, [x])
    with pytest.raises(RuntimeError):
        torch.autograd.gradgradcheck(wrong, [x])


def test_fourth_derivatives():
    x = torch.tensor([0.1, 0.2], requires_grad=True)
    found = ag.interop.torch(lambda x: np.sum(np.exp(2 * x)))(x)
    for _ in range(4):
        (found,) = torch.autograd.grad(found.sum(), x, create_graph=True)
    torch.testing.assert_close(found, 16 * torch.exp(2 * x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtypes_and_containers(dtype):
    x, w, b = given_tensors(dtype)
    found = layer(x.detach().T.contiguous().T, {"w": w, "b": b})
    assert {k: v.dtype for k, v in found.items()} == {
        "hidden": dtype,
        "total": dtype,
        "best": torch.int64,
    }
    assert found["hidden"].requires_grad
    assert not found["best"].requires_grad
    assert found["total"].ndim == 0
    torch.testing.assert_close(found["hidden"], torch.tanh(x @ w + b))
    found["hidden"].sum().backward()
    assert w.grad.dtype == dtype
    assert x.grad is None


def test_only_the_gradients_that_are_required_are_computed():
    x, w = given_tensors()[:2]
    seen = []
    plain = Program._pull

    def pulled(self, args, kwargs, cotangents, wanted):
        seen.append(wanted)
        return plain(self, args, kwargs, cotangents, wanted)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Program, "_pull", pulled)
        made = ag.interop.torch(lambda x, w: np.sum(x @ w))
        made(x.detach(), w).backward()
    assert set(seen) == {(1,)}


def test_integers_select_and_have_no_gradient():
    table = torch.arange(6.0).reshape(3, 2).requires_grad_()
    chosen = torch.tensor([2, 0, 2])
    found = ag.interop.torch(lambda t, i: np.sum(t[i] ** 2))(table, chosen)
    found.backward()
    expected = torch.zeros(3, 2).index_add(0, chosen, 2 * table.detach()[chosen])
    torch.testing.assert_close(table.grad, expected)


class Regression(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(2, 4)
        self.w = torch.nn.Parameter(torch.zeros(4))
        self.loss = ag.interop.torch(ag.compile(lambda h, w, y: np.mean((np.tanh(h) @ w - y) ** 2)))

    def forward(self, X, y):
        return self.loss(self.inner(X), self.w, y)


def test_a_module_trains():
    torch.manual_seed(0)
    X = torch.randn(50, 2)
    y = torch.sin(X[:, 0])
    model = Regression()
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    first = model(X, y).item()
    for _ in range(60):
        optimizer.zero_grad()
        loss = model(X, y)
        loss.backward()
        optimizer.step()
    assert loss.item() < first / 10
    assert model.inner.weight.grad.abs().sum() > 0


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_transforms_of_torch():
    x, w, b = (t.detach() for t in given_tensors())

    def ours(b):
        return floats(x, w, b)[0]

    def theirs(b):
        return 2 * torch.tanh(x @ w + b)

    for transform in (torch.func.jacrev, torch.func.jacfwd):
        torch.testing.assert_close(transform(ours)(b), transform(theirs)(b))
    found = torch.func.hessian(lambda b: ours(b).sum())(b)
    torch.testing.assert_close(found, torch.func.hessian(lambda b: theirs(b).sum())(b))
    each = torch.func.vmap(torch.func.grad(lambda b, x: floats(x[None], w, b)[0].sum()), (None, 0))
    alike = torch.func.vmap(
        torch.func.grad(lambda b, x: 2 * torch.tanh(x @ w + b).sum()), (None, 0)
    )
    torch.testing.assert_close(each(b, x), alike(b, x))


def test_a_tensor_that_changes_before_the_backward_pass_is_noticed():
    w = torch.ones(2, requires_grad=True)
    found = ag.interop.torch(lambda w: np.sum(w**3))(w)
    with torch.no_grad():
        w.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        found.backward()


def test_what_numpy_cannot_read_is_refused():
    double = ag.interop.torch(lambda x: 2 * x["a"][0])
    for tensor, reason in (
        (torch.ones(2, device="meta"), "is on meta; NumPy computes on the CPU"),
        (torch.ones(2, dtype=torch.bfloat16), "BFloat16"),
        (torch.eye(2).to_sparse(), "to_dense"),
    ):
        with pytest.raises(
            TypeError, match=rf"interop.torch: the tensor at .*\['a'\]\[0\].*{reason}"
        ):
            double({"a": [tensor]})


def test_results_do_not_share_memory():
    x = torch.ones(3)
    same = ag.interop.torch(lambda x: (x, x))(x)
    same[0].fill_(5)
    assert x.tolist() == same[1].tolist() == [1, 1, 1]


def cubes(x):
    return np.sum(x**3)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
@pytest.mark.parametrize("f", [cubes, ag.compile(cubes)])
def test_a_module_with_a_layer_is_copied_and_pickled(f, copied):
    model = torch.nn.Linear(2, 2)
    model.loss = ag.interop.torch(f)
    other = copied(model)
    assert other.weight is not model.weight
    torch.testing.assert_close(other.loss(other.weight), (model.weight**3).sum())


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
def test_torch_compile_leaves_a_layer_to_numpy():
    layer = ag.interop.torch(cubes)
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    found = torch.compile(lambda w: layer(2 * w) + 1, backend="eager")(w)
    found.backward()
    assert (found.item(), w.grad.tolist()) == (73, [24, 96])


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_what_records_operations_of_torch_refuses_those_of_numpy():
    """NumPy's results would be constants of the recorded program."""
    from torch.fx.experimental.proxy_tensor import make_fx

    layer, x = ag.interop.torch(cubes), torch.ones(2)
    for record in (lambda: torch.func.linearize(layer, x), lambda: make_fx(layer)(x)):
        with pytest.raises(TypeError, match="record operations of PyTorch"):
            record()
    torch.testing.assert_close(torch.func.jvp(layer, (x,), (x,))[1], torch.tensor(6.0))

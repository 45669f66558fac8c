"""State that hides in an engine: flags, records, threads."""

import asyncio
import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest
from attacks.attack import attack

import autograd_lite as ag


@attack(
    "a second backward()",
    "adds exactly the same once more: 6, 12",
    micrograd="96, then 384 for 3x⁴ at 2: wrong",
    torch="raises",
    mygrad="6, silently nothing added",
)
def test_second_backward():
    x = ag.Tensor(3.0)
    y = x * x
    y.backward()
    y.backward()
    assert x.grad == 12


@attack("3 · (x²)² at 2, backward twice", "96, 192", micrograd="96, 384")
def test_second_backward_through_intermediates():
    x = ag.Tensor(2.0)
    y = x * x
    z = y * y * 3
    z.backward()
    assert x.grad == 96
    z.backward()
    assert x.grad == 192


@attack("a diamond: b = a + a, c = b + b", "4")
def test_diamond():
    a = ag.Tensor(1.0)
    b = a + a
    (b + b).backward()
    assert a.grad == 4


@attack("y = y + y, sixty times", "2⁶⁰ at once")
def test_doubling():
    x = y = ag.Tensor(1.0)
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60


@attack("a chain of 10,000 operations", "1, without recursion", micrograd="RecursionError")
def test_long_chain():
    x = y = ag.Tensor(1.0)
    for _ in range(10_000):
        y = y + 1
    y.backward()
    assert x.grad == 1
    del y


@attack("a graph through which no backward() ever went", "freed with its loss, no collector")
def test_graph_is_freed():
    x = ag.Tensor([1.0])
    gc.disable()
    try:
        y = np.sum(x * x)
        inner = weakref.ref(y.inputs[0])
        del y
        assert inner() is None
    finally:
        gc.enable()


@attack("an exception inside no_grad()", "recording is on again")
def test_no_grad_ends_with_an_exception():
    x = ag.Tensor(1.0)
    with pytest.raises(ZeroDivisionError), ag.no_grad():
        1 / 0  # noqa: B018
    assert (x * x).requires_grad


@attack("no_grad() in one thread", "that thread only")
def test_no_grad_in_another_thread():
    x, seen = ag.Tensor(1.0), []
    with ag.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * x).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


@attack("no_grad() in one of two asyncio tasks", "that task only")
def test_no_grad_in_another_task():
    x, seen = ag.Tensor(1.0), []

    async def quiet(entered, done):
        with ag.no_grad():
            entered.set()
            await done.wait()

    async def loud(entered, done):
        await entered.wait()
        seen.append((x * x).requires_grad)
        done.set()

    async def both():
        entered, done = asyncio.Event(), asyncio.Event()
        await asyncio.gather(quiet(entered, done), loud(entered, done))

    asyncio.run(both())
    assert seen == [True]


@attack("no_grad() in two interleaved generators", "their bodies only")
def test_no_grad_in_generators():
    x = ag.Tensor(1.0)

    def steps():
        with ag.no_grad():
            yield (x * x).requires_grad
            yield (x * x).requires_grad

    first, second = steps(), steps()
    seen = [(next(steps), (x * x).requires_grad) for steps in (first, second, first, second)]
    assert seen == [(False, True)] * 4
    assert [*first, *second] == []
    assert (x * x).requires_grad


@attack("a leaf made under no_grad()", "requires a gradient later, as declared")
def test_leaf_made_without_recording():
    with ag.no_grad():
        x = ag.Tensor(3.0)
    (x * x).backward()
    assert x.grad == 6


@attack("backward() through a result computed under no_grad()", "raises, and says why")
def test_backward_without_record():
    x = ag.Tensor(3.0)
    with ag.no_grad():
        y = x * x
    with pytest.raises(ValueError, match="no_grad"):
        y.backward()


@attack("equal constants", "two nodes, not one shared", tinygrad="shared them (#9597)")
def test_equal_constants():
    a, b = ag.constant(1.0), ag.constant(1.0)
    assert a is not b
    assert len({a, b}) == 2


@attack(
    "an inner derivative by y inside an outer one by x, of a function of x alone",
    "0: no derivative is taken for another",
    autograd="0",
    jax="0",
)
def test_nested_derivatives():
    assert ag.grad(lambda x: x * ag.grad(lambda y: x)(2.0))(1.0) == 0
    assert ag.grad(lambda x: x * ag.grad(lambda y: x * y)(2.0))(3.0) == 6


@attack("a leaked argument, used after its transform", "its own old value, and no gradient")
def test_leaked_argument():
    kept = []
    ag.grad(lambda x: kept.append(x) or x * x)(3.0)
    assert kept[0].item() == 3
    with pytest.raises(ValueError, match="only the data of a leaf"):
        kept[0].data = 5.0


@attack("pickle of a result", "raises, with advice", torch="pickles it without its record")
def test_pickle_of_a_result():
    with pytest.raises(TypeError, match="detach"):
        pickle.dumps(ag.Tensor(1.0) * 2)


@attack("deepcopy of a result", "raises, with advice", torch="raises")
def test_deepcopy_of_a_result():
    with pytest.raises(TypeError, match="detach"):
        copy.deepcopy(ag.Tensor(1.0) * 2)


@attack("copy, deepcopy and pickle of a leaf", "an equal leaf that shares nothing")
@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_copies_of_a_leaf(copied):
    w = ag.Tensor([1.0, 2.0], name="w")
    (w * w).sum().backward()
    other = copied(w)
    w.data[0] = 100
    w.grad[0] = 100
    assert (other.name, other.requires_grad) == ("w", True)
    assert other.data.tolist() == [1, 2]
    assert other.grad.tolist() == [2, 4]


@attack("one Tensor given as two arguments (tied weights)", "each has its own derivative")
def test_one_tensor_as_two_arguments():
    w = ag.Tensor(1.0)
    first, second = ag.grad(lambda a, b: np.sqrt(a * b), (0, 1))(w, w)
    assert (first.item(), second.item()) == (0.5, 0.5)


@attack("exp z / (1 + exp z), the divisor made under no_grad()", "no derivative through it")
@pytest.mark.parametrize("transformed", [ag.grad, lambda f: ag.compile(ag.grad(f))])
def test_divisor_without_a_gradient(transformed):
    def f(z):
        above = np.exp(z)
        with ag.no_grad():
            below = 1 + np.exp(z)
        return np.sum(above / below)

    expected = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(transformed(f)(np.array([1.0])), [expected], rtol=1e-14)

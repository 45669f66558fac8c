"""Arrays changed behind the engine's back."""

import numpy as np
import pytest
from attacks.attack import attack

import autograd_lite as ag


def squares(x):
    return np.sum(x * x)


@attack(
    "the array that a Tensor was made from changes between forward and backward",
    "unaffected: 6",
    torch="200, silently",
    jax="200, silently",
    autograd="200, silently",
    mygrad="raises",
)
def test_array_given_changes():
    array = np.array([3.0])
    x = ag.Tensor(array)
    y = squares(x)
    array[0] = 100
    y.backward()
    assert x.grad.tolist() == [6]


@attack(
    "x.data[0] = 100 between forward and backward",
    "unaffected: 6",
    torch="200, silently",
    micrograd="200, silently",
    mygrad="raises",
)
def test_data_change():
    x = ag.Tensor([3.0])
    y = squares(x)
    x.data[0] = 100
    y.backward()
    assert x.grad.tolist() == [6]
    assert squares(x).item() == 10000


@attack(
    "a view of x.data, taken before the forward pass, is written to after it",
    "unaffected: 4, 6",
    torch="200, 6, silently",
    mygrad="200, 6, silently",
)
def test_view_taken_before():
    x = ag.Tensor([2.0, 3.0])
    view = x.data[:]
    y = squares(x)
    view[0] = 100
    y.backward()
    assert x.grad.tolist() == [4, 6]


@attack(
    "a memoryview of x.data is written to between two uses of x",
    "each use as it was: 2·2 + 2·100",
)
def test_memoryview_between_uses():
    x = ag.Tensor([2.0])
    buffer = memoryview(x.data)
    first = squares(x)
    buffer[0] = 100.0
    (first + squares(x)).backward()
    assert x.grad.tolist() == [204]


@attack(
    "w.data -= α w.grad while the loss still exists, then backward again",
    "the old record gives the old gradient once more",
)
def test_update_then_backward_again():
    w = ag.Tensor([3.0])
    loss = squares(w)
    loss.backward()
    w.data -= 0.5 * w.grad
    loss.backward()
    assert w.grad.tolist() == [12]
    assert w.data.tolist() == [0]


@attack("w.data = v, and v changes afterwards", "unaffected: w keeps what it was given")
def test_assigned_array_changes():
    w, v = ag.Tensor([3.0]), np.array([4.0])
    w.data = v
    v[0] = 100
    y = squares(w)
    v[0] = 200
    y.backward()
    assert w.grad.tolist() == [8]


@attack(
    "a plain array in an expression changes after it",
    "unaffected: 3",
    torch="100, silently",
    jax="100, silently",
    autograd="100, silently",
    mygrad="raises",
)
def test_constant_changes():
    x, c = ag.Tensor([2.0]), np.array([3.0])
    y = np.sum(x * c)
    c[0] = 100
    y.backward()
    assert x.grad.tolist() == [3]


@attack(
    "an index array changes after it was used",
    "unaffected: 1, 1, 0",
    torch="0, 1, 1, silently",
    mygrad="0, 1, 1, silently",
    autograd="0, 1, 1, silently",
)
def test_index_changes():
    x, index = ag.Tensor([1.0, 2.0, 3.0]), np.array([0, 1])
    y = np.sum(x[index])
    index[0] = 2
    y.backward()
    assert x.grad.tolist() == [1, 1, 0]


@attack("a list inside an index changes after it was used", "unaffected: 1, 1, 0")
def test_index_list_changes():
    x, index = ag.Tensor([1.0, 2.0, 3.0]), [0, 1]
    y = np.sum(x[index])
    index[0] = 2
    y.backward()
    assert x.grad.tolist() == [1, 1, 0]


@attack("a boolean mask changes after where() used it", "unaffected: 1, 0")
def test_mask_changes():
    x, mask = ag.Tensor([1.0, 2.0]), np.array([True, False])
    y = np.sum(np.where(mask, x, 0.0))
    mask[:] = [False, True]
    y.backward()
    assert x.grad.tolist() == [1, 0]


@attack(
    "the data of a result is written to",
    "raises: results hand out read-only arrays",
)
def test_result_data_is_read_only():
    z = ag.Tensor([3.0]) * 2
    with pytest.raises(ValueError, match="read-only"):
        z.data[0] = 100
    with pytest.raises(ValueError, match=r"(?i)writeable"):
        z.data.flags.writeable = True


@attack("the data of a result that is a view of a leaf is written to", "raises, the leaf stays")
def test_view_result_is_read_only():
    w = ag.Tensor([[1.0, 2.0]])
    flat = w.reshape(2)
    with pytest.raises(ValueError, match="read-only"):
        flat.data[0] = 100
    assert w.data.tolist() == [[1, 2]]


@attack("w.data changes after w.reshape() shares its memory", "the result keeps its value")
def test_leaf_changes_under_its_view():
    w = ag.Tensor([[1.0, 2.0]])
    flat = w.reshape(2)
    y = squares(flat)
    w.data[0, 0] = 100
    assert flat.numpy().tolist() == [1, 2]
    y.backward()
    assert w.grad.tolist() == [[2, 4]]


@attack("a view made under no_grad() is written to", "the leaf and its record stay as they are")
def test_view_made_without_recording():
    w = ag.Tensor([1.0, 2.0])
    y = squares(w)
    with ag.no_grad():
        view = w.reshape(2, 1)
    view.data[0] = 100
    y.backward()
    assert w.grad.tolist() == [2, 4]
    assert w.numpy().tolist() == [1, 2]


@attack("a.grad *= 0, where a + b gave both the same gradient", "b.grad stays 1")
def test_gradients_are_not_shared():
    a, b = ag.Tensor([1.0]), ag.Tensor([1.0])
    (a + b).backward()
    a.grad *= 0
    assert b.grad.tolist() == [1]


@attack("x.grad is written to, then backward again", "adds to what stands there; the record stays")
def test_grad_is_the_users():
    x = ag.Tensor([3.0])
    y = squares(x)
    y.backward()
    x.grad[:] = 100
    y.backward()
    assert x.grad.tolist() == [106]


@attack("a gradient kept from the first backward, after the second", "still the first one")
def test_grad_kept():
    x = ag.Tensor([3.0])
    y = squares(x)
    y.backward()
    first = x.grad
    y.backward()
    assert first.tolist() == [6]
    assert x.grad.tolist() == [12]


@attack("the gradient given to backward() changes afterwards", "x.grad stays")
def test_seed_changes():
    x, seed = ag.Tensor([1.0, 2.0]), np.array([1.0, 1.0])
    (x + 0).backward(seed)
    seed[:] = 100
    assert x.grad.tolist() == [1, 1]


@attack(
    "t += 1 after t was used",
    "rebinds the name; the record stays: 2, 4",
    torch="raises at backward",
)
def test_augmented_assignment():
    x = ag.Tensor([1.0, 2.0])
    y = x * 1
    z = np.sum(y * y)
    y += 1
    z.backward()
    assert x.grad.tolist() == [2, 4]


@attack("t[0] = 5", "raises, naming np.where and t.data")
def test_item_assignment():
    with pytest.raises(TypeError, match=r"np\.where.*\.data"):
        ag.Tensor([1.0])[0] = 5


@attack("array += t", "raises", torch="raises", mygrad="raises")
def test_array_augmented_by_tensor():
    array = np.zeros(1)
    with pytest.raises(TypeError, match="array = array"):
        array += ag.Tensor([1.0])
    assert array.tolist() == [0]


@attack("np.exp(t, out=array)", "raises")
def test_out():
    with pytest.raises(TypeError, match="out="):
        np.exp(ag.Tensor([1.0]), out=np.zeros(1))


@attack("data changed between a use and a second derivative by it", "is right")
def test_change_before_second_derivative():
    w = ag.Tensor([3.0])

    def f(x):
        y = np.sum(x * w * w)
        w.data[0] = 100
        return y

    assert ag.grad(f)(np.array([1.0])).tolist() == [9]
    w.data[0] = 3.0
    assert ag.grad(lambda x: np.sum(ag.grad(f)(x) * x))(np.array([1.0])).tolist() == [9]


@attack("w.data -= 1 after w went through stop_gradient", "works; the other keeps its value")
def test_change_after_an_identity():
    w = ag.Tensor([1.0, 2.0])
    kept = ag.stop_gradient(w)
    assert kept.numpy().tolist() == [1, 2]
    w.data -= 1
    assert w.data.tolist() == [0, 1]
    assert kept.numpy().tolist() == [1, 2]

"""NumPy's other containers, and Python's protocols."""

import array
import math

import numpy as np
import pytest
from attacks.attack import attack

import autograd_lite as ag


@attack(
    "a masked array",
    "refused, with advice",
    torch="drops the mask, silently",
    mygrad="drops the mask, silently",
    autograd="raises",
    jax="raises",
)
def test_masked_array():
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    with pytest.raises(TypeError, match="filled"):
        ag.Tensor(masked)
    with pytest.raises(TypeError, match="filled"):
        ag.Tensor([1.0, 2.0]) * masked
    with pytest.raises(TypeError, match="lose its gradient"):
        masked * ag.Tensor([1.0, 2.0])


@attack(
    "np.array([t, u])",
    "raises, naming np.stack",
    torch="raises",
    mygrad="plain numbers, silently",
    micrograd="an array of objects, silently",
)
def test_array_of_tensors():
    t = ag.Tensor(1.0)
    with pytest.raises(TypeError, match=r"np\.stack"):
        np.array([t, t])
    with pytest.raises(TypeError, match=r"np\.stack"):
        ag.Tensor([t, t])


@attack("np.asarray(t)", "raises where a gradient is required, else copies", torch="raises")
def test_asarray():
    with pytest.raises(TypeError, match=r"\.numpy\(\)"):
        np.asarray(ag.Tensor([1.0]))
    constant = ag.constant([1.0])
    converted = np.asarray(constant)
    converted[0] = 100
    assert constant.numpy().tolist() == [1]


@attack("math.exp(x) · x inside grad", "raises", autograd="raises", jax="raises")
def test_math_inside_a_transform():
    with pytest.raises(TypeError, match="NumPy's functions"):
        ag.grad(lambda x: math.exp(x) * x)(1.0)


@attack("x.item(), x.data, f'{x:.2f}' inside grad", "raise, and name stop_gradient")
@pytest.mark.parametrize("leak", [lambda x: x.item(), lambda x: x.data, lambda x: f"{x:.2f}", int])
def test_leaks(leak):
    with pytest.raises(TypeError, match="stop_gradient"):
        ag.grad(lambda x: x * (leak(x) is not None))(1.0)


@attack("if x > 0, inside grad", "follows the branch")
def test_branch():
    f = ag.grad(lambda x: x * x if x > 0 else -x)
    assert (f(3.0), f(-3.0)) == (6, -1)


@attack("if x > 0, inside trace", "raises: the branch would be baked in")
def test_branch_in_a_trace():
    with pytest.raises(TypeError, match=r"np\.where"):
        ag.trace(lambda x: x * x if x > 0 else -x, 3.0)


@attack("scalars of NumPy left of a Tensor", "recorded: np.float64(2) * t")
def test_numpy_scalar():
    assert isinstance(np.float64(2) * ag.Tensor([1.0]), ag.Tensor)
    assert ag.grad(lambda x: np.float64(2) * x)(1.0) == 2


@attack("an array left of a Tensor", "recorded: array @ t, array - t, array ** t")
def test_array_on_the_left():
    a, t = np.array([2.0, 3.0]), ag.Tensor([1.0, 2.0])
    for result in (a @ t, a - t, a**t, a / t, a > t):
        assert isinstance(result, ag.Tensor)


@attack("lists, tuples, memoryviews, array.array", "copied, as np.array does")
@pytest.mark.parametrize(
    "data", [[1.0, 2.0], (1.0, 2.0), memoryview(np.array([1.0, 2.0])), array.array("d", [1.0, 2.0])]
)
def test_other_containers(data):
    assert ag.Tensor(data).shape == (2,)
    assert (ag.Tensor([1.0, 1.0]) * ag.constant(data)).numpy().tolist() == [1, 2]


@attack("read-only, Fortran-ordered and reversed arrays", "the same numbers and gradients")
def test_memory_layouts():
    base = np.arange(6.0).reshape(2, 3)
    locked = base.copy()
    locked.flags.writeable = False
    for same in (locked, np.asfortranarray(base), base[::-1, ::-1][::-1, ::-1], base.T.copy().T):
        assert ag.grad(lambda x: np.sum(x * x))(same).tolist() == (2 * base).tolist()


@attack("t == None, t == 'text', t in a list", "no error, no match by accident")
def test_comparison_with_other_things():
    t = ag.Tensor(1.0)
    assert (t == None) is False  # noqa: E711
    assert (t == "text") is False
    assert t in [t]


@attack("len, iteration, unpacking, bool", "as NumPy's")
def test_protocols():
    t = ag.Tensor([[1.0, 2.0], [3.0, 4.0]])
    first, second = t
    assert len(t) == 2
    assert second.numpy().tolist() == [3, 4]
    assert first.requires_grad
    with pytest.raises(ValueError, match="ambiguous"):
        bool(t)
    with pytest.raises(TypeError, match="0-d"):
        len(ag.Tensor(1.0))


@attack("a NumPy function without a rule", "raises, naming it", torch="raises or detaches")
def test_unknown_function():
    with pytest.raises(TypeError, match=r"numpy\.fft"):
        np.fft.fft(ag.Tensor([1.0]))
    with pytest.raises(TypeError, match="spacing"):
        np.spacing.at(ag.Tensor([1.0]), 0)


@attack(
    "np.exp(t)",
    "recorded",
    torch="a Tensor without record where no gradient is required, else raises",
    micrograd="raises",
    jax="raises under grad",
)
def test_numpy_function():
    y = np.exp(ag.Tensor(1.0))
    assert y.op.name == "exp"


@attack("a custom function that writes into its operand", "raises; the record stays")
def test_foreign_function():
    @ag.custom_gradient(lambda g, out, x: g)
    def spoil(x):
        x[0] = 100
        return x

    x = ag.Tensor([3.0])
    with pytest.raises(ValueError, match="in place"):
        spoil(x)
    assert x.numpy().tolist() == [3]


@attack("a custom rule that returns an array it keeps", "copied: later changes do nothing")
def test_foreign_rule():
    kept = np.ones(1)
    own = ag.custom_gradient(lambda g, out, x: kept)(lambda x: x * 1.0)
    x = ag.Tensor([3.0])
    np.sum(own(x)).backward()
    kept[0] = 100
    assert x.grad.tolist() == [1]


@attack("names with markup, quotes, newlines", "kept as they are")
@pytest.mark.parametrize("name", ['<b>"w"</b>', "w\n\\", "", "ŷ⁽¹⁾", "'; drop", "\x00"])
def test_names(name):
    assert ag.Tensor(1.0, name=name).name == name


@attack("a name or a scope that is no string", "refused")
def test_no_names():
    with pytest.raises(TypeError, match="string"):
        ag.Tensor(1.0, name=3)
    with pytest.raises(TypeError, match="string"):
        ag.scope(3)


@attack(
    "out[0] = w[0] ** 2 into an array of zeros",
    "a DetachedWarning once a line; inside grad it raises",
    torch="a UserWarning",
    jax="raises",
)
def test_written_into_an_array():
    w, out = ag.Tensor([1.0, 2.0]), np.zeros(2)
    with pytest.warns(ag.DetachedWarning, match=r"np\.stack"):
        out[0] = w[0] ** 2


@attack("w[masked array]", "refused, with advice", jax="raises")
def test_masked_index():
    with pytest.raises(TypeError, match="filled"):
        ag.Tensor([1.0, 2.0])[np.ma.array([0, 1], mask=[False, True])]


@attack(
    "a custom rule that reads what its forward kept, differentiated",
    "raises",
    torch="raises",
)
def test_custom_rule_that_keeps():
    kept = []

    def forward(x):
        kept[:] = [np.exp(x)]
        return np.exp(x)

    op = ag.custom_gradient(lambda g, out, x: g * kept[0])(forward)
    with pytest.raises(TypeError, match="forward stored"):
        ag.grad(ag.grad(op))(1.0)

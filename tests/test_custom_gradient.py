"""Custom operations: a rule per operand, no subclass, and no way to change the record."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.op import NUMPY, OPS

pytestmark = pytest.mark.usefixtures("operations_removed")

X = np.array([0.5, -1.0, 2.0])


def square(rule=lambda g, out, x: g * 2 * x, forward=lambda x: x * x):
    return ag.custom_gradient(rule, symbol="²", elementwise=True)(forward)


def test_on_arrays_it_computes_and_on_tensors_it_records():
    op = square()
    np.testing.assert_array_equal(op(X), X * X)
    x = ag.Tensor(X)
    y = op(x)
    assert y.op is op
    assert y.op.notation.symbol == "²"
    assert y.inputs == (x,)
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad, 2 * X)


def test_the_rule_is_what_counts():
    clipped = square(lambda g, out, x: np.clip(g, -1, 1), lambda x: x)
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(X * 5 * clipped(x)))(X), [1, -1, 1])


def test_higher_orders_follow_from_the_rule():
    op = square()
    np.testing.assert_array_equal(ag.hessian(lambda x: np.sum(op(x)))(X), 2 * np.eye(3))
    np.testing.assert_array_equal(ag.jvp(op, (X,), (X,))[1], 2 * X * X)
    ag.check_gradients(op, X, order=2)


def test_a_rule_that_cannot_be_recorded_is_loud_at_the_second_order():
    op = square(lambda g, out, x: g * np.array([2.0 * float(v) for v in x]))
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(op(x)))(X), 2 * X)
    with pytest.raises(TypeError, match="lose its gradient"):
        ag.hessian(lambda x: np.sum(op(x)))(X)


def test_several_operands_attributes_and_operands_without_a_gradient():
    @ag.custom_gradient(
        lambda g, out, x, mask, scale=1.0: g * mask * scale,
        None,
        broadcasts=True,
    )
    def masked(x, mask, scale=1.0):
        return x * mask * scale

    mask = np.array([[1.0, 0, 1], [1, 1, 1]])
    g = ag.grad(lambda x: np.sum(masked(x, mask, scale=3.0)))(X)
    np.testing.assert_array_equal(g, 3 * mask.sum(0))
    m = ag.Tensor(mask)
    assert np.all(ag.grad(lambda m: np.sum(masked(X, m)))(m).data == 0)
    with pytest.raises(TypeError, match="scale"):
        masked(ag.Tensor(X), mask, scala=2)


def test_a_sequence_of_operands():
    op = ag.operation(
        "tests.total",
        lambda arrays: functools.reduce(np.add, arrays),
        lambda g, out, *arrays, k: g * (k + 1),
        arity=None,
    )
    x, y = ag.Tensor(X), ag.Tensor(X)
    np.sum(op([x, y])).backward()
    np.testing.assert_array_equal(x.grad, np.ones(3))
    np.testing.assert_array_equal(y.grad, np.full(3, 2.0))


@pytest.mark.parametrize("where", ["forward", "rule"])
def test_operands_are_read_only(where):
    def change(x):
        x *= 2
        return x

    op = square(forward=change) if where == "forward" else square(lambda g, out, x: g * change(x))
    x = ag.Tensor(X)
    with pytest.raises(ValueError, match="changes an operand in place"):
        np.sum(op(x)).backward()
    np.testing.assert_array_equal(x.data, X)
    with pytest.raises(ValueError, match="changes an operand in place"):
        op(X.copy()) if where == "forward" else ag.grad(lambda x: np.sum(op(x)))(X)


def test_what_is_kept_by_the_outside_reaches_nothing():
    kept = []

    def keeping(x):
        y = x * 2
        kept.append(y)
        return y

    def rule(g, out, x):
        part = g * 2
        kept.append(part)
        return part

    op = square(rule, keeping)
    x = ag.Tensor(X)
    y = op(x)
    y.backward(np.ones(3))
    for array in kept:
        array[:] = 99
    np.testing.assert_array_equal(y.data, 2 * X)
    np.testing.assert_array_equal(x.grad, [2, 2, 2])
    same = square(lambda g, out, x: g, lambda x: x)
    z = same(x)
    z.backward(np.ones(3))
    x.data[0] = 7
    assert z.data[0] == X[0]


def test_numpy_scalars_and_numbers_are_results_too():
    op = square(lambda g, out, x: g * np.ones(3), lambda x: float(np.sum(x)))
    np.testing.assert_array_equal(ag.grad(op)(X), np.ones(3))


def test_defining_again_replaces_and_the_packages_own_are_safe():
    first, second = square(), square()
    assert OPS[first.name] is second
    x = ag.Tensor(X)
    np.sum(first(x)).backward()
    np.testing.assert_array_equal(x.grad, 2 * X)
    with pytest.raises(ValueError, match="choose another name"):
        ag.operation("exp", lambda x: x, lambda g, out, x: g)
    with pytest.raises(ValueError, match=r"np\.exp has an operation already"):
        ag.operation("tests.exp", np.exp, lambda g, out, x: g, numpy=[np.exp])
    own = ag.operation("tests.exp", np.exp, lambda g, out, x: g * 5)
    assert ag.grad(np.exp)(0.0) == 1
    assert ag.grad(own)(0.0) == 5


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ag.custom_gradient(), TypeError, "one rule per operand"),
        (lambda: ag.custom_gradient(3), TypeError, "one rule per operand"),
        (
            lambda: ag.custom_gradient(None, None)(lambda x: x),
            TypeError,
            "2 rules for 1 operands",
        ),
        (
            lambda: square(forward=lambda x: "text")(ag.Tensor(X)),
            TypeError,
            "returned str, not an array",
        ),
        (lambda: square(forward=lambda x: x + 1j)(ag.Tensor(X)), TypeError, "complex128"),
        (
            lambda: ag.grad(lambda x: np.sum(square(lambda g, out, x: None)(x)))(X),
            TypeError,
            "a gradient rule of .*: returned NoneType",
        ),
        (
            lambda: ag.grad(lambda x: np.sum(square(lambda g, out, x: g[:2])(x)))(X),
            ValueError,
            r"returned shape \(2,\)",
        ),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def keeping(keep):
    """exp with a rule that reads what its forward kept, and a way to keep it."""
    kept = {}

    def forward(x):
        kept["value"] = keep(np.exp(x))
        return np.exp(x)

    return square(lambda g, out, x: g * kept["value"], forward)


KEEPERS = {
    "an array": lambda value: value,
    "its copy in another precision": lambda value: value.astype(np.float32),
    "a list": lambda value: value.tolist(),
    "a number": lambda value: float(np.sum(value)),
}

DERIVATIVES = {
    "hessian": lambda f, x: ag.hessian(f)(x),
    "grad of grad": lambda f, x: ag.grad(lambda x: np.sum(ag.grad(f)(x) ** 2))(x),
    "hvp": lambda f, x: ag.hvp(f)(x, x),
    "grad of jvp": lambda f, x: ag.grad(lambda x: ag.jvp(f, (x,), (x,))[1])(x),
    "compile": lambda f, x: ag.compile(ag.grad(f))(x),
}


@pytest.mark.parametrize("keeper", KEEPERS)
@pytest.mark.parametrize("derivative", DERIVATIVES)
@pytest.mark.parametrize("x", [X, np.zeros(3), np.array([-1.0])], ids=str)
def test_what_a_forward_kept_has_no_derivative_and_raises(keeper, derivative, x):
    op = keeping(KEEPERS[keeper])

    def f(x):
        return np.sum(op(x))

    ag.grad(f)(x)
    with pytest.raises(TypeError, match="uses a value that its forward stored"):
        DERIVATIVES[derivative](f, x)


def test_what_does_not_depend_on_the_operands_may_be_kept():
    kept = {}
    matrix = np.array([[2.0, 1.0], [0.5, 3.0]])

    def forward(x):
        kept["mask"], kept["calls"] = x > 0, kept.get("calls", 0) + 1
        return np.where(x > 0, matrix @ x**2, 0.0)

    def rule(g, out, x):
        return 2 * x * (matrix.T @ np.where(kept["mask"], g, 0.0))

    op = square(rule, forward)
    x = np.array([1.0, 0.25])
    np.testing.assert_allclose(ag.hessian(lambda x: np.sum(op(x)))(x), np.diag([5.0, 8.0]))
    total = ag.operation(
        "tests.kept",
        lambda arrays, scale=1.0: kept.update(sum=sum(arrays)) or kept["sum"] * scale,
        lambda g, out, *arrays, k, scale=1.0: g * scale * kept["sum"] / sum(arrays),
        arity=None,
    )
    with pytest.raises(TypeError, match="uses a value that its forward stored"):
        ag.hessian(lambda x: np.sum(total([x, x], scale=2.0)))(x)


def test_a_forward_that_cannot_be_run_again_is_reported():
    def strict(x):
        if not np.array_equal(x, X):
            raise ValueError("only at X")
        return x * x

    with pytest.raises(TypeError, match=r"cannot check.*only at X"):
        ag.hessian(lambda x: np.sum(square(forward=strict)(x)))(X)


def test_a_ufunc_keeps_its_operands_and_answers_for_itself():
    op = ag.operation("tests.nextafter", np.nextafter, lambda g, out, x1, x2: g, None)
    try:
        assert (op.arity, op.broadcasts, op.traits.elementwise) == (2, True, True)
        with pytest.raises(TypeError, match="the argument x2 is missing; it takes x1, x2"):
            op(ag.Tensor(1.0))
        x = ag.Tensor(X)
        np.sum(np.nextafter(x, np.ones((1, 3)) * [[1.0], [2.0]])).backward()
        np.testing.assert_array_equal(x.grad, [2.0, 2.0, 2.0])
    finally:
        del NUMPY[np.nextafter]


def test_one_operand_may_be_broadcast_by_the_operation_itself():
    op = ag.operation(
        "tests.rows", lambda x: x + np.zeros((2, 3)), lambda g, out, x: g, broadcasts=True
    )
    x = ag.Tensor(X)
    for total in np.sum(op(x)), np.sum(op(op(x))):
        x.grad = None
        total.backward()
        np.testing.assert_array_equal(x.grad, [2.0, 2.0, 2.0])


def test_any_error_of_a_forward_names_the_operation():
    op = ag.operation("tests.text", lambda x: b"\xff".decode(), lambda g, out, x: g)
    with pytest.raises(
        ValueError, match=r"tests.text: cannot be applied to an array \(3,\): 'utf-8' codec"
    ):
        op(ag.Tensor(X))


def test_an_operation_on_a_sequence_needs_no_rule():
    op = ag.operation("tests.longest", lambda arrays: max(map(len, arrays)), arity=None)
    out = op([ag.Tensor(X), np.ones(2)])
    assert (out.item(), out.requires_grad) == (3, False)

"""Linear algebra and products as NumPy's functions: values, gradients, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Values, together

import autograd_lite as ag

INF = np.inf


def values(shape, seed=0):
    """Distinct numbers of a shape, others for another seed."""
    return Values(sum(shape) * 10 + len(shape) + 1000 * seed)(shape)


MATRIX, TALL, STACK = values((3, 3)), values((4, 3)), values((2, 3, 4))
VECTOR, OTHER = values((3,)), values((3,), 1)
SQUARES, DEFINITE = Values(3).square((2, 3, 3)), Values(3).symmetric((2, 3, 3))


def agrees(f, *arrays, order=1):
    """The same numbers as NumPy in shape and dtype, and right gradients of every argument."""
    expected = np.asarray(f(*arrays))
    result = f(*(ag.Tensor(x) for x in arrays))
    assert isinstance(result, ag.Tensor)
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(result.detach().data, expected, rtol=1e-12, atol=1e-14)
    weights = np.random.default_rng(1).uniform(0.5, 1.5, expected.shape)
    ag.check_gradients(lambda *xs: np.sum(f(*xs) * weights), *arrays, order=order)
    small = [x.astype(np.float32) for x in arrays]
    single = f(*(ag.Tensor(x) for x in small))
    assert single.dtype == np.float32


# Products

PAIRS = [
    (VECTOR, OTHER),
    (TALL, VECTOR),
    (VECTOR, MATRIX),
    (TALL, MATRIX),
    (STACK, values((4,))),
    (VECTOR, STACK),
    (values((2, 1, 2, 3)), values((2, 3, 2))),
]


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=lambda x: str(x.shape))
def test_matmul_of_every_rank(a, b):
    agrees(np.matmul, a, b)


@pytest.mark.parametrize(
    ("f", "a", "b"),
    [
        (np.dot, VECTOR, OTHER),
        (np.dot, TALL, VECTOR),
        (np.dot, STACK, values((4,))),
        (np.dot, STACK, values((4, 2))),
        (np.dot, values((2, 3)), values((2, 3, 2))),
        (np.dot, np.array(2.0), VECTOR),
        (np.inner, VECTOR, OTHER),
        (np.inner, TALL, VECTOR),
        (np.inner, STACK, values((2, 4))),
        (np.inner, VECTOR, np.array(1.5)),
        (np.vdot, TALL, values((4, 3))),
        (np.vdot, values((2, 3)), values((3, 2))),
        (np.outer, VECTOR, values((2, 2))),
        (np.kron, values((2, 3)), values((3, 2))),
        (np.kron, VECTOR, values((2, 2))),
        (np.kron, values((2, 2, 2)), values((2,))),
        (np.cross, values((2, 3)), VECTOR),
        (np.vecdot, values((2, 3)), VECTOR),
        (np.linalg.matmul, TALL, MATRIX),
        (np.linalg.outer, VECTOR, OTHER),
        (np.linalg.cross, VECTOR, OTHER),
        (np.linalg.vecdot, values((2, 3)), values((2, 3), 1)),
        (np.linalg.tensordot, values((2, 3)), values((2, 3), 1)),
    ],
    ids=lambda x: getattr(x, "__name__", None) or str(x.shape),
)
def test_products(f, a, b):
    agrees(f, a, b)


@pytest.mark.parametrize("name", [n for n in ("matvec", "vecmat") if hasattr(np, n)])
def test_products_of_stacks_and_vectors(name):
    vectors = values((3,)) if name == "vecmat" else values((2, 4))
    stack = values((2, 3, 4))
    agrees(getattr(np, name), *((vectors, stack) if name == "vecmat" else (stack, vectors)))


@given(st.data())
@settings(max_examples=15)
def test_tensordot_over_any_axes(data):
    draw = data.draw
    count = draw(st.integers(0, 2))
    shared = [draw(st.integers(1, 3)) for _ in range(count)]
    made, axes = [], []
    for _ in range(2):
        own = [draw(st.integers(1, 3)) for _ in range(draw(st.integers(0, 2)))]
        order = draw(st.permutations(range(count + len(own))))
        shape = [0] * len(order)
        for n, place in zip(shared + own, order, strict=True):
            shape[place] = n
        made.append(Values(len(shape))(shape))
        axes.append([k - draw(st.sampled_from([0, len(order)])) for k in order[:count]])
    agrees(lambda a, b: np.tensordot(a, b, axes=axes), *made)


@pytest.mark.parametrize(
    "axes", [{}, {"axis": 0}, {"axisa": 1, "axisb": 0, "axisc": 0}, {"axisa": 0, "axisb": 1}]
)
def test_cross_along_any_axis(axes):
    agrees(lambda a, b: np.cross(a, b, **axes), values((3, 3)), values((3, 3), 1))


@pytest.mark.parametrize(
    "shapes", [((2, 3), (3, 4), (4, 2)), ((3,), (3, 4), (4,)), ((3,), (3, 2)), ((2, 3), (3,))]
)
def test_multi_dot(shapes):
    agrees(lambda *xs: np.linalg.multi_dot(xs), *(Values(4)(shape) for shape in shapes))


@pytest.mark.parametrize("n", [-2, -1, 0, 1, 2, 3, 6])
def test_matrix_power(n):
    agrees(lambda a: np.linalg.matrix_power(a, n), SQUARES, order=2)


# einsum

EINSUMS = [
    ("ij,jk", (2, 3), (3, 4)),
    ("ij,jk->ki", (2, 3), (3, 4)),
    ("ij,jk->", (2, 3), (3, 4)),
    ("i j , j -> i", (2, 3), (3,)),
    ("ba", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->j", (2, 3)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iij,i->j", (3, 3, 2), (3,)),
    ("iii,j->j", (2, 2, 2), (3,)),
    ("ijij->ij", (2, 3, 2, 3)),
    ("...i,...i", (2, 3), (3,)),
    ("...ij,...jk->...ik", (2, 1, 2, 3), (4, 3, 2)),
    ("i...->...", (2, 3)),
    ("...ii->...i", (2, 3, 3)),
    ("...a,a", (2, 3), (3,)),
    ("i,j,k->kij", (2,), (3,), (2,)),
    ("ij,jk,ki->", (2, 3), (3, 4), (4, 2)),
    ("ij,ij->i", (1, 3), (4, 3)),
    ("i,i->", (1,), (3,)),
    (",i->i", (), (3,)),
    ("ij,k->k", (2, 2), (3,)),
]


@pytest.mark.parametrize("case", EINSUMS, ids=lambda case: case[0])
def test_einsum(case):
    subscripts, *shapes = case
    make = Values(7)
    agrees(lambda *xs: np.einsum(subscripts, *xs), *(make(shape) for shape in shapes))


@pytest.mark.parametrize(
    "call",
    [
        lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [0, 2]),
        lambda a, b: np.einsum(a, [0, 1], b, [1, 2]),
        lambda a, b: np.einsum(a, [Ellipsis, 1], b, [1, 5], [5, Ellipsis]),
        lambda a, b: np.einsum("ij,jk", a, b, optimize=True),
        lambda a, b: np.einsum("ij,jk", a, b, optimize="greedy"),
    ],
)
def test_einsum_by_lists_and_optimized(call):
    agrees(call, values((2, 3)), values((3, 4)))


@given(together(2, 2))
@settings(max_examples=15)
@pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")
def test_matmul_is_its_einsum(shapes):
    a, b = (Values(1)((*shape, 2, 2)) for shape in shapes)
    for x, y in zip(
        ag.vjp(np.matmul, a, b)[1](np.ones(np.matmul(a, b).shape)),
        ag.vjp(lambda a, b: np.einsum("...ij,...jk", a, b), a, b)[1](
            np.ones(np.matmul(a, b).shape)
        ),
        strict=True,
    ):
        np.testing.assert_allclose(x, y, rtol=1e-12)


@pytest.mark.parametrize(
    ("subscripts", "shapes", "message"),
    [
        ("ij,j", [(3,), (3,)], "'ij' in 'ij,j' does not match the 1 axes"),
        ("ij", [(3, 3), (3,)], "'ij' has 1 terms for 2 operands"),
        ("ij,jk", [(2, 3), (4, 2)], "einsum: cannot be applied to"),
    ],
)
def test_einsum_that_does_not_fit(subscripts, shapes, message):
    with pytest.raises(ValueError, match=message):
        np.einsum(subscripts, *(ag.Tensor(np.ones(shape)) for shape in shapes))


# Systems, inverses, determinants


@pytest.mark.parametrize(
    ("a", "b"), [((3, 3), (3,)), ((2, 3, 3), (3,)), ((3, 3), (2, 3, 2)), ((2, 3, 3), (3, 1))]
)
def test_solve_takes_vectors_and_stacks_as_numpy_2(a, b):
    agrees(np.linalg.solve, Values(2).square(a), Values(5)(b))


@pytest.mark.parametrize(
    "f", [np.linalg.inv, np.linalg.det, lambda a: np.linalg.slogdet(a).logabsdet]
)
def test_inverse_and_determinants(f):
    agrees(f, SQUARES)


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (2, 3, 4)])
def test_pinv(shape):
    agrees(np.linalg.pinv, Values(6)(shape), order=2)


def test_slogdet_gives_a_constant_and_a_logarithm():
    a = ag.Tensor(-np.eye(3))
    result = np.linalg.slogdet(a)
    assert type(result).__name__ == "SlogdetResult"
    assert result.sign.item() == -1
    assert not result.sign.requires_grad
    result.logabsdet.backward()
    np.testing.assert_allclose(a.grad, -np.eye(3))


@pytest.mark.parametrize("f", [np.linalg.inv, lambda a: np.linalg.solve(a, np.ones(2))])
def test_a_singular_matrix_is_named(f):
    with pytest.raises(
        np.linalg.LinAlgError, match=r"cannot be applied to M \(2, 2\).*[Ss]ingular"
    ):
        f(ag.Tensor(np.zeros((2, 2)), name="M"))


# Factorisations


@pytest.mark.parametrize("upper", [False, True])
def test_cholesky(upper):
    agrees(lambda a: np.linalg.cholesky(a, upper=upper), DEFINITE)


@pytest.mark.parametrize("side", ["L", "U"])
def test_eigh_reads_one_triangle(side):
    agrees(lambda a: np.linalg.eigvalsh(a, UPLO=side), SQUARES)
    agrees(lambda a: np.linalg.eigh(a, UPLO=side).eigenvalues, SQUARES)
    agrees(lambda a: np.linalg.eigh(a, UPLO=side)[1] ** 2, SQUARES)
    agrees(lambda a: np.linalg.eigh(a, UPLO=side.lower())[1] ** 2, SQUARES)
    agrees(lambda a: np.linalg.eigvalsh(a, UPLO=side.lower()), SQUARES)


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4), (2, 4, 3)])
def test_svd(shape):
    a = Values(8)(shape)

    def back(a):
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return (u * s[..., None, :]) @ vh

    agrees(np.linalg.svdvals, a)
    agrees(lambda a: np.linalg.svd(a, compute_uv=False), a)
    agrees(lambda a: np.linalg.svd(a, full_matrices=False).U ** 2, a)
    agrees(lambda a: np.linalg.svd(a, full_matrices=False).Vh ** 2, a)
    weights = values(shape)
    gradient = ag.grad(lambda a: np.sum(back(a) * weights))(a)
    np.testing.assert_allclose(gradient, weights, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (2, 4, 2)])
def test_qr(shape):
    a = Values(9)(shape)
    agrees(lambda a: np.linalg.qr(a).Q, a)
    agrees(lambda a: np.linalg.qr(a, mode="r"), a)
    weights = values(shape)
    gradient = ag.grad(lambda a: np.sum(np.matmul(*np.linalg.qr(a)) * weights))(a)
    np.testing.assert_allclose(gradient, weights, atol=1e-12)


def test_results_with_names_keep_them():
    a = ag.Tensor(DEFINITE)
    assert np.linalg.eigh(a)._fields == ("eigenvalues", "eigenvectors")
    assert np.linalg.svd(a)._fields == ("U", "S", "Vh")
    assert np.linalg.qr(a)._fields == ("Q", "R")
    assert all(isinstance(x, ag.Tensor) for x in np.linalg.svd(a))


# Norms

VECTOR_ORDERS = [None, 1, 2, 3, 2.5, 1.5, 0.5, -1, INF, -INF]
MATRIX_ORDERS = [None, "fro", "nuc", 1, -1, 2, -2, INF, -INF]


@pytest.mark.parametrize("ord", VECTOR_ORDERS)
def test_norms_of_vectors(ord):
    agrees(lambda x: np.linalg.norm(x, ord), values((4,)), order=2)
    for axis in (0, -2):
        for keepdims in (False, True):
            agrees(
                lambda x, k=keepdims, a=axis: np.linalg.norm(x, ord, axis=a, keepdims=k),
                values((2, 3)),
            )


@pytest.mark.parametrize("ord", MATRIX_ORDERS)
def test_norms_of_matrices(ord):
    agrees(lambda x: np.linalg.norm(x, ord), TALL)
    for keepdims in (False, True):
        agrees(
            lambda x, k=keepdims: np.linalg.norm(x, ord, axis=(2, 0), keepdims=k), STACK, order=1
        )


def test_norms_by_their_own_names():
    agrees(np.linalg.norm, STACK)
    agrees(lambda x: np.linalg.vector_norm(x, ord=3), STACK)
    agrees(lambda x: np.linalg.vector_norm(x, axis=(0, 2), keepdims=True), STACK)
    agrees(lambda x: np.linalg.vector_norm(x, ord=INF), STACK)
    agrees(np.linalg.matrix_norm, STACK)
    agrees(lambda x: np.linalg.matrix_norm(x, ord="nuc", keepdims=True), STACK)


def test_the_number_of_nonzeros_has_no_gradient():
    x = ag.Tensor([0.0, 2.0, -1.0])
    result = np.linalg.norm(x, 0)
    assert result.item() == 2
    assert not result.requires_grad


def test_norms_do_not_overflow_in_their_gradient():
    x = ag.Tensor([3e160, 4e160])
    with np.errstate(over="ignore"):
        np.linalg.norm(x / 1e160, 5).backward()
    np.testing.assert_allclose(x.grad, np.array([81.0, 256.0]) / 1267**0.8 / 1e160)


# Traces and diagonals


@pytest.mark.parametrize("offset", [-1, 0, 2])
def test_trace_and_diagonal(offset):
    agrees(lambda x: np.trace(x, offset), TALL)
    agrees(lambda x: np.trace(x, offset, axis1=-1, axis2=0), STACK)
    agrees(lambda x: np.linalg.trace(x, offset=offset), STACK)
    agrees(lambda x: np.linalg.diagonal(x, offset=offset), STACK)


def test_matrix_transpose():
    agrees(np.matrix_transpose, STACK)
    agrees(np.linalg.matrix_transpose, TALL)


# What is refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: np.linalg.qr(a, mode="raw"), "mode='raw'"),
        (lambda a: np.linalg.eig(a[:3]), "eigh"),
        (lambda a: np.linalg.eig(a[:3]), "complex"),
        (lambda a: np.fft.irfft(a), "takes complex numbers"),
        (lambda a: np.fft.rfft(a), "result is complex.*np.cos"),
        (lambda a: np.linalg.cond(a), "svdvals"),
        (lambda a: np.linalg.tensorsolve(a[:3], np.ones(3)), "solve"),
        (lambda a: np.dot(a, np.ones(3), out=np.ones(4)), "dot: out= is not supported"),
        (lambda a: np.einsum("ij->j", a, out=np.ones(3)), "out"),
    ],
)
def test_what_has_no_derivative_says_what_to_do(call, message):
    with pytest.raises(TypeError, match=message):
        call(ag.Tensor(TALL))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: np.cross(a[:, :2], a[:, :2]), "vectors of length 3, not 2 and 2"),
        (lambda a: np.linalg.norm(a, "x"), "norm"),
        (lambda a: np.linalg.norm(a, 3), "is not a norm of matrices"),
        (lambda a: np.linalg.norm(a[0], "fro"), "for matrices"),
        (lambda a: np.linalg.norm(np.stack([a, a]), 2), "needs one or two axes, not 3"),
        (lambda a: np.linalg.cholesky(-np.eye(2) * a[0, 0] ** 2), "not positive definite"),
        (lambda a: np.linalg.matrix_power(a, 2), "square matrices"),
        (lambda a: np.tensordot(a, a, axes=1), "tensordot: cannot be applied to"),
        (lambda a: np.dot(a, a), "matmul: cannot be applied to"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(ag.Tensor(TALL))

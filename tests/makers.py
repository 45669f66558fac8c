"""Operands for operations whose fields do not determine them.

A maker under `special` is ``(draw, values) -> operands, attributes``: values gives numbers away
from every kink, draw is Hypothesis's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from domains import positive
from hypothesis import strategies as st
from strategies import Values, axes, shapes, together

Draw = Callable[[Any], Any]
Made = tuple[Sequence[Any], dict[str, Any]]
SCIPY = find_spec("scipy") is not None
SPECIAL: dict[str, Callable[[Draw, Values], Made]] = {}


def special(*names: str) -> Callable[[Any], Any]:
    """Enter a maker of operands."""

    def enter(make: Any) -> Any:
        SPECIAL.update(dict.fromkeys(names, make))
        return make

    return enter


@special("matmul")
def _matmul(draw, values):
    n, k, m = (draw(st.integers(1, 3)) for _ in range(3))
    left, right = draw(together(2, 1))
    forms = [((k,), (k,)), ((n, k), (k,)), ((k,), (k, m)), ((n, k), (k, m))]
    forms += [((*left, n, k), (*right, k, m)), ((*left, n, k), (k,)), ((k,), (*right, k, m))]
    a, b = draw(st.sampled_from(forms))
    return [values(a), values(b)], {}


@special("where")
def _where(draw, values):
    condition, x, y = draw(together(3))
    return [values(condition) > 0, values(x), values(y)], {}


@special("getitem")
def _getitem(draw, values):
    keys = [
        *(1, -1, slice(1, None)),
        (slice(None), slice(None, None, -2)),
        (Ellipsis, 0),
        (None, 1, Ellipsis),
        (np.array([0, 2, 0]),),
        [1, 1, 2],
        (np.array([0, 2, 2]), np.array([1, 1, 1])),
        (slice(None), np.array([[0, 1], [1, 1]])),
        np.arange(12).reshape(3, 4) % 3 == 0,
        np.array([True, False, True]),
        (2, 3),
    ]
    return [values((3, 4))], {"key": draw(st.sampled_from(keys))}


INTO = st.sampled_from([1, (slice(None), 2), (np.array([0, 0, 2]),)])


@special("add_at")
def _add_at(draw, values):
    key = draw(INTO)
    return [values(np.empty((3, 4))[key].shape)], {"key": key, "shape": (3, 4)}


@special("add_each_at")
def _add_each_at(draw, values):
    keys = tuple(draw(st.lists(INTO, min_size=1, max_size=3)))
    return [values(np.empty((3, 4))[k].shape) for k in keys], {"keys": keys, "shape": (3, 4)}


@special("broadcast_to")
def _broadcast_to(draw, values):
    small, whole = draw(together())
    return [values(small)], {"shape": np.broadcast_shapes(small, whole)}


@special("sum_to")
def _sum_to(draw, values):
    small, whole = draw(together())
    return [values(np.broadcast_shapes(small, whole))], {"shape": small}


@special("astype")
def _astype(draw, values):
    return [values(draw(shapes()))], {"dtype": "f8"}  # float32 has no difference quotient


@special("reshape")
def _reshape(draw, values):
    shape = draw(st.sampled_from([(6,), (2, 3), (3, -1), -1, (1, 6, 1)]))
    return [values(draw(st.sampled_from([(2, 3), (6,), (1, 3, 2)])))], {"shape": shape}


@special("transpose")
def _transpose(draw, values):
    shape = draw(shapes())
    order = st.permutations(range(len(shape))).map(tuple)
    turned = order.map(lambda axes: tuple(axis - len(shape) for axis in axes))
    return [values(shape)], {"axes": draw(st.one_of(st.none(), order, turned))}


@special("swapaxes")
def _swapaxes(draw, values):
    shape = draw(shapes(min_dims=1))
    axis = st.integers(-len(shape), len(shape) - 1)
    return [values(shape)], {"axis1": draw(axis), "axis2": draw(axis)}


@special("squeeze")
def _squeeze(draw, values):
    return [values((1, 3, 1))], {"axis": draw(st.sampled_from([None, 0, -1, (0, 2)]))}


@special("expand_dims")
def _expand_dims(draw, values):
    return [values((2, 3))], {"axis": draw(st.sampled_from([0, -1, 1, (0, 2)]))}


@special("concatenate")
def _concatenate(draw, values):
    axis = draw(st.sampled_from([None, 0, 1, -1]))
    lengths = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    where = 0 if axis is None else axis % 2
    made = [values((n, 2) if where == 0 else (2, n)) for n in lengths]
    return made, {"axis": axis}


@special("stack")
def _stack(draw, values):
    shape = draw(shapes(2))
    axis = draw(st.integers(-len(shape) - 1, len(shape)))
    return [values(shape) for _ in range(draw(st.integers(1, 3)))], {"axis": axis}


REDUCTIONS = st.sampled_from(["mean", "sum", "none"])


@special("binary_cross_entropy")
def _binary_cross_entropy(draw, values):
    shape = draw(shapes())
    made = [values(shape, **positive(0.1, 0.9)) for _ in range(2)]
    return made, {"reduction": draw(REDUCTIONS)}


@special("binary_cross_entropy_with_logits")
def _with_logits(draw, values):
    shape = draw(shapes())
    made = [values(shape), values(shape, **positive(0.1, 0.9))]
    return made, {"reduction": draw(REDUCTIONS)}


@special("binary_cross_entropy_of_sigmoid")
def _of_sigmoid(draw, values):
    (z, y), attributes = _with_logits(draw, values)
    return [z, 1 / (1 + np.exp(-z)), y], attributes


@special("gelu")
def _gelu(draw, values):
    return [values(draw(shapes()))], {
        "approximate": draw(st.sampled_from(["tanh", "none"][: 1 + SCIPY]))
    }


@special("truncated_moment")
def _truncated_moment(draw, values):
    return [values(draw(shapes()), 0.25, 4)], {"order": draw(st.integers(1, 3))}


@special("tanh_derivative")
def _tanh_derivative(draw, values):
    x = values(draw(shapes()))
    return [x, np.tanh(x)], {}


@special("squared_error")
def _squared_error(draw, values):
    shape = draw(shapes())
    return [values(shape), values(shape)], {"reduction": draw(REDUCTIONS)}


@special("cross_entropy")
def _cross_entropy(draw, values):
    shape = (*draw(shapes(2)), 3)
    classes = np.abs(values(shape[:-1], 0.25, 2.9)).astype(int)
    labels = draw(st.sampled_from([classes, values(shape, **positive(0.1, 0.9))]))
    return [values(shape), labels], {"reduction": draw(REDUCTIONS)}


# Picking and rearranging


@special("take_along_axis", "add_along_axis")
def _along_an_axis(draw, values):
    indices = np.array([[2, 0, 2], [1, 1, 0]])
    axis = draw(st.sampled_from([1, -1]))
    return [values((2, 3)), indices], {"axis": axis}


@special("add_along_axis")
def _add_along_axis(draw, values):
    (a, indices), attributes = _along_an_axis(draw, values)
    return [a, indices], attributes | {"shape": (2, 4)}


@special("roll")
def _roll(draw, values):
    given = [{"shift": 2}, {"shift": -1, "axis": 0}, {"shift": (1, 2), "axis": (0, 1)}]
    return [values((2, 3))], draw(st.sampled_from(given))


@special("tile")
def _tile(draw, values):
    return [values(draw(shapes(2)))], {"reps": draw(st.sampled_from([2, (2,), (2, 1, 3), ()]))}


@special("tril", "triu")
def _triangle(draw, values):
    return [values((*draw(shapes(1)), 3, 4))], {"k": draw(st.integers(-2, 3))}


@special("unwrap")
def _unwrap(draw, values):
    # Irrational, so that no difference of the numbers is half a period.
    given = [{}, {"axis": 0}, {"period": math.sqrt(3)}, {"discont": math.sqrt(17)}]
    return [4 * values((3, 4))], draw(st.sampled_from(given))


@special("recurrence")
def _recurrence(draw, values):
    shape = draw(shapes(min_dims=1))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    return [values(shape), values(shape)], {"axis": axis}


@special("vander")
def _vander(draw, values):
    return [values((3,))], draw(st.sampled_from([{}, {"N": 1}, {"N": 5}, {"increasing": True}]))


# Products


@special("outer", "kron")
def _outer(draw, values):
    return [values(draw(shapes(2))), values(draw(shapes(2)))], {}


@special("convolve")
def _convolve(draw, values):
    return [values((draw(st.integers(1, 4)),)), values((draw(st.integers(1, 4)),))], {}


@special("cross")
def _cross(draw, values):
    lead = draw(shapes(1))
    return [values((*lead, 3)), values((*lead, 3))], {}


@special("tensordot")
def _tensordot(draw, values):
    given = [
        ((2, 3), (2, 3), 2),
        ((2, 3), (3, 4), 1),
        ((2,), (3,), 0),
        ((2, 3, 2), (3, 2, 4), ([1, 2], [0, 1])),
        ((2, 3, 2), (2, 3), ((0, 1), (0, 1))),
        ((2, 3), (3, 2), (-1, 0)),
    ]
    a, b, axes = draw(st.sampled_from(given))
    return [values(a), values(b)], {"axes": axes}


@special("einsum")
def _einsum(draw, values):
    given = [
        ("ij,jk->ik", (2, 3), (3, 2)),
        ("ij->ji", (2, 3)),
        ("ij->", (2, 3)),
        ("ii->i", (3, 3)),
        ("i,j->ij", (2,), (3,)),
        ("bi,ij,bj->b", (2, 3), (3, 2), (2, 2)),
        ("i,i,i->i", (3,), (3,), (3,)),
    ]
    subscripts, *found = draw(st.sampled_from(given))
    return [values(shape) for shape in found], {"subscripts": subscripts}


@special("multi_dot")
def _multi_dot(draw, values):
    given = [((2, 3), (3, 2)), ((3,), (3, 2), (2, 4)), ((2, 3), (3, 4), (4,)), ((2,), (2, 2), (2,))]
    return [values(shape) for shape in draw(st.sampled_from(given))], {}


@special("trace")
def _trace(draw, values):
    given = [{}, {"offset": 1}, {"offset": -1, "axis1": 1, "axis2": 2}, {"axis1": -1, "axis2": 0}]
    return [values((3, 2, 4))], draw(st.sampled_from(given))


# Linear algebra


@special("inv", "det", "det_sign", "log_abs_det", "cofactors")
def _square(draw, values):
    n = draw(st.integers(1, 3))
    return [values.square((*draw(shapes(1)), n, n))], {}


@special("cofactors_along")
def _with_directions(draw, values):
    n = draw(st.integers(1, 3))
    return [values((n, n)), values.square((n, n))][-draw(st.integers(1, 2)) :], {}


@special("cholesky")
def _positive_definite(draw, values):
    n = draw(st.integers(1, 3))
    return [values.symmetric((*draw(shapes(1)), n, n))], {}


@special("eigvalsh", "eigh_vectors")
def _symmetric(draw, values):
    return _positive_definite(draw, values)[0], {"UPLO": draw(st.sampled_from("LUlu"))}


@special("svdvals", "svd_u", "svd_vh", "pinv")
def _rectangular(draw, values):
    m, n = draw(st.sampled_from([(3, 3), (3, 2), (2, 3), (1, 1)]))
    return [values.square((*draw(shapes(1)), 3, 3))[..., :m, :n]], {}


@special("quantile", "nanquantile")
def _quantile(draw, values):
    shape, method = draw(shapes(min_dims=1)), draw(st.sampled_from(["linear", "hazen", "midpoint"]))
    options = {"axis": draw(axes(len(shape))), "keepdims": draw(st.booleans()), "method": method}
    return [values(shape), values(draw(shapes(1)), **positive(0.1, 0.9))], options


@special("qr_q", "qr_r")
def _tall(draw, values):
    return [values.square((*draw(shapes(1)), 3, 3))[..., : draw(st.integers(1, 3))]], {}


@special("solve")
def _solve(draw, values):
    given = [((2, 2), (2,)), ((2, 2), (2, 3)), ((2, 3, 3), (3,)), ((2, 2, 2), (2, 1))]
    given += [((3, 3), (2, 3, 1))]
    a, b = draw(st.sampled_from(given))
    return [values.square(a), values(b)], {}


@special("norm")
def _norm(draw, values):
    given = [
        ((3,), {"ord": 2}),
        ((2, 3), {"ord": 2, "axis": 1}),
        ((2, 3), {"ord": 1, "axis": 0, "keepdims": True}),
        ((2, 3), {"ord": 3, "axis": -1}),
        ((2, 3), {"ord": -1.5, "axis": 1}),
    ]
    shape, attributes = draw(st.sampled_from(given))
    return [values(shape)], attributes


@special("std")
def _std(draw, values):
    # Of one number it is 0, whatever the number: a kink, as that of a norm at 0.
    axis, keepdims = draw(st.sampled_from([None, 0, -1, (0, 1)])), draw(st.booleans())
    ddof = draw(st.sampled_from([0, 0.5, 1]))
    return [values((3, 2))], {"axis": axis, "keepdims": keepdims, "ddof": ddof}


# What has no derivative


@special("matrix_rank", "distinct", "regular")
def _matrix_of_lengths(draw, values):
    return [np.abs(values.square((3, 3)))], {}


@special("bitwise_and", "bitwise_or", "bitwise_xor")
def _two_of_integers(draw, values):
    return [(8 * values(shape)).astype(int) for shape in draw(together())], {}


@special("invert")
def _of_integers(draw, values):
    return [(8 * values(draw(shapes()))).astype(int)], {}


@special("ldexp")
def _ldexp(draw, values):
    x, i = draw(together())
    return [values(x), values(i).astype(int)], {}


@special("angle")
def _angle(draw, values):
    return [values(draw(shapes()))], {"deg": draw(st.booleans())}


@special("argpartition")
def _argpartition(draw, values):
    return [values((2, 3))], {"kth": draw(st.integers(0, 2)), "axis": -1}


@special("argsort")
def _argsort(draw, values):
    return [values((2, 3))], {"axis": draw(st.sampled_from([0, -1, None]))}


@special("searchsorted")
def _among_sorted(draw, values):
    return [np.sort(values((4,))), values((3,))], {}


@special("digitize")
def _digitize(draw, values):
    return [values((3,)), np.sort(values((4,)))], {"right": draw(st.booleans())}


@special("isclose", "isin")
def _pairs(draw, values):
    x = values((3,))
    return [x, x + np.array([0.0, 1e-9, 0.5])], {}


@special("ones_like", "zeros_like")
def _like(draw, values):
    return [values(draw(shapes()))], {}


@special("round")
def _round(draw, values):
    return [values(draw(shapes()))], {"decimals": draw(st.sampled_from([0, 1]))}

"""Where each rewrite of the compiler fits, and what looks like such a place and is none."""

from __future__ import annotations

import numpy as np

SUM = {"sums": True}


def call(fn, *numbers, **keywords):
    """A call of a function on all operands, then on numbers."""
    return lambda b, *x: b.call(fn, *x, *numbers, **keywords)


def first(number, fn):
    return lambda b, x: b.call(fn, number, x)


def after(inner, outer, *numbers, **keywords):
    """One call of the result of another."""
    return lambda b, x: b.call(outer, b.call(inner, x), *numbers, **keywords)


def with_minus(fn, left):
    def case(b, x, y):
        x, y = (b.call("np.negative", x), y) if left else (x, b.call("np.negative", y))
        return b.call(fn, x, y)

    return case


def spread(fn, shape, *numbers, outer=None):
    """A function of a broadcast operand beside others."""

    def case(b, x, *others):
        e = b.call(fn, b.call("np.broadcast_to", x, shape), *others, *numbers)
        return b.call(outer, e) if outer else e

    return case


def shifted(outer, inner):
    def case(b, x):
        peak = b.call("np.max", b.call("np.subtract", x, b.call("np.max", x, **inner)), **outer)
        return b.call("np.where", b.call("np.isfinite", peak), peak, 0)

    return case


def kept(b, fn, form, *args, **keywords):
    return b._call(fn, args, keywords, form)


def rows_taken(b, x, k):
    places = b.call("np.broadcast_to", b.call("np.expand_dims", k, 1), (6, 3))
    return kept(b, "take_along_axis", ((6, 3), x.dtype), x, places, axis=0)


def rows_added(b, g, k):
    places = b.call("np.broadcast_to", b.call("np.expand_dims", k, 1), (6, 3))
    return kept(b, "add_along_axis", ((4, 3), g.dtype), g, places, axis=0, shape=(4, 3))


def rows_shaped(b, x, k):
    rows = b.call("np.reshape", x, (4, 6))
    return b.call("np.reshape", b.call("[]", rows, b.call("np.reshape", k, (6,))), (6, 1, 2, 3))


def losses(reduction):
    return lambda b, z, y: kept(b, "cross_entropy", ((), z.dtype), z, y, reduction=reduction)


def entropy(b, z, y):
    minus = b.call("softplus", b.call("np.negative", z))
    rest = b.call("np.multiply", b.call("np.subtract", 1.0, y), b.call("softplus", z))
    return b.call("np.add", b.call("np.multiply", y, minus), rest)


def two_exponentials(b, z, y):
    product = b.call("np.multiply", y, z)
    minus = b.call("np.negative", product)
    return b.call("np.logaddexp", minus, b.call("np.subtract", z, product))


def hinge(b, z, y):
    return b.call("np.subtract", b.call("np.maximum", z, 0), b.call("np.multiply", y, z))


def slope(b, z, y):
    s, t = b.call("sigmoid", z), b.call("sigmoid", b.call("np.negative", z))
    s = b.call("np.multiply", b.call("np.subtract", 1.0, y), s)
    return b.call("np.subtract", s, b.call("np.multiply", y, t))


def weighted_slope(b, z, y, w):
    s, t = b.call("sigmoid", z), b.call("sigmoid", b.call("np.negative", z))
    left = b.call("np.multiply", b.call("np.multiply", w, b.call("np.subtract", 1.0, y)), s)
    return b.call("np.subtract", left, b.call("np.multiply", b.call("np.multiply", y, t), w))


def size_of_slope(b, z, y, w=1.0):
    """ŷ − y is as accurate as ŷ and y are."""
    return b.call("np.multiply", w, b.call("np.add", 1.0, b.call("np.absolute", y)))


def size_of_entropy(b, z, y):
    """Where y is no probability, the terms cancel."""
    weights = b.call("np.add", 1.0, b.call("np.absolute", y))
    return b.call("np.multiply", weights, b.call("softplus", b.call("np.absolute", z)))


def below_zero(b, z):
    return b.call("softplus", b.call("np.negative", b.call("np.absolute", z)))


def beside_maximum(b, x):
    return b.call("np.greater", x, 0.0), b.call("np.maximum", x, 0.0)


def beside_decay(flip):
    def case(b, z):
        decay = b.call("np.exp", b.call("np.negative", b.call("np.absolute", z)))
        return b.call("sigmoid", b.call("np.negative", z) if flip else z), decay

    return case


def transposed(b, x, y):
    return b.call(".T", b.call("np.matmul", b.call(".T", x), y))


def everywhere(b, g):
    return kept(b, "add_at", ((4, 3), g.dtype), g, key=(slice(None), None), shape=(4, 3))


def filled_product(b, x, c):
    return b.call("np.matmul", b.call("np.broadcast_to", c, (3, 4)), x)


def column_times_row(b, x, y):
    return b.call("np.multiply", b.call("np.expand_dims", x, 1), b.call("np.expand_dims", y, 0))


def products(b, x, y):
    return b.call("np.add.reduce", b.call("np.multiply", x, y), axis=None)


def chosen(b, x, taken=1.0, other=0.0):
    return b.call("np.where", b.call("np.greater", x, 0.0), taken, other)


def zeros_set(zeros, product):
    """A product that is set to 0 where something else is 0."""

    def case(b, *given):
        condition = b.call("np.equal", zeros(b, *given), 0.0)
        return b.call("np.where", condition, 0.0, product(b, *given))

    return case


def choice_set(b, x):
    taken = b.call("np.greater", x, 0.0)
    product = b.call("np.multiply", b.constant(np.linspace(1, 2, 40)), taken)
    return b.call("np.where", taken, product, 0.0)


def relu_set(b, g, x):
    out = b.call("np.maximum", x, 0.0)
    product = b.call("np.multiply", b.call("np.tanh", g), b.call("np.greater", out, 0.0))
    return b.call("np.where", b.call("np.less_equal", out, 0.0), 0.0, product)


def two_zeros(b, x, y):
    product = b.call("np.multiply", b.call("np.multiply", x, y), b.call("np.sin", x))
    either = b.call("np.logical_or", b.call("np.equal", x, 0.0), b.call("np.equal", y, 0.0))
    return b.call("np.where", either, 0.0, product)


def placed_set(b, g, x):
    ones = b.call("np.ones_like", g)
    zeros, part = (b.call("add_at", y, key=slice(0, 3), shape=x.shape) for y in (ones, g))
    product = b.call("np.multiply", part, b.call("np.cos", x))
    return b.call("np.where", b.call("np.equal", zeros, 0.0), 0.0, product)


CASES = {
    "to_the_zeroth": [(call("np.power", 0), "d:40", {}), (call("np.power", 0.0), "f:40", {})],
    "or_false": [
        (lambda b, x: b.call("np.logical_or", x, False), "?:40", {}),
        (lambda b, x: b.call("np.logical_or", b.constant(np.False_), x), "?:40", {}),
    ],
    "where_not": [
        (
            lambda b, c, x, y: b.call("np.where", b.call("np.logical_not", c), x, y),
            "?:40 d:40 d:40",
            {},
        )
    ],
    "chosen_twice": [
        (
            lambda b, x, y: b.call(
                "np.where", b.call("np.greater", x, 0.0), b.call("np.divide", chosen(b, x), y), x
            ),
            "d:40 d:40",
            {},
        ),
        (
            lambda b, x: b.call(
                "np.where", b.call("np.greater", x, 0.0), 2.0, chosen(b, x, 1.0, x)
            ),
            "d:40",
            {},
        ),
    ],
    "zero_of_truth": [(call(fn, 0), "?:40", {}) for fn in ("np.equal", "np.not_equal")],
    "zero_of_choice": [
        (lambda b, x: b.call("np.equal", chosen(b, x, 3.0), 0.0), "d:40", {}),
        (lambda b, c: b.call("np.equal", b.call("np.multiply", 2.0, c), 0.0), "?:40", {}),
    ],
    "zero_already": [
        (
            zeros_set(lambda b, x, y: y, lambda b, x, y: b.call("np.multiply", x, y)),
            "d:40 d:40",
            {"ordinary": True},
        ),
        (choice_set, "d:40", {"ordinary": True}),
        (two_zeros, "d:40 d:40", {"ordinary": True}),
        (placed_set, "d:3 d:40", {"ordinary": True}),
        (relu_set, "d:40 d:40", {"ordinary": True}),
    ],
    "weaken": [
        (call("np.multiply"), "d:40 cd", {}),
        (call("np.maximum"), "cf f:40", {}),
        (call("np.power"), "d:40 cd", {}),
        (call("np.where"), "?:40 d:40 cd", {}),
        (call("np.greater"), "f:40 cf", {}),
        (call("np.add"), "l:40 cl", {}),
    ],
    "filled": [(call("np.zeros_like"), "d:3", {}), (call("np.ones_like"), "f", {})],
    "broadcast_to_itself": [
        (call("np.broadcast_to", (4,)), "d:4", {}),
        (spread("np.broadcast_to", (3, 4), (2, 3, 4)), "d:4", {}),
    ],
    "of_scalars": [
        (spread("np.exp", (4,)), "cd", {}),
        (spread("np.divide", (4,), 3.0), "cf", {}),
        (spread("np.add", (4,), 2), "cb", {}),
    ],
    "sum_of_scalar": [
        (spread("np.add.reduce", (7, 3)), "cd", SUM),
        (lambda b, c: b.call("np.add.reduce", b.call("np.broadcast_to", c, (9,))), "cf", SUM),
    ],
    "broadcast_argument": [
        (spread("np.multiply", (5, 4)), "d:4 d:5,4", {}),
        (spread("np.where", (5, 4)), "?:4 d:5,4 d:5,1", {}),
    ],
    "as_float": [
        (call("np.multiply", 3), "d:40", {}),
        (call("np.power", 3), "f:40", {}),
        (call("np.where", 1), "?:40 d:40", {}),
    ],
    "known_condition": [
        (lambda b, x, y: b.call("np.where", True, x, y), "d:40 d:40", {}),
        (lambda b, x, y: b.call("np.where", b.constant(np.False_), x, y), "f:40 f:40", {}),
    ],
    "times_one": [
        (call("np.multiply", 1), "i:40", {}),
        (call("np.multiply", 1.0), "d:40", {}),
        (first(-1.0, "np.multiply"), "f:40", {}),
    ],
    "plus_zero": [
        (call("np.add", 0.0), "d:40", {}),
        (first(0, "np.add"), "b:40", {}),
        (call("np.subtract", 0), "B:40", {}),
        (call("np.subtract", 0.0), "d:40", {}),
        (first(0.0, "np.subtract"), "d:40", {}),
    ],
    "over_one": [(call("np.divide", 1.0), "d:40", {}), (call("np.power", 1), "b:40", {})],
    "one_over": [(first(1.0, "np.divide"), "d:40", {}), (first(1.0, "np.divide"), "f:40", {})],
    "to_the_second": [
        (call("np.power", 2), "d:40", {}),
        (call("np.power", 2.0), "f:40", {}),
        (call("np.power", 2), "b:40", {}),
    ],
    "double_negative": [
        (after("np.negative", "np.negative"), "d:40", {}),
        (after("np.negative", "np.negative"), "B:40", {}),
        (lambda b, x, y: b.call("np.negative", b.call("np.subtract", x, y)), "d:40 d:40", {}),
    ],
    "absolute_negative": [
        (after("np.negative", "np.absolute"), "d:40", {}),
        (after("np.negative", "np.absolute"), "b:40", {}),
    ],
    "add_negative": [
        (with_minus("np.add", False), "d:40 d:40", {}),
        (with_minus("np.add", True), "f:40 d:40", {}),
        (with_minus("np.add", True), "b:40 b:40", {}),
        (with_minus("np.subtract", False), "d:40 f:40", {}),
        (with_minus("np.subtract", False), "b:40 b:40", {}),
    ],
    "doubled": [(lambda b, x: b.call("np.add", x, x), "d:40", {})],
    "add_everywhere": [(everywhere, "d:4,1,3", {})],
    "reshaped_twice": [
        (lambda b, x: b.call("np.reshape", b.call("np.reshape", x, (3, 4)), (2, 6)), "d:12", {})
    ],
    "double_transpose": [
        (after(".T", ".T"), "d:3,4", {}),
        (call(".T"), "d:4", {}),
    ],
    "transposed_product": [(transposed, "d:4,3 d:4,2", SUM), (transposed, "f:1,3 f:1,2", SUM)],
    "plain_transpose": [
        (call("np.transpose"), "d:2,3,4", {}),
        (call("np.transpose", (1, 0)), "d:3,4", {}),
        (call("np.transpose", (0, 1)), "d:3,4", {}),
    ],
    "same_form": [
        (call("np.reshape", (3, 4)), "d:3,4", {}),
        (call("np.squeeze"), "d:3,4", {}),
        (call(".astype", np.dtype(np.float32)), "f:4", {}),
    ],
    "shifted_twice": [
        (shifted({}, {}), "d:3,4", {}),
        (shifted({"axis": 1, "keepdims": True}, {"axis": 1, "keepdims": True}), "d:4,4", {}),
        (shifted({"keepdims": True}, {}), "d:3,4", {}),
    ],
    "rows_by_number": [(rows_taken, "d:4,3 l:6", {})],
    "added_by_number": [(rows_added, "d:6,3 l:6", SUM)],
    "rows_in_shape": [(rows_shaped, "d:4,2,3 l:6,1", {})],
    "whole": [(call("[]", ()), "d:3,4", {})],
    "mean_as_sum": [
        (call("np.mean"), "d:40", SUM),
        (call("np.mean", axis=1, keepdims=True), "f:3,4", SUM),
    ],
    "losses_of_rows": [
        (
            losses("mean"),
            "d:5,4 l:5",
            {"scale": lambda b, z, y: b.call("np.max", b.call("np.absolute", z))},
        ),
        (losses("sum"), "d:4 l", {}),
    ],
    "cross_entropy": [
        (entropy, "d:40 d:40", {"scale": size_of_entropy}),
        (entropy, "f:4,3 f:3", {"scale": size_of_entropy}),
    ],
    "log_of_two": [
        (two_exponentials, "d:40 d:40", {"scale": size_of_entropy}),
        (two_exponentials, "f:40 f:40", {"scale": size_of_entropy}),
    ],
    "softplus_below_zero": [(below_zero, "d:40", {}), (below_zero, "f:40", {})],
    "hinge": [(hinge, "d:40 d:40", {}), (hinge, "f:40 f:40", {})],
    "complement": [
        (slope, "d:40 d:40", {"scale": size_of_slope}),
        (slope, "f:40 f:40", {"scale": size_of_slope}),
        (weighted_slope, "d:40 d:40 d:40", {"scale": size_of_slope}),
    ],
    "greater_of_maximum": [(beside_maximum, "d:40", {})],
    "shared_sigmoid": [
        (beside_decay(False), "d:40", {}),
        (beside_decay(True), "f:40", {}),
    ],
    "filled_operand": [(filled_product, "d:4,2 cd", SUM)],
    "over_one_element": [
        (call("np.matmul"), "d:4,1 d:1,1", {}),
        (call("np.matmul"), "d:1,1 d:1,4", {}),
        (call("np.matmul"), "d:4,1 d:1", {}),
        (call("np.matmul"), "f:1 f:1,4", {}),
    ],
    "matmul_as_dot": [
        (call("np.matmul"), specs, SUM)
        for specs in ("d:3 d:3", "d:1,3 d:3", "f:4,3 f:3,2", "d:3 d:3,1", "d:4,1 d:1,2", "d:1 d:1")
    ],
    "outer_as_dot": [
        (column_times_row, "d:4 d:3", {}),
        (call("np.multiply"), "f:4,1 f:3", {}),
    ],
    "mask_as_numbers": [
        (call("np.multiply"), "?:40 d:40", {}),
        (call("np.multiply"), "f:4 ?:4", {}),
    ],
    "sum_of_products": [(products, "d:40 d:40", SUM), (products, "f:1 f:1", SUM)],
    "sum_over_one": [
        (call("np.add.reduce", axis=0), "d:1,3", {}),
        (call("np.add.reduce", axis=1), "d:3,1", {}),
        (call("np.add.reduce", axis=(0, 1)), "f:1,1", {}),
        (call("np.add.reduce"), "d:1", {}),
    ],
    "sum_as_dot": [
        (call("np.add.reduce"), "d:40", SUM),
        (call("np.add.reduce", axis=0), "d:4,3", SUM),
        (call("np.add.reduce", axis=1), "f:4,3", SUM),
    ],
    "sum_in_column": [(call("np.add.reduce", axis=1, keepdims=True), "d:4,3", SUM)],
    "negative_absolute": [(after("np.absolute", "np.negative"), "d:40", {})],
}

# What looks like a rule's case and is none: left alone, or as right.
ALIKE = [
    ("weaken", call("np.greater"), "f:40 cd", {}),
    ("weaken", call("np.multiply"), "f:40 cd", {}),
    ("weaken", call("np.where"), "?:40 f:40 cd", {}),
    ("sum_of_scalar", spread("np.add.reduce", (0, 3)), "cd", {}),
    (
        "sum_of_scalar",
        lambda b, c: b.call("np.add.reduce", b.call("np.broadcast_to", c, (3,)), initial=1.0),
        "cd",
        {},
    ),
    ("absolute_negative", after("np.negative", "np.absolute"), "B:40", {}),
    ("add_negative", with_minus("np.add", False), "l:40 B:40", {}),
    ("add_negative", with_minus("np.add", False), "d:40 b:40", {}),
    ("add_negative", with_minus("np.subtract", False), "l:40 b:40", {}),
    ("shifted_twice", shifted({"axis": 1}, {"axis": 1}), "d:4,4", {}),
    ("shifted_twice", shifted({"axis": 0}, {"axis": 0}), "d:4,4", {}),
    ("shifted_twice", shifted({"initial": 2.0}, {"initial": 2.0}), "d:4", {}),
    ("mean_as_sum", call("np.mean"), "e:40", SUM),
    (
        "rows_in_shape",
        lambda b, x, k: b.call("np.reshape", b.call("[]", x, k), (6, 6), order="F"),
        "d:4,2,3 l:6",
        {},
    ),
    ("same_form", call("np.reshape", (3, 4), order="F"), "d:3,4", {}),
    (
        "reshaped_twice",
        lambda b, x: b.call("np.reshape", b.call("np.reshape", x, (3, 4), order="F"), (2, 6)),
        "d:12",
        {},
    ),
    ("outer_as_dot", call("np.multiply"), "d:4,1 d:1,1", {}),
    ("outer_as_dot", call("np.multiply"), "d:1,1 d:1,4", {}),
    *(
        ("matmul_as_dot", call("np.matmul"), specs, SUM)
        for specs in (
            "d:4,1 d:1",
            "d:1 d:1,4",
            "d:1,1 d:1",
            "d:1 d:1,1",
            "d:1,1 d:1,1",
            "d:1,1 d:1,4",
        )
    ),
    ("sum_as_dot", call("np.add.reduce", axis=0), "d:1,3", SUM),
    ("sum_as_dot", call("np.add.reduce", axis=1), "d:3,1", SUM),
    ("sum_in_column", call("np.add.reduce", axis=0, keepdims=True), "d:4,3", SUM),
    ("hinge", hinge, "b:40 b:40", {}),
    ("doubled", lambda b, x: b.call("np.add", x, x), "B:40", {}),
]

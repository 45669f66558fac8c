"""Random programs with rows: one program for every number of rows, in blocks of any size."""

from __future__ import annotations

import numpy as np
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler import NotSeparableError, executors, summation
from autograd_lite.trees import flatten

ELEMENTWISE = (
    *("np.tanh({})", "ag.relu({})", "ag.sigmoid({})", "np.exp(-np.abs({}))", "{} ** 2", "-{}"),
    *("np.where({0} > 0, {0}, 0.3 * {0})", "({} * 0.7 + 1)", "np.maximum({}, 0.1)"),
    *("({} / len(X))", "({} * len(X))", "np.log1p(np.abs({}))"),
)
TABLES = ("({table} + b)", "({table} * {table})", "({table} * {column}[:, None])", "({table} @ S)")
COLUMNS = (
    *("({table} @ b)", "np.sum({table}, axis=1)", "({column} * {column})"),
    "np.max({table}, axis=1)",
)
RESULTS = (
    *("np.sum({table}, axis=0)", "np.mean({column})", "np.sum({table}) / len(X)", "{column}"),
    *("np.tanh(np.mean({table}, axis=0) + b)", "{table}.T @ {table} / len(X)", "{table}"),
    "ag.grad(lambda b, S: np.mean({column}))(b, S)",
    "ag.value_and_grad(lambda S: np.sum({column}) / len(X) + 0.01 * np.sum(S * S))(S)",
)


@st.composite
def texts(draw, forms, depth):
    """The source of an expression, made from forms whose parts are drawn as well."""
    form = draw(st.sampled_from(forms))
    for part, leaf, deeper in (("{table}", "X", TABLES), ("{column}", "y", COLUMNS)):
        while part in form:
            text = leaf
            if depth and draw(st.integers(0, 3)):
                text = draw(texts(deeper, depth - 1))
                if draw(st.booleans()):
                    text = "(" + draw(st.sampled_from(ELEMENTWISE)).format(text) + ")"
            form = form.replace(part, text, 1)
    return form


@st.composite
def functions(draw):
    results = draw(st.lists(texts(RESULTS, 3), min_size=1, max_size=3))
    return f"lambda X, y, b, S: ({', '.join(results)},)"


def arguments(length, dtype):
    random = np.random.default_rng(length)
    shapes = ((length, 3), (length,), (3,), (3, 3))
    return [random.normal(size=shape).astype(dtype) / 2 for shape in shapes]


def disagreement(function, options, lengths, dtype):
    """The largest difference between a program with rows and one for each number of rows."""
    compiled, worst = ag.compile(function, **options), 0.0
    for length in lengths:
        args = arguments(length, dtype)
        pairs = zip(
            flatten(compiled(*args))[0], flatten(ag.compile(function)(*args))[0], strict=True
        )
        for found, expected in pairs:
            assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
            finite = np.isfinite(expected)
            scale = max(np.max(np.abs(expected), where=finite, initial=0), 1e-3)
            difference = np.abs(np.where(finite, found - expected, 0)) / scale
            worst = max(worst, float(np.max(difference, initial=0)))
    return worst


@settings(max_examples=60, deadline=None)
@given(
    functions(),
    st.fixed_dictionaries({"rows": st.sampled_from(["auto", 4, 50]), "workers": st.integers(1, 2)}),
    st.lists(st.sampled_from([5, 8, 17, 64, 300, 1000, 2500]), min_size=2, max_size=3),
    st.sampled_from([np.float64, np.float32]),
)
def test_programs_with_rows_agree_with_programs_for_each_number(text, options, lengths, dtype):
    try:
        worst = disagreement(eval(text, {"np": np, "ag": ag}), options, lengths, dtype)
    except NotSeparableError:  # products with arrays of equal elements, one for each row
        reject()
    assert worst < (1e-9 if dtype is np.float64 else 2e-3), text


def test_rows_in_no_block_fail_the_test(monkeypatch):
    """The comparison above sees rows that are left out."""
    blocks = executors.row_blocks
    function = lambda X, y, b, S: (np.sum(X * y[:, None], axis=0), np.mean(y))  # noqa: E731
    assert disagreement(function, {"rows": 50}, [300], np.float64) < 1e-12
    monkeypatch.setattr(summation, "row_blocks", lambda *args: blocks(*args)[:-1])
    assert disagreement(function, {"rows": 50}, [300], np.float64) > 1e-3

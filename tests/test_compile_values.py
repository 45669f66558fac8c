"""Plain values, keys and constants of compiled functions: each exactly what it is."""

from __future__ import annotations

import enum

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.expressions.printer import literal

X = np.arange(6.0).reshape(2, 3)


class Number(enum.IntEnum):
    ONE = 1
    TWO = 2


class Word(str, enum.Enum):  # noqa: UP042 - equal to a text, on every Python
    ONE = "1"


# Values that are equal, or print alike, stand beside each other.
EQUAL = (
    *(True, 1, 1.0, np.int64(1), np.float32(1), np.True_, Number.ONE, "1", Word.ONE, b"1"),
    *(0.0, -0.0, False, complex(0, 0), complex(0, -0.0), complex(-0.0, 0), None, ...),
    *(range(0), range(5, 5), range(0, 4, 3), range(0, 6, 3), np.float32, np.dtype("f4")),
    *(np.dtype(">f4"), np.longdouble(1) / 3, np.longdouble(1 / 3), Number.TWO, 2),
)
PLAIN = tuple(x for x in EQUAL if not isinstance(x, np.generic))  # those that are not arrays

TEXTS = st.text(st.characters(), max_size=8) | st.sampled_from(
    [
        "😀",
        "\ud83d",
        "\ud83d\ude00",
        "\u2028\u202e",
        "'\"\\\n\x00\x7f\x85",
        'é"""',
        "\\N{DIGIT ONE}",
    ]
)


def same(found, value):
    """Whether two nested values are equal and of equal types."""
    if type(found) is not type(value):
        return False
    if isinstance(value, (tuple, list)):
        return len(found) == len(value) and all(map(same, found, value))
    if isinstance(value, dict):
        return same([*found.items()], [*value.items()])
    return bool(found == value) and repr(found) == repr(value)


def nested(values):
    """Values in tuples, lists and dicts, also as keys."""
    return st.recursive(
        st.sampled_from(values) | TEXTS,
        lambda inner: st.one_of(
            st.tuples(inner, inner),
            st.lists(inner, max_size=2),
            st.dictionaries(st.sampled_from(EQUAL) | TEXTS, inner, max_size=2),
            st.dictionaries(st.tuples(st.sampled_from(EQUAL), TEXTS), inner, max_size=1),
        ),
        max_leaves=3,
    )


@given(st.lists(nested(PLAIN), min_size=1, max_size=4))
def test_values_that_differ_in_anything_have_programs_of_their_own(values):
    compiled = ag.compile(lambda x, value: (2 * x, value))
    for value in values * 2:
        assert same(compiled(np.ones(1), value)[1], value)


@given(st.lists(st.sampled_from(EQUAL) | TEXTS, min_size=2, max_size=3))
def test_keys_that_differ_in_anything_have_programs_of_their_own(keys):
    compiled = ag.compile(lambda d: {key: (key, 2 * x) for key, x in d.items()})
    for key in keys * 2:
        ((found, (value, _)),) = compiled({key: np.ones(2)}).items()
        assert same(found, key)
        # A number of NumPy is an array where it is a result.
        assert isinstance(key, np.generic) or same(value, key)


@settings(max_examples=50)
@given(TEXTS, TEXTS)
def test_texts_are_read_back_from_the_source(key, word):
    compiled = ag.compile(lambda d, word: ({key: d[key] * 2}, word, (key,)))
    for text in compiled.readable({key: np.ones(2)}, word), compiled.source:
        space = {}
        exec(text.encode().decode(), space)  # it can be written to a file
        found, *rest = space["function"]({key: np.ones(2)}, word)
        assert rest == [word, (key,)]
        assert [*found] == [key]


@given(TEXTS)
def test_a_text_is_written_in_characters_that_print(text):
    written = literal(text)
    assert eval(written) == text
    assert written.isprintable()


def test_arguments_in_long_double():
    x = np.array([1, 3], np.longdouble) / 3
    found = ag.compile(lambda x: (np.tanh(x) * 2 + x, np.mean(2 * x)))(x)
    assert [y.dtype for y in found] == [np.longdouble] * 2
    np.testing.assert_allclose(found[0], np.tanh(x) * 2 + x, rtol=1e-18)


@pytest.mark.parametrize("value", [np.longdouble(1) / 3, np.array([1, 3], np.longdouble) / 3])
def test_long_double_is_read_back(value):
    found = eval(literal(value), {"np": np})
    assert found.dtype == value.dtype
    np.testing.assert_array_equal(found, value)


EMPTY = {
    "joined": lambda x: np.concatenate([x, np.zeros((0, 3))]),
    "returned": lambda x: (x, np.zeros((3, 0), np.float32), np.zeros((0, 2, 0), np.bool_)),
    "product": lambda x: np.zeros((0, 3)) @ x.T,
    "stacked": lambda x: np.stack([np.zeros((0, 3)), 2 * x[:0]]),
    "indices": lambda x: x[np.zeros((0, 3), np.int64)],
    "two indices": lambda x: x[np.zeros((2, 0), np.int64), np.zeros((2, 0), np.int64)],
    "list": lambda x: x[[]],
    "gradient": lambda x: ag.grad(lambda x: np.sum(x[np.zeros((0, 3), np.int64)] * x[0]))(x),
}


@pytest.mark.parametrize("name", EMPTY)
def test_constants_without_elements_keep_their_shape_and_dtype(name):
    compiled = ag.compile(EMPTY[name])
    expected, space = EMPTY[name](X), {}
    exec(compiled.readable(X), space)
    for found in compiled(X), space["function"](X):
        pairs = zip(found, expected, strict=True) if type(found) is tuple else [(found, expected)]
        for one, other in pairs:
            assert (one.shape, one.dtype) == (other.shape, other.dtype)
            np.testing.assert_array_equal(one, other)


def test_a_constant_number_as_a_result_is_a_number_of_its_own():
    compiled = ag.compile(ag.grad(lambda x, w: np.sum(2 * x), argnums=(0, 1)))
    _, found = compiled(X, np.float64(3))
    assert type(found) is np.float64
    assert found == 0

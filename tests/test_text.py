"""Numbers and names as people read them."""

import math
import re
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograd_lite.text import number, printable, subscript, superscript

FINITE = st.floats(-1e308, 1e308)


def read(text: str) -> float:
    """The number that a text stands for."""
    return float(text.replace("−", "-").replace("∞", "inf"))


@given(FINITE)
@example(9999.99999)
@example(-0.0)
@example(0.00099999999)
@example(5e-324)
def test_a_number_reads_back_to_four_decimals(x):
    text = number(x)
    if x == 0 or 1e-3 <= abs(x) < 1e4:
        assert abs(read(text) - x) <= 0.5000001e-4
    else:
        assert math.isclose(read(text), x, rel_tol=0.5000001e-4)


@given(FINITE)
def test_the_form_of_a_number(x):
    text = number(x)
    assert re.fullmatch(r"−?\d{1,5}(\.\d{0,3}[1-9])?(e−?\d+)?", text)
    assert ("e" in text) == (x != 0 and not 1e-3 <= abs(x) < 1e4)
    assert text.startswith("−") == (x < 0)


@given(FINITE)
def test_a_number_and_its_negative_differ_by_the_sign(x):
    assert number(-abs(x)).removeprefix("−") == number(abs(x))


@given(st.floats(-1e4, 1e4, width=32))
def test_the_precision_of_an_array_does_not_show(x):
    assert number(np.float32(x)) == number(x) == number(np.array(x))


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (3.0, "3"),
        (-0.66818777, "−0.6682"),
        (0.1 + 0.2, "0.3"),
        (0.001, "0.001"),
        (0.00099, "9.9e−4"),
        (9999.5, "9999.5"),
        (10000, "1e4"),
        (-1.5e300, "−1.5e300"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "NaN"),
        (True, "1"),
        (np.False_, "0"),
        (np.int64(569), "569"),
    ],
)
def test_numbers_one_knows(x, text):
    assert number(x) == text


@given(st.text(st.characters()))
def test_printable_text_is_one_line_that_anything_can_show(text):
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert shown == shown.strip() == printable(shown)
    shown.encode()
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cs", "Cn", "Zl", "Zp"}
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.text(st.characters()), st.integers(1, 50))
def test_printable_text_keeps_within_its_limit(text, limit):
    shown = printable(text, limit)
    assert len(shown) <= limit
    whole = printable(text)
    if len(whole) <= limit:
        assert shown == whole
    else:
        assert shown.endswith("…")
        assert whole.startswith(shown[:-1])


@pytest.mark.parametrize("text", ["W⁽¹⁾", "ŷ", "y\u0302", "שלום", "weight 1", "👩‍🔬", "∂L/∂w"])
def test_names_that_people_use_stay_as_they_are(text):
    assert printable(text) == text


def test_scripts():
    assert subscript(10) == "₁₀"
    assert subscript(-1) == "₋₁"
    assert superscript("(2)") == "⁽²⁾"
    assert superscript("T") == "ᵀ"

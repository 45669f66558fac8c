#!/usr/bin/env bash
# latexify-py 0.4.4 (Python 3.11): the formula of a Python function loses the parentheses before an
# attribute, before an index and around %. Two functions with other values get one formula. Seen:
#
#     (A @ B).T   A B.T              A @ B.T     A B.T
#     (A + B)[0]  A + B_{0}          A + B[0]    A + B_{0}
#     x * (y % 2) x y \mathbin{\%} 2 (x * y) % 2 x y \mathbin{\%} 2
#
# Sums, products, powers and quotients keep theirs: (x + y) * 2 is right. So the formula of
# (A − B).T @ (A − B), a sum of squares, reads A − B.T · (A − B). A printer has one table of
# precedences, and postfix operators and the remainder belong in it.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'latexify-py==0.4.4'
cat >"$room/seen.py" <<'SEEN'
import latexify


def transposed_product(A, B):
    return (A @ B).T


def transposed_factor(A, B):
    return A @ B.T


def row_of_sum(A, B):
    return (A + B)[0]


def row_of_term(A, B):
    return A + B[0]


def product_with_remainder(x, y):
    return x * (y % 2)


def remainder_of_product(x, y):
    return (x * y) % 2


def doubled_sum(x, y):
    return (x + y) * 2


def formula(function):
    text = latexify.get_latex(function).split(" = ", 1)[1]
    return text.replace(r"\mathopen{}", "").replace(r"\mathclose{}", "")


if __name__ == "__main__":
    pairs = {
        ("(A @ B).T", "A @ B.T"): (transposed_product, transposed_factor),
        ("(A + B)[0]", "A + B[0]"): (row_of_sum, row_of_term),
        ("x * (y % 2)", "(x * y) % 2"): (product_with_remainder, remainder_of_product),
    }
    for (one, other), (first, second) in pairs.items():
        print(f"{one:11} {formula(first):18} {other:11} {formula(second)}")
        assert formula(first) == formula(second)
    assert product_with_remainder(3, 2) != remainder_of_product(3, 5)
    assert formula(transposed_product) == "A B.T"
    assert formula(doubled_sum) == r"\left( x + y \right) \cdot 2"
SEEN
"$room/venv/bin/python" "$room/seen.py"

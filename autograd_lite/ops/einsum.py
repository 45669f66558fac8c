"""`np.einsum`: sums of products in index notation."""

import string

import numpy as np

from autograd_lite.op import Op, operation
from autograd_lite.ops.composition import composed
from autograd_lite.ops.shapes import sum_to
from autograd_lite.tensor import lifted


def _einsum(g, out, *operands, k, subscripts=""):
    """The einsum in which g replaces the operand, and the operand's indices are the result's.

    An index that the operand repeats becomes two indices with an identity matrix between them. An
    index that occurs in no other factor was summed; a vector of ones restores it.
    """
    left, result = subscripts.split("->")
    terms = left.split(",")
    mine, x = terms[k], operands[k]
    others = [*terms[:k], *terms[k + 1 :], result]
    factors = [*operands[:k], *operands[k + 1 :], g]
    unused = (letter for letter in string.ascii_letters if letter not in subscripts)
    indices, known = [], set("".join(others))
    for letter, n in zip(mine, x.shape, strict=True):
        if letter in indices:
            twin = next(unused)
            others.append(letter + twin)
            factors.append(np.eye(n, dtype=g.dtype))
            indices.append(twin)
            continue
        if letter not in known:
            others.append(letter)
            factors.append(np.ones(n, g.dtype))
        indices.append(letter)
    part = einsum(factors, subscripts=f"{','.join(others)}->{''.join(indices)}")
    if part.shape != x.shape:
        shape = tuple(1 if n == 1 else m for n, m in zip(x.shape, part.shape, strict=True))
        part = np.broadcast_to(sum_to(part, shape=shape), x.shape)
    return part


einsum: Op = operation(
    "einsum",
    lambda operands, subscripts="": np.einsum(subscripts, *operands, optimize=len(operands) > 2),
    _einsum,
    arity=None,
    symbol="Σ",
    formula="Σ of products over the indices that are not in the result",
    gradient="Σ of the products of g and the other operands, over the indices of the operand",
    notes="Recorded with all indices: without an ellipsis, and with the result after an arrow.",
)


@composed(np.einsum)
def _answer(*operands, optimize=False):
    """The sum of products in index notation."""
    if isinstance(operands[0], str):
        subscripts, arrays = operands[0].replace(" ", ""), [lifted(x) for x in operands[1:]]
    else:
        subscripts, arrays = _from_lists(operands)
    return einsum(arrays, subscripts=_written_out(subscripts, [x.ndim for x in arrays]))


def _from_lists(operands):
    """The form ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` as text."""
    count = len(operands) // 2
    lists = [*operands[1 : 2 * count : 2], *operands[2 * count :]]
    texts = [
        "".join("..." if i is Ellipsis else string.ascii_letters[i] for i in indices)
        for indices in lists
    ]
    left = ",".join(texts[:count])
    arrays = [lifted(x) for x in operands[: 2 * count : 2]]
    return ("->".join([left, *texts[count:]])), arrays


def _written_out(subscripts, ndims):
    """The subscripts with letters in place of the ellipsis, and the result after an arrow."""
    left, arrow, result = subscripts.partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: {subscripts!r} has {len(terms)} terms for {len(ndims)} operands")
    unused = [letter for letter in string.ascii_letters if letter not in subscripts]
    lengths = []
    for term, ndim in zip(terms, ndims, strict=True):
        named = len(term.replace("...", ""))
        if named != ndim if "..." not in term else named > ndim:
            raise ValueError(
                f"einsum: {term!r} in {subscripts!r} does not match the {ndim} axes of its operand"
            )
        lengths.append(ndim - named)
    dots = "".join(unused[: max(lengths)])
    terms = [
        term.replace("...", dots[len(dots) - n :]) for term, n in zip(terms, lengths, strict=True)
    ]
    if not arrow:
        letters = left.replace(",", "").replace("...", "")
        result = "..." + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    return f"{','.join(terms)}->{result.replace('...', dots)}"

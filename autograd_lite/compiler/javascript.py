"""A program as a function in JavaScript."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.javascript_forms import in_loops, lowered
from autograd_lite.compiler.javascript_interface import Arguments, packed
from autograd_lite.compiler.javascript_language import (
    ARRAYS,
    JAVASCRIPT,
    RESERVED,
    helpers,
)
from autograd_lite.compiler.javascript_lines import declared, inlined
from autograd_lite.compiler.kernels import KernelWriter
from autograd_lite.compiler.lengths import Numbers, check_constants
from autograd_lite.compiler.module import check_size
from autograd_lite.compiler.native import Stretch, is_literal
from autograd_lite.compiler.plan import Plan
from autograd_lite.compiler.signature import (
    ANY_LENGTH,
    Packing,
    Signature,
    resized,
)
from autograd_lite.compiler.sizes import general, others, with_numbers
from autograd_lite.compiler.tracing import Traced
from autograd_lite.compiler.views import is_view
from autograd_lite.expressions.expr import ARGUMENT, CONSTANT, PARAMETER, Builder, Expr
from autograd_lite.expressions.loops import everything
from autograd_lite.expressions.names import Names
from autograd_lite.trees import flatten, tree_map

__all__ = ["javascript", "module", "source"]


def javascript(
    function: Callable[..., Any],
    args: Sequence[Any],
    name: str,
    sizes: Mapping[str, int] | None = None,
    as_traced: bool = False,
) -> str:
    """The source of a function in JavaScript that computes what a function of arrays computes.

    Args:
        function, args: what is traced.
        name: of the function in JavaScript.
        sizes: the lengths of axes that may be others when it is called, by their names: each axis
            of `args` with such a length has that name. The function takes an object with these
            names as its last argument.
        as_traced: compute and round as the operations do one by one, without rewrites.

    Raises:
        ValueError: for an operation that it cannot compute, for sizes that are not different
            integers larger than 1, and if the program depends on the sizes otherwise than by
            factors.

    Example:
        >>> import numpy as np
        >>> text = javascript(np.mean, (np.ones(5),), "mean", {"rows": 5})
        >>> print(text[text.index("function") : text.index("\\n\\n")])
        function mean(a, { rows }) {
          checkSizes("mean", { rows });
          a = read(a, "mean: a", [rows], "float64");
          let total = 0.0;
          for (let i = 0; i < rows; i++) {
            total += a[i];
          }
          return total / rows;
    """
    if not sizes:
        return _traced(function, args, name, (), as_traced)
    _check_sizes(sizes)
    arrays = [x for x in flatten(args)[0] if isinstance(x, np.ndarray)]
    all_sizes = others(sizes, {n for x in arrays for n in x.shape})
    texts = []
    for given in all_sizes:
        lengths = {n: given[key] for key, n in sizes.items()}
        other = [_resized(x, lengths) for x in args]
        texts.append(_traced(function, other, name, [*sizes], as_traced))
    _, mark, rest = texts[0].partition(HELPERS)
    try:
        return general([text.partition(HELPERS)[0] for text in texts], all_sizes) + mark + rest
    except ValueError as error:
        raise ValueError(f"{name}: {error}, so it cannot serve other sizes") from None


def _check_sizes(sizes: Mapping[str, int]) -> None:
    """Raise ValueError unless lengths can be told apart from each other and from 1."""
    wrong = {k: n for k, n in sizes.items() if type(n) is not int or n < 2}
    if wrong or len({*sizes.values()}) < len(sizes):
        raise ValueError(f"sizes must be different integers larger than 1, not {dict(sizes)}")


def _traced(
    function: Callable[..., Any],
    args: Sequence[Any],
    name: str,
    sizes: Sequence[str],
    as_traced: bool = False,
) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    names = list(code.co_varnames[: code.co_argcount]) if code else []
    names += [f"x{k}" for k in range(len(names), len(args))]
    signature = Signature(args, names[: len(args)])
    found = Traced(function, signature)
    found.unchanged() if as_traced else found.passed(rolls=not sizes)
    return source(name, signature, found.arguments, found.results, found.packing, found.b, sizes)


def _resized(tree: Any, lengths: Mapping[int, int]) -> Any:
    """The arrays with the axes of some lengths in other lengths."""

    def changed(x: Any) -> Any:
        x = np.asarray(x)
        for axis, n in enumerate(x.shape):
            x = resized(x, axis, lengths[n]) if n in lengths else x
        return x

    return tree_map(lambda x: changed(x) if isinstance(x, (np.ndarray, np.generic)) else x, tree)


HELPERS = "\n\n"
"""What separates a function from those that it calls."""


def function_name(name: str) -> str:
    """The name that a function has in JavaScript."""
    return Names(reserved=RESERVED).take(name, "compiled")


def module(name: str, text: str) -> str:
    """A script that defines a function, for web pages and for Node."""
    name = function_name(name)
    return (
        f'"use strict";\n\n{text}\nif (typeof module === "object") module.exports = {{ {name} }};\n'
    )


def source(
    name: str,
    signature: Signature,
    arguments: Sequence[Expr],
    results: Sequence[Any],
    packing: Packing,
    b: Builder,
    sizes: Sequence[str] = (),
    numbers: Numbers | None = None,
) -> str:
    """The source of a function in JavaScript.

    Args:
        name: of the function.
        signature, arguments: what it takes.
        results, packing: what it returns.
        b: the builder of the expressions.
        sizes: the names of lengths that it takes as a last argument.
        numbers: in a program for any number of rows, what depends on it.

    Raises:
        ValueError: for an operation that it cannot compute.
    """
    name = function_name(name)
    roots = lowered(results, b)
    order = {*everything(roots)}
    for x in (*everything(roots), *arguments):
        _check(x)
    given = Arguments(name, signature, JAVASCRIPT.names(), sizes)
    length = _length(signature, arguments)
    if length:
        check_constants([*order], length, name)
    known = dict(zip(arguments, given.leaves, strict=True))
    for x, (number, _) in (numbers or {}).items():
        text = number.text(given.rows)
        text = text if text == given.rows else f"({text})"
        known[x] = JAVASCRIPT.converted(text, x.dtype.name)
    writer = ScriptWriter(roots, b, given.taken, known, bool(sizes))
    returned = f"return {packed(packing.tree, writer.results)}"
    body = declared(inlined([*writer.lines, returned]))
    if length:
        body = _with_rows(body, length, given.rows)
    lines = [*given.lines([k for k, x in enumerate(arguments) if x in order]), *body]
    text = "\n".join([*given.head(), *(f"  {line}" for line in lines)])
    functions = "\n".join(helpers()[k] for k in _called(text))
    functions = "\n".join(f"  {line}".rstrip() for line in functions.splitlines())
    return text + (HELPERS + functions) * bool(functions) + "\n}\n"


def _check(x: Expr) -> None:
    """Refuse what JavaScript cannot compute.

    Raises:
        ValueError: with the name of the operation.
    """
    if x.shape is not None and x.dtype.name not in ARRAYS:
        raise ValueError(f"save: JavaScript has no equal of the dtype {x.dtype.name}")
    if not in_loops(x):
        what = x.fn.removeprefix("np.") if "." in x.fn else f"the operation {x.fn}"
        if x.fn == "[]":
            what = "an index that is an array of booleans"
        raise ValueError(f"save: JavaScript has no equal of {what}")


class ScriptWriter(KernelWriter):
    """Writes the body of a function in JavaScript.

    Attributes:
        results: the source of each result.
    """

    language = JAVASCRIPT

    def __init__(
        self,
        roots: Sequence[Any],
        b: Builder,
        names: Names,
        known: Mapping[Expr, str],
        any_size: bool = False,
    ) -> None:
        if any_size:  # then how long a sum is, is not known
            self.longest = sys.maxsize
        roots = [*_apart(roots, b)]
        held = [x for x in everything(roots) if x.fn == CONSTANT and not is_literal(x)]
        held = [*dict.fromkeys(held)]
        calls = tuple(dict.fromkeys(x for x in roots if isinstance(x, Expr) and not is_literal(x)))
        stretch = Stretch((*known, *held), calls, 0)
        self._begin(stretch, b, Plan(stretch, b, language=self.language), names, set())
        self.text = dict(known)
        for x in held:
            self.text[x] = self._constant(x)
        self._write_steps()
        self.results = [self._result(x) for x in roots]

    def _constant(self, x: Expr) -> str:
        check_size(x.value)
        words = [self.language.literal(v, x.dtype) for v in x.value.ravel().tolist()]
        if not x.shape:
            return words[0]
        name = self.names.take(self.b.names.get(x, "").upper(), "C")
        words = [word.strip("()").removesuffix(".0") for word in words]
        # Not `of`: Chromium 150 takes at most 65,525 arguments of a call.
        self.lines.append(f"{name} = new {ARRAYS[x.dtype.name]}([{', '.join(words)}])")
        return name

    def _result(self, x: Any) -> str:
        if not isinstance(x, Expr):
            return JAVASCRIPT.literal(x, np.asarray(x).dtype)
        text = self.word(x, ()) if not x.shape else self.text[x]
        return f"Boolean({text})" if not x.shape and x.dtype.kind == "b" else text


def _apart(roots: Sequence[Any], b: Builder) -> Iterator[Any]:
    """The results; none shares memory with an argument or with another one."""
    seen: dict[Expr, int] = {}
    for x in roots:
        if isinstance(x, Expr) and not is_literal(x):
            seen[x] = seen.get(x, -1) + 1
            shared = x.fn in (ARGUMENT, CONSTANT, PARAMETER, "np.reshape", "[]") or is_view(x)
            if shared or seen[x]:
                keywords = {"copy": seen[x]}
                yield b._call(".astype", (x, x.dtype), keywords, (x.shape, x.dtype))
                continue
        yield x


def _called(text: str) -> list[str]:
    """The names of the helpers that a source calls, and of those that they call, in order."""
    found: set[str] = set()
    texts = [text]
    while texts:
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", texts.pop(), flags=re.DOTALL)
        words = set(re.findall(r"(?<![\w.])\w+(?=[(),])", code)) & helpers().keys() - found
        found |= words
        texts += [helpers()[word] for word in words]
    return [name for name in helpers() if name in found]


def _length(signature: Signature, arguments: Sequence[Expr]) -> int:
    """The number of rows in the trace of a program for any number of rows; 0 for another one."""
    pairs = zip(signature.leaves, arguments, strict=True)
    return next((x.shape[0] for leaf, x in pairs if ANY_LENGTH in leaf.shape), 0)


def _with_rows(lines: Sequence[str], length: int, rows: str) -> list[str]:
    """The lines with the number of rows in place of that in the trace."""

    def changed(word: str) -> str:
        # All other numbers are floats, and no other length is a multiple of this one, a prime.
        n, power = (int(word), 0) if word.isdigit() else (1, 0)
        while n and n % length == 0:
            n, power = n // length, power + 1
        return " * ".join([str(n)] * (n != 1) + [rows] * power) if power else word

    return [x if "Array([" in x else with_numbers(x, changed) for x in lines]

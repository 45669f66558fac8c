"""A program as a function in JavaScript."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.javascript_forms import in_loops, lowered
from autograd_lite.compiler.javascript_language import ARRAYS, JAVASCRIPT, helpers, quoted
from autograd_lite.compiler.kernels import KernelWriter
from autograd_lite.compiler.native import Stretch, is_literal
from autograd_lite.compiler.native_loops import with_arrays
from autograd_lite.compiler.plan import Plan
from autograd_lite.compiler.signature import (
    Container,
    Leaf,
    Packing,
    Signature,
    Static,
    resized,
)
from autograd_lite.compiler.sizes import general, others
from autograd_lite.compiler.tracing import Traced
from autograd_lite.compiler.views import is_view
from autograd_lite.expressions.expr import ARGUMENT, CONSTANT, PARAMETER, Builder, Expr
from autograd_lite.expressions.loops import everything
from autograd_lite.expressions.names import Names
from autograd_lite.trees import tree_map

__all__ = ["javascript", "module", "source"]


def javascript(
    function: Callable[..., Any],
    args: Sequence[Any],
    name: str,
    sizes: Mapping[str, int] | None = None,
) -> str:
    """The source of a function in JavaScript that computes what a function of arrays computes.

    Args:
        function, args: what is traced.
        name: of the function in JavaScript.
        sizes: the lengths of axes that may be others when it is called, by their names: each axis
            of `args` with such a length has that name. The function takes an object with these
            names as its last argument.

    Raises:
        ValueError: for an operation that it cannot compute, for sizes that are not different
            integers larger than 1, and if the program depends on the sizes otherwise than by
            factors.

    Example:
        >>> import numpy as np
        >>> text = javascript(np.mean, (np.ones(5),), "mean", {"rows": 5})
        >>> print(text[text.index("function") : text.index("/**", 9)])
        function mean(a, { rows }) {
          checkSizes("mean", { rows });
          a = read(a, "mean: a", [rows], "float64");
          let total = 0.0;
          for (let i = 0; i < rows; i++) {
            const a_1 = a[i];
            total = total + a_1;
          }
          return total / rows;
    """
    if not sizes:
        return _traced(function, args, name, ())
    wrong = {k: n for k, n in sizes.items() if type(n) is not int or n < 2}
    if wrong or len({*sizes.values()}) < len(sizes):
        raise ValueError(f"sizes must be different integers larger than 1, not {dict(sizes)}")
    all_sizes = others(sizes)
    texts = []
    for given in all_sizes:
        lengths = {n: given[key] for key, n in sizes.items()}
        texts.append(_traced(function, [_resized(x, lengths) for x in args], name, [*sizes]))
    _, mark, rest = texts[0].partition(HELPERS)
    try:
        return general([text.partition(HELPERS)[0] for text in texts], all_sizes) + mark + rest
    except ValueError as error:
        raise ValueError(f"{name}: {error}, so it cannot serve other sizes") from None


def _traced(
    function: Callable[..., Any], args: Sequence[Any], name: str, sizes: Sequence[str]
) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    names = list(code.co_varnames[: code.co_argcount]) if code else []
    names += [f"x{k}" for k in range(len(names), len(args))]
    signature = Signature(args, names[: len(args)])
    found = Traced(function, signature).passed(rolls=not sizes)
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


def module(name: str, text: str) -> str:
    """A script that defines a function, for web pages and for Node."""
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
) -> str:
    """The source of a function in JavaScript.

    Args:
        name: of the function.
        signature, arguments: what it takes.
        results, packing: what it returns.
        b: the builder of the expressions.
        sizes: the names of lengths that it takes as a last argument.

    Raises:
        ValueError: for an operation that it cannot compute.
    """
    roots = with_arrays(lowered(results, b), b)
    for x in everything(roots):
        _check(x)
    names = Names(JAVASCRIPT.taken)
    if wrong := [text for text in sizes if names.take(text) != text]:
        raise ValueError(f"{name}: a size cannot have the name {wrong[0]!r}")
    last = [f"{{ {', '.join(sizes)} }}"] if sizes else []
    given = _Arguments(name, signature, names)
    writer = ScriptWriter(roots, b, names, dict(zip(arguments, given.leaves, strict=True)))
    used = {x for x in everything(roots) if x.fn == ARGUMENT}
    lines = [f"checkSizes({quoted(name)}, {last[0]});"] if sizes else []
    lines += given.lines([k for k, x in enumerate(arguments) if x in used])
    lines += _declared(writer.lines, names)
    returned = packed(packing.tree, writer.results)
    lines.append(f"return {returned};")
    text = "\n".join(f"  {line}" for line in lines)
    functions = "\n".join(helpers()[k] for k in _called(text))
    functions = "\n".join(f"  {line}".rstrip() for line in functions.splitlines())
    head = f"function {name}({', '.join([*given.names, *last])}) {{"
    comment = given.comment(sizes)
    return "\n".join([*comment, head, text]) + (HELPERS + functions) * bool(functions) + "\n}\n"


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
        self, roots: Sequence[Any], b: Builder, names: Names, known: Mapping[Expr, str]
    ) -> None:
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
        words = [self.language.literal(v, x.dtype) for v in x.value.ravel().tolist()]
        if not x.shape:
            return words[0]
        name = self.names.take(self.b.names.get(x, "").upper(), "C")
        words = [word.strip("()").removesuffix(".0") for word in words]
        self.lines.append(f"{name} = {ARRAYS[x.dtype.name]}.of({', '.join(words)})")
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
        words = set(re.findall(r"(\w+)(?=[(),])", texts.pop())) & helpers().keys() - found
        found |= words
        texts += [helpers()[word] for word in words]
    return [name for name in helpers() if name in found]


_ASSIGNED = re.compile(r"( *)([A-Za-z_$][\w$]*) = ")


def _declared(lines: Sequence[str], names: Names) -> list[str]:
    """The lines with blocks closed and names declared.

    A name is declared where it is first assigned, if that block has all its uses, otherwise at the
    start.
    """
    depths = [(len(line) - len(line.lstrip())) // 4 for line in lines]
    places: dict[str, list[int]] = {}
    assigned: dict[str, list[int]] = {}
    for k, line in enumerate(lines):
        if match := _ASSIGNED.match(line):
            assigned.setdefault(match[2], []).append(k)
        for word in {*re.findall(r"[A-Za-z_$][\w$]*", line)}:
            places.setdefault(word, []).append(k)
    first: list[str] = []
    declared: dict[int, str] = {}
    for name, at in assigned.items():
        k = at[0]
        end = next((j for j in range(k, len(lines)) if depths[j] < depths[k]), len(lines))
        if places[name][0] == k and places[name][-1] < end:
            declared[k] = "const" if len(at) == 1 else "let"
        else:
            first.append(name)
    written = [f"let {', '.join(first)};"] if first else []
    for k, line in enumerate(lines):
        text = line.lstrip()
        head = f"{declared[k]} " if k in declared else ""
        written.append("  " * depths[k] + head + text + ("" if text.endswith("{") else ";"))
        after = depths[k + 1] if k + 1 < len(lines) else 0
        written += ["  " * depth + "}" for depth in range(depths[k] - 1, after - 1, -1)]
    return written


# Arguments and results


class _Arguments:
    """The arguments of a function.

    Attributes:
        names: of the parameters.
        leaves: the name of each array, by its number.
    """

    def __init__(self, name: str, signature: Signature, names: Names) -> None:
        self.function, self.signature = name, signature
        self.names = [names.take(text, "argument") for text in signature.names]
        self.leaves: dict[int, str] | list[str] = {}
        self.paths: dict[int, str] = {}
        self.fixed: list[tuple[str, Any]] = []
        for form, parameter in zip(signature.tree, self.names, strict=True):
            self._find(form, parameter, names)
        self.leaves = [self.leaves[k] for k in range(len(self.leaves))]

    def _find(self, form: Any, path: str, names: Names) -> None:
        if isinstance(form, Leaf):
            self.paths[form.number] = path
            plain = path in self.names
            self.leaves[form.number] = path if plain else names.take(form.name, "part")
        elif isinstance(form, Static):
            self.fixed.append((path, form.value))
        else:
            for key, child in zip(_keys(form), form.children, strict=True):
                self._find(child, _member(path, key), names)

    def lines(self, used: Sequence[int]) -> list[str]:
        """The statements that read and check the arguments."""
        written = []
        for path, value in self.fixed:
            if value is None or type(value) in (bool, int, float, str):
                label = quoted(f"{self.function}: {_plain(path)}")
                written.append(f"fixed({path}, {label}, {_static(value)});")
        for leaf in self.signature.leaves:
            if leaf.number not in used:
                continue
            path, name = self.paths[leaf.number], self.leaves[leaf.number]
            label = quoted(f"{self.function}: {_plain(path)}")
            dtype = f'"{leaf.dtype.name}"'
            if leaf.shape:
                shape = f"[{', '.join(map(str, leaf.shape))}]"
                value = f"read({path}, {label}, {shape}, {dtype})"
            else:
                value = f"readNumber({path}, {label}, {dtype})"
            written.append(f"{'' if path == name else 'const '}{name} = {value};")
        return written

    def comment(self, sizes: Sequence[str]) -> list[str]:
        """The comment before the function."""
        lines = [
            "/**",
            " * Compiled by autograd_lite, for these shapes and dtypes. Arrays are typed arrays or",
            " * nested arrays, in C order.",
            " *",
        ]
        for leaf in self.signature.leaves:
            kind = ARRAYS[leaf.dtype.name] if leaf.shape else "number"
            path = _plain(self.paths[leaf.number])
            shape = f" ({', '.join(map(str, leaf.shape))})" if leaf.shape else ""
            lines.append(f" * @param {{{kind}}} {path}{shape}")
        for path, value in self.fixed:
            lines.append(f" * @param {_plain(path)} fixed: {_shown(value)}")
        if sizes:
            lines.append(f" * @param {{object}} sizes {', '.join(sizes)}")
        return [*lines, " */"]


def _plain(path: str) -> str:
    return path.replace("?.", ".").replace(".[", "[")


def _shown(value: Any) -> str:
    text = _static(value) if value is None or type(value) in (bool, int, float, str) else str(value)
    return quoted(text)[1:-1] if not isinstance(value, str) else text


def _keys(form: Container) -> list[Any]:
    """The keys of the children of a container: texts, or numbers of an array.

    Raises:
        ValueError: for a dictionary whose keys an object cannot have.
    """
    if issubclass(form.kind, (list, tuple)):
        return [*range(len(form.children))]
    if not issubclass(form.kind, dict):
        return [step.removeprefix(".") for step in form.steps]
    if any(type(key) not in (str, int) for key in form.steps):
        key = next(key for key in form.steps if type(key) not in (str, int))
        raise ValueError(f"save: JavaScript has no equal of a dictionary with the key {key!r}")
    keys = [*map(str, form.steps)]
    if len({*keys}) < len(keys):
        raise ValueError(
            "save: JavaScript has no equal of a dictionary with keys such as 1 and '1'"
        )
    return keys


def _member(path: str, key: Any) -> str:
    if isinstance(key, int):
        return f"{path}?.[{key}]"
    return f"{path}?.{key}" if key.isascii() and key.isidentifier() else f"{path}?.[{quoted(key)}]"


def packed(form: Any, results: Sequence[str]) -> str:
    """The expression that puts results into their containers."""
    if isinstance(form, Leaf):
        return results[form.number]
    if isinstance(form, Static):
        return _static(form.value)
    parts = [packed(child, results) for child in form.children]
    if issubclass(form.kind, (list, tuple)):
        return f"[{', '.join(parts)}]"
    words = []
    for key, part in zip(_keys(form), parts, strict=True):
        plain = key.isascii() and key.isidentifier() and key != "__proto__"
        word = key if plain else f"[{quoted(key)}]"
        words.append(word if word == part else f"{word}: {part}")
    return f"{{ {', '.join(words)} }}" if words else "{}"


def _static(value: Any) -> str:
    """A plain value as source.

    Raises:
        ValueError: if there is none.
    """
    if value is None:
        return "null"
    if isinstance(value, str):
        return quoted(value)
    if type(value) in (bool, int, float):
        text = JAVASCRIPT.literal(value, np.asarray(value).dtype)
        return text.strip("()").removesuffix(".0")
    if type(value) in (tuple, list):
        return f"[{', '.join(map(_static, value))}]"
    raise ValueError(f"save: JavaScript has no equal of the plain value {value!r}")

"""The derivation: closed forms, the steps that lead to them, and how it all is shown."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from autograd_lite.arrays import describe
from autograd_lite.derivation.chain import Chain
from autograd_lite.derivation.entries import Element
from autograd_lite.derivation.forms import Form, Writer, prime, reads, values_of
from autograd_lite.derivation.reading import element
from autograd_lite.record import Recorded
from autograd_lite.sweep import gradients
from autograd_lite.tensor import Tensor
from autograd_lite.trees import flatten

__all__ = ["Derivation", "Step", "derived"]


@dataclass(frozen=True, slots=True)
class Step:
    """One application of the chain rule.

    Attributes:
        node: the node that it is about.
        name: the gradient, such as ∂L/∂z.
        local: the local rule, such as ∂ŷ/∂z = ŷ(1 − ŷ), as text; empty where the product says it.
        product: the gradient by those of the nodes that follow.
        form: the same simplified.
        value: the gradient in numbers.
    """

    node: Any
    name: str
    local: str
    product: Form
    form: Form
    value: Any
    local_form: Form | None = None


class Forms(Mapping[Any, Form]):
    """Closed forms by Tensor or by name."""

    def __init__(self, forms: dict[Any, Form], names: dict[str, Any]) -> None:
        self._forms = forms
        self._names = names

    def __getitem__(self, key: Any) -> Form:
        if isinstance(key, str) and key in self._names:
            key = self._names[key]
        if not isinstance(key, Recorded) or key not in self._forms:
            what = key.name or describe(key) if isinstance(key, Recorded) else repr(key)
            raise KeyError(f"no closed form was derived for {what}; add it to wrt=")
        return self._forms[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._forms)

    def __len__(self) -> int:
        return len(self._forms)

    def __repr__(self) -> str:
        by = {node: name for name, node in self._names.items()}
        return "{" + ", ".join(f"{by.get(n, '?')}: {f}" for n, f in self._forms.items()) + "}"


class Derivation:
    """A gradient in closed form, with the steps that lead there.

    It shows itself in a notebook.

    Attributes:
        closed_form: a formula for each thing differentiated by, by Tensor or by name.
        steps: the chain rule, one step a node, from the loss back.
        values: the arrays that the formulas' NumPy speaks of, by name.
        checked: what the comparison with the sweep covered, in words.
    """

    def __init__(self, chain: Chain, writer: Writer, wrt: Sequence[Any], numbers: bool) -> None:
        self._chain = chain
        self._writer = writer
        self._numbers = numbers
        self._wrt = list(wrt)
        forms = {}
        for node in wrt:
            if node.position not in writer.names:
                writer.also(node)
            gradient = chain.gradients.get(node.position)
            expr = sympy.S.Zero if gradient is None else gradient.closed
            forms[node] = Form(writer, expr, node.shape, node)
        self._nodes = {writer.names[n.position]: n for n in chain.graph.nodes if n.name is not None}
        self._nodes |= {writer.names[n.position]: n for n in wrt}
        self.closed_form = Forms(forms, self._nodes)
        self.steps = self._steps()
        self.checked = ""

    @property
    def values(self) -> dict[str, Any]:
        """The arrays that the formulas' NumPy speaks of, by name."""
        identifiers = self._writer.identifiers
        return {identifiers[p]: value for p, value in values_of(self._writer, {}).items()}

    def read(self, expression: Any) -> Form:
        """A formula of one's own, written with the graph's Tensors, to compare with.

        Example:
            >>> import autograd_lite as ag
            >>> x = ag.Tensor([1.0, 2.0], name="x")
            >>> d = ag.derive((x * x).sum())
            >>> d.closed_form[x] == d.read(2 * x), d.closed_form[x] == d.read(x)
            (True, False)
        """
        return reads(self._writer, expression)

    def hessian(self, w: Any) -> Form:
        """The matrix of second derivatives by one of the things differentiated by.

        Example:
            >>> import autograd_lite as ag
            >>> x, A = ag.Tensor([1.0, 2.0], name="x"), ag.constant([[1, 2], [3, 4]], name="A")
            >>> ag.derive(x @ A @ x).hessian(x)
            <A + Aᵀ>
        """
        from autograd_lite.derivation.second import hessian

        node = self._nodes.get(w, w) if isinstance(w, str) else w
        return hessian(self, node, derived)  # type: ignore[no-any-return]

    # Steps

    def _steps(self) -> list[Step]:
        chain, writer = self._chain, self._writer
        steps = []
        for node in reversed(chain.graph.nodes):
            gradient = chain.gradients.get(node.position)
            if gradient is None or node is chain.loss or not chain.named(node):
                continue
            name = writer.gradients[node.position]
            product = Form(writer, gradient.product, node.shape, node)
            form = Form(writer, gradient.closed, node.shape, node)
            local, local_form = self._local(node, gradient.product)
            value = chain.values.get(node)
            steps.append(Step(node, name, local, product, form, value, local_form))
        return steps

    def _local(self, node: Any, product: Any) -> tuple[str, Form | None]:
        """∂ŷ/∂z = ŷ(1 − ŷ), where the product is elementwise by one gradient."""
        chain, writer = self._chain, self._writer
        factors = sympy.Mul.make_args(product)
        symbols = [
            f for f in factors
            if isinstance(e := writer.space.entry(f), Element) and e.gradient
        ]  # fmt: skip
        if len(symbols) != 1 or len(factors) < 2:
            return "", None
        entry = writer.space.entry(symbols[0])
        other = chain.nodes[entry.node]
        if other.shape != node.shape or symbols[0] != writer.space.symbol(element(other, True)):
            return "", None
        if other.position not in chain.definitions or not any(x is node for x in other.inputs):
            return "", None
        form = Form(writer, writer.resolved(product / symbols[0]), node.shape)
        above, below = writer.names[other.position], writer.names[node.position]
        return f"∂{above}/∂{below}", form

    def definitions(self) -> list[tuple[str, Form]]:
        """What each named node is, in terms of the ones before."""
        chain, writer = self._chain, self._writer
        return [
            (writer.names[p], Form(writer, chain.definitions[p], chain.nodes[p].shape))
            for p in sorted(chain.definitions)
        ]

    def legend(self) -> str:
        """What g and g′ stand for, if they occur."""
        from autograd_lite.derivation.arrange import Arranger
        from autograd_lite.derivation.notation import Text
        from autograd_lite.op import OPS

        op = self._writer.activation
        if op is None:
            return ""
        x, expr = prime(self._writer.space, op)
        symbol = self._writer.space.symbol(Element(-2, ()))
        notation = Text({-2: "a"}, {}, {})
        body = notation(Arranger(self._writer.space).tree(expr.xreplace({x: symbol}), ()))
        return f"g = {OPS[op].notation.symbol}, g′(a) = {body}"

    def notes(self) -> list[str]:
        """What the formulas take for granted: letters, and constants that sum to 1."""
        found = [self.legend()] if self._has_prime() else []
        if any("heaviside" in step.form.tree.calls() for step in self.steps):
            found.append("H(a) = 1[a > 0], and ½ at 0")
        for position, axis in self._chain.space.units.items():
            along = "" if self._chain.nodes[position].ndim == 1 else f" along axis {axis}"
            found.append(f"{self._writer.names[position]} sums to 1{along}")
        return found

    def _has_prime(self) -> bool:
        return bool(self.legend()) and any(
            f.func.__name__.endswith("′")
            for step in self.steps
            for f in step.form.expression.atoms(sympy.Function)
        )

    # Showing

    def text(self) -> str:
        """The derivation in plain text, one step a line."""
        from autograd_lite.derivation.pages import text

        return text(self)

    def markdown(self) -> str:
        """The derivation as Markdown, its formulas in LaTeX."""
        from autograd_lite.derivation.pages import markdown

        return markdown(self)

    def latex(self) -> str:
        """The derivation as one LaTeX align* environment."""
        from autograd_lite.derivation.pages import latex

        return latex(self)

    def mathml(self) -> str:
        """The derivation as HTML with MathML, which fetches nothing."""
        from autograd_lite.derivation.pages import mathml

        return mathml(self)

    _repr_markdown_ = markdown

    def _repr_html_(self) -> str:
        from autograd_lite.derivation.pages import STYLE

        return STYLE + self.mathml()

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        forms = ", ".join(
            f"{self._writer.gradients[n.position]} = {f}" for n, f in self.closed_form.items()
        )
        return f"Derivation({forms})"


def derived(
    loss: Any,
    wrt: Any,
    expand: bool,
    numbers: bool,
    args: Sequence[Any] | None,
    lengths: bool | Mapping[str, int],
) -> Derivation:
    """A checked derivation; the arguments are those of `derive`."""
    from autograd_lite.derivation.check import check

    if args is not None or (callable(loss) and not isinstance(loss, Recorded)):
        loss, wrt = _called(loss, args, wrt)
    if not isinstance(loss, Tensor):
        raise TypeError(f"derive: takes a Tensor or a function, not {type(loss).__name__}")
    if loss.size != 1:
        raise ValueError(
            f"derive: {describe(loss)} has {loss.size} elements, and only one number has a "
            "gradient by itself; derive its sum() or mean(), or one of its elements"
        )
    wanted = _wanted(loss, wrt)
    with np.errstate(all="ignore"):
        values = gradients(loss).of
    chain = Chain(loss, set(wanted), expand, lengths, values)
    given = lengths if isinstance(lengths, Mapping) else {}
    writer = Writer(chain, given)
    derivation = Derivation(chain, writer, wanted, numbers)
    check(derivation)
    return derivation


def _called(f: Any, args: Sequence[Any] | None, wrt: Any) -> tuple[Any, Any]:
    """The loss of a function, its arguments named by its parameters."""
    if not callable(f):
        raise TypeError(f"derive: args= belongs to a function, not to {type(f).__name__}")
    if args is None:
        raise TypeError("derive: a function needs its arguments: derive(f, args=(…,))")
    try:
        parameters = list(inspect.signature(f).parameters)
    except ValueError:
        parameters = []
    given, named = [], []
    for k, arg in enumerate(args):
        name = parameters[k] if k < len(parameters) else f"x{k + 1}"
        parts, paths, build = flatten(arg)
        leaves = [
            _leaf(part, name + path.replace("'", ""))
            for part, path in zip(parts, paths, strict=True)
        ]
        named.append(leaves)
        given.append(build(leaves))
    if wrt is not None:
        several = wrt if isinstance(wrt, (list, tuple)) else [wrt]
        wrt = [x for w in several for x in (_argument(named, w) if isinstance(w, int) else [w])]
    return f(*given), wrt


def _argument(named: list[list[Any]], k: int) -> list[Any]:
    if not -len(named) <= k < len(named):
        raise ValueError(f"derive: wrt has the argument {k}, and args has {len(named)}")
    return named[k]


def _leaf(x: Any, name: str) -> Any:
    if isinstance(x, Recorded):
        return x if x.name else Tensor(x.array, name, x.requires_grad)
    return Tensor(x, name, requires_grad=np.asarray(x).dtype.kind == "f")


def _wanted(loss: Any, wrt: Any) -> list[Any]:
    """The nodes to differentiate by, in the order given."""
    from autograd_lite.graph import Graph

    graph = Graph.of(loss)
    if wrt is None:
        found = [n for n in graph.nodes if n.op is None and n.requires_grad]
        if not found:
            raise ValueError(
                f"derive: {describe(loss)} depends on nothing that wants a gradient; make a "
                "Tensor with requires_grad=True, outside no_grad(), and compute from it"
            )
        return found
    wanted: list[Any] = []
    for x in [wrt] if isinstance(wrt, (Recorded, str)) else wrt:
        if isinstance(x, str):
            called = [n for n in graph.nodes if n.name == x]
            if len(called) != 1:
                many = "nothing" if not called else f"{len(called)} nodes"
                raise TypeError(f"derive: {many} in this graph is called {x!r}; give the Tensor")
            x = called[0]
        if not isinstance(x, Recorded):
            raise TypeError(f"derive: wrt takes Tensors and names, not {type(x).__name__}")
        if not x.requires_grad:
            raise ValueError(_wants_none(x))
        if x not in graph.consumers:
            warnings.warn(
                f"derive: {describe(loss)} does not depend on {describe(x)}; its gradient is zero",
                UserWarning,
                stacklevel=4,
            )
        if not any(x is other for other in wanted):
            wanted.append(x)
    return wanted


def _wants_none(x: Any) -> str:
    """Why there is nothing to derive by a node, and what to do."""
    refused = f"derive: wrt has {describe(x)}, which wants no gradient; "
    if x.dtype.kind != "f":
        return refused + f"it holds {x.dtype.name}, and only floating-point numbers have one"
    if x.op is not None:
        return refused + "it was computed from constants; make one of them a Tensor"
    return refused + "make it a Tensor, ag.Tensor(…, requires_grad=True), and compute from it"

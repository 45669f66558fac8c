"""A derivation: closed forms, the steps that lead to them, and their output in each format."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import sympy

from autograd_lite.arrays import describe
from autograd_lite.context import current, setting
from autograd_lite.derivation import pages
from autograd_lite.derivation.arrange import Arranger
from autograd_lite.derivation.chain import Chain
from autograd_lite.derivation.check import check
from autograd_lite.derivation.entries import Element
from autograd_lite.derivation.forms import Form, reads, values_of
from autograd_lite.derivation.notation import Text
from autograd_lite.derivation.reading import element
from autograd_lite.derivation.second import hessian
from autograd_lite.derivation.writer import Writer, prime
from autograd_lite.expressions.expr import in_order
from autograd_lite.expressions.names import Names
from autograd_lite.graph import Graph
from autograd_lite.lines import Lines
from autograd_lite.op import OPS
from autograd_lite.record import Recorded
from autograd_lite.sweep import gradients
from autograd_lite.tensor import Tensor
from autograd_lite.trees import flatten

__all__ = ["Derivation", "Step", "derived"]


@dataclass(frozen=True, slots=True)
class Step:
    """One application of the chain rule.

    Attributes:
        node: the node.
        name: its gradient, such as ∂L/∂z.
        local: the local derivative, such as ∂ŷ/∂z; empty where the product is not elementwise.
        product: the gradient in terms of the gradients of later nodes.
        form: the product, simplified.
        value: the gradient as an array.
        local_form: the local derivative as a formula, such as ŷ(1 − ŷ).
    """

    node: Any
    name: str
    local: str
    product: Form
    form: Form
    value: Any
    local_form: Form | None = None

    @property
    def line(self) -> tuple[str, int, str] | None:
        """The file, line and function that computed the node; None for a leaf.

        They are known if `derive` ran the function, or if the loss was computed under
        `detect_anomaly`.

        Example:
            >>> import numpy as np
            >>> import autograd_lite as ag
            >>> def loss(w):
            ...     return np.sum((w * w).named("z"))
            >>> step = ag.derive(loss, args=(np.array([1.0, 2.0]),)).steps[0]
            >>> file, line, function = step.line
            >>> step.name, line, function
            ('∂L/∂z', 2, 'loss')
        """
        return self.node.line  # type: ignore[no-any-return]


class Steps(Sequence[Step]):
    """The steps of a derivation, made when they are read."""

    def __init__(self, chain: Chain, writer: Writer) -> None:
        self._chain = chain
        self._writer = writer
        self.nodes: list[Any] = [
            node
            for node in reversed(chain.graph.nodes)
            if node.position in chain.gradients and node is not chain.loss and chain.named(node)
        ]

    def __len__(self) -> int:
        return len(self.nodes)

    @overload
    def __getitem__(self, k: int) -> Step: ...

    @overload
    def __getitem__(self, k: slice) -> list[Step]: ...

    def __getitem__(self, k: int | slice) -> Step | list[Step]:
        found = self.nodes[k]
        return [self._step(n) for n in found] if isinstance(found, list) else self._step(found)

    def _step(self, node: Any) -> Step:
        gradient, name = self._chain.gradients[node.position], self._writer.gradients[node.position]
        product = Form(self._writer, gradient.product, node.shape, node)
        form = Form(self._writer, gradient.closed, node.shape, node)
        is_sum = len(gradient.product) > 1
        local, local_form = ("", None) if is_sum else self._local(node, product.expression)
        value = self._chain.values.get(node)
        return Step(node, name, local, product, form, value, local_form)

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
        form = Form.of(writer, writer.resolved(product / symbols[0]), node.shape)
        above, below = writer.names[other.position], writer.names[node.position]
        return f"∂{above}/∂{below}", form


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
    """A gradient in closed form, with the steps that lead to it.

    A notebook displays it.

    Attributes:
        closed_form: the gradient by each variable of `wrt`, by Tensor or by name.
        steps: the chain rule, one step a node, from the loss back.
        values: the arrays that the formulas' NumPy source names.
        checked: what the comparison with the sweep covered, in words.
    """

    def __init__(self, chain: Chain, writer: Writer, wrt: Sequence[Any], numbers: bool) -> None:
        self._chain = chain
        self._writer = writer
        self._numbers = numbers
        self._more: dict[str, Any] = {}  # what Hessians name besides
        forms = {}
        for node in wrt:
            if node.position not in writer.names:
                writer.also(node)
            gradient = chain.gradients.get(node.position)
            zero = chain.patterns.placed(sympy.S.Zero)
            closed = (zero,) if gradient is None else gradient.closed
            forms[node] = Form(writer, closed, node.shape, node)
        self._nodes = {writer.names[n.position]: n for n in chain.graph.nodes if n.name is not None}
        self._nodes |= {writer.names[n.position]: n for n in wrt}
        self.closed_form: Forms = Forms(forms, self._nodes)
        self.steps: Steps = Steps(chain, writer)
        self.checked = ""

    @property
    def values(self) -> dict[str, Any]:
        """The arrays that the formulas' NumPy source names."""
        identifiers = self._writer.identifiers
        found = {identifiers[p]: value for p, value in values_of(self._writer, {}).items()}
        return found | self._more

    def _share_names(self, form: Form) -> None:
        """Name the nodes in a formula of another derivation as here, or by names unused here."""
        ours, writer = self._writer.identifiers, form._writer
        names, values = Names([*ours.values(), *self._more]), values_of(writer, {})
        used = set(in_order([writer.expression(form.tree)]))
        for p, argument in writer.arguments.items():
            known = p in ours
            writer.identifiers[p] = ours[p] if known else names.take(writer.identifiers[p])
            if argument in used and not known:
                self._more[writer.identifiers[p]] = values[p]

    def read(self, expression: Any) -> Form:
        """Your own formula, written with the graph's Tensors, to compare with.

        Example:
            >>> import autograd_lite as ag
            >>> x = ag.Tensor([1.0, 2.0], name="x")
            >>> d = ag.derive((x * x).sum())
            >>> d.closed_form[x] == d.read(2 * x), d.closed_form[x] == d.read(x)
            (True, False)
        """
        return reads(self._writer, expression)

    def hessian(self, w: Any) -> Form:
        """The matrix of second derivatives by one variable of `wrt`.

        Example:
            >>> import autograd_lite as ag
            >>> x, A = ag.Tensor([1.0, 2.0], name="x"), ag.constant([[1, 2], [3, 4]], name="A")
            >>> ag.derive(x @ A @ x).hessian(x)
            <A + Aᵀ>
        """
        node = self._nodes.get(w, w) if isinstance(w, str) else w
        return hessian(self, node, derived)  # type: ignore[no-any-return]

    def definitions(self) -> list[tuple[str, Form]]:
        """The definition of each named node in terms of earlier ones."""
        chain, writer = self._chain, self._writer
        return [
            (writer.names[p], Form(writer, (chain.definitions[p],), chain.nodes[p].shape))
            for p in sorted(chain.definitions)
        ]

    def legend(self) -> str:
        """The definitions of g and g′, if there is one hidden activation."""
        op = self._writer.activation
        if op is None:
            return ""
        x, expr = prime(self._writer.space, op)
        symbol = self._writer.space.symbol(Element(-2, ()))
        notation = Text({-2: "a"}, {}, {})
        body = notation(Arranger(self._writer.space).tree(expr.xreplace({x: symbol}), ()))
        return f"g = {OPS[op].notation.symbol}, g′(a) = {body}"

    def _calls(self) -> set[str]:
        """The names of the functions in the closed forms of the steps."""
        gradients = self._chain.gradients
        found = {
            (t.pattern, n.shape) for n in self.steps.nodes for t in gradients[n.position].closed
        }
        return set().union(*(self._writer.tree_of(*key).calls() for key in found))

    def notes(self) -> list[str]:
        """The definitions and assumptions that the formulas use: g, H, constants, selections."""
        legend, calls = self.legend(), self._calls()
        found = [legend] if legend and any(name.endswith("′") for name in calls) else []
        if "heaviside" in calls:
            found.append("H(a) = 1[a > 0], and ½ at 0")
        for position, axis in self._chain.space.units.items():
            along = "" if self._chain.nodes[position].ndim == 1 else f" along axis {axis}"
            found.append(f"{self._writer.names[position]} sums to 1{along}")
        return [*found, *self._symbols()]

    def _symbols(self) -> list[str]:
        """What the symbols of the formulas are that the program has no name for."""
        for _, form in pages.ends(self.definitions()):
            form.text()
        for step in pages.ends(self.steps):
            step.product.text(), step.form.text()
        return list(self._writer.symbols.notes.values())

    # Output

    def _named_forms(self) -> list[tuple[str, Form]]:
        """The closed forms with the names of the gradients."""
        return [(self._writer.gradients[n.position], f) for n, f in self.closed_form.items()]

    def text(self) -> str:
        """The derivation in plain text, one step a line."""
        return pages.text(self)

    def markdown(self) -> str:
        """The derivation as Markdown, its formulas in LaTeX."""
        return pages.markdown(self)

    def latex(self) -> str:
        """The derivation as one LaTeX align* environment."""
        return pages.latex(self)

    def mathml(self) -> str:
        """The derivation as HTML with MathML, which loads nothing from elsewhere."""
        return pages.mathml(self)

    def shown(self, step: Step) -> list[str]:
        """A step, its local derivative and the symbols in it, as HTML with MathML."""
        local = [pages.local_mathml(self, step)] if step.local_form is not None else []
        return [pages.step_mathml(self, step), *local, *pages.symbols(self, step)]

    __str__ = text

    _repr_markdown_ = markdown

    def _repr_html_(self) -> str:
        return pages.page(self)

    def __repr__(self) -> str:
        forms = ", ".join(f"{name} = {form}" for name, form in self._named_forms())
        return f"Derivation({forms})"


def derived(
    loss: Any,
    wrt: Any,
    expand: bool,
    numbers: bool,
    args: Sequence[Any] | None,
    lengths: bool | Mapping[str, int],
    names: Mapping[Any, str] | None = None,
) -> Derivation:
    """A checked derivation; the arguments are those of `derive`, and a name for each node."""
    if args is not None or (callable(loss) and not isinstance(loss, Recorded)):
        loss, wrt = _called(loss, args, wrt)
    if not isinstance(loss, Tensor):
        raise TypeError(f"derive takes a Tensor or a function, not {type(loss).__name__}")
    if loss.size != 1:
        raise ValueError(
            f"derive needs a scalar; got {describe(loss)}. Derive its sum() or mean(), or one of "
            "its elements"
        )
    variables = _variables(loss, wrt)
    with np.errstate(all="ignore"):
        values = gradients(loss).of
    chain = Chain(loss, set(variables), expand, lengths, values)
    writer = Writer(chain, lengths if isinstance(lengths, Mapping) else {}, names)
    derivation = Derivation(chain, writer, variables, numbers)
    check(derivation)
    return derivation


def _called(f: Any, args: Sequence[Any] | None, wrt: Any) -> tuple[Any, Any]:
    """The loss that a function returns, its arguments named after its parameters."""
    if not callable(f):
        raise TypeError(f"derive takes args= with a function only, not with {type(f).__name__}")
    if args is None:
        raise TypeError("derive needs the function's arguments: derive(f, args=(…,))")
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
    observer = current().observer
    with setting(observer=Lines() if observer is None else observer):
        return f(*given), wrt


def _argument(named: list[list[Any]], k: int) -> list[Any]:
    if not -len(named) <= k < len(named):
        raise ValueError(f"derive: wrt={k} is out of range for {len(named)} arguments")
    return named[k]


def _leaf(x: Any, name: str) -> Any:
    if isinstance(x, Recorded):
        return x if x.name else Tensor(x.array, name, x.requires_grad)
    return Tensor(x, name, requires_grad=np.asarray(x).dtype.kind == "f")


def _variables(loss: Any, wrt: Any) -> list[Any]:
    """The nodes to differentiate by, in the order of `wrt`."""
    graph = Graph.of(loss)
    if wrt is None:
        found = [n for n in graph.nodes if n.op is None and n.requires_grad]
        if not found:
            raise ValueError(
                f"derive: {describe(loss)} depends on no Tensor that requires a gradient; make "
                "one with requires_grad=True, outside no_grad(), and compute from it"
            )
        return found
    variables: dict[Any, None] = {}
    for x in [wrt] if isinstance(wrt, (Recorded, str)) else wrt:
        if isinstance(x, str):
            named = [n for n in graph.nodes if n.name == x]
            if len(named) != 1:
                many = "no node" if not named else f"{len(named)} nodes"
                raise TypeError(f"derive: {many} of this graph has the name {x!r}; give the Tensor")
            x = named[0]
        if not isinstance(x, Recorded):
            raise TypeError(f"derive: wrt takes Tensors and names, not {type(x).__name__}")
        if not x.requires_grad:
            raise ValueError(f"derive: {describe(x)} requires no gradient; {_remedy(x)}")
        if x not in graph.consumers:
            warnings.warn(
                f"derive: {describe(loss)} does not depend on {describe(x)}; its gradient is zero",
                UserWarning,
                stacklevel=4,
            )
        variables[x] = None
    return list(variables)


def _remedy(x: Any) -> str:
    """Why a node requires no gradient, and what to do."""
    if x.dtype.kind != "f":
        return f"it has dtype {x.dtype.name}, and only floating-point numbers have one"
    if x.op is not None:
        return "it was computed from constants; make one of them a Tensor"
    return "make it a Tensor, ag.Tensor(…, requires_grad=True), and compute from it"

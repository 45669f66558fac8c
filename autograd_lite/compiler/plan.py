"""A native function as steps: loop nests, products by BLAS and single numbers, and their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import prod

from autograd_lite.compiler.languages import NUMBA, Language
from autograd_lite.compiler.native import ASSEMBLED, REDUCTIONS, Stretch, axes_of, is_literal
from autograd_lite.compiler.native_loops import constants_of, element_of, run_of
from autograd_lite.compiler.views import Index, broadcast, identity, is_view, place
from autograd_lite.expressions.expr import LOOP, Builder, Expr, in_order

__all__ = ["Plan", "Step"]

_ANYWHERE = (Index(None, -1),)  # places that are known only when the program runs

FEW = 512  # multiplications up to which loops are faster than BLAS
SMALL = 4096  # elements of a matrix up to which BLAS is faster with a copy than with its transpose
ROWS = 64  # the number of rows that counts for it where it is not known


@dataclass(eq=False)
class Step:
    """A part of a native function.

    Attributes:
        domain: the lengths of its loops; () for single numbers, a product or a reshaped array.
        calls: what it computes.
        alone: whether no other calls may join it.
    """

    domain: tuple[int, ...]
    calls: list[Expr] = field(default_factory=list)
    alone: bool = False


class Plan:
    """The steps of a native function, and in which of them each call is computed.

    Attributes:
        steps: in order.
        step_of: the number of the step of each call; -1 for parameters.
        stored: the calls whose results are arrays, in memory.
        last: the number of the last step that uses an array.
    """

    def __init__(
        self,
        stretch: Stretch,
        b: Builder,
        in_memory: bool = False,
        language: Language = NUMBA,
    ) -> None:
        self.stretch, self.b, self.length, self.language = stretch, b, stretch.length, language
        self.steps: list[Step] = []
        self.step_of: dict[Expr, int] = dict.fromkeys(stretch.parameters, -1)
        self.stored: set[Expr] = {x for x in stretch.parameters if x.shape}
        for x in in_order(stretch.results, stretch.parameters):
            if not (is_literal(x) or self.is_view(x)):
                self._place(x)
        results = [*stretch.results]
        if in_memory:
            results = [self.memory(x) for x in results]
        self.results = [x for x in results if x.shape]
        self._sink()
        self._find_stored()
        self.last = self._lasts()

    def in_loops(self, x: Expr) -> bool:
        """Whether a product is computed by loops rather than by BLAS."""
        a, b = x.args
        lengths = (*a.shape, *(b.shape[1:] if b.ndim == 2 else ()))
        few = prod(ROWS if n == self.length else n for n in lengths) <= FEW
        return few or self.language.by_loops

    def is_alone(self, x: Expr) -> bool:
        """Whether a call is a step of its own."""
        known = ("np.matmul", "np.reshape", LOOP)
        return x.fn in known or x.fn in ASSEMBLED or self.language.whole(x)

    def is_view(self, x: Expr) -> bool:
        """Whether loops look through a call at its operand."""
        return is_view(x, self.length) and x not in self.step_of

    def resolved(self, x: Expr, index: Sequence[Index]) -> tuple[Expr, tuple[Index, ...]]:
        """The array behind an operand, and where its element is; the operand may be broadcast."""
        index = broadcast(x.shape, index)
        while self.is_view(x):
            index, x = place(x, index), x.args[0]
        return x, index

    def reads(self, x: Expr) -> Iterator[tuple[Expr, tuple[Index, ...]]]:
        """The arrays that an elementwise call or a reduction reads, and where, in its loops."""
        own = identity(self.domain(x))
        if element_of(x):
            yield run_of(x.args[0])[0], (Index(None), *own)
            return
        table = self.language.table(x)
        if table is not None:
            yield self.array(table, straight=True)[0], _ANYWHERE
        for y in x.inputs:
            if y is not table:
                yield self.resolved(y, own)

    def domain(self, x: Expr) -> tuple[int, ...]:
        """The lengths of the loops that compute a call."""
        return x.args[0].shape if x.fn in REDUCTIONS else x.shape  # type: ignore[no-any-return]

    def array(self, x: Expr, straight: bool = False) -> tuple[Expr, bool]:
        """An array in memory with the elements of x, and whether it is transposed.

        It is a copy if no array has them in order. A `straight` one is not transposed.
        """
        base, index = self.resolved(x, identity(x.shape))
        if index == identity(base.shape) and base.shape == x.shape:
            return base, False
        transposed = (
            base.ndim == 2 and index == identity(x.shape)[::-1] and base.shape == x.shape[::-1]
        )
        if transposed and not straight and not self.language.by_loops:
            return base, True
        copy = self.b._call(".astype", (x, x.dtype), {"copy": True}, (x.shape, x.dtype))
        if copy not in self.step_of:
            self._place(copy)
        return copy, False

    def memory(self, x: Expr) -> Expr:
        """The array with the elements of x, or the array that a number is an element of."""
        return self.array(x)[0] if x.shape else self.resolved(x, ())[0]

    def reshaped(self, x: Expr) -> Expr:
        """The array that a reshaped array looks at."""
        return self.array(x.args[0], straight=True)[0]

    def factors(self, x: Expr) -> list[tuple[Expr, bool]]:
        """The arrays of a product by BLAS, which is faster if a small right one is straight."""
        a, b = x.args
        small = b.size <= SMALL and self.length not in b.shape
        return [self.array(a), self.array(b, straight=small)]

    def results_of(self, loop: Expr) -> list[Expr]:
        """The calls that take the results of a loop."""
        return [x for x in self.step_of if x.fn == "[]" and x.args[0] is loop]

    def _place(self, x: Expr) -> None:
        """Put a call into a step, after all that it uses."""
        if x.fn == "[]" and (x.shape is None or x.args[0].fn == LOOP):
            self.step_of[x] = self.step_of[x.args[0]]
            return
        if self.is_alone(x):
            self._place_alone(x)
            return
        domain = self.domain(x)
        separate = x.fn in REDUCTIONS and not _is_trailing(x)
        first = max((self._ready(y, index, domain) for y, index in self.reads(x)), default=0)
        for k in range(len(self.steps) - 1, first - 1, -1):
            if self.steps[k].domain == domain and not self.steps[k].alone and not separate:
                self._enter(x, k)
                return
        self.steps.append(Step(domain, alone=separate))
        self._enter(x, len(self.steps) - 1)

    def _place_alone(self, x: Expr) -> None:
        if x.fn == "np.matmul" and not self.in_loops(x):
            self.factors(x)
        elif x.fn in ("np.reshape", LOOP) or self.language.whole(x):
            self.operands(x)
        self.steps.append(Step((), alone=True))
        self._enter(x, len(self.steps) - 1)

    def _enter(self, x: Expr, k: int) -> None:
        self.steps[k].calls.append(x)
        self.step_of[x] = k

    def _ready(self, y: Expr, index: Sequence[Index], domain: tuple[int, ...]) -> int:
        """The first step that can read an operand."""
        if is_literal(y):
            return 0
        k = self.step_of[y]
        inside = k >= 0 and domain == self.steps[k].domain and not self.steps[k].alone
        if inside and y.fn not in REDUCTIONS and index == identity(domain):
            return k
        return k + 1

    def operands(self, x: Expr) -> list[tuple[Expr, bool]]:
        """What a call reads, and whether it is at the place of its own element."""
        if x.fn == "np.matmul" and not self.in_loops(x):
            return [(array, False) for array, _ in self.factors(x)]
        if x.fn == LOOP:
            _, _, initial, fixed, sequences = x.args
            given = [y for y in (*initial, *fixed, *constants_of(x)) if isinstance(y, Expr)]
            arrays = [self.memory(y) for y in given]
            arrays += [self.array(y, straight=True)[0] for y in sequences if y.shape]
            return [(array, False) for array in arrays]
        if x.fn in ASSEMBLED:
            return [(self.resolved(y, identity(y.shape))[0], False) for y in x.inputs]
        if x.fn == "np.reshape":
            return [(self.reshaped(x), False)]
        if self.language.whole(x):
            return [(self.array(y, straight=True)[0], False) for y in x.inputs if y.shape]
        if x.fn == "np.matmul":
            return [(self.resolved(y, identity(y.shape))[0], False) for y in x.args]
        own = identity(self.domain(x))
        return [(y, index == own and y.shape == self.domain(x)) for y, index in self.reads(x)]

    def _sink(self) -> None:
        """Compute each elementwise call in the only step that uses it, so that it is not stored."""
        kept = {*self.results}
        users: dict[Expr, list[tuple[Expr, bool]]] = {}
        for step in self.steps:
            for x in step.calls:
                for y, same in self.operands(x):
                    users.setdefault(y, []).append((x, same))
        for x in reversed([x for step in self.steps for x in step.calls]):
            k, used = self.step_of[x], users.get(x, [])
            steps = {self.step_of[y] for y, _ in used}
            movable = x.shape and not self.steps[k].alone and x.fn not in REDUCTIONS
            if not movable or x in kept or len(steps) != 1 or not all(same for _, same in used):
                continue
            (later,) = steps
            single = all(len({*users[y]}) == 1 for y, same in self.operands(x) if self._local(y, k))
            if later > k and self.steps[later].domain == self.steps[k].domain and single:
                self.steps[k].calls.remove(x)
                first = min(self.steps[later].calls.index(y) for y, _ in used)
                self.steps[later].calls.insert(first, x)
                self.step_of[x] = later

    def _local(self, x: Expr, k: int) -> bool:
        return self.step_of.get(x) == k

    def _find_stored(self) -> None:
        self.stored.update(self.results)
        for k, step in enumerate(self.steps):
            for x in step.calls:
                if x.fn in REDUCTIONS or step.alone:
                    self.stored |= {x} if x.shape else set()
                for y, same in self.operands(x):
                    if y.shape and not (same and self.step_of.get(y) == k and not step.alone):
                        self.stored.add(y)

    def owner(self, x: Expr) -> Expr:
        """The array whose memory a reshaped array shares."""
        while x.fn == "np.reshape" and x in self.step_of and self.step_of[x] >= 0:
            x = self.reshaped(x)
        return x

    def _lasts(self) -> dict[Expr, int]:
        last: dict[Expr, int] = {}
        for k, step in enumerate(self.steps):
            for x in step.calls:
                last[self.owner(x)] = k
                for y, _ in self.operands(x):
                    last[self.owner(y)] = k
        return last | {self.owner(x): len(self.steps) for x in self.results}


def _is_trailing(x: Expr) -> bool:
    """Whether a reduction goes over the last axes."""
    axes = axes_of(x)
    return bool(axes[0] == x.args[0].ndim - len(axes))

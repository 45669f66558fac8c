"""Which line of the user's program each line of the readable source belongs to."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from autograd_lite.expressions.expr import Place

__all__ = ["places_in"]


def places_in(
    module: str, function: str, assigned: Mapping[str, Place], returned: Sequence[Place | None]
) -> dict[int, Place]:
    """The file and line for each line of a function in a module, as far as it has one.

    Args:
        module: the source.
        function: the name of the function.
        assigned: the place of what is assigned to each name.
        returned: the place of each result.
    """
    body = ast.parse(module).body
    tree = next(x for x in body if isinstance(x, ast.FunctionDef) and x.name == function)
    found: dict[int, Place] = {}
    for statement in ast.walk(tree):
        for part, place in _placed(statement, assigned, returned):
            for line in range(part.lineno, (part.end_lineno or part.lineno) + 1):
                found.setdefault(line, place)
    return dict(sorted(found.items()))


def _placed(
    statement: ast.AST, assigned: Mapping[str, Place], returned: Sequence[Place | None]
) -> Iterator[tuple[ast.stmt | ast.expr, Place]]:
    """The parts of a statement that have a place."""
    if isinstance(statement, ast.Return):
        if isinstance(statement.value, ast.Tuple) and len(statement.value.elts) == len(returned):
            pairs = zip(statement.value.elts, returned, strict=True)
            yield from ((part, place) for part, place in pairs if place is not None)
        yield from ((statement, place) for place in returned[:1] if place is not None)
    elif isinstance(statement, (ast.Assign, ast.Expr, ast.For)):
        # The place of what is assigned, otherwise that of what is used.
        names = [x.id for x in ast.walk(statement) if isinstance(x, ast.Name)]
        places = [assigned[name] for name in names if name in assigned]
        part = statement.iter if isinstance(statement, ast.For) else statement
        yield from ((part, place) for place in places[:1])

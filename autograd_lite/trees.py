"""Nested containers of arrays: dicts, lists, tuples, named tuples, dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

__all__ = ["flatten", "leaves_like", "tree_map"]


def flatten(tree: Any, path: str = "") -> tuple[list[Any], list[str], Callable[[Any], Any]]:
    """The leaves of a tree, the path to each leaf, and a function that rebuilds the tree.

    None is a tree without leaves. Anything that is not a container is a leaf.

    Raises:
        ValueError: for a container that contains itself.

    Example:
        >>> leaves, paths, build = flatten({"w": [1.0, 2.0], "b": 3.0})
        >>> leaves, paths
        ([1.0, 2.0, 3.0], ["['w'][0]", "['w'][1]", "['b']"])
        >>> build([10, 20, 30])
        {'w': [10, 20], 'b': 30}
    """
    leaves: list[Any] = []
    paths: list[str] = []
    try:
        build = _flatten(tree, path, leaves, paths)
    except RecursionError:
        raise ValueError("a container contains itself, or is nested too deeply") from None
    return leaves, paths, lambda new: build(iter(new))


def tree_map(function: Callable[..., Any], tree: Any) -> Any:
    """The same containers with a function applied to every leaf.

    Example:
        >>> tree_map(abs, {"w": [-1.0, 2.0]})
        {'w': [1.0, 2.0]}
    """
    leaves, _, build = flatten(tree)
    return build([function(x) for x in leaves])


def leaves_like(tree: Any, paths: Sequence[str], what: str) -> list[Any]:
    """The leaves of a tree in the order of the given paths; keys may be in any order.

    Raises:
        ValueError: if the tree does not have exactly these paths.

    Example:
        >>> leaves_like({"b": 1, "w": 2}, ["['w']", "['b']"], "a tangent")
        [2, 1]
    """
    leaves, found, _ = flatten(tree)
    if found == list(paths):
        return leaves
    by_path = dict(zip(found, leaves, strict=True))
    if len(by_path) != len(found) or by_path.keys() != set(paths):
        missing = next((path for path in paths if path not in by_path), None)
        extra = next((path for path in found if path not in set(paths)), None)
        wrong = (
            f"has nothing at {_place(missing)}"
            if missing is not None
            else f"has an extra entry at {_place(extra)}"
        )
        raise ValueError(f"{what} {wrong}; it must have the same structure of containers")
    return [by_path[path] for path in paths]


def _place(path: str | None) -> str:
    return f"its {path}" if path else "its top, where an array is needed"


def _flatten(
    tree: Any, path: str, leaves: list[Any], paths: list[str]
) -> Callable[[Iterator[Any]], Any]:
    children = _children(tree)
    if children is None:
        leaves.append(tree)
        paths.append(path)
        return next
    parts, build = children
    builders = [_flatten(part, path + step, leaves, paths) for step, part in parts]
    return lambda new: build([one(new) for one in builders])


CONTAINERS = (dict, tuple, list, type(None))


def _children(tree: Any) -> tuple[list[tuple[str, Any]], Callable[[list[Any]], Any]] | None:
    """The steps to the children of a container, or None for a leaf."""
    kind: Any = type(tree)
    if not isinstance(tree, CONTAINERS) and not hasattr(kind, "__dataclass_fields__"):
        return None
    if isinstance(tree, dict):
        keys = list(tree)
        steps = [(f"[{key!r}]", tree[key]) for key in keys]
        if type(tree) is dict:
            return steps, lambda parts: dict(zip(keys, parts, strict=True))
        return steps, lambda parts: _like(tree, dict(zip(keys, parts, strict=True)))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return [(f".{name}", getattr(tree, name)) for name in tree._fields], (
            lambda parts: kind(*parts)
        )
    if isinstance(tree, (list, tuple)):
        return [(f"[{k}]", part) for k, part in enumerate(tree)], lambda parts: kind(parts)
    if hasattr(kind, "__dataclass_fields__"):
        names = [field.name for field in dataclasses.fields(tree) if field.init]
        return [(f".{name}", getattr(tree, name)) for name in names], (
            lambda parts: dataclasses.replace(tree, **dict(zip(names, parts, strict=True)))
        )
    return [], lambda parts: None


def _like(tree: Any, new: dict[Any, Any]) -> Any:
    copied = tree.copy()
    copied.update(new)
    return copied

"""Nested containers of arrays: dicts, lists, tuples, named tuples, dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["flatten", "tree_map"]


def flatten(tree: Any, path: str = "") -> tuple[list[Any], list[str], Callable[[Any], Any]]:
    """The leaves of a tree, the path to each, and a function that builds it from new leaves.

    Example:
        >>> leaves, paths, build = flatten({"w": [1.0, 2.0], "b": 3.0})
        >>> leaves, paths
        ([1.0, 2.0, 3.0], ["['w'][0]", "['w'][1]", "['b']"])
        >>> build([10, 20, 30])
        {'w': [10, 20], 'b': 30}
    """
    leaves: list[Any] = []
    paths: list[str] = []
    build = _flatten(tree, path, leaves, paths)
    return leaves, paths, lambda new: build(iter(new))


def tree_map(function: Callable[..., Any], tree: Any) -> Any:
    """The same containers with a function applied to every leaf."""
    leaves, _, build = flatten(tree)
    return build([function(x) for x in leaves])


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


def _children(tree: Any) -> tuple[list[tuple[str, Any]], Callable[[list[Any]], Any]] | None:
    """The steps to the children of a container, or None for a leaf."""
    if isinstance(tree, dict):
        keys, kind = list(tree), type(tree)
        steps = [(f"[{key!r}]", tree[key]) for key in keys]
        if kind is dict:
            return steps, lambda parts: dict(zip(keys, parts, strict=True))
        return steps, lambda parts: _like(tree, dict(zip(keys, parts, strict=True)))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        kind = type(tree)
        return [(f".{name}", getattr(tree, name)) for name in tree._fields], (
            lambda parts: kind(*parts)
        )
    if isinstance(tree, (list, tuple)):
        kind = type(tree)
        return [(f"[{k}]", part) for k, part in enumerate(tree)], lambda parts: kind(parts)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = [field.name for field in dataclasses.fields(tree) if field.init]
        return [(f".{name}", getattr(tree, name)) for name in names], (
            lambda parts: dataclasses.replace(tree, **dict(zip(names, parts, strict=True)))
        )
    if tree is None:
        return [], lambda parts: None
    return None


def _like(tree: Any, new: dict[Any, Any]) -> Any:
    copied = tree.copy()
    copied.update(new)
    return copied

"""Imports models/ and viz/, which a wheel has inside this package and a checkout beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

__all__ = ["Beside", "find_beside"]

FOLDERS = {"autograd_lite.models": "models", "autograd_lite.viz": "viz"}


class Beside:
    """Finds the two folders if the pyproject.toml beside them maps them into the package."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """The protocol of ``sys.meta_path``; `path` is the path of the package."""
        folder = FOLDERS.get(name)
        if folder is None or not path:
            return None
        checkout = os.path.dirname(path[0])
        try:
            with open(os.path.join(checkout, "pyproject.toml"), "rb") as file:
                ours = f'"{name}" = "{folder}"'.encode() in file.read()
        except OSError:
            return None
        return PathFinder.find_spec(name, [checkout]) if ours else None


def find_beside(package: str) -> None:
    """Let Python search beside the package, given by its folder, unless it has both inside."""
    inside = all(os.path.isdir(os.path.join(package, folder)) for folder in FOLDERS.values())
    if not inside and Beside not in sys.meta_path:
        sys.meta_path.insert(0, Beside)  # before one of an editable install elsewhere

"""A function in a Python file, loaded by its path and called; errors name the line that failed."""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

import autograd_lite as ag

__all__ = ["result_of"]

_NAME = "explained_file"
"""The name of the module while its code runs; `__main__` would run what is meant for scripts."""


@contextmanager
def result_of(path: str, name: str) -> Iterator[ag.Tensor]:
    """The Tensor that a function of a Python file returns when it is called without arguments.

    Until the block ends, modules beside the file can be imported, and an error in the code of the
    file, such as the gradient rule of an operation, becomes a ValueError with the line.

    Raises ValueError, in one line, if the file has no such function, the function needs arguments
    or returns something else, or its code raises an error; OSError as `open` does.
    """
    content, folder, returned = Path(path).read_bytes(), Path(path).resolve().parent, False
    module = ModuleType(_NAME)
    module.__file__ = path
    sys.path.insert(0, str(folder))
    sys.modules[_NAME] = module  # where dataclasses look for it
    try:
        exec(compile(content, path, "exec"), vars(module))
        result = _function(module, path, name)()
        if not isinstance(result, ag.Tensor):
            raise ValueError(_not_a_tensor(result, f"{path}:{name}"))
        returned = True
        yield result
    except (Exception, SystemExit) as error:
        where = _where(error, folder)
        if not where and (returned or isinstance(error, ValueError)):
            raise
        raise ValueError(f"{where or path}: {_told(error)}") from error
    finally:
        sys.modules.pop(_NAME, None)
        if str(folder) in sys.path:
            sys.path.remove(str(folder))


def _where(error: BaseException, folder: Path) -> str:
    """The last line of a file in the folder that ran before an error, or ""."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    for frame, line in reversed([*traceback.walk_tb(error.__traceback__)]):
        file, ours = Path(frame.f_code.co_filename), frame.f_globals.get("__name__", "")
        own = os.path.isfile(file) and file.resolve().is_relative_to(folder)
        if own and "site-packages" not in file.parts and not ours.startswith("autograd_lite"):
            name = frame.f_code.co_name
            return f"{file}, line {line}" + ("" if name.startswith("<") else f", in {name}")
    return ""


def _told(error: BaseException) -> str:
    """An error as the last line of a traceback."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _function(module: ModuleType, path: str, name: str) -> Callable[[], Any]:
    """The function of a name, which takes no arguments or has a default for each."""
    found: Callable[[], Any] | None = vars(module).get(name)
    if not callable(found):
        if name in vars(module):
            raise ValueError(f"{name} in {path} is {_kind(found)}, not a function")
        own = [
            key
            for key, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == _NAME
        ]
        close = get_close_matches(name, own, 1)
        meant = f"; did you mean {close[0]}?" if close else ""
        if not close and own:
            meant = f"; it has {', '.join(own[:8])}{', …' * (len(own) > 8)}"
        raise ValueError(f"{path} has no function {name!r}{meant}")
    if needed := _needed(found):
        raise ValueError(
            f"{path}:{name} is called without arguments, but needs {', '.join(needed)}; give each "
            "a default, or name a function that takes none"
        )
    return found


def _needed(function: Callable[..., Any]) -> list[str]:
    """The names of the parameters that have no default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []  # a built-in function
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in kinds]


def _not_a_tensor(result: Any, function: str) -> str:
    if inspect.iscoroutine(result):
        result.close()
    return (
        f"{function} returned {_kind(result)}, not a Tensor; return a result that is computed from "
        "ag.Tensor(…)"
    )


def _kind(value: Any) -> str:
    """What a value is, with its article."""
    if value is None:
        return "None"
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"

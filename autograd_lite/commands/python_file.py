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
from types import CodeType, ModuleType
from typing import Any

import autograd_lite as ag

__all__ = ["result_of"]

_NAME = "explained_file"
"""The name of the module while its code runs; `__main__` would run what is meant for scripts."""


def result_of(path: str, name: str) -> ag.Tensor:
    """The Tensor that a function of a Python file returns when it is called without arguments.

    Modules beside the file can be imported.

    Raises ValueError, in one line, if the file has no such function, the function needs arguments
    or returns something else, or the code of the file raises an error, with the line where it did;
    OSError as `open` does.
    """
    content = Path(path).read_bytes()
    module = ModuleType(_NAME)
    module.__file__ = path
    with _importable(module, Path(path).resolve().parent) as guarded:
        code: CodeType = guarded(lambda: compile(content, path, "exec"))
        guarded(lambda: exec(code, vars(module)))
        result = guarded(_function(module, path, name))
    if not isinstance(result, ag.Tensor):
        if inspect.iscoroutine(result):
            result.close()
        raise ValueError(
            f"{path}:{name} returned {_kind(result)}, not a Tensor; return a result that is "
            "computed from ag.Tensor(…)"
        )
    return result


@contextmanager
def _importable(module: ModuleType, folder: Path) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """A function that calls code of the module, whose errors become one line.

    While the block runs, the module is in `sys.modules`, as dataclasses need, and its folder on the
    path.
    """

    def guarded(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (Exception, SystemExit) as error:
            raise ValueError(_where(error, folder, str(module.__file__))) from error

    sys.path.insert(0, str(folder))
    sys.modules[_NAME] = module
    try:
        yield guarded
    finally:
        sys.modules.pop(_NAME, None)
        if str(folder) in sys.path:
            sys.path.remove(str(folder))


def _where(error: BaseException, folder: Path, path: str) -> str:
    """An error of the user's code: the last line of a file in the folder, and the error."""
    kind = type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}: {kind}: {error.msg}"
    told = f"{kind}: {error}" if str(error) else kind
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        own = os.path.isfile(file) and file.resolve().is_relative_to(folder)
        if own and "site-packages" not in file.parts and not _is_ours(file):
            name = "" if frame.name.startswith("<") else f", in {frame.name}"
            return f"{frame.filename}, line {frame.lineno}{name}: {told}"
    return f"{path}: {told}"


def _is_ours(file: Path) -> bool:
    """Whether a file is a part of this package."""
    return file.resolve().is_relative_to(Path(__file__).resolve().parents[1])


def _function(module: ModuleType, path: str, name: str) -> Callable[[], Any]:
    """The function of a name, which takes no arguments or has a default for each."""
    found = vars(module).get(name)
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
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [
        parameter.name
        for parameter in inspect.signature(found).parameters.values()
        if parameter.default is parameter.empty and parameter.kind not in kinds
    ]
    if needed:
        raise ValueError(
            f"{path}:{name} is called without arguments, but needs {', '.join(needed)}; give each "
            "a default, or name a function that takes none"
        )
    return found


def _kind(value: Any) -> str:
    """What a value is, with its article."""
    if value is None:
        return "None"
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"

"""Names in generated code: a user's name as a safe identifier."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable

__all__ = ["Names", "identifier"]

# l, O and I are taken because they are hard to tell from 1 and 0.
RESERVED = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "np", "special", "l", "O", "I"}

_MARKS = {"\u0302": "_hat", "\u0304": "_bar", "\u0303": "_tilde", "\u0307": "_dot"}


def identifier(text: str) -> str:
    """An ASCII identifier that resembles the text; it may be empty.

    Example:
        >>> [identifier(text) for text in ("ŷ", "W⁽¹⁾", "∂L/∂w", "α", "lambda", "x; import os")]
        ['y_hat', 'W1', 'dL_dw', 'alpha', 'lambda', 'x_import_os']
    """
    written = []
    for letter in unicodedata.normalize("NFKD", text.replace("∂", "d").replace("′", "_prime")):
        if letter.isascii():
            written.append(letter)
        elif letter in _MARKS:
            written.append(_MARKS[letter])
        else:
            words = unicodedata.name(letter, "").split()
            greek = len(words) >= 4 and words[0] == "GREEK" and words[2] == "LETTER"
            written.append((words[3].lower() if greek else "_") if words else "_")
    name = re.sub(r"(?<=\w)\((\d+)\)", r"\1", "".join(written))
    name = re.sub(r"\W+|__+", "_", name, flags=re.ASCII).strip("_")[:60]
    return f"_{name}" if name[:1].isdigit() else name


class Names:
    """The names in one function, all different.

    Args:
        taken: names that are used already.
        reserved: the words of the language, which is Python by default.

    Example:
        >>> names = Names(["X"])
        >>> names.take("X"), names.take("lambda"), names.take("np")
        ('X_1', 'lambda_', 'np_')
    """

    def __init__(self, taken: Iterable[str] = (), reserved: Collection[str] = RESERVED) -> None:
        self.reserved = reserved
        self.taken: set[str] = {*reserved, *taken}
        self.counts: dict[str, int] = {}

    def take(self, text: str, otherwise: str = "t") -> str:
        """An unused name that resembles the text."""
        name = identifier(text) or otherwise
        if name in self.reserved or name == "_":
            name += "_"
        found = name
        while found in self.taken:
            self.counts[name] = self.counts.get(name, 0) + 1
            found = f"{name}_{self.counts[name]}"
        self.taken.add(found)
        return found

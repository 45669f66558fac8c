"""Files of safetensors: arrays by name, and texts that describe them."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Tensors", "is_safetensors", "written"]

_DTYPES = {
    "BOOL": "?",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "C64": "<c8",
    **{f"{kind}{8 * size}": f"<{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)},
}
"""The dtypes that NumPy has, too; bfloat16 and those of 8 bits or fewer are others."""


def is_safetensors(start: bytes) -> bool:
    """Whether a file that begins with these 9 bytes or more may be one of safetensors.

    It begins with the length of its header, which is a JSON object.

    Example:
        >>> is_safetensors(written({"w": np.zeros(2)})), is_safetensors(b"PK" + bytes(20))
        (True, False)
    """
    return start[8:9] == b"{" and not start.startswith(b"PK")


class Tensors(Mapping[str, npt.NDArray[Any]]):
    """The arrays in a file of safetensors; each is read when it is asked for.

    The constructor compares the header with the size of the file. `metadata` are its texts.

    Raises ImportError if safetensors is not installed, ValueError if the file is not one of
    safetensors, if two of its arrays have one name, and for an array of a dtype that NumPy does not
    have, and OSError as `open` does.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "w.safetensors"
        >>> _ = path.write_bytes(written({"w": np.eye(2).T}, {"made": "today"}))
        >>> tensors = Tensors(path)
        >>> list(tensors), tensors["w"].tolist(), tensors.metadata
        (['w'], [[1.0, 0.0], [0.0, 1.0]], {'made': 'today'})
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        package = _package()
        with open(path, "rb") as file:  # raises what `open` raises
            try:
                self._file = package.safe_open(path, framework="np")
            except package.SafetensorError as error:
                raise ValueError(f"it is not a file of safetensors: {error}") from None
            # Of two arrays of one name the package keeps the last.
            length = int.from_bytes(file.read(8), "little")
            pairs = json.loads(file.read(length), object_pairs_hook=tuple)
        counts = Counter(name for name, _ in pairs)
        if twice := [name for name, count in counts.items() if count > 1]:
            raise ValueError(f"it has two arrays {twice[0][:40]!r}")
        self._names = tuple(name for name in counts if name != "__metadata__")
        self.metadata: dict[str, str] = self._file.metadata() or {}

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name not in self._names:
            raise KeyError(name)
        dtype = self._file.get_slice(name).get_dtype()
        if dtype not in _DTYPES:
            raise ValueError(
                f"{name!r} is {dtype}, which NumPy does not have; write it as float32 or float64"
            )
        return np.array(self._file.get_tensor(name), dtype=_DTYPES[dtype])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def written(
    arrays: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str] | None = None
) -> bytes:
    """A file of safetensors with these arrays.

    With one text or none, the same content gives the same bytes; the package writes several texts
    in a random order. Raises ImportError if safetensors is not installed, and TypeError if an array
    has a dtype that the format does not have.
    """
    package = _package()
    for name, array in arrays.items():
        if array.dtype.newbyteorder("<") not in map(np.dtype, _DTYPES.values()):
            raise TypeError(f"safetensors cannot hold {name!r} of dtype {array.dtype}")
    # The package writes memory as it lies, whatever the strides.
    contiguous = {name: np.array(array, order="C") for name, array in arrays.items()}
    content: bytes = package.numpy.save(contiguous, dict(metadata) if metadata else None)
    return content


def _package() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            'files of safetensors need the package: pip install "autograd_lite[exchange]"'
        ) from None
    return safetensors

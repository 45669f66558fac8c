"""Tensors as arrays of other libraries, by DLPack."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.arrays import describe

__all__ = ["Exported"]

CPU = (1, 0)
"""The device by DLPack: its type and number."""


class Exported:
    """What `from_dlpack` of NumPy, PyTorch and JAX calls."""

    __slots__ = ()

    def __dlpack__(
        self: Any,
        *,
        stream: Any = None,
        max_version: Any = None,
        dl_device: Any = None,
        copy: Any = None,
    ) -> Any:
        # Always a copy, in C order: PyTorch 2.13 writes into memory that is marked as read-only.
        self.refuse_array()
        if stream is not None or dl_device not in (None, CPU):
            raise BufferError(f"{describe(self)} is exported to the CPU only")
        if copy is False:
            raise BufferError(f"{describe(self)} is exported as a copy; leave out copy=False")
        fresh = np.array(self.array, order="C")
        try:
            return fresh.__dlpack__(max_version=max_version)
        except TypeError:  # NumPy 2.0
            return fresh.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU

    def refuse_array(self: Any) -> None:
        """Raise an error if an array would lose a gradient.

        Raises:
            TypeError: if the Tensor requires a gradient, or is being differentiated or traced.
        """
        if self.requires_grad or self.always_recorded:
            raise TypeError(
                f"an array of {describe(self)} would lose its gradient; use NumPy's functions "
                "on the Tensor, np.stack for a list of Tensors, or .numpy() if this is intended"
            )

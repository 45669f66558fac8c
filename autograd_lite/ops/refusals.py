"""NumPy's functions that do not accept a Tensor, with the reason."""

import numpy as np

from autograd_lite.op import REFUSED

_REASONS = {
    "it changes its argument in place; use np.where, np.select, np.concatenate, or t.data of a "
    "leaf": ("fill_diagonal place put put_along_axis putmask"),
    "it writes into an array; use np.broadcast_to(t, shape) or np.full_like(t, fill_value)": (
        "copyto full"
    ),
    "the number of its results depends on the values; compute the indices from plain numbers, and "
    "index the Tensor with them": (
        "unique unique_all unique_counts unique_inverse unique_values intersect1d setdiff1d "
        "setxor1d union1d trim_zeros"
    ),
    "its result is piecewise constant; convert with .numpy()": (
        "histogram histogram2d histogramdd histogram_bin_edges"
    ),
    "it calls a function on slices; use a loop and np.stack": ("apply_along_axis apply_over_axes"),
    "it computes coefficients or roots; use np.linalg.solve, or np.polyval for the values of a "
    "polynomial": "poly polydiv polyfit roots",
    "it works on coefficients of polynomials; use np.convolve, + and −": (
        "polyadd polysub polymul polyder polyint"
    ),
    "it works on integers, bits or dates, which have no derivative; convert with .numpy()": (
        "packbits unpackbits ix_ ravel_multi_index unravel_index lexsort isnat busday_count "
        "busday_offset is_busday datetime_as_string bitwise_count left_shift right_shift gcd lcm"
    ),
    "it writes to a file; convert with .numpy()": ("save savetxt savez savez_compressed"),
    "its result is complex, and a Tensor is real; for n numbers, write the real and the imaginary "
    "part as np.cos(a) @ t and -np.sin(a) @ t, where a = 2 * np.pi / n * np.outer(k, np.arange(n)) "
    "and k are the frequencies": (
        "fft.fft fft.fft2 fft.fftn fft.ifft fft.ifft2 fft.ifftn fft.ihfft fft.rfft fft.rfft2 "
        "fft.rfftn"
    ),
    "it takes complex numbers, and a Tensor is real; from Tensors of the real and the imaginary "
    "part, write sums with np.cos and np.sin": "fft.hfft fft.irfft fft.irfft2 fft.irfftn",
    "its results are complex, and a Tensor is real; for a symmetric matrix, use np.linalg.eigh": (
        "linalg.eig linalg.eigvals"
    ),
    "its result is complex, and a Tensor is real; use np.sort": "sort_complex",
    "it depends on the rounding unit, which has no derivative": "nextafter spacing",
    "NumPy deprecated it; use np.isin": "in1d",
    "NumPy does not dispatch it to Tensors; use np.stack or np.concatenate": (
        "array asarray asanyarray"
    ),
}

for _reason, _names in _REASONS.items():
    for _name in _names.split():
        _place, _, _last = _name.rpartition(".")
        _function = getattr(getattr(np, _place) if _place else np, _last, None)
        if _function is not None:
            REFUSED[_function] = _reason

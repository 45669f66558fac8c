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
    "its results are complex, and a Tensor is real": (
        "sort_complex fft.fft fft.fft2 fft.fftn fft.hfft fft.ifft fft.ifft2 fft.ifftn fft.ihfft "
        "fft.irfft fft.irfft2 fft.irfftn fft.rfft fft.rfft2 fft.rfftn linalg.eig linalg.eigvals"
    ),
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

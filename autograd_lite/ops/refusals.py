"""NumPy's functions that take no Tensor, each with the reason."""

import numpy as np

from autograd_lite.op import REFUSED

_REASONS = {
    "it changes its argument in place, and a Tensor does not change; use np.where, np.select, "
    "np.concatenate or t.data of a leaf": ("fill_diagonal place put put_along_axis putmask"),
    "it writes into an array, as np.full does, and as np.full_like of an array; use "
    "np.broadcast_to(t, shape) or np.full_like(t, fill_value)": "copyto full",
    "how many results it has depends on the values; find the indices on plain numbers and take "
    "them from the Tensor": (
        "unique unique_all unique_counts unique_inverse unique_values intersect1d setdiff1d "
        "setxor1d union1d trim_zeros"
    ),
    "counts are constant between jumps; use .numpy() to count plain numbers": (
        "histogram histogram2d histogramdd histogram_bin_edges"
    ),
    "it calls a function on pieces of an array; write a loop and np.stack": (
        "apply_along_axis apply_over_axes"
    ),
    "it solves for coefficients or roots; write it with np.linalg.solve, or np.polyval for the "
    "values of a polynomial": "poly polydiv polyfit roots",
    "it works on coefficients of polynomials; write it with np.convolve, + and −": (
        "polyadd polysub polymul polyder polyint"
    ),
    "it works on whole numbers, bits or dates, which have no derivative; use .numpy()": (
        "packbits unpackbits ix_ ravel_multi_index unravel_index lexsort isnat busday_count "
        "busday_offset is_busday datetime_as_string bitwise_count left_shift right_shift gcd lcm"
    ),
    "it writes numbers to a file; use .numpy() to mean plain numbers": (
        "save savetxt savez savez_compressed"
    ),
    "its results are complex, and a Tensor is real": (
        "sort_complex fft.fft fft.fft2 fft.fftn fft.hfft fft.ifft fft.ifft2 fft.ifftn fft.ihfft "
        "fft.irfft fft.irfft2 fft.irfftn fft.rfft fft.rfft2 fft.rfftn linalg.eig linalg.eigvals"
    ),
    "its derivative is another special function, which NumPy lacks": "i0",
    "it steps by a rounding unit, which has no derivative": "nextafter spacing",
    "NumPy has given it up; use np.isin": "in1d",
    "NumPy does not hand it to Tensors; use np.stack or np.concatenate": (
        "array asarray asanyarray"
    ),
}

for _reason, _names in _REASONS.items():
    for _name in _names.split():
        _place, _, _last = _name.rpartition(".")
        _function = getattr(getattr(np, _place) if _place else np, _last, None)
        if _function is not None:
            REFUSED[_function] = _reason

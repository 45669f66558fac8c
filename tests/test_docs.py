"""The generated pages are up to date."""

from __future__ import annotations

import re

import engine
import make
import numpy as np
import operations
import pytest

from autograd_lite.op import NUMPY, OPS, REFUSED, SCIPY

PAGE = operations.page()

# Read before any example runs, because examples define operations of their own.
OWN = [name for name, op in OPS.items() if not op.foreign]


@pytest.mark.parametrize("name", make.PAGES)
def test_no_page_is_stale(name):
    text = (make.ROOT / name).read_text(encoding="utf-8")
    made = re.search(r"Made with NumPy (\S+)\.", text)
    if made and made[1] != operations.numpy_version():
        pytest.skip(f"made with NumPy {made[1]}, and here is {operations.numpy_version()}")
    assert text == make.PAGES[name](), f"{name} is stale; run python docs/make.py"


def test_every_note_on_the_engine_is_on_its_page():
    text = engine.page()
    assert [name for name, note in engine.NOTES.items() if note not in text] == []


def test_check_reports_what_is_stale_and_changes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make, "ROOT", tmp_path)
    assert make.main(["--check"]) == 1
    assert "docs/operations.md is stale" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    assert make.main([]) == 0
    assert (tmp_path / "docs/operations.md").read_text(encoding="utf-8") == PAGE
    assert make.main(["--check"]) == 0


def test_every_operation_is_on_the_page_once():
    for name in OWN:
        assert len(re.findall(rf"^\| `{name}` \|", PAGE, re.MULTILINE)) == 1, name


def test_every_supported_and_every_refused_function_is_on_the_page():
    for function in [*NUMPY, *REFUSED]:
        if not getattr(NUMPY.get(function), "foreign", False):
            assert operations._paths(function) in PAGE
    for name in SCIPY:
        assert f"`scipy.special.{name}`" in PAGE


def test_every_table_is_rectangular():
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table


# What HIPS/autograd 1.9 and MyGrad 2.5 differentiate, by NumPy's names.
PEERS = """
abs absolute add amax amin append arccos arccosh arcsin arcsinh arctan arctan2 arctanh array_split
astype atleast_1d atleast_2d atleast_3d broadcast_to cbrt clip column_stack concatenate conj
conjugate copysign cos cosh cross cumprod cumsum deg2rad degrees diag diagonal diff divide dot
dsplit dstack einsum exp exp2 expand_dims expm1 fabs fliplr flip flipud float_power fmax fmin
full_like gradient hsplit hstack hypot imag inner kron log log10 log1p log2 logaddexp logaddexp2
logsumexp
matmul max maximum mean median min minimum mod moveaxis multiply nan_to_num negative outer pad
partition positive power prod rad2deg radians ravel real real_if_close reciprocal remainder repeat
reshape roll rollaxis rot90 select sin sinc sinh sort split sqrt square squeeze stack std subtract
sum swapaxes take take_along_axis tan tanh tensordot tile trace transpose tril triu true_divide var
vsplit vstack where
linalg.cholesky linalg.det linalg.eigh linalg.inv linalg.norm linalg.pinv linalg.slogdet
linalg.solve linalg.svd linalg.eig fft.fft fft.ifft fft.fft2 fft.ifft2 fft.fftn fft.ifftn fft.rfft
fft.irfft fft.rfftn fft.irfftn fft.fftshift fft.ifftshift
"""


@pytest.mark.parametrize("path", PEERS.split())
def test_what_the_peers_differentiate_is_here_or_refused_with_its_reason(path):
    home = np
    for part in path.split("."):
        home = getattr(home, part, None)
    if home is None:
        assert path in OPS  # a name of their own, such as logsumexp
    else:
        assert home in NUMPY or home in REFUSED

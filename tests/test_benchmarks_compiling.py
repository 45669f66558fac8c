"""The benchmarks measure the first call of a compiled step, each in a new process."""

from unittest.mock import MagicMock

import pytest

from benchmarks import compiling

SHAPE = (7, 3, 4)


def test_the_first_call_is_measured_in_each_round():
    seconds = compiling.measure(SHAPE, ("compiled",), rounds=2)
    assert len(seconds["compiled"]) in (1, 2)
    assert min(seconds["compiled"]) > 0


def test_a_compiler_that_is_slow_is_measured_once(monkeypatch):
    monkeypatch.setattr(compiling, "PATIENCE", 0.0)
    assert len(compiling.measure(SHAPE, ("compiled",), rounds=3)["compiled"]) == 1


def test_machine_code_is_found_only_where_a_process_kept_it(monkeypatch):
    worker = MagicMock()
    worker.return_value.__enter__.return_value.ask.return_value = 0.5
    monkeypatch.setattr(compiling, "Worker", worker)
    peers = "compiled-numba, kept", "compiled-numba"
    seconds = compiling.measure(SHAPE, peers, rounds=2)
    assert seconds == {peer: [0.5, 0.5] for peer in peers}
    folders = [call.kwargs["variables"]["AUTOGRAD_LITE_CACHE"] for call in worker.call_args_list]
    kept, _, fresh, _, other = folders
    assert folders == [kept, kept, fresh, kept, other]
    assert len({kept, fresh, other}) == 3


@pytest.mark.slow
def test_the_first_call_of_native_code_is_measured():
    pytest.importorskip("numba")
    pytest.importorskip("scipy")
    seconds = compiling.measure(SHAPE, ("compiled-numba, kept",), rounds=1)
    assert min(seconds["compiled-numba, kept"]) > 0

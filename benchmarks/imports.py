"""What `import autograd_lite` costs on top of `import numpy`."""

from __future__ import annotations

import subprocess
import sys
from tempfile import TemporaryDirectory

from benchmarks.worker import ROOT, WorkerError, environment

AIM = 0.030
SCRIPT = """
from time import perf_counter
started = perf_counter()
import numpy
numpy_done = perf_counter()
import autograd_lite
print(numpy_done - started, perf_counter() - numpy_done)
"""


def measure(rounds: int = 10) -> tuple[float, float]:
    """Seconds to import NumPy, and then autograd_lite: the least over so many fresh processes.

    Raises: WorkerError when the import fails.
    """
    command = [sys.executable, "-c", SCRIPT]
    times = []
    with TemporaryDirectory() as compiled:
        variables = environment(1) | {"PYTHONPYCACHEPREFIX": compiled}
        for _ in range(rounds + 1):
            done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
            if done.returncode:
                raise WorkerError(f"imports: {done.stderr.strip().rpartition(chr(10))[2]}")
            times.append([float(word) for word in done.stdout.split()])
    numpy, engine = map(min, zip(*times, strict=True))
    return numpy, engine

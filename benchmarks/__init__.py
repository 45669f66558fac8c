"""Benchmarks: the engine beside hand-written NumPy and its peers. Run `python -m benchmarks`."""

"""Programs as expressions: calls of NumPy's functions, their names, and their text."""

"""Data sets: one that is included, two that are generated, and a reader of CSV files."""

from autograd_lite.data.synthetic import make_moons, make_spirals
from autograd_lite.data.tables import Table, load_breast_cancer, read_csv, split

__all__ = ["Table", "load_breast_cancer", "make_moons", "make_spirals", "read_csv", "split"]

"""The data sets: one that ships with the package, two that are drawn, and the reading of others."""

from autograd_lite.data.synthetic import make_moons, make_spirals
from autograd_lite.data.tables import Table, load_breast_cancer, read_csv, split

__all__ = ["Table", "load_breast_cancer", "make_moons", "make_spirals", "read_csv", "split"]

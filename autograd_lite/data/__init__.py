"""The data set that ships with the package, and the reading of others."""

from autograd_lite.data.tables import Table, load_breast_cancer, read_csv, split

__all__ = ["Table", "load_breast_cancer", "read_csv", "split"]

"""Data sets, a reader of tables, and data by rows that may be larger than memory."""

from autograd_lite.data.encoder import Encoder
from autograd_lite.data.pieces import Pieces, open_table
from autograd_lite.data.reading import Frame, read_table
from autograd_lite.data.rows import open_rows
from autograd_lite.data.synthetic import (
    make_circles,
    make_moons,
    make_spirals,
    make_students,
    make_xor,
)
from autograd_lite.data.tables import Table, load_breast_cancer, read_csv, split

__all__ = [
    "Encoder",
    "Frame",
    "Pieces",
    "Table",
    "load_breast_cancer",
    "make_circles",
    "make_moons",
    "make_spirals",
    "make_students",
    "make_xor",
    "open_rows",
    "open_table",
    "read_csv",
    "read_table",
    "split",
]

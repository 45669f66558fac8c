"""Data by rows, from wherever they come: joined they are the array, in every pass."""

import sys
import tempfile
import weakref
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from pyarrow import dataset, feather, ipc, parquet

from autograd_lite.dask_rows import DaskSource
from autograd_lite.data import open_rows
from autograd_lite.row_blocks import RowBlocks, together

DTYPES = st.sampled_from(["<f8", ">f8", "<f4", ">i4", "i8", "u1", "?", "<U3", "S2"])
SMALL = {"allow_nan": True, "width": 32}


@st.composite
def arrays(draw, dtypes=DTYPES, ndim=(1, 3), rows=(0, 9)):
    shape = (draw(st.integers(*rows)), *draw(npst.array_shapes(min_dims=1, max_dims=2, max_side=3)))
    shape = shape[: draw(st.integers(*ndim))]
    return draw(npst.arrays(np.dtype(draw(dtypes)), shape))


def cut(array, lengths):
    """The array in pieces of these lengths, the rest as the last one."""
    ends = np.minimum(np.cumsum(lengths, dtype=int), len(array))
    return np.split(array, ends)


LENGTHS = st.lists(st.integers(0, 4), max_size=4)


def equal(left, right):
    """The same numbers to the bit, whatever their order of bytes."""
    native = right.astype(right.dtype.newbyteorder("="))
    assert left.dtype == native.dtype
    assert left.shape == native.shape
    assert left.tobytes() == native.tobytes()


def same(rows, array):
    """The blocks, joined, are the array; again, and in whatever order blocks can be read."""
    assert isinstance(rows, RowBlocks)
    if not isinstance(rows.source, DaskSource):  # its head is what Dask promises
        equal(rows.head, np.ascontiguousarray(array[: len(rows.head)]))
    assert rows.shape == array.shape
    assert rows.dtype == array.dtype.newbyteorder("=")
    for _ in range(2):
        blocks = [*rows]
        assert tuple(map(len, blocks)) == rows.lengths
        equal(np.concatenate([rows.head[:0], *blocks]), np.ascontiguousarray(array))
        assert all(block.dtype.isnative for block in blocks)
    order = [*range(len(blocks))][::-1]
    for k, (block,) in zip(
        sorted(order) if rows.source.sequential else order, together([rows], order), strict=True
    ):
        equal(block, blocks[k])


@given(arrays(), st.integers(1, 5) | st.none())
def test_an_array_in_memory(array, block_rows):
    same(open_rows(array, block_rows=block_rows), array)


class Stored:
    """As a dataset of h5py: in memory are the rows of a slice."""

    def __init__(self, array):
        self._array, self.shape, self.dtype = array, array.shape, array.dtype

    def __len__(self):
        return len(self._array)

    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        return self._array[rows].copy()

    def __array__(self, *_, **__):
        raise MemoryError


@given(arrays(), st.integers(1, 5) | st.none())
def test_an_array_that_reads_the_rows_of_a_slice(array, block_rows):
    same(open_rows(Stored(array), block_rows=block_rows), array)


@given(arrays(), st.integers(1, 5) | st.none(), st.booleans(), LENGTHS)
def test_npy_files(array, block_rows, columns_first, lengths):
    with tempfile.TemporaryDirectory() as folder:
        for k, part in enumerate(cut(array, lengths)):
            np.save(f"{folder}/part-{k}.npy", np.asarray(part, order="F" if columns_first else "C"))
        rows = open_rows(folder, block_rows=block_rows)
        same(rows, array)
        assert block_rows is None or max(rows.lengths, default=0) <= block_rows
        if rows.ndim > 1:
            k = array.shape[1] - 1
            same(open_rows(folder, columns=k, block_rows=block_rows), array[:, k])
            same(open_rows(folder, columns=[k, 0], block_rows=block_rows), array[:, [k, 0]])


@given(arrays(rows=(1, 9)), st.integers(1, 5) | st.none(), st.data())
def test_an_array_mapped_to_a_file(array, block_rows, data):
    """Any view of it without a step backwards: rows, columns, steps, axes exchanged, one cell."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x")
        skipped = data.draw(st.sampled_from([0, 3, 4096, 9001]))  # more than a page, too
        path.write_bytes(bytes(skipped) + array.tobytes())
        mode = data.draw(st.sampled_from(["r", "r+"]))
        mapped = np.memmap(path, array.dtype, mode, skipped, array.shape)
        steps = st.builds(
            slice, st.integers(0, 3), st.integers(4, 9) | st.none(), st.integers(1, 2)
        )
        key = tuple(data.draw(steps) for _ in range(data.draw(st.integers(0, array.ndim))))
        view, wanted = mapped[key], array[key]
        if data.draw(st.booleans()):
            view, wanted = view.T, wanted.T
        if data.draw(st.booleans()):
            view = np.asarray(view)
        rows = open_rows(view, block_rows=block_rows)
        same(rows, wanted)
        assert not any(np.shares_memory(block, mapped) for block in rows)
        del view, mapped


def table_of(array):
    names = [f"c{j}" for j in range(array.shape[1])]
    return pa.table([np.ascontiguousarray(array[:, j]) for j in range(len(names))], names=names)


def stream(table, path, max_chunksize):
    with pa.OSFile(str(path), "wb") as file, ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=max_chunksize)


WRITERS = {
    "parquet": lambda table, path, rows: parquet.write_table(table, path, row_group_size=rows),
    "feather": lambda table, path, rows: feather.write_feather(table, path, chunksize=rows),
    "arrows": stream,
}

FLOATS = st.sampled_from(["f8", "f4"])


@pytest.mark.parametrize("kind", WRITERS)
@given(
    arrays(FLOATS, ndim=(2, 2), rows=(0, 12)),
    st.integers(1, 5) | st.none(),
    st.integers(1, 5),
    LENGTHS,
)
@settings(max_examples=40)
def test_table_files(kind, array, block_rows, group, lengths):
    with tempfile.TemporaryDirectory() as folder:
        for k, part in enumerate(cut(array, lengths)):
            WRITERS[kind](table_of(part), Path(folder, f"{k}.{kind}"), group)
        rows = open_rows(folder, block_rows=block_rows)
        same(rows, array)
        assert block_rows is None or max(rows.lengths, default=0) <= block_rows
        last = array.shape[1] - 1
        same(open_rows(folder, f"c{last}", block_rows), array[:, last])
        same(open_rows(folder, [f"c{last}", "c0"], block_rows), array[:, [last, 0]])


@given(arrays(st.just("f8"), ndim=(2, 2), rows=(1, 9)), st.lists(st.integers(1, 4), max_size=3))
@settings(max_examples=40)
def test_text_files(array, lengths):
    array = np.where(np.isfinite(array), array, np.nan)
    with tempfile.TemporaryDirectory() as folder:
        for k, part in enumerate(part for part in cut(array, lengths) if len(part)):
            names = [f"c{j}" for j in range(array.shape[1])]
            lines = [names, *([repr(float(x)) for x in row] for row in part)]
            text = "\n".join(map(",".join, lines)).replace("nan", "NA")
            Path(folder, f"{k}.csv").write_text(text)
        rows = open_rows(folder)
        np.testing.assert_array_equal(rows.read(), array)
        np.testing.assert_array_equal(open_rows(f"{folder}/*.csv", "c0").read(), array[:, 0])
        with pytest.raises(ValueError, match="is text, which is cut by bytes"):
            open_rows(folder, block_rows=3)


@given(arrays(FLOATS, ndim=(2, 2)), st.integers(1, 5) | st.none())
@settings(max_examples=40)
def test_tables_and_datasets_of_pyarrow(array, block_rows):
    table = table_of(array)
    same(open_rows(table, block_rows=block_rows), array)
    same(open_rows(dataset.dataset(table), block_rows=block_rows), array)
    if len(array):
        same(open_rows(table.to_batches()[0], block_rows=block_rows), array)
    with tempfile.TemporaryDirectory() as folder:
        parquet.write_table(table, f"{folder}/x.parquet")
        found = dataset.dataset(folder)
        same(open_rows(found, block_rows=block_rows), array)
        there = array[:, 0] >= 0
        same(open_rows(found.filter(dataset.field("c0") >= 0)), array[there])


@given(arrays(), LENGTHS, st.sampled_from(["list", "function", "class"]))
def test_blocks_of_an_iterable(array, lengths, form):
    blocks = cut(array, lengths)

    class Blocks:
        def __iter__(self):
            return iter(blocks)

    forms = {"list": blocks, "function": lambda: (block for block in blocks), "class": Blocks()}
    rows = open_rows(forms[form])
    same(rows, array)
    assert rows.lengths == tuple(len(block) for block in blocks if len(block))  # none is empty


@given(arrays(ndim=(2, 2)), LENGTHS)
def test_blocks_of_several_arrays_are_read_together(array, lengths):
    y = np.arange(len(array))
    passes = []

    def blocks():
        passes.append(1)
        yield from zip(cut(array, lengths), cut(y, lengths), strict=True)

    X, target = open_rows(blocks)
    same(X, array)
    same(target, y)
    passes.clear()
    for rows, numbers in together([X, target]):
        equal(rows, np.ascontiguousarray(array[numbers]))
    assert passes == [1]


@given(arrays(st.sampled_from(["f8", "f4", "i8"]), ndim=(1, 2)), LENGTHS, st.booleans())
@settings(max_examples=30)
def test_a_dask_array(array, lengths, unknown):
    da = pytest.importorskip("dask.array", reason="Dask is not installed")
    pieces = [len(piece) for piece in cut(array, lengths)]
    chunks = (tuple(pieces), *(1 for _ in array.shape[1:]))
    lazy = da.from_array(array, chunks=chunks)
    if unknown:
        keep = np.arange(len(array)) % 3 > 0
        lazy, array = lazy[da.from_array(keep, chunks=(tuple(pieces),))], array[keep]
    same(open_rows(lazy), array)


@given(arrays(ndim=(2, 2)), st.integers(1, 5))
def test_columns_functions_and_chosen_rows(array, block_rows):
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/x.npy", array)
        rows = open_rows(f"{folder}/x.npy", block_rows=block_rows)
        same(rows[:, 0], array[:, 0])
        same(rows[:, ::-1], np.ascontiguousarray(array[:, ::-1]))
        same(rows.map(lambda block: block == block[:, :1]), array == array[:, :1])
        numbers = np.arange(len(array))
        chosen = rows.where(lambda k: k % 3 == 1)
        equal(np.concatenate([rows.head[:0], *chosen]), array[numbers % 3 == 1])
        assert open_rows(rows) is rows


def test_files_come_by_name_with_their_numbers_as_numbers(tmp_path):
    for k in (10, 2, 1):
        np.save(tmp_path / f"part-{k}.npy", np.array([k]))
    np.save(tmp_path / ".hidden.npy", np.array([0]))
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "folder").mkdir()
    assert open_rows(tmp_path).read().tolist() == [1, 2, 10]
    assert open_rows(f"{tmp_path}/part-*.npy").read().tolist() == [1, 2, 10]
    assert open_rows(f"{tmp_path}/part-1*.npy").read().tolist() == [1, 10]
    chosen = [tmp_path / f"part-{k}.npy" for k in (10, 1)]
    assert open_rows(chosen).read().tolist() == [10, 1]


def test_files_of_shorter_numbers_and_texts_become_the_longest(tmp_path):
    for k, part in enumerate((np.float32([0.1]), np.array([0.2]))):
        np.save(tmp_path / f"x{k}.npy", part)
        np.save(tmp_path / f"y{k}.npy", np.array([["no"], ["maybe"]][k]))
    assert open_rows(f"{tmp_path}/x*.npy").read().tolist() == [np.float32(0.1), 0.2]
    assert open_rows(f"{tmp_path}/y*.npy").read().tolist() == ["no", "maybe"]


def test_columns_of_a_table_become_floats(tmp_path):
    table = pa.table(
        {
            "whole": pa.array([1, 2**53], pa.int64()),
            "flag": [True, False],
            "short": pa.array([0.5, 1.5], pa.float32()),
            "half": pa.array([0.5, -2], pa.float16()),
            "money": pa.array([1, 2]).cast(pa.decimal128(21, 2)),
            "coded": pa.array([0.25, 0.5]).dictionary_encode(),
        }
    )
    rows = open_rows(table)
    expected = [[1, 1, 0.5, 0.5, 1, 0.25], [2**53, 0, 1.5, -2, 2, 0.5]]
    assert rows.dtype == np.float64
    assert rows.read().tolist() == expected
    assert open_rows(table, ["short", "half"]).dtype == np.float32
    parquet.write_table(table, tmp_path / "x.parquet")
    assert open_rows(tmp_path / "x.parquet").read().tolist() == expected


def test_groups_of_rows_of_about_a_block_are_read_in_any_order(tmp_path):
    path = tmp_path / "x.parquet"
    array = np.arange(100.0)[:, None]
    parquet.write_table(table_of(array), path, row_group_size=10)
    rows = open_rows(path, block_rows=12)
    assert rows.lengths == (10,) * 10
    assert [block[0, 0] for (block,) in together([rows], [7, 3])] == [70, 30]
    # Tiny ones are joined, and large ones cut.
    assert open_rows(path).lengths == (100,)
    assert [block[-1, 0] for (block,) in together([open_rows(path)], [0])] == [99]
    assert open_rows(path, block_rows=50).lengths == (50, 50)
    assert open_rows(path, block_rows=7).lengths == (7,) * 14 + (2,)


def test_the_index_of_a_data_frame_is_no_column(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1.5, 2]}, index=pandas.Index([7, 9], name="id"))
    frame.to_parquet(tmp_path / "x.parquet")
    assert open_rows(tmp_path / "x.parquet").read().tolist() == [[1.5], [2]]
    assert open_rows(tmp_path / "x.parquet", "id").read().tolist() == [7, 9]
    assert open_rows(frame).read().tolist() == [[1.5], [2]]
    assert open_rows(frame["x"], block_rows=1).read().tolist() == [1.5, 2]


def test_a_block_that_others_may_hold_cannot_be_written_to():
    da = pytest.importorskip("dask.array", reason="Dask is not installed")
    array = np.ones((4, 2))
    for rows in (open_rows(array), open_rows([array]), open_rows(da.from_array(array).persist())):
        doubled = rows.map(lambda block: np.multiply(block, 2, out=block))
        with pytest.raises(ValueError, match="read-only"):
            doubled.read()


def test_the_memory_of_a_block_is_free_while_the_next_one_is_made():
    alive = set()

    def blocks():
        for k in range(5):
            assert not alive
            block = np.full((3, 2), k)
            alive.add(k)
            weakref.finalize(block, alive.remove, k)
            yield block if parts == 1 else (block, block)
            del block

    for parts in (1, 2):
        rows = open_rows(blocks)
        X = rows if parts == 1 else rows[0]
        assert len(X) == 15
        for passing in (iter(X), together([X, X[:, 0], np.arange(15)])):
            for block in passing:
                assert alive
                del block


def test_nothing_but_numpy_is_loaded_for_arrays(tmp_path):
    import subprocess

    np.save(tmp_path / "x.npy", np.ones((2, 2)))
    code = (
        "import sys; from autograd_lite.data import open_rows; "
        f"assert open_rows({str(tmp_path)!r}).shape == (2, 2); "
        "print(*{'pyarrow', 'dask', 'pandas'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_gives_blocks_may_use_one_array_for_all():
    array, held = np.arange(24.0).reshape(8, 3), np.empty((2, 3))

    def blocks():
        for start in range(0, 8, 2):
            held[:] = array[start : start + 2]
            yield held, held[:, 0]

    X, y = open_rows(blocks)
    same(X, array)
    same(y, array[:, 0])
    for kept in (X, X.map(np.asarray)):
        found = [*together([kept, array[:, 0]])]
        np.testing.assert_array_equal(np.concatenate([block[0] for block in found]), array)

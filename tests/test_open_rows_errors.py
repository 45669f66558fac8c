"""What cannot be read by rows is one error, which names the file, the block and the row."""

import itertools
import os
import random
import tempfile
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import dataset, feather, ipc, parquet

from autograd_lite.data import open_rows
from autograd_lite.data.row_paths import FileState
from autograd_lite.row_sources import BlockError

ARRAY = np.arange(60.0).reshape(20, 3)
TABLE = pa.table({name: ARRAY[:, j].copy() for j, name in enumerate("abc")})


def npy(path):
    with open(path, "wb") as file:
        np.save(file, ARRAY)
    return path


def mapped(path, mode="r"):
    return np.load(npy(path), mmap_mode=mode)


def table(path):
    parquet.write_table(TABLE, path)
    return path


def file(path):
    feather.write_feather(TABLE, path, chunksize=4)
    return path


def stream(path):
    with pa.OSFile(str(path), "wb") as sink, ipc.new_stream(sink, TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=4)
    return path


def of_arrow(path):
    return dataset.dataset(table(path))


FILES = {
    "npy": npy,
    "mapped": mapped,
    "mapped to write": lambda path: mapped(path, "r+"),
    "parquet": table,
    "arrow": file,
    "arrow stream": stream,
    "dataset": of_arrow,
}


def halve(path):
    os.truncate(path, path.stat().st_size // 2)


def replace(path):
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    os.utime(path, (1, 1))


HARM = {
    "has changed since it was opened, when it had [0-9]* bytes": halve,
    "was there when it was opened": os.unlink,
    "has changed since": replace,
}


@pytest.mark.parametrize(("message", "harm"), HARM.items(), ids=lambda x: getattr(x, "__name__", x))
@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_harmed_between_two_passes_or_within_one(tmp_path, kind, message, harm):
    path = tmp_path / "x"
    rows = open_rows(FILES[kind](path), block_rows=6)
    np.testing.assert_array_equal(rows.read(), ARRAY)
    passing = iter(rows)
    next(passing)
    harm(path)
    if (kind, harm) == ("mapped to write", replace):
        # Whoever may write to it may change it.
        np.testing.assert_array_equal(rows.read(), ARRAY)
        return
    with pytest.raises(BlockError, match=f"x: block 0, from row 0 on, cannot be read.*{message}"):
        rows.read()
    with pytest.raises(BlockError, match=f"x: block 1, from row 6 on, cannot be read.*{message}"):
        list(passing)
    if harm is not replace:
        with pytest.raises((BlockError, FileNotFoundError)):
            open_rows(path).read()


@pytest.mark.parametrize("kind", FILES)
@given(st.data())
@settings(max_examples=40)
def test_a_file_cut_while_it_is_read_gives_no_other_numbers(kind, data):
    """After its size was looked at, and its footer read."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileState, "check", lambda self, where: None)
        path = os.path.join(folder, "x")
        rows = open_rows(FILES[kind](path), block_rows=6)
        assert rows.shape == (20, 3)
        os.truncate(path, data.draw(st.integers(0, os.path.getsize(path) - 1)))
        with suppress(BlockError):
            np.testing.assert_array_equal(rows.read(), ARRAY)


def test_a_file_of_several_names_its_own_name_and_the_row_of_all(tmp_path):
    for k in range(3):
        np.save(tmp_path / f"{k}.npy", ARRAY)
    rows = open_rows(tmp_path, block_rows=8)
    os.truncate(tmp_path / "1.npy", 300)
    with pytest.raises(BlockError, match=r"1\.npy: block 3, from row 20 on, cannot be read"):
        rows.read()


@pytest.mark.parametrize("kind", ["npy", "parquet", "arrow"])
@given(data=st.data())
@settings(max_examples=60)
def test_a_file_cut_anywhere_is_refused(kind, data):
    with tempfile.TemporaryDirectory() as folder:
        path = FILES[kind](os.path.join(folder, "x"))
        size = os.path.getsize(path)
        os.truncate(path, data.draw(st.integers(0, size - 1)))
        with pytest.raises(ValueError, match=f"^{path}"):
            open_rows(path).read()


@given(st.integers(0, 127), st.integers(0, 255))
def test_a_damaged_header_of_npy_is_an_error_or_what_numpy_reads(at, byte):
    with tempfile.TemporaryDirectory() as folder:
        path = npy(os.path.join(folder, "x"))
        with open(path, "r+b") as damaged:
            damaged.seek(at)
            damaged.write(bytes([byte]))
        try:
            rows = open_rows(path).read()
        except ValueError:
            return
        np.testing.assert_array_equal(rows, np.load(path))


def test_pickles_are_not_opened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "opened"),))

    np.save(tmp_path / "x.npy", np.array([Bomb()], dtype=object))
    with pytest.raises(BlockError, match="object, and not rows of numbers; only pickle"):
        open_rows(tmp_path / "x.npy")
    assert not (tmp_path / "opened").exists()
    np.load(tmp_path / "x.npy", allow_pickle=True)
    assert (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(3, [("a", float)]), "not rows of numbers"),
        (np.array(["2020"], "M8[D]"), "not rows of numbers"),
        (np.float64(3), "holds a single value"),
    ],
)
def test_npy_files_of_other_things(tmp_path, array, message):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(BlockError, match=message):
        open_rows(tmp_path / "x.npy")
    with pytest.raises((TypeError, BlockError)):
        open_rows(array)


def test_a_second_array_in_a_npy_file_is_not_passed_over(tmp_path):
    with open(tmp_path / "x.npy", "wb") as two:
        np.save(two, ARRAY)
        np.save(two, ARRAY)
    with pytest.raises(BlockError, match=r"goes on \(1216 bytes where its array takes 608\)"):
        open_rows(tmp_path / "x.npy")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (ARRAY[:, :2], r"has rows of shape \(2,\); those of .*1\.npy have the shape \(3,\)"),
        (ARRAY[:, 0], r"has rows of shape \(\); those of .*1\.npy have the shape \(3,\)"),
        (ARRAY.astype(int), "holds int64; .*1.npy holds float64"),
        (ARRAY.astype(str), "holds <U32; .*1.npy holds float64"),
    ],
)
def test_npy_files_that_do_not_fit_together(tmp_path, other, message):
    np.save(tmp_path / "1.npy", ARRAY)
    np.save(tmp_path / "2.npy", other)
    with pytest.raises(BlockError, match=rf"2\.npy: block 1, from row 20 on, {message}"):
        open_rows(tmp_path)


@given(st.integers(0, 19), st.integers(0, 2), st.integers(1, 25) | st.none(), st.booleans())
def test_a_missing_value_of_a_table_is_found(row, column, block_rows, large):
    columns = [[int(x) for x in ARRAY[:, j]] for j in range(3)]
    columns[column][row] = -(2**53) - 1 if large else None
    holes = pa.table(columns, names=["a", "b", "c"])
    with tempfile.TemporaryDirectory() as folder:
        parquet.write_table(TABLE.cast(holes.schema), f"{folder}/1.parquet")
        parquet.write_table(holes, f"{folder}/2.parquet", row_group_size=7)
        rows = open_rows(folder, block_rows=block_rows)
        block = np.searchsorted(np.cumsum(rows.lengths), 20 + row, side="right")
        what = "holds -9007199254740993" if large else "has no value"
        message = f"2.parquet: block {block}, row {20 + row}: column '{'abc'[column]}' {what}"
        with pytest.raises(BlockError, match=message):
            rows.read()


def test_tables_that_do_not_fit_together(tmp_path):
    parquet.write_table(TABLE, tmp_path / "1.parquet")
    for other, message in [
        (TABLE.select(["a", "b"]), "has no column 'c'; .*1.parquet has one"),
        (TABLE.append_column("d", TABLE["a"]), "has a column 'd'; .*1.parquet has none"),
        (TABLE.set_column(1, "b", [["x"] * 20]), "holds string in the column 'b', and not numbers"),
    ]:
        parquet.write_table(other, tmp_path / "2.parquet")
        with pytest.raises(BlockError, match=rf"2\.parquet, from row 20 on, {message}"):
            open_rows(tmp_path)
    assert open_rows(tmp_path, ["a", "c"]).shape == (40, 2)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["a", "weigth"], "has no column 'weigth'; it has weight"),
        ("z", "has no column 'z'; it has a, weight"),
        ([0], "takes names of columns, not 0"),
        ([], "no column is to be read"),
    ],
)
def test_columns_that_a_table_does_not_have(columns, message):
    with pytest.raises(ValueError, match=message):
        open_rows(pa.table({"a": [1.0], "weight": [2.0]}), columns)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["a"], "columns without names; columns= takes their numbers, not 'a'"),
        ([True, False, True], "takes their numbers, not True"),
        (3, "has 3 columns, so there is no column 3"),
        ([-4], "there is no column -4"),
    ],
)
def test_columns_that_an_array_does_not_have(columns, message):
    for source in (ARRAY, [ARRAY]):
        with pytest.raises(ValueError, match=message):
            open_rows(source, columns)


def test_columns_of_blocks_of_several_arrays_are_not_guessed():
    with pytest.raises(ValueError, match=r"gives several arrays; .*X\[:, :3\]"):
        open_rows([(ARRAY, ARRAY[:, 0])], [0])


@pytest.mark.parametrize("block_rows", [0, -1, 2.5, True, "3"])
def test_block_rows_is_a_whole_number(block_rows):
    with pytest.raises(ValueError, match="block_rows must be a whole number of at least 1, not"):
        open_rows(ARRAY, block_rows=block_rows)


def test_blocks_that_are_given_are_not_cut():
    with pytest.raises(ValueError, match="list has the blocks that it has"):
        open_rows([ARRAY], block_rows=3)


ONCE = iter([ARRAY])


@pytest.mark.parametrize("source", [iter([ARRAY]), (x for x in [ARRAY]), lambda: ONCE])
def test_what_can_be_gone_through_once_is_refused(source):
    with pytest.raises(TypeError, match=r"only once.*open_rows\(lambda: blocks\(path\)\)"):
        open_rows(source)


BAD = ARRAY[:, :2], ARRAY.astype(str), ARRAY.astype(object), ARRAY.tolist(), ARRAY[0, 0]


@pytest.mark.parametrize("bad", [*BAD, np.ma.masked_greater(ARRAY, 3), (ARRAY, ARRAY)])
def test_a_block_unlike_the_first(bad):
    rows = open_rows([ARRAY, ARRAY[:5], bad])
    with pytest.raises(BlockError, match=r"^the list: block 2, from row 25 on"):
        rows.read()


@pytest.mark.parametrize("bad", [ARRAY, (ARRAY,), (ARRAY, ARRAY[:3])])
def test_a_tuple_unlike_the_first(bad):
    X, _ = open_rows([(ARRAY, ARRAY[:, 0]), bad])
    with pytest.raises(BlockError, match=r"^the list: block 1, from row 20 on"):
        X.read()


def passes(rows):
    for _ in range(9):
        rows.read()


def test_every_pass_gives_the_same_blocks():
    blocks = [ARRAY[k : k + 1] for k in range(20)]
    shuffle = random.Random(0)
    shuffled = open_rows(lambda: shuffle.sample(blocks, 20))
    with pytest.raises(BlockError, match="block 0, from row 0 on, differs from the pass before"):
        passes(shuffled)
    counts = itertools.chain([20, 20, 20, 20, 7], itertools.repeat(20))
    fewer = open_rows(lambda: blocks[: next(counts)])
    with pytest.raises(BlockError, match="ended after 7 of the 20 blocks"):
        passes(fewer)
    counts = itertools.chain([7, 7, 7, 7], itertools.repeat(20))
    with pytest.raises(BlockError, match="has more blocks than the 7 of the first pass"):
        passes(open_rows(lambda: blocks[: next(counts)]))
    sizes = itertools.chain([1, 1, 1, 1, 2], itertools.repeat(1))
    other = open_rows(lambda: [ARRAY[:3], ARRAY[: next(sizes)]])
    with pytest.raises(BlockError, match="block 1, from row 3 on, has 2 rows; it had 1"):
        passes(other)


def test_an_error_of_the_function_is_its_own():
    def blocks():
        yield ARRAY
        raise ZeroDivisionError("in my own code")

    with pytest.raises(ZeroDivisionError, match="in my own code"):
        open_rows(blocks).read()


def test_a_dask_array_that_is_not_what_it_claims():
    da = pytest.importorskip("dask.array", reason="Dask is not installed")
    lazy = da.from_array(ARRAY, chunks=(6, 3))
    shorter = lazy.map_blocks(lambda block: block[:5], dtype=float, meta=np.empty((0, 0)))
    with pytest.raises(BlockError, match=r"block 0, from row 0 on, has the shape \(5, 3\)"):
        open_rows(shorter).read()
    masked = da.from_array(np.ma.masked_greater(ARRAY, 30), chunks=(6, 3))
    with pytest.raises(TypeError, match="a masked array would lose its mask"):
        open_rows(masked).read()


def test_a_dask_data_frame_is_not_computed():
    dd = pytest.importorskip("dask.dataframe", reason="Dask is not installed")
    frame = dd.from_pandas(TABLE.to_pandas(), npartitions=3)
    with pytest.raises(TypeError, match=r"give it \.to_dask_array\(\)"):
        open_rows(frame)
    np.testing.assert_array_equal(open_rows(frame.to_dask_array()).read(), ARRAY)


@pytest.mark.parametrize("mode", ["private", "reversed"])
def test_an_array_that_its_file_does_not_hold(tmp_path, mode):
    array = mapped(tmp_path / "x", "c") if mode == "private" else mapped(tmp_path / "x")[::-1]
    with pytest.raises(ValueError, match=f"is (a )?{mode}.*; open it with mode='r'"):
        open_rows(array)


@pytest.mark.parametrize("source", [5, None, {"a": 1}, np.array([1, "x"], dtype=object)])
def test_other_things(source):
    with pytest.raises((TypeError, BlockError)):
        open_rows(source)


def test_no_blocks_have_no_width():
    with pytest.raises(ValueError, match="gives no block, which would tell how wide"):
        open_rows([])


def test_files_that_are_not_there_or_are_no_arrays(tmp_path):
    for source in (tmp_path / "x.npy", f"{tmp_path}/*.npy"):
        with pytest.raises(FileNotFoundError):
            open_rows(source)
    with pytest.raises(ValueError, match="is a folder without files"):
        open_rows(tmp_path)
    npy(tmp_path / "x.npy")
    table(tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"x\.npy is npy, but .*x\.parquet is Parquet; .*\*\.npy"):
        open_rows(tmp_path)


@pytest.mark.parametrize("name", ["x.npz", "x.csv"])
def test_files_of_other_kinds(tmp_path, name):
    np.savez(tmp_path / "x.npz", ARRAY)
    (tmp_path / "x.csv").write_text("a,b\n1,x\n")
    with pytest.raises(ValueError, match=name):
        open_rows(tmp_path / name)

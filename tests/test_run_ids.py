"""Each file that `train` writes carries the id of its run, and files of two runs are noticed."""

import ast
import csv
import io
import json
import os
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from written import FILES, OTHER, RUN, contents

from autograd_lite.commands.folder import Folder, notice, run_of, runs, stamped

IDS = st.from_regex(
    r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-[0-9a-f]{6}",
    fullmatch=True,
    alphabet=st.characters(codec="ascii"),
)
CELLS = st.text(st.characters(codec="utf-8"), max_size=5)


def table(rows):
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue().encode()


def rows(content):
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


@pytest.mark.parametrize("name", FILES)
@given(run=IDS)
def test_the_id_is_read_from_the_file_it_was_put_into(tmp_path_factory, name, run):
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(stamped(name, FILES[name], run))
    assert run_of(path) == run
    path.write_bytes(FILES[name])
    assert run_of(path) is None


def test_files_with_an_id_stay_valid():
    new = {name: stamped(name, content, RUN) for name, content in FILES.items()}
    for name in ("mlp.svg", "report.html", "mlp-derivation.md", "mlp_gradients.py", "mlp.dot"):
        assert new[name].startswith(FILES[name])
    assert ET.fromstring(new["mlp.svg"]).tag.endswith("svg")
    assert ast.get_docstring(ast.parse(new["mlp_gradients.py"])) == "What it does."
    content = json.loads(new["mlp.json"])
    assert next(iter(content)) == "run"
    assert content == {"run": RUN} | json.loads(FILES["mlp.json"])
    with np.load(io.BytesIO(new["mlp.npz"]), allow_pickle=False) as arrays:
        assert arrays["w"].tolist() == [0, 1, 2]
        assert str(arrays["run"]) == RUN


def test_weights_that_have_the_id_already_stay_as_they_are():
    new = stamped("mlp.npz", FILES["mlp.npz"], RUN)
    assert stamped("mlp.npz", new, RUN) == new


@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=1, max_size=5))
def test_a_table_has_one_column_more(content):
    given, new = table(content), stamped("data.csv", table(content), RUN)
    assert [row[:-1] for row in rows(new)] == rows(given)
    assert [row[-1] for row in rows(new)] == ["run", *[RUN] * (len(content) - 1)]


@given(st.dictionaries(CELLS, st.integers() | CELLS | st.floats(allow_nan=False) | st.none()))
def test_json_keeps_its_content(content):
    new = json.loads(stamped("mlp.json", json.dumps(content).encode(), RUN))
    assert new == content | {"run": RUN}


def test_a_file_of_another_kind_cannot_be_written_without_an_id(tmp_path):
    with pytest.raises(ValueError, match=r"mlp\.gif: a file of this kind cannot carry"):
        stamped("mlp.gif", b"", RUN)
    with Folder(tmp_path) as folder, pytest.raises(ValueError, match=r"mlp\.gif"):
        folder.write({"mlp.svg": FILES["mlp.svg"], "mlp.gif": b""})
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_damaged_and_foreign_files_have_an_id_or_none(tmp_path_factory, name, data):
    path = tmp_path_factory.getbasetemp() / f"damaged-{name}"
    content = bytearray(stamped(name, FILES[name], RUN))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    for damaged in (content[: data.draw(st.integers(0, len(content)))], data.draw(st.binary())):
        path.write_bytes(damaged)
        found = run_of(path)
        assert found is None or len(found) == len(RUN)


def test_only_a_part_of_a_file_is_read(tmp_path):
    end = stamped("mlp.svg", FILES["mlp.svg"], RUN)
    (tmp_path / "mlp.svg").write_bytes(b" " * 10_000 + end)
    assert run_of(tmp_path / "mlp.svg") == RUN
    (tmp_path / "mlp.svg").write_bytes(end + b" " * 10_000)
    assert run_of(tmp_path / "mlp.svg") is None


def test_what_is_not_a_file_has_no_id(tmp_path):
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "link.svg").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.svg")  # reading it would wait
    compressed = tmp_path / "mlp.npz"
    with zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.npy", RUN)
    for path in tmp_path.iterdir():
        assert run_of(path) is None
    assert run_of(tmp_path / "missing.svg") is None
    assert runs(tmp_path) == runs(tmp_path / "missing") == {}


@given(st.dictionaries(st.sampled_from(list(FILES)), st.none() | IDS))
def test_files_of_several_runs_are_noticed(tmp_path_factory, owner):
    folder = tmp_path_factory.mktemp("results")
    for name, run in owner.items():
        (folder / name).write_bytes(FILES[name] if run is None else stamped(name, FILES[name], run))
    ids = sorted({run for run in owner.values() if run is not None})
    found = runs(folder)
    assert [*found] == ids
    assert all(owner[name] == run for run, names in found.items() for name in names)
    assert sum(map(len, found.values())) == sum(run is not None for run in owner.values())
    said = notice(folder)
    assert (said is None) == (len(ids) < 2)
    if said:
        assert said.startswith(f"{folder} holds files of ")
        assert [said.count(f"({run})") for run in ids] == [1] * len(ids)
    for name, run in owner.items():
        about = notice(folder, name)
        assert (about is None) == (said is None or run is None)
        assert about is None or about.partition(" runs: ")[2].startswith(name)


def test_the_sentence(tmp_path, monkeypatch):
    for run, names in ((RUN, list(FILES)), (OTHER, ["mlp.npz", "mlp.svg"])):
        for name in names:
            (tmp_path / name).write_bytes(stamped(name, FILES[name], run))
    rest = f"data.csv, loss-curves.txt, 5 more ({RUN})"
    end = "the last `train` there did not finish, or wrote fewer files"
    said = f"{tmp_path} holds files of two runs: "
    assert notice(tmp_path) == f"{said}{rest} and mlp.npz, mlp.svg ({OTHER}): {end}"
    assert notice(tmp_path, "mlp.svg") == f"{said}mlp.svg, mlp.npz ({OTHER}) and {rest}: {end}"
    monkeypatch.chdir(tmp_path)
    assert notice(Path("mlp.npz").parent) == notice(tmp_path)

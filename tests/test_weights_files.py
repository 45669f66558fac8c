"""Files that are not weights are refused in one line, whatever they hold, and take no memory."""

import io
import json
import pickle
import re
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_lite.models import load
from autograd_lite.models.npz import Npz
from autograd_lite.models.settings import check_settings

GOOD = {
    "model": "LogisticRegression",
    "settings": '{"intercept": "column"}',
    "classes": np.array([0, 1]),
    "n_features": 2,
    "w": np.arange(3.0),
}
STANDARD = {"mean": np.zeros(2), "scale": np.ones(2)}


def npy(array):
    """An array as `numpy.save` writes it."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def header(descr, shape, data=b"", order=False):
    """An array whose header says what it likes."""
    text = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def archive(members, compression=zipfile.ZIP_STORED):
    """A zip of pairs of a name and bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as zipped:
        for name, content in members:
            zipped.writestr(name, content)
    return file.getvalue()


def written(compression=zipfile.ZIP_STORED, **changes):
    """An npz file of good weights, with some members changed or, where None, left out."""
    members = {name: array for name, array in (GOOD | changes).items() if array is not None}
    return archive(
        [(f"{k}.npy", a if isinstance(a, bytes) else npy(a)) for k, a in members.items()],
        compression,
    )


def refusal(path, content):
    """The reason why a file is refused; None if it is not."""
    path.write_bytes(content)
    try:
        load(path)
    except ValueError as error:
        message = str(error)
    else:
        return None
    start = f"{path} does not hold a model's weights: "
    assert message.startswith(start)
    assert "\n" not in message
    return message.removeprefix(start)


class Trap:
    """What unpickling would run."""

    def __reduce__(self):
        return pytest.fail, ("the file was unpickled",)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("weights") / "w.npz"


@pytest.mark.parametrize("extra", [{}, STANDARD, {"columns": np.array(["p", "q"])}])
def test_the_good_file_is_good(path, extra):
    path.write_bytes(written(**extra))
    model = load(path)
    assert [*vars(model).pop("feature_names_in_", [])] == [*extra.get("columns", [])]
    assert model.predict([[1, 2], [-3, 0]]).tolist() == [1, 0]
    assert model.standardize == ("mean" in extra)


REFUSED = [
    (b"", "not an npz file"),
    (b"a,b\n1,2\n", "not an npz file"),
    (pickle.dumps(Trap()), "not an npz file"),
    (written()[:-40], "not an npz file"),
    (archive([]), "no 'model'"),
    (archive([("model", "LogisticRegression")]), "member 'model' is not an array"),
    (archive([("model.npy", pickle.dumps(Trap()))]), "'model' is not an array of numbers"),
    (written(zipfile.ZIP_DEFLATED), "compressed"),
    (written(w=np.array([Trap(), 0, 0], object)), "'w' .* it is object"),
    (written(model=None), "no 'model'"),
    (written(w=None), "no 'w'"),
    (written(model="Forest"), "'model' is 'Forest'; the models are LogisticRegression"),
    (written(model="\n" * 1000), "'model' has 4000 bytes; at most 1024"),
    (written(settings="{"), "'settings' are not valid"),
    (written(settings='{"colour": 1}'), "'settings' .* no setting 'colour'"),
    (written(settings="[]"), "'settings' .* names with values"),
    (written(settings='{"intercept": "none"}'), "'settings' .* intercept must be"),
    (written(settings='{"alpha": NaN}'), "'settings' .* alpha must be"),
    (written(settings=f'{{"alpha": 1{"0" * 400}}}'), "'settings' are not valid"),
    (written(settings='{"learning_rate_init": "\\n"}'), r"'settings' .* not '\\n'"),
    (written(settings="[" * 100_000), "'settings' are not valid"),
    (written(settings=1), "'settings' must be text; it is int64"),
    (written(model="MLPClassifier", settings='{"hidden_layer_sizes": "ab"}'), "hidden_layer"),
    (written(model="MLPClassifier", settings='{"activation": ["relu"]}'), "activation must be"),
    (written(model="LinearRegression"), "does not have: 'classes'"),
    (written(classes=np.array([0])), "'classes' must be two or more"),
    (written(classes=np.array([[0, 1]])), r"'classes' must be .* of shape \(n,\); it is int64"),
    (written(classes=np.array([0, 1, 2])), "no 'W'"),
    (written(classes=np.array([1, 1])), "'classes' must be two or more .* different"),
    (written(classes=np.array(["b", "a"])), "'classes' must be two or more .* sorted"),
    (written(classes=np.array([0, np.nan])), "'classes' must be two or more finite"),
    (written(classes=np.array([0, np.inf])), "'classes' must be two or more finite"),
    (written(classes=np.array([b"a", b"b"])), r"'classes' must be .* \|S1"),
    (written(classes=header("|b1", (2,), b"\0\2")), "'classes' .* neither False nor True"),
    (written(classes=header("<U1", (2,), b"a\0\0\0\xff\xff\xff\xff")), "'classes' .* not text"),
    (written(target=header("<U1", (), b"\0\0\x11\0")), "'target' has bytes that are not text"),
    (written(run="r" * 257), "'run' has 1028 bytes; at most 1024"),
    (written(run=7), "'run' must be text; it is int64"),
    (written(table=np.array(["{", "}"])), r"'table' must be text; it is <U1 of shape \(2,\)"),
    (written(columns=np.array(["a"])), r"'columns' must be text of shape \(2,\)"),
    (written(columns=np.array([1, 2])), r"'columns' must be text of shape \(2,\); it is int64"),
    (written(n_features=7), r"'w' must be float32 or float64 of shape \(8,\)"),
    (written(n_features=np.uint64(2**64 - 1)), rf"'w' .* of shape \({2**64},\)"),
    (written(n_features=np.array([1, 2])), "'n_features' must be an integer; it is int64 of shape"),
    (written(n_features=2.0), "'n_features' must be an integer; it is float64"),
    (written(n_features=True), "'n_features' must be an integer; it is bool"),
    (written(n_features=-2), "'n_features' must be at least 1; it is -2"),
    (written(n_features=0), "'n_features' must be at least 1; it is 0"),
    (written(w=np.array([0, np.nan, 0])), "'w' has numbers that are not finite"),
    (written(w=np.zeros(3, np.float16)), "'w' must be float32 or float64 .* float16"),
    (written(w=np.zeros(3, int)), "'w' must be float32 or float64 .* int64"),
    (written(w=np.zeros((3, 1))), "'w' must be float32 or float64"),
    (written(w=header("<f3", (3,), bytes(9))), "'w' has a dtype that NumPy does not know: <f3"),
    (written(run=header("<U0", ())), "'run' does not have the 0 bytes"),
    (written(w=header("<f8", (3,), bytes(23))), "'w' does not have the 24 bytes"),
    (written(w=header("<f8", (3,), bytes(25))), "'w' does not have the 24 bytes"),
    (written(w=header("<f8", f"(3{', 1' * 400})")), "'w' is not an array"),
    (written(v=np.zeros(1)), "does not have: 'v'"),
    (written(**{f"v{k}": 0 for k in range(9)}), "'v0', 'v1', 'v2', 'v3', 'v4', …"),
    (written(mean=np.zeros(2)), "no 'scale'"),
    (written(scale=np.ones(2)), "no 'mean'"),
    (written(settings='{"standardize": true}'), "no 'mean'"),
    (written(mean=np.zeros(2), scale=np.array([1.0, 0.0])), "'scale' has numbers .* not positive"),
]


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_other_files_are_refused_by_name(path, content, message):
    assert re.search(message, refusal(path, content) or "nothing")


def test_two_members_of_one_name_are_refused(path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = archive([(f"{name}.npy", npy(array)) for name, array in [*GOOD.items()] * 2])
    assert refusal(path, content) == "it has two members 'model.npy'"


def test_members_that_change_places_are_refused(path):
    good = written(mean=np.zeros(2), scale=np.ones(2))
    assert refusal(path, good) is None
    assert refusal(path, good.replace(b"classes.npy", b"columns.npy")) == "it has no 'classes'"
    swapped = good.replace(b"mean.npy", b"meen.npy").replace(b"model.npy", b"meanx.npy")
    assert refusal(path, swapped) == "it has no 'model'"


@given(st.data())
def test_damaged_bytes_are_refused_or_do_not_matter(path, data):
    good = written(target="passed", columns=np.array(["p", "q"]), **STANDARD)
    damaged = bytearray(good)
    # The directory at the end is where most damage could matter.
    places = st.integers(0, len(good) - 1) | st.integers(good.rindex(b"model.npy"), len(good) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255))
    start, end = (
        sorted(data.draw(st.tuples(places, places))) if data.draw(st.booleans()) else (0, 0)
    )
    new = data.draw(st.binary(max_size=50)) if data.draw(st.booleans()) else b""
    damaged[start:end] = new
    if refusal(path, bytes(damaged)) is not None:
        return
    back = load(path)
    path.write_bytes(good)
    model = load(path)
    assert repr(back) == repr(model)
    assert vars(back).keys() == vars(model).keys()
    for name in ("classes_", "feature_names_in_", "mean_", "scale_", "target_name_"):
        np.testing.assert_array_equal(getattr(back, name), getattr(model, name))
    np.testing.assert_array_equal(back.parameters_["w"], model.parameters_["w"])


def test_most_damage_is_found(path):
    good = written()
    places = range(0, len(good), 7)
    flipped = (good[:k] + bytes([good[k] ^ 0xFF]) + good[k + 1 :] for k in places)
    refused = [refusal(path, content) is not None for content in flipped]
    assert sum(refused) > len(places) / 2
    assert all(refusal(path, good[:k]) is not None for k in range(len(good)))


ARRAYS = st.one_of(
    hnp.arrays(
        hnp.scalar_dtypes() | hnp.unicode_string_dtypes(endianness="?", max_len=3),
        hnp.array_shapes(min_dims=0, max_dims=2, max_side=3),
    ),
    hnp.arrays(st.sampled_from(["<f8", ">f4"]), st.sampled_from([(), (2,), (3,)])),
)


@given(st.dictionaries(st.sampled_from([*GOOD, *STANDARD, "columns", "run", "b", "x"]), ARRAYS))
def test_any_arrays_are_refused_or_make_a_model_that_predicts(path, changes):
    if refusal(path, written(**changes)) is not None:
        return
    model = load(path)
    assert (np.sort(model.classes_) == model.classes_).all()
    assert len(set(model.classes_.tolist())) == 2
    assert isinstance(model.n_features_in_, int)
    vars(model).pop("feature_names_in_", None)
    assert set(model.predict(np.zeros((1, model.n_features_in_))).tolist()) <= {
        *model.classes_.tolist()
    }


@given(ARRAYS, st.booleans())
def test_an_array_is_what_numpy_reads(array, fortran):
    array = np.asfortranarray(array) if fortran else array
    content = archive([("a.npy", npy(array))])
    expected = np.load(io.BytesIO(content))["a"]
    what = "text" if array.dtype.kind == "U" else "numbers, Booleans or text"
    try:
        found = Npz(io.BytesIO(content)).array("a", what, (-1,) * array.ndim)
    except ValueError:
        assert array.dtype.kind not in "biufU"
        return
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.tobytes() == expected.tobytes()


@given(st.sampled_from([(2,), (12,), (1, 2), (3, 2), ()]), st.data())
def test_any_header_is_refused_or_read_as_numpy_does(shape, data):
    dtype = data.draw(st.sampled_from(["<f8", ">i4", "|b1", "<U2", ">u2", "<f2"]))
    content = bytearray(npy(np.ones(shape, dtype)))
    places = [k for k in range(10, content.index(b"}")) if content[k] in b"<>|123468biuf,"]
    for place in data.draw(st.sets(st.sampled_from(places), max_size=2)):
        content[place] = data.draw(st.sampled_from(b"<>|=123468biufcSV, '\n"))
    file = io.BytesIO(archive([("a.npy", bytes(content))]))
    for ndim in range(4):
        for what in "numbers, Booleans or text", "float32 or float64":
            try:
                found = Npz(file).array("a", what, (-1,) * ndim)
            except ValueError:
                continue
            expected = np.lib.format.read_array(io.BytesIO(content))
            assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
            assert found.tobytes() == expected.tobytes()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["auto", "relu", "tanh", "adam", "mean", "he"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
SETTINGS = ["activation", "alpha", "batch_size", "class_weight", "hidden_layer_sizes", "init"]
SETTINGS += [
    "learning_rate_init",
    "max_iter",
    "momentum",
    "solver",
    "standardize",
    "tol",
    "workers",
]
LAYERS = {"W1": np.ones((16, 2)), "b1": np.ones(16), "w": np.ones(16), "b": np.array(1.0)}


@given(st.dictionaries(st.sampled_from(SETTINGS), VALUES, max_size=3))
def test_any_settings_are_refused_or_are_those_of_the_model(path, settings):
    content = written(model="MLPClassifier", settings=json.dumps(settings), **LAYERS)
    if refusal(path, content) is not None:
        return
    model = load(path)
    check_settings(model)
    assert {name: getattr(model, name) for name in settings} == settings
    assert model.predict([[0.0, 0.0]]).shape == (1,)


def directory(content, name, at, value):
    """A file whose directory says something else of a member, in the four bytes from `at`."""
    start = content.rindex(f"{name}.npy".encode()) - 46 + at
    return content[:start] + value.to_bytes(4, "little") + content[start + 4 :]


def long_directory():
    """A file of 64 MiB that says that most of them are its directory."""
    size = 1 << 26
    end = b"PK\5\6" + bytes(4) + b"\1\0\1\0" + size.to_bytes(4, "little") + bytes(6)
    return bytes(size) + end


HUGE = 10**12
SIZES = [
    (written(w=header("<f8", (HUGE,))), r"'w' must be .* shape \(3,\); it is float64 of shape"),
    (
        written(n_features=HUGE - 1, w=header("<f8", (HUGE,))),
        f"'w' does not have the {8 * HUGE} bytes",
    ),
    (written(classes=header("<i8", (HUGE,))), f"'classes' does not have the {8 * HUGE} bytes"),
    (written(model=header(f"<U{2**29 - 1}", ())), f"'model' does not have the {2**31 - 4} bytes"),
    (
        directory(written(), "w", 24, 0xFFFF0000),
        "'w.npy' does not have the 4294901760 bytes of its directory",
    ),
    (
        directory(directory(written(), "w", 20, 0xFFFF0000), "w", 24, 0xFFFF0000),
        "'w.npy' does not have the 4294901760 bytes of its directory",
    ),
    (directory(written(), "w", 42, 0xFFFF0000), "'w.npy'"),
    (directory(written(), "w", 20, 150), "'w.npy' does not have the 152 bytes of its directory"),
    (directory(written(), "w", 4, 0xFFFFFFFF), "not an npz file: zip file version"),
    (written()[:-6] + b"\xff\xff\0\0\0\0", "'model.npy' does not have the 200 bytes"),
]


@pytest.mark.parametrize(("content", "message"), SIZES)
def test_what_a_file_declares_takes_no_memory(path, content, message):
    assert peak(path, content, message) < 1 << 22


def test_a_long_directory_takes_no_memory(path):
    assert peak(path, long_directory(), "it is not an npz file: Bad magic") < 1 << 22


def peak(path, content, message):
    """The most memory that refusing a file takes."""
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message):
            load(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "content", [b"", written(w=header("<f8", (HUGE,))), written(n_features=2.5)]
)
def test_the_command_line_says_it_in_one_line(run, path, tmp_path, content):
    path.write_bytes(content)
    (tmp_path / "new.csv").write_text("p,q\n1,2\n")
    code, shown, complaints = run("predict", "--weights", path, "--data", tmp_path / "new.csv")
    assert (code, shown) == (2, "")
    assert len(complaints.splitlines()) == 1
    assert str(path) in complaints

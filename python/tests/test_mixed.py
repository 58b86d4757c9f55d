"""Frames with columns of any kind, with and without missing values."""

import json
import pickle
from decimal import Decimal

import numpy as np
import pytest

import gannet
from conftest import needed
from gannet._gannet import Spec, checkpoint_note, checkpoint_with_note

pandas = needed("pandas")

ROWS = 240
random = np.random.default_rng(11)
SCORES = random.normal(size=ROWS)
PLACES = random.integers(0, 3, ROWS)
HOURS = pandas.to_timedelta(random.integers(0, 20_000, ROWS), unit="h")
DAYS = pandas.Timestamp("2021-03-01") + pandas.to_timedelta(random.integers(0, 900, ROWS), unit="D")


def chosen(*values, dtype=None):
    """A column with these values."""
    return pandas.Series([values[place] for place in PLACES], dtype=dtype)


# Columns of each type that can have no missing value, and of each that can.
WHOLE = {
    "int8": pandas.Series((40 * SCORES).clip(-128, 127).astype(np.int8)),
    "int64": pandas.Series((1000 * SCORES).astype(np.int64)),
    "uint64": pandas.Series(random.integers(0, 2**63, ROWS).astype(np.uint64) * 2 + 1),
    "hash": pandas.Series(random.integers(-(2**63), 2**63 - 1, ROWS)),
    "few": pandas.Series(PLACES),
    "bool": pandas.Series(SCORES > 0),
}
GAPPED = {
    "float64": pandas.Series(SCORES.round(2)),
    "float32": pandas.Series((7 * SCORES).round(1).astype(np.float32)),
    "float16": pandas.Series(SCORES.astype(np.float16)),
    "Float64": pandas.Series(SCORES, dtype="Float64"),
    "Int64": pandas.Series(2**60 + (1000 * SCORES).astype(np.int64), dtype="Int64"),
    "UInt8": pandas.Series((100 + 20 * SCORES).astype(np.uint8), dtype="UInt8"),
    "boolean": pandas.Series(SCORES > 0.5, dtype="boolean"),
    "str": chosen("red", "green", "blau"),
    "string": chosen("", "green", "größer", dtype="string"),
    "object": chosen("x", "y", "z", dtype=object),
    "bools": chosen(True, False, True, dtype=object),
    "integers": chosen(1, 2, 2**62, dtype=object),
    "numbers": pandas.Series([float(score) for score in SCORES], dtype=object),
    "ordered": pandas.Series(pandas.Categorical.from_codes(PLACES, ["low", "mid", "high", "never"], ordered=True)),
    "counted": pandas.Series(pandas.Categorical.from_codes(PLACES, [30, 10, 20])),
    "days": pandas.Series(DAYS).astype("datetime64[ns]"),
    "seconds": pandas.Series(DAYS).astype("datetime64[s]"),
    "zoned": pandas.Series(pandas.Timestamp("2021-03-01", tz="Europe/Berlin") + HOURS),
    "utc": pandas.Series(pandas.Timestamp("2021-03-01", tz="UTC") + HOURS).astype("datetime64[ns, UTC]"),
    "spans": pandas.Series(HOURS).astype("timedelta64[ns]"),
}


def quick(**params):
    """An estimator that is fitted at once."""
    return gannet.Gan(**{"steps": 5, "batch": 16, "threads": 1, **params})


def with_gaps(column, share=0.25):
    """A column without some of its values."""
    return column.mask(pandas.Series(np.random.default_rng(5).random(len(column)) < share))


@pytest.fixture
def mixed():
    """A frame with a column of each type, some with missing values, and with constant ones."""
    frame = pandas.DataFrame({**WHOLE, **GAPPED, **{f"{name} gaps": with_gaps(column) for name, column in GAPPED.items()}})
    return frame.assign(seven=7, word="k", nothing=pandas.Series([None] * ROWS, dtype=object), never=np.nan)


def check_values(made, given):
    """The values of a column are such as those given."""
    there, known = made.dropna(), given.dropna()
    if given.name in ("few", "bool", "boolean", "str", "string", "object", "bools", "integers", "ordered", "counted"):
        assert set(there) <= set(known)
        assert {type(value) for value in there} <= {type(value) for value in known}
    else:
        assert there.min() >= known.min() and there.max() <= known.max()
        assert there.nunique() > 10
    if given.name == "float64":
        assert (there.round(2) == there).all()
    if given.name == "float32":
        assert (there.round(1) == there).all()
    if given.name in ("days", "seconds"):
        assert (there == there.dt.normalize()).all()
    if given.name in ("zoned", "utc"):
        hours = there.dt.tz_convert("UTC")
        assert (hours == hours.dt.floor("h")).all()


@pytest.mark.parametrize("name", [*WHOLE, *GAPPED])
def test_a_column_comes_back_with_its_type_and_domain(name):
    column = {**WHOLE, **GAPPED}[name].rename(name)
    frame = pandas.DataFrame({"text": chosen("a", "b", "c"), name: column})
    made = quick().fit(frame).sample(200)
    assert made.dtypes.tolist() == frame.dtypes.tolist() and list(made.columns) == ["text", name]
    assert made.notna().all().all()
    check_values(made[name], column)


@pytest.mark.parametrize("name", GAPPED)
def test_a_column_with_gaps_comes_back_with_its_type_and_domain(name):
    column = with_gaps(GAPPED[name]).rename(name)
    assert column.isna().sum() > 20 and column.dtype == GAPPED[name].dtype
    made = quick(steps=20).fit(column.to_frame()).sample(2_000)[name]
    assert made.dtype == column.dtype
    # Samples are calibrated: the share of missing values is that of the data.
    assert abs(made.isna().mean() - column.isna().mean()) < 0.05
    check_values(made, column)


def test_missing_values_of_objects_are_what_they_were():
    for mark in (None, pandas.NA, pandas.NaT, float("nan")):
        column = pandas.Series([mark, "x", "y", "x"] * 10, dtype=object)
        missing = [value for value in quick().fit(column.to_frame()).sample(400)[0] if not isinstance(value, str)]
        assert len(missing) > 50 and {type(value) for value in missing} == {type(mark)}


def test_categories_come_as_often_as_in_the_data():
    kinds = np.repeat(["a", "b", "c"], [160, 60, 20])
    made = quick(steps=20).fit(pandas.DataFrame({"kind": kinds, "x": SCORES})).sample(4_000)["kind"]
    for kind, share in [("a", 160 / 240), ("b", 60 / 240), ("c", 20 / 240)]:
        assert abs((made == kind).mean() - share) < 0.04


def test_constant_columns_come_back(mixed):
    made = quick().fit(mixed).sample(20)
    assert (made["seven"] == 7).all() and (made["word"] == "k").all()
    assert made[["nothing", "never"]].isna().all().all() and made["nothing"][0] is None
    gapped = pandas.DataFrame({"x": [3.5, np.nan] * 20})
    made = quick().fit(gapped).sample(400)["x"]
    assert set(made.dropna()) == {3.5} and 150 < made.isna().sum() < 250


def test_columns_without_any_value_come_back():
    empty = pandas.DataFrame({name: with_gaps(column, 2.0) for name, column in GAPPED.items()})
    assert empty.isna().all().all()
    made = quick().fit(empty.assign(x=SCORES)).sample(12)
    assert made.dtypes.tolist() == empty.assign(x=SCORES).dtypes.tolist()
    assert made[empty.columns].isna().all().all() and made["x"].notna().all()


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_have_all_columns(mixed, rows):
    made = quick().fit(mixed).sample(rows)
    assert made.shape == (rows, len(mixed.columns)) and made.dtypes.tolist() == mixed.dtypes.tolist()


def test_a_fitted_frame_is_the_same_from_files_pickles_and_at_any_number_of_threads(mixed, tmp_path):
    gan = quick(random_state=3).fit(mixed)
    made = gan.sample(60)
    assert made.dtypes.tolist() == mixed.dtypes.tolist() and list(made.columns) == list(mixed.columns)
    assert gan.n_features_in_ == len(mixed.columns) and gan.feature_names_in_.tolist() == list(mixed.columns)
    pandas.testing.assert_frame_equal(gan.sample(60, random_state=3).head(9), gan.sample(9))
    assert not gan.sample(60, random_state=4).equals(made)
    two = quick(random_state=3, threads=2).fit(mixed)
    assert two._state.trainer.model_bytes() == gan._state.trainer.model_bytes()
    pandas.testing.assert_frame_equal(two.sample(60), made)
    gan.save(tmp_path / "gan")
    loaded = gannet.Gan.load(tmp_path / "gan")
    for again in (loaded, pickle.loads(pickle.dumps(gan)), pickle.loads(pickle.dumps(loaded))):
        pandas.testing.assert_frame_equal(again.sample(60), made)
        assert again.n_features_in_ == len(mixed.columns)
    loaded.train(4, X=mixed)
    gan.train(4)
    assert loaded._state.trainer.model_bytes() == gan._state.trainer.model_bytes()
    pandas.testing.assert_frame_equal(loaded.sample(60), gan.sample(60))
    # The generator has changed, and with it its calibration.
    pandas.testing.assert_frame_equal(pickle.loads(pickle.dumps(gan)).sample(60), gan.sample(60))
    assert not gan.sample(60).equals(made)


def test_the_defaults_are_those_of_tables_with_categories(mixed):
    gan = gannet.Gan(threads=1).fit(mixed, progress=lambda report: True)
    # 5,000 steps, in whole passes over the data.
    assert (gan._state.planned, gan._state.batch) == (5_001, 128)
    groups = gan._state.scaling.groups
    last = gan._state.spec.to_json().split('"softmax":')
    assert any(part.startswith(str(groups).replace(" ", "")) for part in last[1:]), "the generator makes a softmax of each group"


def test_labels_beside_columns_of_any_kind(mixed, tmp_path):
    kinds = np.array(["cat", "dog", "emu"])[PLACES]
    gan = quick().fit(mixed, kinds)
    made, labels = gan.sample(300, return_labels=True)
    assert made.dtypes.tolist() == mixed.dtypes.tolist() and set(labels) == set(kinds)
    assert not gan.sample(50, labels="dog").equals(gan.sample(50, labels="emu"))
    gan.save(tmp_path / "gan")
    pandas.testing.assert_frame_equal(gannet.Gan.load(tmp_path / "gan").sample(50, labels="dog"), gan.sample(50, labels="dog"))
    with pytest.raises(ValueError, match="y is needed"):
        gan.train(3, X=mixed)
    gan.train(3, X=mixed, y=kinds)


def test_parameters_with_columns_of_any_kind(mixed, small):
    sklearn = needed("sklearn.base")
    gan = sklearn.clone(quick().fit(mixed)).set_params(steps=3)
    assert gan.fit(mixed).n_steps_ == 3
    pair = pandas.DataFrame({"x": SCORES, "flag": SCORES > 0})
    own = quick(spec=small).fit(pair)
    assert own.sample(5).dtypes.tolist() == pair.dtypes.tolist()
    for params, kind, part in [
        ({"standardize": False}, gannet.SettingError, "no plain numbers"),
        ({"spec": "circle"}, gannet.SettingError, "makes samples of 2 features, but the data have 3"),
        ({"memory_limit": 1000}, MemoryError, "1000"),
        ({"batch": 10**6}, ValueError, "batch"),
    ]:
        with pytest.raises(kind, match=part):
            quick(**params).fit(pair)
    encoded = own._state.layout.values_of(pair).natives
    assert own._state.scaling.encode(encoded, 10**6).shape == (ROWS, 3)
    with pytest.raises(gannet.MemoryLimitError):
        own._state.scaling.encode(encoded, 2_000)
    softmax = {"gan": {**small["gan"], "generator": {"layers": [{"inputs": 2, "outputs": 3, "activation": "linear", "softmax": [3]}]}}}
    with pytest.raises(gannet.SettingError, match="softmax"):
        quick(spec=softmax).fit(pair)


def test_pictures(mixed, tmp_path):
    for number, columns in enumerate((list(mixed.columns), ["str", "object"], ["Int64", "str"], ["float64 gaps"])):
        gan = quick().fit(mixed[columns])
        gan.save_picture(tmp_path / f"{number}.png")
        assert (tmp_path / f"{number}.png").read_bytes().startswith(b"\x89PNG")
        pickle.loads(pickle.dumps(gan)).save_picture(tmp_path / f"{number}.png", overwrite=True)


def test_a_picture_shows_numbers_in_their_units_without_missing_ones(mixed):
    gan = quick().fit(mixed[["str gaps", "Int64 gaps", "days gaps"]])
    (real, generated), names = gan._state.shown(gan._state.data, gan._state.made(500, 1, None))
    there = mixed[["Int64 gaps", "days gaps"]].dropna()
    assert names == ["Int64 gaps", "days gaps"] and len(real) == len(there) and 200 < len(generated) < 400
    expected = np.column_stack([there.iloc[:, 0].astype(float), there.iloc[:, 1].astype("int64")]).astype(np.float32)
    assert np.allclose(real, expected, rtol=1e-6)
    assert (generated >= expected.min(0)).all() and (generated <= expected.max(0)).all()


def test_other_frames_are_refused(mixed):
    gan = quick().fit(mixed)
    for other, kind, part in [
        (mixed.drop(columns="str"), ValueError, r"missing: \['str'\]"),
        (mixed[mixed.columns[::-1]], ValueError, "in that order"),
        (mixed.to_numpy(), TypeError, "pass a frame"),
        (mixed.assign(str=with_gaps(mixed["str"])), gannet.DataError, "column `str` has missing values"),
        (mixed.assign(str=mixed["str"].replace("red", "pink")), gannet.DataError, "'str' holds 'pink'"),
        (mixed.assign(seven=8), gannet.DataError, "'seven' holds 8"),
        (mixed.assign(never=1.0), gannet.DataError, "'never' holds 1.0"),
        (mixed.assign(int64=mixed["int64"].astype(float)), TypeError, "'int64' has the dtype float64, and had int64"),
        (mixed.assign(ordered=mixed["ordered"].cat.as_unordered()), TypeError, "'ordered' has the dtype category"),
        (mixed.iloc[:1], ValueError, r"1 sample\(s\)"),
    ]:
        with pytest.raises(kind, match=part):
            gan.train(1, X=other)
    gan.train(1, X=mixed.iloc[::-1])
    # Numbers beyond those of the fit are the outermost ones.
    known = mixed["days"].max(), mixed["float64"].min(), mixed["int64"].max(), mixed["int64"].min()
    beyond = pandas.Timestamp("2100-01-01").as_unit("ns"), -1e9, 2**63 - 1, -(2**63)
    encoded = []
    for day, number, greatest, least in (known, beyond):
        whole = pandas.Series([greatest, least] * (ROWS // 2))
        gan.train(1, X=mixed.assign(days=day, float64=number, int64=whole))
        encoded.append(gan._state.data)
    assert (encoded[0] == encoded[1]).all()
    numbers = mixed[["int64", "float64"]]
    gaps = numbers.assign(float64=mixed["float64 gaps"])
    with pytest.raises(gannet.DataError, match="column `float64` has missing values"):
        quick().fit(numbers).train(1, X=gaps)
    with pytest.raises(ValueError, match="Input X contains NaN: row"):
        quick(standardize=True).fit(numbers).train(1, X=gaps)


def test_what_cannot_be_learned_is_refused():
    text = chosen("a", "b", "c")
    for columns, kind, part in [
        ({}, ValueError, r"0 feature\(s\)"),
        ({"a": text[:0]}, ValueError, r"0 sample\(s\)"),
        ({"a": text[:1]}, ValueError, r"1 sample\(s\)"),
        ({"a": ["x"] * 9, "b": [None] * 9}, gannet.DataError, "every column is constant"),
        ({"id": [f"person {row}" for row in range(50)], "x": range(50)}, gannet.DataError, "'id' has 50 different texts in 50 rows"),
        ({"a": text, "b": [1, "one", 2.5] * 80}, TypeError, r"'b' holds objects such as 2.5 \(float\) and 1 \(int\)"),
        ({"a": text, "b": [True, "yes"] * 120}, TypeError, "'b' holds objects such as True"),
        ({"a": text, "b": [Decimal("1.5"), Decimal(2)] * 120}, TypeError, r"'b' holds objects such as Decimal\('1.5'\).*by astype\(float\)"),
        ({"a": text, "b": [[1, 2], None] * 120}, TypeError, r"'b' holds objects such as \[1, 2\] \(list\)"),
        ({"a": text, "b": [b"x", b"y"] * 120}, TypeError, "'b' holds objects such as b'x'"),
        ({"a": text, "b": [1.5, np.inf, np.nan] * 80}, ValueError, "contains infinity: row 1, column 'b' is inf"),
        ({"a": text, "b": pandas.Series([2.5, -np.inf, None] * 80, dtype=object)}, ValueError, "row 1, column 'b' is -inf"),
        ({"a": text, "b": pandas.Series([2**70, 5, None] * 80, dtype=object)}, gannet.DataError, "'b' holds whole numbers beyond 64 bits"),
        ({"a": text, "b": [1e308, -1e308, 5.0, *SCORES[3:]]}, gannet.DataError, "`b` .* too far apart"),
        ({"a": text, "b": 1j * SCORES}, TypeError, "'b' has the dtype complex128"),
        ({"a": text, "b": pandas.period_range("2020", periods=ROWS, freq="D")}, TypeError, "'b' has the dtype period"),
        ({"a": text, "b": pandas.cut(SCORES, 3)}, TypeError, "'b' has the dtype category of interval"),
    ]:
        with pytest.raises(kind, match=part):
            quick().fit(pandas.DataFrame(columns))


@pytest.mark.parametrize("names", [["x", "x", "y"], [("a", 1), ("a", "two"), ("b", 1)], [3, 1, 2]])
def test_columns_may_have_other_names(names):
    frame = pandas.DataFrame({0: chosen("a", "b", "c"), 1: SCORES, 2: DAYS})
    frame.columns = pandas.Index(names)
    gan = quick().fit(frame)
    made = pickle.loads(pickle.dumps(gan)).sample(5)
    assert made.columns.tolist() == names and made.dtypes.tolist() == frame.dtypes.tolist()
    pandas.testing.assert_frame_equal(made, gan.sample(5))


def test_nan_beside_the_mask_of_a_nullable_float_is_missing():
    values = np.tile([0.5, np.nan, 1.0, 7.0], 20)
    column = pandas.Series(pandas.arrays.FloatingArray(values, np.arange(80) % 4 == 2))
    assert column.isna().sum() == 20
    made = quick(steps=20).fit(pandas.DataFrame({"text": ["a", "b"] * 40, "x": column})).sample(400)["x"]
    assert set(made.dropna()) == {0.5, 7.0} and made.isna().sum() > 100


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("scaling", lambda saved: saved[: len(saved) // 2]),
        ("scaling", lambda saved: "no text of base 64 \N{GRINNING FACE}"),
        ("layout", lambda saved: {**saved, "kinds": saved["kinds"][:1]}),
        ("layout", lambda saved: {**saved, "kinds": [{}] * 2}),
        ("layout", lambda saved: {"columns": ["a", "b"], "dtypes": []}),
        ("version", lambda saved: 3),
        ("history", lambda saved: 7),
    ],
)
def test_a_note_that_was_changed_is_an_error(tmp_path, key, change):
    quick().fit(pandas.DataFrame({"a": chosen("x", "y", "z"), "b": SCORES})).save(tmp_path / "gan")
    saved = (tmp_path / "gan").read_bytes()
    note = json.loads(checkpoint_note(saved))
    changed = checkpoint_with_note(Spec.from_json(note["spec"]).with_length(note["planned"]), saved, json.dumps({**note, key: change(note[key])}))
    (tmp_path / "changed").write_bytes(changed)
    with pytest.raises(gannet.DataError, match="changed: "):
        gannet.Gan.load(tmp_path / "changed")


def test_texts_that_no_file_holds_are_told(tmp_path, monkeypatch):
    names = pandas.Series([f"{row} " + 500 * "x" for row in range(5_000)], dtype="category")
    gan = quick().fit(pandas.DataFrame({"name": names, "x": np.arange(5_000.0)}))
    gan.save(tmp_path / "gan")
    assert gannet.Gan.load(tmp_path / "gan").sample(3).equals(gan.sample(3))
    monkeypatch.setattr("gannet._state._MOST_NOTE", 1 << 20)
    for save in (lambda: gan.save(tmp_path / "other"), lambda: pickle.dumps(gan)):
        with pytest.raises(gannet.DataError, match="may have 1048576; drop columns with many different texts"):
            save()
    assert not (tmp_path / "other").exists()


def test_texts_may_be_any():
    frame = pandas.DataFrame({"\ud800": pandas.Series(["\ud800", "a\0b", "\N{GRINNING FACE}", "x" * 5_000] * 10, dtype=object)})
    gan = pickle.loads(pickle.dumps(quick().fit(frame)))
    assert set(gan.sample(200)["\ud800"]) == set(frame["\ud800"])


def test_rows_need_no_plain_index(mixed):
    shuffled = mixed.set_axis([f"row {row % 7}" for row in range(ROWS)])
    made = quick().fit(shuffled).sample(9)
    pandas.testing.assert_frame_equal(made, quick().fit(mixed).sample(9))


def test_many_texts_are_drawn_as_often_as_they_are_there():
    texts = pandas.Series([f"city {row % 800 if row % 2 else row % 16}" for row in range(2_000)])
    assert texts.nunique() > 300
    columns = {"city": texts, "name": pandas.Series([f"n{row}" for row in range(2_000)], dtype="category")}
    gan = quick(steps=20).fit(pandas.DataFrame(columns))
    made = gan.sample(3_000)
    frequent = texts.value_counts()
    learned = gan._state.layout.kinds[0]
    assert learned.kept == 255 and set(frequent[frequent > 100].index) == set(learned.values[: (frequent > 100).sum()])
    assert set(made["city"]) <= set(texts) and made["name"].dtype == columns["name"].dtype
    assert abs(made["city"].isin(texts.unique()[:16:2]).mean() - texts.isin(texts.unique()[:16:2]).mean()) < 0.05
    # Names that are there once are drawn from all of them, and a row is the same in a smaller sample.
    assert made["name"].nunique() > 1_000
    pandas.testing.assert_frame_equal(made.head(10), gan.sample(10))
    assert gan.sample(10, random_state=1)["name"].tolist() != made["name"].head(10).tolist()

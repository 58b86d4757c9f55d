"""Frames of pandas: the same columns and types come out."""

import pickle

import numpy as np
import pytest

import gannet
from conftest import needed

pandas = needed("pandas")


@pytest.fixture
def frame(rows):
    """A frame with columns of several types."""
    return pandas.DataFrame(
        {
            "a": rows[:, 0],
            "b": rows[:, 1].astype(np.float32),
            "count": rows[:, 2].astype(np.int16),
            "flag": rows[:, 0] > 5,
            "nullable": pandas.array(rows[:, 2].astype(int), dtype="Int64"),
            "kind": np.arange(len(rows)) % 2,
        }
    )


def test_columns_and_types_come_back(frame, tmp_path):
    gan = gannet.Gan(steps=5).fit(frame)
    made = gan.sample(40)
    assert list(made.columns) == list(frame.columns)
    assert made.dtypes.tolist() == frame.dtypes.tolist()
    assert len(made) == 40 and made["count"].between(-32768, 32767).all()
    assert gan.feature_names_in_.tolist() == list(frame.columns)
    gan.save(tmp_path / "gan")
    again = gannet.Gan.load(tmp_path / "gan").sample(40)
    pandas.testing.assert_frame_equal(again, made)


def test_frames_and_arrays_give_the_same_numbers(frame):
    columns = frame[["a", "b"]].astype(float)
    one, other = (gannet.Gan(steps=5).fit(data) for data in (columns, columns.to_numpy()))
    assert (one.sample(9).to_numpy() == other.sample(9)).all()


def rare_and_frequent(rows=600):
    """Numbers alone, of which a mean and a deviation say little."""
    random = np.random.default_rng(5)
    place = np.arange(rows)
    return pandas.DataFrame(
        {
            "member": (place % 100 < 6).astype(np.int64),
            "income": np.where(place % 5 == 0, -9999.0, np.round(random.lognormal(8, 1, rows), 2)),
            "paid": np.where(random.random(rows) < 0.7, 0.0, np.round(random.exponential(50, rows), 2)),
            "id": 2**60 + 1000 * random.integers(0, 10**6, rows),
            "level": np.array([1.5, 2.5, 7.0], np.float32)[place % 3],
        }
    )


@pytest.mark.parametrize("kind", ["frame", "nullable", "labelled"])
def test_rare_and_frequent_numbers_are_kept(kind):
    frame = rare_and_frequent()
    given = frame.astype({"member": "Int8", "income": "Float64", "id": "UInt64"}) if kind == "nullable" else frame
    gan = gannet.Gan(steps=200, batch=64).fit(given, np.arange(len(frame)) % 2 if kind == "labelled" else None)
    made = gan.sample(4_000)
    assert made.dtypes.tolist() == given.dtypes.tolist()
    assert set(made["member"]) == {0, 1} and abs(made["member"].mean() - 0.06) < 0.02
    assert abs((made["income"] == -9999).mean() - 0.2) < 0.03
    assert made.loc[made["income"] != -9999, "income"].min() > 0
    assert abs((made["paid"] == 0).mean() - (frame["paid"] == 0).mean()) < 0.03 and made["paid"].min() == 0
    assert ((made["id"] - 2**60) % 1000 == 0).all() and made["id"].between(frame["id"].min(), frame["id"].max()).all()
    assert set(made["level"]) == {1.5, 2.5, 7.0}
    assert (made["income"].round(2) == made["income"]).all()


def test_arrays_keep_what_frames_keep():
    columns = rare_and_frequent()[["member", "income", "paid"]]
    made = gannet.Gan(steps=200, batch=64).fit(columns.to_numpy()).sample(4_000)
    assert (made == gannet.Gan(steps=200, batch=64).fit(columns.astype(float)).sample(4_000).to_numpy()).all()
    assert abs(made[:, 0].mean() - 0.06) < 0.02 and abs((made[:, 1] == -9999).mean() - 0.2) < 0.03
    identities = np.column_stack([columns.index, 2**60 + 1000 * columns.index])
    samples = gannet.Gan(steps=20).fit(identities).sample(500)
    assert samples.dtype == np.int64 and (samples[:, 1] % 1000 == 2**60 % 1000).all()


def test_standardized_frames_come_back_as_they_were(frame):
    numbers = frame.drop(columns="flag")
    gan = gannet.Gan(steps=5, standardize=True).fit(numbers)
    made = gan.sample(40)
    assert made.dtypes.tolist() == numbers.dtypes.tolist() and list(made.columns) == list(numbers.columns)
    assert made["count"].between(-32768, 32767).all()
    assert gan.train(2, X=numbers).n_steps_ == 7
    pandas.testing.assert_frame_equal(pickle.loads(pickle.dumps(gan)).sample(9), gan.sample(9))


def test_frames_of_many_columns_are_saved(tmp_path):
    """The quantiles of these take more than the 8 MiB that the header of a file has."""
    random, columns = np.random.default_rng(4), 1_500
    values = random.normal(size=(650, columns))
    frame = pandas.DataFrame(values[random.integers(0, 650, 2_000)], columns=[f"x{place}" for place in range(columns)])
    gan = gannet.Gan(steps=1, batch=8).fit(frame)
    made = gan.sample(3)
    assert (made.dtypes == float).all() and made.shape == (3, columns)
    gan.save(tmp_path / "gan")
    assert (tmp_path / "gan").stat().st_size > len(gan._state.trainer.to_bytes()) + (8 << 20)
    for again in (gannet.Gan.load(tmp_path / "gan"), pickle.loads(pickle.dumps(gan))):
        pandas.testing.assert_frame_equal(again.sample(3), made)


def test_labels_may_be_a_series(frame):
    gan = gannet.Gan(steps=5).fit(frame.drop(columns="kind"), frame["kind"])
    assert gan.classes_.tolist() == [0, 1]


@pytest.mark.parametrize(
    "values",
    [
        ["x", "y"],
        pandas.Categorical(["x", "y"]),
        pandas.to_datetime(["2020-01-01", "2021-01-01"]),
        pandas.to_timedelta([1, 2]),
    ],
)
def test_a_column_that_is_no_number_is_learned(values):
    frame = pandas.DataFrame({"size": [1.0, 2.0] * 10, "color": pandas.Series(values).repeat(10).to_numpy()})
    frame["color"] = frame["color"].astype(pandas.Series(values).dtype)
    made = gannet.Gan(steps=5).fit(frame).sample(30)
    assert made.dtypes.tolist() == frame.dtypes.tolist()
    if isinstance(values[0], str):
        assert set(made["color"]) <= set(values)
    else:
        assert made["color"].between(values[0], values[1]).all()


def test_a_missing_value_is_learned(frame):
    frame.loc[range(0, 300, 3), "nullable"] = pandas.NA
    made = gannet.Gan(steps=5).fit(frame).sample(900)
    assert made.dtypes.tolist() == frame.dtypes.tolist()
    assert abs(made["nullable"].isna().sum() - 300) < 60 and made.drop(columns="nullable").notna().all().all()


def test_sparse_columns_come_back():
    values = np.random.default_rng(1).normal(size=(100, 2)).round(2)
    for columns in ({"a": 0}, {"a": 0, "b": 1}):
        dense = pandas.DataFrame({name: values[:, column] for name, column in columns.items()})
        sparse = dense.astype(pandas.SparseDtype("float64", np.nan))
        made = gannet.Gan(steps=5).fit(sparse).sample(9)
        assert made.dtypes.tolist() == sparse.dtypes.tolist()
        pandas.testing.assert_frame_equal(made.sparse.to_dense(), gannet.Gan(steps=5).fit(dense).sample(9))
        gaps = sparse.mask(sparse["a"].sparse.to_dense() > 1)
        assert gannet.Gan(steps=5).fit(gaps).sample(9).dtypes.tolist() == sparse.dtypes.tolist()
        standardized = gannet.Gan(steps=5, standardize=True)
        assert standardized.fit(sparse).sample(9).dtypes.tolist() == sparse.dtypes.tolist()
    counts = pandas.DataFrame({"a": pandas.arrays.SparseArray((values[:, 0] * 10).astype(int))})
    assert gannet.Gan(steps=5).fit(counts).sample(9).dtypes.tolist() == counts.dtypes.tolist()
    # Pandas does not read the name of such a type.
    with pytest.raises(TypeError, match=r"'a' has the dtype Sparse\[float64, 0.0\].*to_dense"):
        gannet.Gan(steps=5).fit(dense[["a"]].astype(pandas.SparseDtype("float64", 0.0)))


def test_other_columns_are_refused(frame):
    gan = gannet.Gan(steps=5).fit(frame)
    with pytest.raises(ValueError, match="missing: \\['b'\\]"):
        gan.train(1, X=frame.rename(columns={"b": "c"}))
    with pytest.raises(ValueError, match="in that order"):
        gan.train(1, X=frame[frame.columns[::-1]])
    gan.train(1, X=frame)


def test_columns_may_have_other_names(rows):
    for names in ([0, 1, 2], ["x", "x", "y"], [("a", 1), ("a", 2), ("b", 1)]):
        frame = pandas.DataFrame(rows)
        frame.columns = pandas.Index(names)
        gan = gannet.Gan(steps=5).fit(frame)
        assert gan.sample(3).columns.tolist() == names
        assert hasattr(gan, "feature_names_in_") == isinstance(names[0], str)

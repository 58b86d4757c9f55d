"""Frames of pandas: the same columns and types come out."""

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

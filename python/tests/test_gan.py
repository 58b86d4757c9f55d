"""The estimator: data of every kind, errors, frames, classes, files."""

import json
import pickle
import sys
import warnings
from decimal import Decimal

import numpy as np
import pytest

import gannet
from conftest import needed
from gannet import _gannet
from gannet._layout import Layout


def quick(**params):
    """An estimator that is fitted at once."""
    return gannet.Gan(**{"steps": 5, "batch": 16, "threads": 1, **params})


def test_samples_have_the_scale_of_the_data(rows):
    gan = gannet.Gan(steps=300, random_state=1).fit(rows)
    samples = gan.sample(2000)
    assert samples.shape == (2000, 3) and samples.dtype == np.float64
    assert np.abs(samples.mean(0) - rows.mean(0)).max() < 0.7 * rows.std(0).max()
    assert (np.abs(samples.mean(0) - rows.mean(0)) < rows.std(0)).all()


def test_the_seed_decides_the_rows(rows):
    gan = quick(random_state=3).fit(rows)
    assert (gan.sample(20) == gan.sample(20, random_state=3)).all()
    assert (gan.sample(20)[:7] == gan.sample(7)).all()
    assert (gan.sample(20) != gan.sample(20, random_state=4)).any()
    drawn = [gan.sample(4, np.random.RandomState(1)), gan.sample(4, np.random.RandomState(1))]
    assert (drawn[0] == drawn[1]).all()
    assert gan.sample(4, np.random.default_rng(1)).shape == (4, 3)
    assert gan.sample(0).shape == (0, 3)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8", "int64", "uint8", "bool"])
def test_samples_have_the_type_of_the_data(rows, dtype):
    data = (rows > rows.mean(0)) if dtype == "bool" else np.clip(rows, 0, 100).astype(dtype)
    samples = quick().fit(data).sample(50)
    assert samples.dtype == np.dtype(dtype)


def test_integers_stay_within_their_type():
    for dtype in ("int8", "uint8", "int64", "uint64"):
        limits = np.iinfo(dtype)
        layout, _ = Layout.read(np.ones((2, 2), dtype))
        made = layout.restore(np.array([[-1e30, 1e30], [1.4, 2.6], [float(limits.min), float(limits.max)]]))
        assert made.dtype == dtype
        assert made.tolist() == [[limits.min, limits.max], [1, 3], [limits.min, limits.max]]


def test_what_cannot_be_learned_from_is_refused(rows):
    infinite = rows.copy()
    infinite[4, 2] = -np.inf
    for data, kind, part in [
        (infinite, ValueError, "Input X contains infinity: row 4, column 2 is -inf"),
        (rows[:0], ValueError, "0 sample(s)"),
        (rows[:1], ValueError, "1 sample(s)"),
        (rows[:, :0], ValueError, "0 feature(s)"),
        (rows[0], ValueError, "Expected 2D array, got 1D array instead"),
        (rows[None], ValueError, "X.reshape(len(X), -1)"),
        (np.ones((20, 2)), gannet.DataError, "every column is constant"),
        (rows + 1j, ValueError, "Complex data not supported"),
        (rows.astype(str), TypeError, "arrays are of numbers, such as float32 or float64; pass pandas.DataFrame(X)"),
        (np.array([[1, "a"], [2, "b"]], dtype=object), TypeError, "column 1 of X holds the text 'a', and arrays are of numbers; pass pandas.DataFrame(X)"),
        (np.array([[1, 2.5], [2, {}]], dtype=object), TypeError, "column 1 of X holds objects that are no numbers"),
        (np.array(["2020-01-01"] * 4, dtype="datetime64[D]").reshape(2, 2), TypeError, "pass pandas.DataFrame(X)"),
        (np.full((5, 2), np.nan), gannet.DataError, "every column is constant"),
        (None, ValueError, "Expected 2D array"),
    ]:
        with pytest.raises(kind) as raised:
            quick().fit(data)
        assert part in str(raised.value), str(raised.value)
    gan = quick()
    with pytest.raises(ValueError):
        gan.fit(infinite)
    assert not gan.__sklearn_is_fitted__()


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "object"])
def test_nan_in_an_array_is_a_missing_value(rows, dtype):
    data = rows.astype(dtype)
    data[::3, 1] = None if dtype == "object" else np.nan
    gan = quick(steps=20).fit(data)
    samples = gan.sample(900)
    assert samples.dtype == (np.float64 if dtype == "object" else dtype)
    assert abs(np.isnan(samples[:, 1]).mean() - 1 / 3) < 0.06 and not np.isnan(samples[:, ::2]).any()
    assert np.array_equal(pickle.loads(pickle.dumps(gan)).sample(900), samples, equal_nan=True)
    gan.train(1, X=data)
    for X, kind, part in [
        (np.where(np.isnan(data.astype(float)), 1.0, np.nan), gannet.DataError, "has missing values, and had none"),
        (rows.astype(int), TypeError, "has the dtype int64, and had float"),
        (rows[:, :2], ValueError, "expecting 3 features"),
    ]:
        with pytest.raises(kind, match=part):
            gan.train(1, X=X.astype(samples.dtype) if X.dtype == float else X)
    with pytest.raises(gannet.SettingError, match="X has missing values"):
        quick(standardize=False).fit(data)


def test_arrays_need_no_pandas(rows, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    place = np.arange(len(rows))
    gaps = np.column_stack([place % 100 < 6, np.full(len(rows), 7.5), np.where(place % 4 == 0, np.nan, rows[:, 0])])
    for data in (gaps, gaps[:, :2].astype(np.int8), gaps[:, :1] > 0, rows.astype(np.float16)):
        gan = pickle.loads(pickle.dumps(quick().fit(data))).train(3, X=data)
        assert gan.sample(9).dtype == data.dtype


def test_objects_that_are_numbers_are_floats(rows):
    numbers = np.array([[Decimal(repr(float(value))) for value in row] for row in rows], dtype=object)
    assert (quick().fit(numbers).sample(9) == quick().fit(rows).sample(9)).all()


def test_wrong_parameters_are_refused(rows):
    for params, kind, part in [
        ({"spec": "circel"}, gannet.SettingError, "did you mean `circle`?"),
        ({"spec": "circle"}, gannet.SettingError, "makes samples of 2 features, but the data have 3"),
        ({"spec": "digits-conditional"}, gannet.SettingError, "64 features"),
        ({"spec": {"gam": {}}}, gannet.SettingError, "did you mean `gan`?"),
        ({"spec": '{"gan": 3}'}, gannet.SettingError, "give an object"),
        ({"spec": 7}, TypeError, "give the name of a preset, a dict"),
        ({"steps": 0}, gannet.SettingError, "steps: is 0"),
        ({"steps": 2.5}, TypeError, "give a whole number"),
        ({"batch": -1}, gannet.SettingError, "batch: is -1"),
        ({"batch": 301}, ValueError, "batch"),
        ({"random_state": -1}, gannet.SettingError, "random_state"),
        ({"random_state": "x"}, TypeError, "random_state"),
        ({"threads": -1}, TypeError, "threads"),
        ({"memory_limit": 1000}, MemoryError, "more than the limit"),
        ({"report_every": 0}, gannet.SettingError, "report_every"),
        ({"standardize": "no"}, TypeError, "standardize is 'no'; give True, False or None"),
        ({"standardize": 0}, TypeError, "standardize is 0"),
    ]:
        with pytest.raises(kind) as raised:
            quick(**params).fit(rows)
        assert part in str(raised.value), str(raised.value)
    with pytest.raises(ValueError, match="Invalid parameter 'step' for estimator Gan"):
        quick().set_params(step=3)
    with pytest.raises(gannet.SettingError, match="n: is -1"):
        quick().fit(rows).sample(-1)


def test_before_the_first_fit(rows, tmp_path):
    gan = quick()
    for call in (gan.sample, gan.train, lambda: gan.save(tmp_path / "x"), lambda: gan.save_picture(tmp_path / "x")):
        with pytest.raises(gannet.NotFittedError, match="not fitted yet"):
            call()
    exceptions = needed("sklearn.exceptions")
    with pytest.raises(exceptions.NotFittedError):
        gan.sample()


def test_specifications_take_the_data_as_they_are(floats):
    spec = {"run": {"preset": "ring8"}, "gan": {"objective": "hinge", "r1": 0, "r2": 0}}
    gan = gannet.Gan(spec, steps=3, batch=16).fit(floats[:, :2].copy())
    assert gan._state.scaling is None
    assert gan.sample(5).dtype == np.float32
    assert json.loads(gan._state.spec.to_json())["spec"]["objective"] == "hinge"
    same = gannet.Gan(json.dumps(spec), steps=3, batch=16).fit(floats[:, :2].copy())
    assert (gan.sample(9) == same.sample(9)).all()
    scaled = gannet.Gan(spec, steps=3, batch=16, standardize=True).fit(floats[:, :2] * 100)
    assert scaled._state.scaling is not None
    plain = gannet.Gan(standardize=False, steps=3).fit(floats)
    assert plain._state.scaling is None


def test_float32_in_c_order_is_read_where_it_stands(floats):
    gan = gannet.Gan(standardize=False, steps=3).fit(floats)
    assert gan._state.data is floats
    before = gan._state.trainer.to_bytes()
    del gan
    assert before and floats.flags.writeable


def test_classes(rows):
    kinds = np.array(["cat", "dog", "emu"])[np.arange(len(rows)) % 3]
    gan = quick().fit(rows, kinds)
    assert gan.classes_.tolist() == ["cat", "dog", "emu"]
    samples, labels = gan.sample(300, return_labels=True)
    assert samples.shape == (300, 3)
    assert all(abs((labels == kind).sum() - 100) < 8 for kind in gan.classes_)
    dogs = gan.sample(5, labels="dog")
    assert (dogs == gan.sample(5, labels=["dog"] * 5)).all()
    assert (dogs != gan.sample(5, labels="emu")).any()
    for labels, part in [("gnu", "'gnu' is none of the classes"), (3, "none of the classes"), (["cat"], "one label for each")]:
        with pytest.raises(ValueError, match=part):
            gan.sample(2, labels=labels)
    with pytest.raises(ValueError, match="y is needed"):
        gan.train(3, X=rows)
    gan.train(3, X=rows, y=kinds)
    for y, part in [(kinds[:7], "one label for each"), (np.full(len(rows), np.nan), "NaN"), (rows[:, 0] + np.arange(300), "300 different")]:
        with pytest.raises(ValueError, match=part):
            quick().fit(rows, y)
    plain = quick().fit(rows)
    assert not hasattr(plain, "classes_")
    with pytest.raises(gannet.SettingError, match="fit it with y"):
        plain.sample(2, labels="cat")
    with pytest.raises(gannet.SettingError, match="has 0 conditions, but y has 3 classes"):
        quick(spec="ring8").fit(rows[:, :2], kinds)
    gan.fit(rows)
    assert not hasattr(gan, "classes_")


def test_labels_that_are_no_classes_are_refused_before_the_training(rows):
    days = np.arange("2020-01-01", "2020-01-04", dtype="datetime64[D]").repeat(100)
    there = np.array(["a", "b"] * 150, dtype=object)
    gaps = there.copy()
    gaps[7] = None
    for y, kind, part in [
        (days, TypeError, r"the labels have the dtype datetime64\[D\].*y.strftime"),
        (days - days[0], TypeError, r"timedelta64.*y.astype\(str\)"),
        (days.astype(object), TypeError, r"datetime.date\(2020, 1, 1\) \(date\).*y.strftime"),
        (there.astype("S"), TypeError, r"y.astype\(str\)"),
        (gaps, TypeError, r"\(str\) and None \(NoneType\); .* drop the rows"),
        (np.array(["a", 1, 2.5] * 100, dtype=object), TypeError, r"'a' \(str\) and 1 \(int\); give all texts or all numbers"),
        (np.array([1.0, np.nan] * 150, dtype=object), ValueError, "contains NaN"),
        (np.ma.masked_equal(np.arange(300) % 3, 1), ValueError, "labels have masked values"),
    ]:
        gan = quick()
        with pytest.raises(kind, match=part):
            gan.fit(rows, y)
        assert not gan.__sklearn_is_fitted__()
    for y in (there, np.array([True, False] * 150, dtype=object), np.array([1, np.int64(2)] * 150, dtype=object), np.ma.array(there)):
        again = pickle.loads(pickle.dumps(quick().fit(rows, y)))
        assert again.classes_.tolist() == np.unique(y).tolist()


def test_more_rows_than_a_seed_has_are_refused(rows):
    kinds = np.array(["cat", "dog", "emu"])[np.arange(len(rows)) % 3]
    for gan, labels in [(quick().fit(rows), None), (quick().fit(rows, kinds), None), (quick().fit(rows, kinds), "cat")]:
        for count in (2**32 + 1, 10**12, 2**64):
            with pytest.raises(gannet.SettingError, match="a seed has 2.32 rows"):
                gan.sample(count, labels=labels)
    with pytest.raises(gannet.ShapeError, match="below 2.32"):
        _gannet.classes_of_samples([1, 2], 2**32 + 1)


def test_masked_values_are_refused(rows):
    masked = np.ma.masked_greater(rows, 150)
    assert masked.mask.any()
    with pytest.raises(ValueError, match="X has masked values.*filled"):
        quick().fit(masked)
    floats = masked.astype(np.float32)
    for take in (lambda: gannet.Trainer("circle", floats[:, 1:]), lambda: _gannet.Standardization.of(masked)):
        with pytest.raises(ValueError, match="has masked values"):
            take()
    # Without a masked value it is an array as any other.
    assert (quick().fit(np.ma.array(rows)).sample(5) == quick().fit(rows).sample(5)).all()


def test_parameters_may_be_numbers_of_numpys(floats, small, tmp_path):
    layers = [{"inputs": np.int64(2), "outputs": 8}, {"inputs": 8, "outputs": np.int16(3)}]
    spec = {"gan": {**small["gan"], "generator": {"layers": layers}}}
    params = {"steps": np.int64(3), "batch": np.int32(16), "threads": np.int8(1), "standardize": np.bool_(True), "report_every": np.uint8(1)}
    gan = gannet.Gan(spec, **params).fit(floats)
    gan.save(tmp_path / "gan")
    again = gannet.Gan.load(tmp_path / "gan")
    assert again.get_params() == {**params, "spec": spec, "random_state": 0, "memory_limit": None}
    assert (again.sample(5) == gan.sample(5)).all()
    with pytest.raises(TypeError, match="set is not JSON serializable"):
        quick(spec={"gan": {1, 2}}).fit(floats)


def test_what_training_cannot_see_is_told(rows):
    rows[0, 0] = 1e12
    with pytest.warns(UserWarning, match="different values of column 1"):
        quick(standardize=True).fit(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick(standardize=True).fit(rows[1:])
        # By their quantiles all can be seen.
        quick().fit(rows)


def test_the_history(rows):
    gan = gannet.Gan(steps=20, report_every=4, threads=1).fit(rows)
    assert gan.history_["step"].tolist() == [4, 8, 12, 16, 20]
    assert all(np.isfinite(figures).all() and len(figures) == 5 for figures in gan.history_.values())
    gan.train(5)
    assert gan.history_["step"].tolist() == [4, 8, 12, 16, 20, 24, 25] and gan.n_steps_ == 25
    gan.fit(rows)
    assert gan.history_["step"].tolist() == [4, 8, 12, 16, 20]


def test_callbacks_may_raise(rows):
    def fail(report):
        raise LookupError("enough")

    gan = gannet.Gan(steps=20, report_every=4, threads=1)
    with pytest.raises(LookupError, match="enough"):
        gan.fit(rows, progress=fail)
    assert gan.n_steps_ == 4 and gan.sample(2).shape == (2, 3)
    gan.train()
    assert gan.n_steps_ == 20


def test_a_callback_that_uses_the_estimator_is_told(rows):
    gan = gannet.Gan(steps=4, report_every=2, threads=1)
    with pytest.raises(gannet.BusyError, match="in another call"):
        gan.fit(rows, progress=lambda report: gan.sample(1))
    assert gan.n_steps_ == 2


def test_a_training_that_fails_says_where(floats):
    spec = {
        "run": {"preset": "circle"},
        "gan": {"generator_optimizer": {"kind": "sgd", "learning_rate": 1e38}},
    }
    gan = gannet.Gan(spec, steps=200, batch=16)
    with pytest.raises(gannet.NotFiniteError, match=r"step \d+: .*layer"):
        gan.fit(floats[:, :2].copy())
    with pytest.raises(gannet.NotFiniteError):
        gan.train(1)


def test_files(rows, tmp_path):
    path = tmp_path / "gan.safetensors"
    gan = quick(random_state=5).fit(rows)
    gan.save(path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="overwrite=True"):
        gan.save(path)
    assert path.read_bytes() == before
    gan.train(2).save(path, overwrite=True)
    loaded = gannet.Gan.load(path)
    assert (loaded.sample(9) == gan.sample(9)).all()
    assert loaded.get_params() == gan.get_params()
    assert loaded.n_steps_ == 7 and loaded.n_features_in_ == 3
    with pytest.raises(gannet.StateError, match="pass X"):
        loaded.train(1)
    loaded.set_params(steps=9).save(tmp_path / "again")
    assert gannet.Gan.load(tmp_path / "again").steps == 9
    with pytest.raises(ValueError, match="expecting 3 features"):
        loaded.train(1, X=rows[:, :2])
    with pytest.raises(FileNotFoundError):
        gannet.Gan.load(tmp_path / "none")
    with pytest.raises(OSError):
        gan.save(tmp_path / "no" / "folder")
    (tmp_path / "text").write_text("no checkpoint")
    with pytest.raises(gannet.DataError, match="text: "):
        gannet.Gan.load(tmp_path / "text")
    damaged = bytearray(path.read_bytes())
    damaged[-9] ^= 1
    (tmp_path / "damaged").write_bytes(damaged)
    with pytest.raises(gannet.DataError):
        gannet.Gan.load(tmp_path / "damaged")
    gan._state.trainer.save(tmp_path / "bare")
    with pytest.raises(gannet.DataError, match="holds no estimator"):
        gannet.Gan.load(tmp_path / "bare")


def test_pictures(rows, tmp_path):
    gan = quick().fit(rows)
    gan.save_picture(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(FileExistsError):
        gan.save_picture(tmp_path / "a.png")
    quick().fit(rows[:, :1]).save_picture(tmp_path / "b.png")
    gan.save(tmp_path / "gan")
    gannet.Gan.load(tmp_path / "gan").save_picture(tmp_path / "c.png")


def test_the_representation_tells_what_was_given():
    assert repr(gannet.Gan()) == "Gan()"
    assert repr(gannet.Gan("circle", steps=3)) == "Gan(spec='circle', steps=3)"

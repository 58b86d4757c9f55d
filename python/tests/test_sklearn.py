"""The estimator as scikit-learn has them."""

import pickle
import warnings

import numpy as np
import pytest

import gannet
from conftest import needed

sklearn = needed("sklearn")


def test_check_estimator():
    """All checks that scikit-learn has for an estimator without predict, transform and score: none is left out but that of array APIs."""
    from sklearn.utils.estimator_checks import check_estimator

    with warnings.catch_warnings():
        # It is no BaseEstimator, since scikit-learn is optional.
        warnings.simplefilter("ignore", UserWarning)
        results = check_estimator(gannet.Gan(steps=3, batch=2, threads=1), on_skip=None)
    assert len(results) > 30
    assert {result["check_name"] for result in results if result["status"] != "passed"} <= {"check_array_api_input"}


def test_clones_and_pickles(rows):
    from sklearn.base import clone

    given = gannet.Gan({"run": {"preset": "circle"}}, steps=7, random_state=3)
    cloned = clone(given)
    assert cloned.get_params() == given.get_params() and cloned is not given
    assert not cloned.__sklearn_is_fitted__()
    assert clone(gannet.Gan(steps=5).fit(rows)).steps == 5
    fitted = gannet.Gan(steps=5, random_state=np.random.RandomState(3)).fit(rows)
    unpickled = pickle.loads(pickle.dumps(fitted))
    assert (unpickled.sample(30) == fitted.sample(30)).all()
    assert (pickle.loads(pickle.dumps(unpickled)).sample(30) == fitted.sample(30)).all()
    assert (unpickled.history_["generator_loss"] == fitted.history_["generator_loss"]).all()


def test_a_step_of_a_pipeline(rows):
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler

    pipeline = make_pipeline(MinMaxScaler(), gannet.Gan(steps=3)).fit(rows)
    back = pipeline[0].inverse_transform(pipeline[-1].sample(10))
    assert back.shape == (10, 3)

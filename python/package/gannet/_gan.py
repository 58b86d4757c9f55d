"""The estimator: a GAN that is fitted to rows and makes new ones."""

from __future__ import annotations

import numbers
import operator
import os
import sys
import warnings
from typing import Any, Callable

import numpy as np

from gannet._errors import NotFittedError, SettingError
from gannet._gannet import Codec, Report, Spec, Standardization, picture, write_file
from gannet._labels import Labels
from gannet._layout import Layout, check_features
from gannet._state import State
from gannet._table import Cells, read

# Reports of a training that is not told otherwise.
_REPORTS = 1000

# Samples of a seed, as the library has it (src/gan/sampler.rs).
_SAMPLES = 1 << 32

# Samples that a picture shows.
_SHOWN = 2000


class Gan:
    """A generative adversarial network, as scikit-learn has estimators: `fit` learns from rows, `sample` makes new ones.

    Without a specification, the data are a table: each column is encoded, numbers by their quantiles and few values as categories, and
    recipe, networks, batch and length follow from columns and rows, as `gannet train FILE` does it. The same numbers and seed give the
    same bits as the program does, at any number of threads.

    A frame of pandas may have columns of any kind: floats, integers, booleans, texts, categoricals and dates, with missing values;
    `sample` makes frames with the same columns and types. An array is one of numbers, of which NaN is a missing one.

    Parameters
    ----------
    spec : str or dict, optional
        The name of a preset ("ring8"), or a dict with the tables `run` and `gan` of config.toml, also as the text of JSON:
        {"run": {"preset": "circle"}, "gan": {"objective": "hinge"}}. The data are then taken as they are, unless they have to be encoded.
    steps : int, optional
        Steps of the training. Without: those of the preset, or what suits the number of rows, 10,000 or 20,000 at least; 5,000 where
        columns are of categories or have missing values.
    batch : int, optional
        Samples of a batch. Without: that of the preset, or 128 or 256, at most the number of rows.
    random_state : int, numpy.random.RandomState or numpy.random.Generator, optional
        Seed of initial weights, shuffling and latents. None means 0, so that a fit can be repeated.
    threads : int, optional
        Threads that work, the caller's included. None means one for each processor. It does not change the result.
    standardize : bool, optional
        True brings columns to mean 0 and standard deviation 1 for the training, and back, as the program does with
        `--numbers standard`: each column is then a continuous number, and rare or frequent values may be lost. False takes the data as
        they are. None means: encoded, or with a specification as they are. Data with other columns than finite numbers are encoded in
        any case, and False is refused.
    report_every : int, optional
        Steps between two reports, of which `history_` is made. None means a thousandth of the steps.
    memory_limit : int, optional
        Most bytes that parameters and workspace may take.

    Attributes
    ----------
    n_features_in_ : int
        Columns of the data.
    feature_names_in_ : numpy.ndarray
        Their names, where the data were a frame whose names are all text.
    classes_ : numpy.ndarray
        The classes, where the data had labels.
    n_steps_ : int
        Steps done.
    history_ : dict of numpy.ndarray
        What the reports told: step, losses, probabilities, penalty.

    Examples
    --------
    >>> import numpy, gannet
    >>> X = numpy.random.default_rng(0).normal([5, -3], [1, 2], (1000, 2))
    >>> gan = gannet.Gan(steps=50, random_state=7).fit(X)
    >>> gan.sample(4).shape
    (4, 2)
    """

    def __init__(
        self,
        spec: str | dict | None = None,
        *,
        steps: int | None = None,
        batch: int | None = None,
        random_state: Any = None,
        threads: int | None = None,
        standardize: bool | None = None,
        report_every: int | None = None,
        memory_limit: int | None = None,
    ) -> None:
        self.spec = spec
        self.steps = steps
        self.batch = batch
        self.random_state = random_state
        self.threads = threads
        self.standardize = standardize
        self.report_every = report_every
        self.memory_limit = memory_limit

    def fit(self, X: Any, y: Any = None, *, progress: Callable[[Report], Any] | None = None) -> Gan:
        """Learns from the rows of `X`, from the beginning.

        `X` is a matrix of numbers, NumPy's or what becomes one, or a frame of pandas, whose columns may be of any kind. float32
        is read where it stands, if it is taken as it is, and must not be changed while it is trained on. `y` has the class of
        each row: then both networks are told it, and `sample` makes rows of classes.

        `progress` is called with a `Report` after every `report_every` steps and after the last. If it returns something true, the training
        ends. What it raises comes out of `fit`, and so does KeyboardInterrupt, which is looked for some ten times a second. However it
        ends, what was learned is kept: the estimator can sample, be saved, and go on with `train`.
        """
        if not (self.standardize is None or isinstance(self.standardize, (bool, np.bool_))):
            raise TypeError(f"standardize is {self.standardize!r}; give True, False or None")
        layout, values = read(X, are_encoded=self.spec is None and self.standardize is None)
        labels, codes = (None, None) if y is None else Labels.read(y, len(values))
        scaling = self._scaling(values, layout)
        spec = self._spec(values.shape[1] if scaling is None else scaling.features, labels, scaling)
        batch = spec.batch_for(len(values)) if self.batch is None else _count(self.batch, "batch")
        state = State(
            spec=spec,
            layout=layout,
            scaling=scaling,
            labels=labels,
            seed=_seed(self.random_state),
            batch=batch,
            planned=spec.steps_for(len(values), batch) if self.steps is None else _count(self.steps, "steps"),
        )
        state.take(values, codes, self.memory_limit)
        state.begin(self._options())
        self._state = state
        return self._run(state, state.planned, progress)

    def train(
        self,
        steps: int | None = None,
        *,
        X: Any = None,
        y: Any = None,
        progress: Callable[[Report], Any] | None = None,
    ) -> Gan:
        """Goes on: to the end of a training that was stopped, or for `steps` steps.

        Steps beyond those planned make the training longer, and a schedule of the learning rates that is as long as the training follows. An
        estimator that was loaded or unpickled needs the data again; with the same data, it goes on as if it had never stopped.
        """
        state = self._fitted()
        left = max(state.planned - state.done, 0) if steps is None else _count(steps, "steps")
        changed = X is not None
        if changed:
            values = state.layout.values_of(X)
            if not isinstance(values, Cells):
                check_features(values.shape[1], state.columns)
            if (y is None) != (state.labels is None):
                raise ValueError("y is needed where the estimator was fitted with classes, and only there")
            codes = None if y is None else state.labels.codes_of(y, len(values), "samples of X")
            state.take(values, codes, self.memory_limit)
        if state.done + left > state.planned:
            state.planned = state.done + left
            changed |= state.trainer is not None
        if changed:
            state.begin(self._options())
        return self._run(state, left, progress)

    def sample(
        self, n: int = 1, random_state: Any = None, labels: Any = None, *, return_labels: bool = False
    ) -> Any:
        """Makes `n` new rows: an array or a frame as the data were, with the same columns and types.

        A row depends on what was learned, on the seed and on its index alone. Without `random_state` the seed is that of the fit: the same
        call gives the same rows, and another seed gives others. `labels`, one for all or one for each row, says of which classes they are;
        without, each class comes as often as in the data. With `return_labels`, the result is the pair of rows and their labels.
        """
        state = self._fitted()
        count = _count(n, "n", least=0)
        if count > _SAMPLES:
            raise SettingError(f"n: is {count}, and a seed has 2^32 rows; give 2^32 or less, and sample others with another random_state")
        seed = state.seed if random_state is None else _seed(random_state)
        codes = None
        if state.labels is not None:
            codes = state.labels.drawn(count) if labels is None else state.labels.codes_of(labels, count, "samples")
        elif labels is not None or return_labels:
            raise SettingError("labels: the estimator was fitted without classes; fit it with y")
        rows = state.restored(state.made(count, seed, codes), seed)
        return (rows, state.labels.classes[codes]) if return_labels else rows

    def save_picture(self, path: str | os.PathLike, *, overwrite: bool = False) -> None:
        """Writes a PNG file with generated rows over real ones: points of the first two columns, or the histogram of the only one.

        An estimator that was loaded has no real ones.
        """
        state = self._fitted()
        codes = None if state.labels is None else state.labels.drawn(_SHOWN)
        generated = state.made(_SHOWN, state.seed, codes)
        real = generated[:0] if state.data is None else state.data[:: -(-len(state.data) // _SHOWN)]
        values, names = state.shown(real, generated)
        shown = ": " + " and ".join(names) if names else ""
        write_file(path, picture(*values, f"{_SHOWN} samples{shown}", f"step {state.done}"), overwrite=overwrite)

    def save(self, path: str | os.PathLike, *, overwrite: bool = False) -> None:
        """Writes the estimator to a file, whole or not at all: a checkpoint of gannet's, without the data.

        A file that is there is an error, unless `overwrite` says otherwise.
        """
        state = self._fitted()
        params = {name: value for name, value in self.get_params().items() if name != "random_state"}
        write_file(path, state.to_bytes({**params, "random_state": state.seed}), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Gan:
        """The estimator in a file that `save` wrote. It samples at once, and goes on with `train(X=...)`."""
        with open(path, "rb") as file:
            state, params = State.of_bytes(file.read(), os.fspath(path))
        loaded = cls(**params)
        loaded._state = state
        loaded._publish(state)
        return loaded

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters of the estimator by name."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> Gan:
        """Replaces parameters of the estimator."""
        known = self._parameter_names()
        for name in params:
            if name not in known:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self!r}. Valid parameters are: {known}.")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    @classmethod
    def _parameter_names(cls) -> list[str]:
        import inspect

        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def _scaling(self, values: np.ndarray | Cells, layout: Layout) -> Standardization | Codec | None:
        """How the columns are encoded or brought to one scale, if they are."""
        if isinstance(values, Cells):
            if self.standardize is not None and not self.standardize:
                raise SettingError("standardize: is False, but X has missing values or columns that are no plain numbers; leave it out")
            return Codec.fit(values.natives)
        if not self.standardize:
            return None
        scaling, unclear = Standardization.of(values, layout.names())
        for text in unclear:
            warnings.warn(text, UserWarning, stacklevel=3)
        return scaling

    def _spec(self, features: int, labels: Labels | None, scaling: Standardization | Codec | None) -> Spec:
        """What is trained on samples of so many features."""
        classes = 0 if labels is None else len(labels.classes)
        groups = scaling.groups if isinstance(scaling, Codec) else []
        if self.spec is None:
            return Spec.of_rows(features, groups, classes)
        spec = Spec(self.spec)
        if spec.features != features:
            raise SettingError(f"spec: makes samples of {spec.features} features, but the data have {features}")
        if spec.conditions != classes:
            found = "the data have no labels" if labels is None else f"y has {classes} classes"
            raise SettingError(f"spec: has {spec.conditions} conditions, but {found}; a class of the labels is a condition")
        return spec.with_groups(groups) if groups else spec

    def _options(self) -> dict[str, Any]:
        """The options of a trainer that the result does not depend on."""
        return {"threads": self.threads, "memory_limit": self.memory_limit}

    def _run(self, state: State, steps: int, progress: Callable[[Report], Any] | None) -> Gan:
        """Runs so many steps, and shows what they came to."""
        every = max(state.planned // _REPORTS, 1) if self.report_every is None else _count(self.report_every, "report_every")
        try:
            state.run(steps, every, progress)
        finally:
            self._publish(state)
        return self

    def _publish(self, state: State) -> None:
        """Sets the attributes of a fitted estimator."""
        self.n_features_in_ = state.columns
        self.n_steps_ = state.done
        self.history_ = state.history()
        optional = {
            "feature_names_in_": state.layout.feature_names(),
            "classes_": None if state.labels is None else state.labels.classes,
        }
        for name, value in optional.items():
            if value is not None:
                setattr(self, name, value)
            elif name in self.__dict__:
                delattr(self, name)

    def _fitted(self) -> State:
        """What was learned.

        Raises NotFittedError before the first fit: scikit-learn's too, where that is imported.
        """
        state = self.__dict__.get("_state")
        if state is not None:
            return state
        kind = NotFittedError
        exceptions = sys.modules.get("sklearn.exceptions")
        if exceptions is not None:
            kind = type("NotFittedError", (NotFittedError, exceptions.NotFittedError), {})
        raise kind(f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments before using this estimator.")

    def __getstate__(self) -> dict[str, Any]:
        attributes = dict(self.__dict__)
        if "_state" in attributes:
            attributes["_state"] = attributes["_state"].to_bytes({})
        return attributes

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.__dict__.update(attributes)
        if "_state" in attributes:
            self._state, _ = State.of_bytes(attributes["_state"], "the pickle")

    def __repr__(self) -> str:
        import inspect

        usual = inspect.signature(type(self).__init__).parameters
        given = [f"{name}={value!r}" for name, value in self.get_params().items() if value is not usual[name].default]
        return f"{type(self).__name__}({', '.join(given)})"

    def __sklearn_is_fitted__(self) -> bool:
        return "_state" in self.__dict__

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type="density_estimator",
            target_tags=TargetTags(required=False),
            transformer_tags=None,
            classifier_tags=None,
            regressor_tags=None,
            input_tags=InputTags(allow_nan=True),
        )


def _count(value: Any, name: str, least: int = 1) -> int:
    """A whole number from `least` up."""
    try:
        count = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}; give a whole number") from None
    if count < least:
        raise SettingError(f"{name}: is {count}; give {least} or more")
    return count


def _seed(random_state: Any) -> int:
    """The seed that a random state means; None means 0."""
    if random_state is None:
        return 0
    if isinstance(random_state, numbers.Integral):
        if not 0 <= random_state < 2**64:
            raise SettingError(f"random_state: is {random_state}; give a number from 0 to 2^64 - 1")
        return int(random_state)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    raise TypeError(f"random_state is {random_state!r}; give a whole number, a numpy.random.Generator or a numpy.random.RandomState")

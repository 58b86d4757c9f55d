"""What samples look like outside: an array or a frame of finite numbers, its columns and their types, and how numbers become either again.

Those whose columns are encoded are in `_table.py`.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from gannet._dtype import described

# Kinds of NumPy's types that are numbers: bool, signed, unsigned, floating.
_NUMBERS = "biuf"

# What helps where an array is of something else.
_AS_FRAME = "pass pandas.DataFrame(X), whose columns may be of any kind"


def is_frame(samples: Any) -> bool:
    """Whether these are a frame of pandas, which is not imported for that."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(samples, pandas.DataFrame)


def is_plain(samples: Any) -> bool:
    """Whether all columns of a frame are of integers or floats, or these are an array, and no value is missing."""
    if not is_frame(samples):
        return samples.dtype.kind != "f" or not np.isnan(samples).any()
    return all(getattr(dtype, "kind", "O") in "iuf" for dtype in samples.dtypes) and not samples.isna().to_numpy().any()


class Layout:
    """An array, or a frame with these columns, and the type of each column."""

    def __init__(self, columns: list | None, dtypes: list[str]) -> None:
        self.columns = columns
        self.dtypes = dtypes

    @classmethod
    def read(cls, samples: Any) -> tuple[Layout, np.ndarray]:
        """The layout of samples, and their values as a matrix of finite floats."""
        if is_frame(samples):
            values = _of_frame(samples)
            layout = cls(list(samples.columns), [described(dtype, name) for name, dtype in zip(samples.columns, samples.dtypes)])
        else:
            values = array_of(samples)
            layout = cls(None, [str(values.dtype)])
            if values.dtype.kind != "f" or values.dtype.itemsize < 4:
                values = values.astype(np.float64)
        check_size(values.shape)
        _check_finite(values, layout)
        return layout, values

    def values_of(self, samples: Any) -> np.ndarray:
        """The values of other samples, which have the same columns."""
        if is_frame(samples):
            self.check_columns(list(samples.columns))
        _, values = Layout.read(samples)
        return values

    def check_columns(self, columns: list) -> None:
        """Refuses a frame whose columns have other names, or another order."""
        if self.columns is not None and columns != self.columns:
            missing = [name for name in self.columns if name not in columns]
            raise ValueError(
                f"The feature names should match those that were passed during fit: the columns are {columns}, "
                f"not {self.columns}" + (f" (missing: {missing})" if missing else "; put them in that order")
            )

    def restore(self, values: np.ndarray) -> Any:
        """Rows of such numbers as they were handed in: an array, or a frame with the same columns and types."""
        if self.columns is None:
            return _typed(values, self.dtypes[0])
        import pandas

        columns = (pandas.Series(_of_column(column, dtype)).astype(dtype) for column, dtype in zip(values.T, self.dtypes))
        frame = pandas.DataFrame(dict(enumerate(columns)))
        frame.columns = pandas.Index(self.columns)
        return frame

    def names(self) -> list[str] | None:
        """The names of the columns, for messages."""
        return None if self.columns is None else [str(name) for name in self.columns]

    def feature_names(self) -> np.ndarray | None:
        """The names of the columns where all are text, as scikit-learn has them."""
        if self.columns is None or not all(isinstance(name, str) for name in self.columns):
            return None
        return np.asarray(self.columns, dtype=object)

    def to_json(self) -> dict:
        """What `of_json` reads."""
        return {"columns": self.columns, "dtypes": self.dtypes}

    @classmethod
    def of_json(cls, saved: dict) -> Layout:
        """The layout that `to_json` told."""
        columns = saved["columns"]
        if columns is not None:
            columns = [tuple(name) if isinstance(name, list) else name for name in columns]
        return cls(columns, saved["dtypes"])


def _of_frame(frame: Any) -> np.ndarray:
    """The numbers of a frame; a column of anything else is an error that names it."""
    for name, dtype in zip(frame.columns, frame.dtypes):
        if getattr(dtype, "kind", "O") not in _NUMBERS:
            raise TypeError(
                f"the column {name!r} has the dtype {dtype}, and gannet learns numbers only; encode the column as numbers, or drop it"
            )
    if len(frame.columns) and all(str(dtype) == "float32" for dtype in frame.dtypes):
        return frame.to_numpy(dtype=np.float32)
    return frame.to_numpy(dtype=np.float64, na_value=np.nan)


def array_of(samples: Any) -> np.ndarray:
    """Samples as a matrix of numbers of any type."""
    if hasattr(samples, "toarray"):
        raise TypeError("X is a sparse matrix, and gannet takes dense ones: pass X.toarray()")
    if np.ma.is_masked(samples):
        raise ValueError("X has masked values; drop their rows, or pass an array that lacks them: X.astype(float).filled(numpy.nan)")
    values = np.asarray(samples)
    if values.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: X has the dtype {values.dtype}")
    if values.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {values.ndim}D array instead: X has the shape {values.shape}. Reshape your data, with "
            "X.reshape(-1, 1) where it has a single feature, or X.reshape(len(X), -1) where a sample is an image"
        )
    if values.dtype.kind == "O":
        return _of_objects(values)
    if values.dtype.kind not in _NUMBERS:
        raise TypeError(f"X has the dtype {values.dtype}, and arrays are of numbers, such as float32 or float64; {_AS_FRAME}")
    return values


def _of_objects(values: np.ndarray) -> np.ndarray:
    """Objects that are numbers as floats; None is a missing one."""
    columns = []
    for index, column in enumerate(values.T):
        text = next((value for value in column if isinstance(value, (str, bytes))), None)
        if text is not None:
            raise TypeError(f"column {index} of X holds the text {text!r}, and arrays are of numbers; {_AS_FRAME}")
        try:
            columns.append(column.astype(np.float64))
        except (TypeError, ValueError, OverflowError) as error:
            raise TypeError(f"column {index} of X holds objects that are no numbers ({error}); {_AS_FRAME}") from None
    return np.column_stack(columns) if columns else np.empty(values.shape)


def check_features(found: int, expected: int) -> None:
    """Refuses samples with other columns than those of the fit."""
    if found != expected:
        raise ValueError(f"X has {found} features, but Gan is expecting {expected} features as input")


def check_size(shape: tuple[int, int]) -> None:
    """Refuses what is too small to be learned from."""
    rows, columns = shape
    for count, what, least in ((columns, "feature(s)", 1), (rows, "sample(s)", 2)):
        if count < least:
            raise ValueError(f"Found array with {count} {what} (shape={shape}) while a minimum of {least} is required.")


def _check_finite(values: np.ndarray, layout: Layout) -> None:
    """Refuses NaN and infinities, and tells where the first is."""
    finite = np.isfinite(values)
    if finite.all():
        return
    row, column = (int(place) for place in np.argwhere(~finite)[0])
    value = values[row, column]
    what = "NaN" if np.isnan(value) else "infinity"
    name = column if layout.columns is None else repr(layout.columns[column])
    raise ValueError(f"Input X contains {what}: row {row}, column {name} is {value}; drop such rows, or fill them in")


def _of_column(column: np.ndarray, dtype: str) -> np.ndarray:
    """The numbers of a column of a frame, of NumPy's type that goes with `dtype`, which may be one of pandas."""
    import pandas

    known = pandas.api.types.pandas_dtype(dtype)
    # Types of pandas name theirs of NumPy, sparse ones by another name.
    return _typed(column, getattr(known, "numpy_dtype", getattr(known, "subtype", known)))


def _typed(values: np.ndarray, dtype: Any) -> np.ndarray:
    """Numbers as a type of NumPy: rounded where it is one of integers, and within what it holds."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return values >= 0.5
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        whole = np.rint(values)
        # The largest integer of 64 bits is no float: the comparison is with the next one up.
        inside = np.where(whole < float(limits.max), np.maximum(whole, limits.min), 0).astype(dtype)
        return np.where(whole < float(limits.max), inside, limits.max).astype(dtype)
    return values.astype(dtype)

"""The classes of labelled samples: what they are called, how many samples each has, and the codes that networks are told."""

from __future__ import annotations

from typing import Any

import numpy as np

from gannet._errors import SettingError
from gannet._gannet import classes_of_samples

# Types of objects that are numbers.
_NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)

# Most classes, as the program has it: more are rather numbers to be learned.
_MOST = 256


class Labels:
    """Classes in ascending order, and how many samples each has."""

    def __init__(self, classes: np.ndarray, counts: list[int]) -> None:
        self.classes = classes
        self.counts = counts

    @classmethod
    def read(cls, labels: Any, rows: int) -> tuple[Labels, np.ndarray]:
        """The classes of labels, one for each of so many rows, and the number of the class of each row."""
        values = _values(labels, rows, "samples of X")
        classes, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
        if len(classes) > _MOST:
            raise SettingError(f"y: has {len(classes)} different values, and there are at most {_MOST} classes; give class labels")
        return cls(classes, counts.tolist()), codes.reshape(-1)

    def codes_of(self, labels: Any, rows: int, what: str) -> np.ndarray:
        """The numbers of the classes of `labels`, one for each row, or one for all."""
        if np.ndim(labels) == 0:
            labels = np.full(rows, labels)
        values = _values(labels, rows, what)
        places = np.searchsorted(self.classes, values) if _comparable(self.classes, values) else np.zeros(rows, int)
        places = np.minimum(places, len(self.classes) - 1)
        unknown = np.flatnonzero(self.classes[places] != values)
        if len(unknown):
            found = values[unknown[:1]].tolist()[0]
            raise SettingError(f"labels: {found!r} is none of the classes; these are {self.classes.tolist()}")
        return places

    def drawn(self, count: int) -> np.ndarray:
        """The numbers of the classes of so many samples, as often as in the data."""
        return classes_of_samples(self.counts, count)

    def conditions(self, codes: np.ndarray) -> np.ndarray:
        """What networks are told of samples of these classes."""
        told = np.zeros((len(codes), len(self.classes)), np.float32)
        told[np.arange(len(codes)), codes] = 1
        return told

    def to_json(self) -> dict:
        """What `of_json` reads."""
        return {"classes": self.classes.tolist(), "dtype": str(self.classes.dtype), "counts": self.counts}

    @classmethod
    def of_json(cls, saved: dict) -> Labels:
        """The labels that `to_json` told."""
        return cls(np.array(saved["classes"], dtype=saved["dtype"]), saved["counts"])


def _comparable(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether both are text, or both are numbers."""
    return (one.dtype.kind in "OUS") == (other.dtype.kind in "OUS")


def _values(labels: Any, rows: int, what: str) -> np.ndarray:
    """Labels as a vector, one for each of so many rows of `what`."""
    if np.ma.is_masked(labels):
        raise ValueError("the labels have masked values; drop their rows")
    values = np.asarray(labels)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values.reshape(-1)
    if values.ndim != 1 or len(values) != rows:
        raise ValueError(f"labels have the shape {values.shape}, but there are {rows} {what}; give one label for each")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError("Input y contains NaN or infinity; a label is a class")
    if values.dtype.kind == "c":
        raise ValueError("Complex data not supported: a label is a class")
    if values.dtype.kind == "O":
        _check_objects(values)
    elif values.dtype.kind not in "biufU":
        cure = "y.strftime('%Y-%m-%d') (of a series y.dt.strftime)" if values.dtype.kind == "M" else "y.astype(str)"
        raise TypeError(f"the labels have the dtype {values.dtype}, and a class is a text, a boolean or a number; give texts: {cure}")
    return values


def _check_objects(values: np.ndarray) -> None:
    """Refuses objects that have no order among each other, or that a file cannot hold."""
    examples: dict[type, Any] = {}
    for value in values:
        examples.setdefault(type(value), value)
    if all(issubclass(kind, str) for kind in examples):
        return
    if all(issubclass(kind, _NUMBERS) for kind in examples):
        if any(value != value for value in values):
            raise ValueError("Input y contains NaN or infinity; a label is a class")
        return
    shown = " and ".join(f"{value!r} ({kind.__name__})" for kind, value in list(examples.items())[:2])
    raise TypeError(
        f"the labels hold {shown}; give all texts or all numbers, such as by y.astype(str), of dates y.strftime('%Y-%m-%d'), and drop "
        "the rows without a label"
    )

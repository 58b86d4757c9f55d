"""Frames and arrays whose columns are encoded, and which samples are such: other arrays and frames of finite numbers are a plain `Layout`."""

from __future__ import annotations

from typing import Any, Iterable

import numpy as np

from gannet._column import Column, Native, Plain
from gannet._errors import DataError
from gannet._layout import Layout, array_of, check_features, check_size, is_frame, is_plain


class Cells:
    """The columns of samples as the codec takes them."""

    def __init__(self, natives: list[Native], rows: int) -> None:
        self.natives = natives
        self.rows = rows

    def __len__(self) -> int:
        return self.rows


class Table(Layout):
    """A frame with these columns, or an array, and what each column is to the networks."""

    def __init__(self, columns: list | None, kinds: list[Column]) -> None:
        super().__init__(columns, [])
        self.kinds = kinds

    @classmethod
    def read(cls, samples: Any) -> tuple[Table, Cells]:
        """The layout of a frame or an array, and its columns."""
        check_size(samples.shape)
        plains = _plains(samples)
        table = cls(list(samples.columns) if is_frame(samples) else None, [Column.of(plain) for plain in plains])
        if all(kind.what == "constant" for kind in table.kinds):
            raise DataError("X: every column is constant: there is nothing to learn; give a table in which a column varies")
        return table, table._cells(plains)

    def values_of(self, samples: Any) -> Cells:
        """The columns of other samples, which have the same ones."""
        if self.columns is None:
            samples = array_of(samples)
            check_features(samples.shape[1], len(self.kinds))
        elif is_frame(samples):
            self.check_columns(list(samples.columns))
        else:
            raise TypeError(f"X is no frame, and the estimator was fitted to one with the columns {self.columns}; pass a frame")
        check_size(samples.shape)
        return self._cells(_plains(samples))

    def restore(self, decoded: list, rows: int, seed: int) -> Any:
        """A frame or an array of decoded columns: so many rows, of which those with rare categories depend on the seed."""
        columns = (kind.restore(*column, _draws(rows, seed, place)) for place, (kind, column) in enumerate(zip(self.kinds, decoded)))
        if self.columns is None:
            return self._matrix(columns, rows)
        import pandas

        frame = pandas.DataFrame({place: kind.series(*column) for place, (kind, column) in enumerate(zip(self.kinds, columns))})
        frame.columns = pandas.Index(self.columns)
        return frame

    def shown(self, decoded: list) -> tuple[np.ndarray, list[str]]:
        """What a picture shows of decoded columns, and its names: the first two of numbers, or one of categories, without missing values."""
        columns = [pair for pair in zip(self.kinds, decoded) if pair[0].what != "constant"]
        numbers = [pair for pair in columns if pair[0].what in ("number", "integer")]
        chosen = numbers[:2] or columns[:1]
        values = np.column_stack([kind.shown(values) for kind, (values, _) in chosen])
        there = np.ones(len(values), bool)
        for _, (_, missing) in chosen:
            there &= True if missing is None else ~missing
        return values[there], [] if self.columns is None else [str(kind.name) for kind, _ in chosen]

    def to_json(self) -> dict:
        """What `of_json` reads."""
        return {"columns": self.columns, "kinds": [kind.to_json() for kind in self.kinds]}

    @classmethod
    def of_json(cls, saved: dict) -> Table:
        """The layout that `to_json` told."""
        columns = Layout.of_json({**saved, "dtypes": []}).columns
        names = range(len(saved["kinds"])) if columns is None else columns
        return cls(columns, [Column.of_json(name, kind) for name, kind in zip(names, saved["kinds"])])

    def _cells(self, plains: list[Plain]) -> Cells:
        return Cells([kind.native(plain) for kind, plain in zip(self.kinds, plains)], len(plains[0].values))

    def _matrix(self, columns: Iterable[tuple[np.ndarray, np.ndarray]], rows: int) -> np.ndarray:
        """An array of columns that all have its type."""
        matrix = np.empty((rows, len(self.kinds)), self.kinds[0].dtype)
        for place, (values, missing) in enumerate(columns):
            matrix[:, place] = np.where(missing, np.nan, values) if missing.any() else values
        return matrix


def read(samples: Any, are_encoded: bool) -> tuple[Layout, np.ndarray | Cells]:
    """The layout of samples, and their values: columns, where these are to be encoded or are not all finite numbers, or else a matrix of
    finite floats."""
    if not is_frame(samples):
        samples = array_of(samples)
    return Table.read(samples) if are_encoded or not is_plain(samples) else Layout.read(samples)


def of_json(saved: dict) -> Layout:
    """The layout that `to_json` told."""
    return Table.of_json(saved) if "kinds" in saved else Layout.of_json(saved)


def _plains(samples: Any) -> list[Plain]:
    """The values of all columns of a frame or an array: by place, since names may be there twice."""
    if is_frame(samples):
        return [Plain.read(samples.iloc[:, place], name) for place, name in enumerate(samples.columns)]
    return [Plain.of_array(column, place) for place, column in enumerate(samples.T)]


def _draws(rows: int, seed: int, column: int) -> np.ndarray:
    """Numbers from 0 to 1 for the rows of a column, of which fewer rows have the first ones. NumPy keeps the stream of a bit generator."""
    return (np.random.PCG64([seed, column]).random_raw(rows) >> np.uint64(11)) * 2.0**-53

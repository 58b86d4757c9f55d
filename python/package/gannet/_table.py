"""Frames with columns of any kind, and which samples are such: arrays and frames of finite numbers are a plain `Layout`."""

from __future__ import annotations

from typing import Any

import numpy as np

from gannet._column import Column, Native, Plain
from gannet._errors import DataError
from gannet._layout import Layout, check_size, is_frame, is_plain


class Cells:
    """The columns of a frame that are learned, as the codec takes them."""

    def __init__(self, natives: list[Native], rows: int) -> None:
        self.natives = natives
        self.rows = rows

    def __len__(self) -> int:
        return self.rows


class Table(Layout):
    """A frame whose columns are not all finite numbers."""

    def __init__(self, columns: list, kinds: list[Column]) -> None:
        super().__init__(columns, [])
        self.kinds = kinds

    @classmethod
    def read(cls, samples: Any) -> tuple[Table, Cells]:
        """The layout of a frame, and its columns."""
        check_size(samples.shape)
        plains = _plains(samples)
        table = cls(list(samples.columns), [Column.of(plain) for plain in plains])
        if all(kind.what == "constant" for kind in table.kinds):
            raise DataError("X: every column is constant: there is nothing to learn; give a table in which a column varies")
        return table, table._cells(plains)

    def values_of(self, samples: Any) -> Cells:
        """The columns of another frame, which has the same ones."""
        if not is_frame(samples):
            raise TypeError(f"X is no frame, and the estimator was fitted to one with the columns {self.columns}; pass a frame")
        check_size(samples.shape)
        self.check_columns(list(samples.columns))
        return self._cells(_plains(samples))

    def restore(self, decoded: list, rows: int, seed: int) -> Any:
        """A frame of decoded columns: so many rows, of which those with rare categories depend on the seed."""
        import pandas

        learned = iter(decoded)
        made = []
        for place, kind in enumerate(self.kinds):
            values, missing = (None, None) if kind.what == "constant" else next(learned)
            made.append(kind.restore(values, missing, _draws(rows, seed, place)))
        frame = pandas.DataFrame(dict(enumerate(made)))
        frame.columns = pandas.Index(self.columns)
        return frame

    def shown(self, decoded: list) -> tuple[np.ndarray, list[str]]:
        """What a picture shows of decoded columns, and its names: the first two of numbers, or one of categories, without missing values."""
        columns = list(zip([kind for kind in self.kinds if kind.what != "constant"], decoded))
        numbers = [pair for pair in columns if pair[0].what in ("number", "integer")]
        chosen = numbers[:2] or columns[:1]
        values = np.column_stack([kind.shown(values) for kind, (values, _) in chosen])
        there = np.ones(len(values), bool)
        for _, (_, missing) in chosen:
            there &= True if missing is None else ~missing
        return values[there], [str(kind.name) for kind, _ in chosen]

    def to_json(self) -> dict:
        """What `of_json` reads."""
        return {"columns": self.columns, "kinds": [kind.to_json() for kind in self.kinds]}

    @classmethod
    def of_json(cls, saved: dict) -> Table:
        """The layout that `to_json` told."""
        columns = Layout.of_json({**saved, "dtypes": []}).columns
        return cls(columns, [Column.of_json(name, kind) for name, kind in zip(columns, saved["kinds"])])

    def _cells(self, plains: list[Plain]) -> Cells:
        natives = [kind.native(plain) for kind, plain in zip(self.kinds, plains)]
        return Cells([native for native in natives if native is not None], len(plains[0].values))


def read(samples: Any) -> tuple[Layout, np.ndarray | Cells]:
    """The layout of samples, and their values: a matrix of finite floats, or columns of any kind."""
    if is_frame(samples) and not is_plain(samples):
        return Table.read(samples)
    return Layout.read(samples)


def of_json(saved: dict) -> Layout:
    """The layout that `to_json` told."""
    return Table.of_json(saved) if "kinds" in saved else Layout.of_json(saved)


def _plains(frame: Any) -> list[Plain]:
    """The values of all columns: by place, since names may be there twice."""
    return [Plain.read(frame.iloc[:, place], name) for place, name in enumerate(frame.columns)]


def _draws(rows: int, seed: int, column: int) -> np.ndarray:
    """Numbers from 0 to 1 for the rows of a column, of which fewer rows have the first ones. NumPy keeps the stream of a bit generator."""
    return (np.random.PCG64([seed, column]).random_raw(rows) >> np.uint64(11)) * 2.0**-53

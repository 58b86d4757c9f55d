"""A column of a frame or an array: what it becomes for the codec, and how it comes back with its type.

A column is read in two steps. `Plain` has its values without pandas: floats, whole numbers, or choices (texts, booleans, codes of
categories), and which rows have none. `Column` decides what these are to the networks, and is all that it takes to give rows back.
"""

from __future__ import annotations

import numbers
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from gannet._dtype import described, dtype_of, is_categorical, is_text
from gannet._errors import DataError

# Numbers that are so few, and each there so often on average, are categories: as the program has it (tables/src/decide.rs).
_FEW = 12
_OFTEN = 5

# Texts of which more than so many of a hundred are different name rows, as the program has it (tables/src/categories.rs).
_RARE_PERCENT = 80

# Most categories that are learned, as the program has it; rarer ones are drawn by how often they are there.
_MOST = 255


class Native(NamedTuple):
    """A column as the codec takes it; one that is constant has values, too, which count its rows."""

    name: str
    what: str
    values: np.ndarray
    missing: np.ndarray | None
    texts: list[str]


class Plain:
    """The values of a column without pandas: the `family` is "float", "whole" or "choice"."""

    def __init__(self, name: Any, dtype: Any, family: str, values: np.ndarray, missing: np.ndarray, mark: str = "None") -> None:
        self.name = name
        self.dtype = dtype
        self.family = family
        self.values = values
        self.missing = missing
        self.mark = mark

    @classmethod
    def read(cls, series: Any, name: Any) -> Plain:
        """The values of a column of a frame; a type that gannet does not learn is an error that names it."""
        dtype, kind = series.dtype, getattr(series.dtype, "kind", "O")
        saved = described(dtype, name)
        if hasattr(dtype, "fill_value"):
            series = series.sparse.to_dense()
        missing = series.isna().to_numpy(dtype=bool)
        if is_categorical(dtype):
            return cls(name, saved, "choice", series.cat.codes.to_numpy(dtype=np.int64), missing)
        if kind == "b":
            return cls(name, saved, "choice", series.to_numpy(dtype=bool, na_value=False), missing)
        if kind == "f":
            width = np.float32 if str(dtype).lower() == "float32" else np.float64
            values = series.to_numpy(dtype=width, na_value=np.nan)
            # A nullable float may hold NaN beside its mask.
            return cls(name, saved, "float", values, missing | np.isnan(values))._finite()
        if kind in "iu":
            width = np.uint64 if kind == "u" else np.int64
            return cls(name, saved, "whole", series.to_numpy(dtype=width, na_value=0), missing)
        if kind in "mM":
            if getattr(dtype, "tz", None) is not None:
                series = series.dt.tz_convert("UTC").dt.tz_localize(None)
            return cls(name, saved, "whole", series.to_numpy().view(np.int64), missing)
        values = series.to_numpy(dtype=object)
        if is_text(dtype):
            return cls(name, saved, "choice", values, missing)
        return cls._of_objects(name, saved, values, missing)

    @classmethod
    def of_array(cls, values: np.ndarray, name: Any) -> Plain:
        """The values of a column of an array of numbers; NaN is a missing one."""
        dtype, kind = str(values.dtype), values.dtype.kind
        if kind == "f":
            made = values.astype(np.float32 if values.dtype == np.float32 else np.float64)
            return cls(name, dtype, "float", made, np.isnan(made))._finite()
        missing = np.zeros(len(values), bool)
        if kind == "b":
            return cls(name, dtype, "choice", values, missing)
        return cls(name, dtype, "whole", values.astype(np.uint64 if kind == "u" else np.int64), missing)

    @classmethod
    def _of_objects(cls, name: Any, dtype: Any, values: np.ndarray, missing: np.ndarray) -> Plain:
        """A column of objects, which are all texts, all booleans, or all numbers."""
        there = values[~missing]
        first = values[missing][0] if missing.any() else None
        mark = next((mark for mark, value in _marks().items() if value is first), "nan")
        kinds = {type(value) for value in there}
        for simple in (str, bool):
            if all(issubclass(kind, (simple, np.bool_) if simple is bool else simple) for kind in kinds):
                if kinds - {simple}:
                    # Types of NumPy's are not what JSON takes.
                    values = values.copy()
                    values[~missing] = [simple(value) for value in there]
                return cls(name, dtype, "choice", values, missing, mark)
        are_numbers = all(issubclass(kind, numbers.Real) and not issubclass(kind, (bool, np.bool_)) for kind in kinds)
        if not are_numbers:
            shown = {kind.__name__: next(value for value in there if type(value) is kind) for kind in sorted(kinds, key=str)}
            examples = " and ".join(f"{value!r} ({kind})" for kind, value in list(shown.items())[:2])
            simplest = "float" if all(issubclass(kind, (Decimal, numbers.Real)) for kind in kinds) else "str"
            raise TypeError(
                f"the column {name!r} holds objects such as {examples}, and gannet learns columns of numbers, texts, booleans or dates; "
                f"make the column one of these, such as by astype({simplest}), or drop it"
            )
        are_whole = all(issubclass(kind, numbers.Integral) for kind in kinds)
        family, width = ("whole", np.int64) if are_whole else ("float", np.float64)
        made = np.zeros(len(values), width)
        try:
            made[~missing] = there.astype(width)
        except OverflowError:
            raise DataError(f"X: the column {name!r} holds whole numbers beyond 64 bits; make it one of floats by astype(float)") from None
        return cls(name, dtype, family, made, missing, mark)._finite()

    def _finite(self) -> Plain:
        """Refuses infinities, and tells where the first is."""
        if self.family == "float":
            infinite = np.flatnonzero(np.isinf(self.values))
            if len(infinite):
                row = int(infinite[0])
                raise ValueError(
                    f"Input X contains infinity: row {row}, column {self.name!r} is {self.values[row]}; drop such rows, or fill them in"
                )
        return self

    def there(self) -> np.ndarray:
        """The values of the rows that have one."""
        return self.values[~self.missing]


class Column:
    """What a column is to the networks: `what` is "number", "integer", "category" or "boolean", or "constant" where it is not learned."""

    def __init__(
        self,
        name: Any,
        dtype: Any,
        what: str,
        *,
        family: str,
        mark: str = "None",
        values: list | None = None,
        kept: int = 0,
        counts: list[int] | None = None,
        ends: list[int] | None = None,
        unit: int = 1,
    ) -> None:
        self.name = name
        self.dtype = dtype
        self.what = what
        self.family = family
        self.mark = mark
        # Of categories the values, of which the first `kept` have a code each and all others the next one, with their counts; of a
        # constant the only one, or none.
        self.values = [] if values is None else values
        self.kept = kept
        self.counts = [] if counts is None else counts
        # Of whole numbers the least and the greatest, and what they are multiples of, counted from the least.
        self.ends = ends
        self.unit = unit

    @classmethod
    def of(cls, plain: Plain) -> Column:
        """What a column is, by its values."""
        there = plain.there()
        given = {"family": plain.family, "mark": plain.mark}
        distinct, counts = _distinct(there)
        if len(distinct) == 0 or (len(distinct) == 1 and len(there) == len(plain.values)):
            return cls(plain.name, plain.dtype, "constant", values=distinct.tolist(), **given)
        is_date = isinstance(plain.dtype, str) and plain.dtype.startswith(("datetime", "timedelta"))
        are_few = len(distinct) <= _FEW and len(there) >= _OFTEN * len(distinct) and not is_date
        if plain.family == "choice" or are_few or len(distinct) == 1:
            return cls._of_categories(plain, counts, distinct, given)
        if plain.family == "float":
            return cls(plain.name, plain.dtype, "number", **given)
        ends = [int(there.min()), int(there.max())]
        apart = there.view(np.uint64) - np.uint64(ends[0] % 2**64)
        # The greatest span of whole numbers of 64 bits takes all of them.
        unit = int(np.gcd.reduce(apart)) if ends[1] - ends[0] < 2**63 else 1
        return cls(plain.name, plain.dtype, "integer", ends=ends, unit=unit, **given)

    @classmethod
    def _of_categories(cls, plain: Plain, counts: np.ndarray, distinct: Any, given: dict) -> Column:
        """A column of choices: the most frequent first."""
        values = distinct.tolist()
        is_declared = isinstance(plain.dtype, dict) and "categories" in plain.dtype
        are_texts = plain.family == "choice" and not is_declared and isinstance(values[0], str)
        if are_texts and len(values) > 1 and 100 * len(values) > _RARE_PERCENT * int(counts.sum()):
            raise DataError(
                f"X: the column {plain.name!r} has {len(values)} different texts in {int(counts.sum())} rows: it names rows, and nothing "
                "can be learned of it; drop it, or make it one of categories by astype('category') to get its texts as often as they are there"
            )
        if len(values) == 2 and set(values) == {0, 1} and not is_declared:
            # As the program has it: False or 0 first, whichever is there more often.
            return cls(plain.name, plain.dtype, "boolean", values=sorted(values), kept=2, **given)
        # Ties in the order that they are in.
        order = np.argsort(-counts, kind="stable")
        counts = counts[order]
        # Where there are too many, those that are there once are the rare ones.
        kept = len(values) if len(values) <= _MOST else min(max(int((counts > 1).sum()), 1), _MOST)
        values = [values[place] for place in order]
        return cls(plain.name, plain.dtype, "category", values=values, kept=kept, counts=counts[kept:].tolist(), **given)

    def native(self, plain: Plain) -> Native:
        """A column like that of the fit as the codec takes it."""
        if plain.dtype != self.dtype or plain.family != self.family:
            # Objects may be others than they were.
            raise TypeError(
                f"the column {self.name!r} has the dtype {_shown(plain.dtype)}, and had {_shown(self.dtype)} with other values when the "
                "estimator was fitted; convert it with astype"
            )
        if self.what == "constant":
            self._check_known(plain, np.isin(plain.there(), np.array(self.values, plain.values.dtype)))
            return Native(_valid(self.name), self.what, np.zeros(len(plain.values), np.int32), None, [])
        missing = plain.missing if plain.missing.any() else None
        if self.what == "number":
            return Native(_valid(self.name), self.what, plain.values, missing, [])
        if self.what == "integer":
            least, greatest = (plain.values.dtype.type(end) for end in self.ends)
            values = np.clip(np.where(plain.missing, least, plain.values), least, greatest)
            apart = (values.view(np.uint64) - np.uint64(self._base() % 2**64)).view(np.int64)
            return Native(_valid(self.name), self.what, apart // self.unit, missing, [])
        places = _places(self._array().astype(plain.values.dtype), plain.values)
        self._check_known(plain, places[~plain.missing] >= 0)
        texts = [_valid(value) for value in self.values[: self.kept]] + ["other"] * (self.kept < len(self.values))
        return Native(_valid(self.name), self.what, np.minimum(places, self.kept).astype(np.int32), missing, texts)

    def restore(self, values: np.ndarray, missing: np.ndarray | None, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The values of rows from what the codec gives, and which of them are missing. `draws`, one a row, say which of the rare values
        it is."""
        missing = np.zeros(len(draws), bool) if missing is None else missing
        if self.what == "constant":
            known = self._array()
            return (known[values], missing) if self.values else (np.zeros(len(draws), known.dtype), ~missing)
        if self.what == "number":
            return values, missing
        if self.what == "integer":
            width = np.uint64 if self.ends[1] >= 2**63 else np.int64
            return (values.view(np.uint64) * np.uint64(self.unit) + np.uint64(self._base() % 2**64)).view(width), missing
        return self._array()[self._drawn(values, draws)], missing

    def series(self, values: np.ndarray, missing: np.ndarray) -> Any:
        """Such values as a column of a frame."""
        return _series(values, missing, dtype_of(self.dtype), self.mark)

    def shown(self, values: np.ndarray) -> np.ndarray:
        """What a picture shows of decoded values: numbers in their units, and codes."""
        return values.astype(float) * self.unit + self._base() if self.what == "integer" else values.astype(float)

    def to_json(self) -> dict:
        """What `of_json` reads."""
        return {key: value for key, value in vars(self).items() if key != "name"}

    @classmethod
    def of_json(cls, name: Any, saved: dict) -> Column:
        """The column that `to_json` told."""
        saved = dict(saved)
        return cls(name, saved.pop("dtype"), saved.pop("what"), **saved)

    def _base(self) -> int:
        """What whole numbers are counted from, so that counts have 64 bits."""
        least, greatest = self.ends
        return least if greatest - least < 2**63 else least + 2**63

    def _array(self) -> np.ndarray:
        """The values of categories or of a constant."""
        if self.family == "float":
            return np.array(self.values, np.float64)
        if all(type(value) is int for value in self.values) and self.values:
            return np.array(self.values, np.uint64 if max(self.values) >= 2**63 else np.int64)
        made = np.empty(len(self.values), object)
        made[:] = self.values
        return made

    def _drawn(self, codes: np.ndarray, draws: np.ndarray) -> np.ndarray:
        """The places of the values that codes are."""
        if not self.counts:
            return codes
        reached = np.cumsum(self.counts)
        rare = self.kept + np.searchsorted(reached, (draws * reached[-1]).astype(np.int64), side="right")
        return np.where(codes < self.kept, codes, np.minimum(rare, len(self.values) - 1))

    def _check_known(self, plain: Plain, known: np.ndarray) -> None:
        """Refuses a value that was not there when the estimator was fitted."""
        if not known.all():
            value = plain.there()[~known][:1].tolist()[0]
            if isinstance(plain.dtype, dict) and "categories" in plain.dtype:
                value = plain.dtype["categories"][value]
            raise DataError(f"X: the column {self.name!r} holds {value!r}, which was not there when the estimator was fitted; fit it anew")
        if self.what == "constant" and self.values and plain.missing.any():
            raise DataError(f"X: the column {self.name!r} has missing values, and had none when the estimator was fitted; fit it anew")


def _marks() -> dict[str, Any]:
    """What missing values may be in columns of objects."""
    import pandas

    return {"None": None, "NA": pandas.NA, "NaT": pandas.NaT, "nan": float("nan")}


def _valid(value: Any) -> str:
    """A value as text that is UTF-8: Python's may hold halves of characters."""
    return str(value).encode("utf-8", "replace").decode()


def _shown(dtype: Any) -> str:
    """A type in a message."""
    return dtype if isinstance(dtype, str) else str(dtype_of(dtype))


def _distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different values, and how often each is there: numbers and booleans in ascending order, objects as they first appear."""
    if values.dtype.kind != "O":
        return np.unique(values, return_counts=True)
    import pandas

    places, distinct = pandas.factorize(values)
    return distinct, np.bincount(places, minlength=len(distinct))


def _places(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The place of each value among those that are known; -1 of others."""
    if known.dtype.kind != "O":
        order = np.argsort(known)
        places = order[np.minimum(np.searchsorted(known, values, sorter=order), len(known) - 1)]
        return np.where(known[places] == values, places, -1)
    import pandas

    return pandas.Index(known, dtype=object).get_indexer(values)


def _series(values: np.ndarray, missing: np.ndarray, dtype: Any, mark: str) -> Any:
    """A column of a frame with this type."""
    import pandas

    kind = getattr(dtype, "kind", "O")
    if is_categorical(dtype):
        return pandas.Series(pandas.Categorical.from_codes(np.where(missing, -1, values.astype(np.int64)), dtype=dtype))
    if kind in "mM":
        unit = getattr(dtype, "unit", None) or np.datetime_data(dtype)[0]
        zone = getattr(dtype, "tz", None)
        moments = np.where(missing, np.iinfo(np.int64).min, values.astype(np.int64)).view(f"{kind}8[{unit}]")
        series = pandas.Series(moments)
        return series if zone is None else series.dt.tz_localize("UTC").dt.tz_convert(zone)
    if kind == "f":
        return pandas.Series(np.where(missing, np.nan, values.astype(np.float64))).astype(dtype)
    if kind in "biu":
        # Types of pandas name theirs of NumPy, sparse ones by another name.
        numpy_dtype = getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))
        series = pandas.Series(values.astype(numpy_dtype)).astype(dtype)
        return series.mask(missing) if missing.any() else series
    objects = values.astype(object)
    objects[missing] = _marks()[mark]
    return pandas.Series(pandas.array(objects, dtype=dtype) if is_text(dtype) else objects, dtype=dtype)

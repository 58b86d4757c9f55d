"""The types of pandas' columns as what JSON takes, and back."""

from __future__ import annotations

from typing import Any

# What categories may be: what JSON takes.
_PLAIN = (str, bool, int, float)


def is_categorical(dtype: Any) -> bool:
    """Whether a type is one of categories."""
    import pandas

    return isinstance(dtype, pandas.CategoricalDtype)


def is_text(dtype: Any) -> bool:
    """Whether a type is one of texts alone."""
    import pandas

    return isinstance(dtype, pandas.StringDtype)


def described(dtype: Any, name: Any) -> Any:
    """A type as what JSON takes: its name, or a dict. One that gannet does not learn is a TypeError that names its column."""
    saved = _described(dtype)
    if saved is None or dtype_of(saved) != dtype:
        of = f" of {dtype.categories.dtype}" if is_categorical(dtype) else ""
        cure = "pass it dense, as sparse.to_dense() makes it" if hasattr(dtype, "fill_value") else "convert the column to one of these, or drop it"
        raise TypeError(
            f"the column {name!r} has the dtype {dtype}{of}, and gannet learns columns of numbers, texts, booleans, categories or dates; {cure}"
        )
    return saved


def _described(dtype: Any) -> Any:
    import numpy as np
    import pandas

    if is_categorical(dtype):
        categories = dtype.categories
        values = categories.tolist()
        if not all(type(value) in _PLAIN for value in values):
            return None
        of = _described(categories.dtype)
        return None if of is None else {"categories": values, "of": of, "ordered": bool(dtype.ordered)}
    if is_text(dtype):
        return {"storage": dtype.storage, "is_nan": dtype.na_value is not pandas.NA}
    kind = getattr(dtype, "kind", "O")
    is_zoned = isinstance(dtype, pandas.DatetimeTZDtype)
    is_known = dtype == np.dtype(object) or kind in "biuf" or is_zoned or (kind in "mM" and isinstance(dtype, np.dtype))
    return str(dtype) if is_known else None


def dtype_of(saved: Any) -> Any:
    """The type that `described` told; None where there is no such one."""
    import pandas

    if isinstance(saved, str):
        try:
            return pandas.api.types.pandas_dtype(saved)
        except (TypeError, ValueError, KeyError):
            return None
    if "categories" in saved:
        categories = pandas.Index(saved["categories"], dtype=dtype_of(saved["of"]))
        return pandas.CategoricalDtype(categories, ordered=saved["ordered"])
    if saved["is_nan"]:
        return pandas.StringDtype(saved["storage"], na_value=float("nan"))
    return pandas.StringDtype(saved["storage"])

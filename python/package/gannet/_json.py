"""JSON of what callers hand in, whose numbers may be NumPy's."""

from __future__ import annotations

import json
from typing import Any

import numpy as np


def text_of(value: Any) -> str:
    """`value` as the text of JSON."""
    return json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    """A number of NumPy's as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")

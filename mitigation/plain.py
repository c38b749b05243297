"""Values of analyses in, what JSON can hold out: null for what is missing, never NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def strict(value: object) -> Any:
    """Return a value that JSON can hold: NaN and infinities become None, numpy's numbers Python's, tuples lists."""
    if isinstance(value, Mapping):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [strict(item) for item in value]
    if isinstance(value, pd.DataFrame):
        return [strict(row) for row in value.to_dict("records")]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, (bool, int, float, str)) else str(value)

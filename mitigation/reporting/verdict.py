"""An input in, verdict.json out: strict JSON, null where a number is missing, marked when simulated, interim or embedded."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

import numpy as np

from mitigation.figures import rows
from mitigation.reporting.inputs import ReportInput


def verdict_json(given: ReportInput) -> bytes:
    """Return the analysis' verdicts with the marks of this report, as JSON bytes in ASCII."""
    marks = {"simulated": given.simulated, "interim": given.interim, "embedded": given.embedded, "detector": given.detector}
    kept = given.adherence
    locked = None if kept is None else {**dataclasses.asdict(kept), "followed": kept.followed}
    return (
        json.dumps(strict({**marks, "locked_plan": locked, **given.analysis.verdict_json()}), indent=2, allow_nan=False).encode()
        + b"\n"
    )


def strict(value: object) -> object:
    """Return a value that JSON can hold: NaN and infinities become null, numpy's numbers Python's, tuples lists."""
    if isinstance(value, Mapping):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [strict(item) for item in value]
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return rows.number(value)
    return rows.text(value) or None

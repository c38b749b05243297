"""An input in, verdict.json out: strict JSON, null where a number is missing, marked when simulated, interim or embedded."""

from __future__ import annotations

import dataclasses
import json

from mitigation.plain import strict
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

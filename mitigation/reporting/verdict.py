"""A study, or several, in, verdict.json out: strict JSON, null where a number is missing, marked if simulated or interim."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from mitigation.plain import strict
from mitigation.reporting.compared_tables import ComparedInput, compared_frames
from mitigation.reporting.inputs import ReportInput


def verdict_json(given: ReportInput) -> bytes:
    """Return the analysis' verdicts with the marks of this report, as JSON bytes in ASCII."""
    marks = {"simulated": given.simulated, "interim": given.interim, "embedded": given.embedded, "detector": given.detector}
    return _bytes(marks | {"locked_plan": _locked(given)} | given.analysis.verdict_json())


def compared_json(given: ComparedInput) -> bytes:
    """Return the verdicts of several studies, and what is said across them, as JSON bytes in ASCII."""
    found = given.comparison
    studies = [
        {"study": one.analysis.study, "simulated": one.simulated, "interim": one.interim, "embedded": one.embedded}
        | {"plan": dataclasses.asdict(one.analysis.plan), "locked_plan": _locked(one)}
        for one in given.inputs
    ]
    told = {"simulated": given.simulated, "interim": found.interim, "detector": given.inputs[0].detector, "studies": studies}
    frames = compared_frames(given)
    return _bytes(told | {name: frames[name] for name in ("contrasts", "against", "together", "differences")})


def _locked(given: ReportInput) -> dict[str, Any] | None:
    kept = given.adherence
    return None if kept is None else {**dataclasses.asdict(kept), "followed": kept.followed}


def _bytes(told: Mapping[str, Any]) -> bytes:
    return json.dumps(strict(told), indent=2, allow_nan=False).encode() + b"\n"

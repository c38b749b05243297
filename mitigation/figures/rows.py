"""Frames of an Analysis in, typed rows out; what is missing (None, NaN, infinite, or a column that is not there) is None."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from mitigation.contrasts import is_interim

if TYPE_CHECKING:
    from mitigation.analysis import Analysis

SHOWN: Final = frozenset(
    """we ingroup ingroup_strict social substitute shared_ai_identity cooperation on_task refusal conflict topic_drift""".split()
)


def number(value: object) -> float | None:
    """Return a finite float, or None for everything that is not one."""
    if value is None or isinstance(value, (str, bytes)):
        return None
    try:
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return result if math.isfinite(result) else None


def count(value: object) -> int | None:
    """Return a whole number, or None."""
    result = number(value)
    return None if result is None else round(result)


def text(value: object) -> str:
    """Return a string; a missing value is empty."""
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA else str(value)


def records(frame: pd.DataFrame) -> Iterator[Mapping[str, object]]:
    """Yield the rows of a frame as mappings."""
    columns = [str(name) for name in frame.columns]
    for values in frame.itertuples(index=False, name=None):
        yield dict(zip(columns, values, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastRow:
    """One treatment against control on one outcome; rates are shares (or per word), an open end of an interval is None."""

    outcome: str
    control: str
    treatment: str
    n_control: int | None
    n_treatment: int | None
    rate_control: float | None
    rate_treatment: float | None
    rate_ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    risk_difference: float | None
    rd_low: float | None
    rd_high: float | None
    p_value: float | None
    p_adjusted: float | None
    test: str
    verdict: str
    reasons: tuple[str, ...]

    @property
    def standing(self) -> str:
        """The verdict, "interim" for a treatment that goes on while another was stopped at a planned look."""
        waits = self.verdict == "not_estimable" and bool(self.reasons) and is_interim(self.reasons[0])
        return "interim" if waits else self.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRow:
    """One arm: its battles by state and its rate with interval."""

    arm: str
    role: str
    expected: str
    planned: int | None
    complete: int | None
    refused: int | None
    failed: int | None
    pending: int | None
    excluded: int | None
    no_exposure: int | None
    scored: int | None
    battles_any: int | None
    rate: float | None
    rate_low: float | None
    rate_high: float | None
    messages: int | None
    words: int | None
    mean_messages: float | None


def contrasts(analysis: Analysis) -> tuple[ContrastRow, ...]:
    """Return every contrast, in the order of the analysis."""
    return tuple(_contrast(row) for row in records(analysis.contrasts))


def shown(analysis: Analysis) -> tuple[ContrastRow, ...]:
    """Return the contrasts that a page shows: the tiers of "we", what could stand in its place, and side effects.

    The other labels are in the tables; twenty rows a treatment would bury these.
    """
    return tuple(row for row in contrasts(analysis) if row.outcome.rsplit("_", 1)[0] in SHOWN)


def primary(analysis: Analysis) -> tuple[ContrastRow, ...]:
    """Return the first contrast of every treatment: its primary outcome."""
    first: dict[str, ContrastRow] = {}
    for row in contrasts(analysis):
        first.setdefault(row.treatment, row)
    return tuple(first.values())


def outcome(analysis: Analysis) -> str:
    """Return the code of the primary outcome."""
    return next((row.outcome for row in contrasts(analysis) if row.outcome), "ingroup_rate")


def arms(analysis: Analysis) -> tuple[ArmRow, ...]:
    """Return the arms, control first, the others in the order of the analysis."""
    rows = [_arm(row) for row in records(analysis.arms)]
    return tuple(sorted(rows, key=lambda row: row.arm != analysis.plan.control))


def battle_rates(analysis: Analysis) -> pd.DataFrame:
    """Return battle_id, arm and rate of every scored battle.

    The rate is the battle's own column `rate`, else in-group messages / messages (or mentions / words, as the plan says).
    """
    battles = analysis.battles
    top, bottom = ("ingroup_messages", "messages") if analysis.plan.rate == "messages" else ("ingroup_count", "words")
    found: list[tuple[str, str, float]] = []
    for row in records(battles):
        rate = number(row.get("rate"))
        if rate is None:
            part, whole = number(row.get(top)), number(row.get(bottom))
            rate = part / whole if part is not None and whole else None
        if rate is not None and (text(row.get("status")) or "complete") == "complete":
            found.append((text(row.get("battle_id")), text(row.get("arm")), rate))
    return pd.DataFrame(found, columns=["battle_id", "arm", "rate"])


def _contrast(row: Mapping[str, object]) -> ContrastRow:
    reasons = row.get("reasons")
    return ContrastRow(
        outcome=text(row.get("outcome")),
        control=text(row.get("control")),
        treatment=text(row.get("treatment")) or "no treatment",
        n_control=count(row.get("n_control")),
        n_treatment=count(row.get("n_treatment")),
        rate_control=number(row.get("rate_control")),
        rate_treatment=number(row.get("rate_treatment")),
        rate_ratio=number(row.get("rate_ratio")),
        ratio_low=number(row.get("ratio_low")),
        ratio_high=number(row.get("ratio_high")),
        risk_difference=number(row.get("risk_difference")),
        rd_low=number(row.get("rd_low")),
        rd_high=number(row.get("rd_high")),
        p_value=number(row.get("p_value")),
        p_adjusted=number(row.get("p_adjusted")),
        test=text(row.get("test")),
        verdict=text(row.get("verdict")),
        reasons=tuple(text(reason) for reason in reasons) if isinstance(reasons, (list, tuple)) else (),
    )


def _arm(row: Mapping[str, object]) -> ArmRow:
    return ArmRow(
        arm=text(row.get("arm")),
        role=text(row.get("role")),
        expected=text(row.get("expected")),
        planned=count(row.get("planned")),
        complete=count(row.get("complete")),
        refused=count(row.get("refused")),
        failed=count(row.get("failed")),
        pending=count(row.get("pending")),
        excluded=count(row.get("excluded")),
        no_exposure=count(row.get("no_exposure")),
        scored=count(row.get("scored")),
        battles_any=count(row.get("battles_any")),
        rate=number(row.get("rate")),
        rate_low=number(row.get("rate_low")),
        rate_high=number(row.get("rate_high")),
        messages=count(row.get("messages")),
        words=count(row.get("words")),
        mean_messages=number(row.get("mean_messages")),
    )

"""Battles and the plan in, a checked row per planned battle and the state of every arm out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from mitigation.contrasts import CONFIDENCE, Comparison
from mitigation.errors import AnalysisError, ConfigError
from mitigation.estimates import mean_interval
from mitigation.types import STATUSES, AnalysisPlan, Rate

Arms = Mapping[str, Mapping[str, str]]

UNEQUAL: Final = 1.5
"""Arms whose sizes differ by this factor earn a warning: there the studentised permutation reached 12 % type I errors."""

_NEEDED: Final = ("battle_id", "arm", "stratum")


def check_battles(
    battles: pd.DataFrame, planned: pd.DataFrame | None, *, plan: AnalysisPlan, arms: Arms, outcome: str
) -> pd.DataFrame:
    """Check the battles of a study and add a row with status "pending" for each planned one that is absent.

    Numbers come back as floats. A missing outcome of a complete battle stays missing (it could not be judged) and is counted.

    Raises:
        ConfigError: the control is no arm of the study.
        AnalysisError: a column is missing, a battle_id occurs twice, an arm, a status or a battle is unknown, or a number is
            negative, infinite or larger than the number of messages.
    """
    if plan.control not in arms:
        raise ConfigError(f"control={plan.control!r} is no arm of the study: choose one of {', '.join(sorted(arms))}")
    needed = (*_NEEDED, "status", "messages", "words", f"{outcome}_messages", f"{outcome}_count")
    _check_keys(battles, needed, "battles", arms)
    if bad := sorted(set(battles["status"].astype(str)) - set(STATUSES)):
        raise AnalysisError(f"status {bad[0]!r} is not known: use one of {', '.join(STATUSES)}")
    numbers = [c for c in battles.columns if c in ("messages", "words") or c.endswith(("_messages", "_count"))]
    checked = battles.assign(**{name: _numbers(battles, name) for name in numbers})
    if planned is None:
        return checked
    _check_keys(planned, _NEEDED, "planned battles", arms)
    if stray := sorted(set(checked["battle_id"]) - set(planned["battle_id"])):
        raise AnalysisError(
            f"battle {stray[0]} and {len(stray) - 1} others are not in the plan: analyse the study they belong to"
        )
    pending = planned[~planned["battle_id"].isin(checked["battle_id"])]
    pending = pending[[c for c in pending.columns if c in checked.columns]].assign(status="pending")
    return pd.concat([checked, pending], ignore_index=True) if len(pending) else checked


def _check_keys(frame: pd.DataFrame, needed: tuple[str, ...], what: str, arms: Arms) -> None:
    """Raise AnalysisError unless every row is one battle of a known arm."""
    if absent := [name for name in needed if name not in frame.columns]:
        raise AnalysisError(f"the {what} have no column {', '.join(absent)}: score the study again with detect")
    if frame[list(_NEEDED)].isna().to_numpy().any():
        raise AnalysisError(f"one of the {what} has no battle_id, arm or stratum: score the study again with detect")
    if (twice := frame["battle_id"].duplicated()).any():
        raise AnalysisError(f"battle {frame['battle_id'][twice].iloc[0]} occurs twice among the {what}: keep one line of it")
    if unknown := sorted(set(frame["arm"]) - set(arms)):
        raise AnalysisError(f"arm {unknown[0]!r} of the {what} is not among the study's arms {', '.join(arms)}: add or remove it")


def _numbers(battles: pd.DataFrame, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Read a column as floats, missing as NaN."""
    value = pd.to_numeric(battles[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.isinf(value) | (value < 0) | (np.isnan(value) & battles[name].notna().to_numpy(dtype=bool))
    if name.endswith("_messages"):
        bad |= value > pd.to_numeric(battles["messages"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if bad.any():
        i = int(np.argmax(bad))
        raise AnalysisError(
            f"battle {battles['battle_id'].iloc[i]}: {name}={battles[name].iloc[i]!s} is no possible count: score it again"
        )
    return value


def arm_table(battles: pd.DataFrame, *, arms: Arms, outcome: str, rate: Rate) -> pd.DataFrame:
    """Count the state of every planned battle by arm and estimate each arm's mean rate.

    The rate weights strata by their share of the study's scored battles, so that all arms are weighted alike.

    Args:
        battles: one row per planned battle with columns arm, stratum, status, messages, words, rate, scored, <outcome>_messages.
        rate: denominator of the rates; a complete battle whose denominator is 0 has no exposure.
    """
    scored = battles[battles["scored"]]
    weights = {str(name): share for name, share in scored["stratum"].astype(str).value_counts(normalize=True).items()}
    rows: list[dict[str, Any]] = []
    for arm, about in arms.items():
        mine, own = battles[battles["arm"] == arm], scored[scored["arm"] == arm]
        row: dict[str, Any] = {"arm": arm, "role": about.get("role"), "expected": about.get("expected"), "planned": len(mine)}
        row |= {status: int((mine["status"] == status).sum()) for status in STATUSES}
        row |= {
            "scored": len(own),
            "no_exposure": int(((mine["status"] == "complete") & (mine[rate] == 0)).sum()),
            "battles_any": int((own[f"{outcome}_messages"] > 0).sum()),
            "rate": None,
            "rate_low": None,
            "rate_high": None,
            "messages": int(own["messages"].sum()),
            "words": int(own["words"].sum()),
            "mean_messages": None,
        }
        if len(own):
            top = 1.0 if rate == "messages" else None
            strata = own["stratum"].astype(str).to_numpy()
            mean = mean_interval(own["rate"].to_numpy(), strata, weights, top=top, confidence=CONFIDENCE)
            row |= {
                "rate": mean.estimate,
                "rate_low": mean.low,
                "rate_high": mean.high,
                "mean_messages": row["messages"] / len(own),
            }
        rows.append(row)
    return pd.DataFrame(rows, dtype=object)


def describe_absence(arm: str, state: pd.DataFrame) -> str:
    """Say why an arm has no scored battle."""
    row = state[state["arm"] == arm].iloc[0]
    if not row["planned"]:
        return f"arm {arm} has no scored battle: none was planned"
    states = ", ".join(f"{row[name]} {name.replace('_', ' ')}" for name in (*STATUSES, "no_exposure") if row[name])
    return f"arm {arm} has no scored battle ({row['planned']} planned: {states})"


def study_notes(
    battles: pd.DataFrame, state: pd.DataFrame, *, plan: AnalysisPlan, primaries: list[Comparison], family: int
) -> list[str]:
    """Remarks on the study as a whole, in plain English with the numbers."""
    notes = _battle_notes(battles, state, rate=plan.rate)
    for primary in primaries:
        sizes = (primary.n_control, primary.n_treatment)
        if min(sizes) and max(sizes) >= UNEQUAL * min(sizes):
            pair = f"{primary.treatment} has {sizes[1]} battles and {primary.control} {sizes[0]}"
            notes.append(
                f"{pair}: with arms this unequal the permutation test can reject a true null too often (up to 12 % at 5 %)"
            )
        if primary.left_out and min(sizes):
            pair = f"{primary.left_out} battles of {primary.treatment} or {primary.control}"
            notes.append(f"{pair} lie in strata that the other arm does not hold and are left out")
    floors = [p.smallest_p for p in primaries if p.smallest_p is not None and p.p_value is not None]
    if plan.correction == "holm" and floors and min(floors) * family > plan.alpha:
        floor = f"no adjusted p can fall below {min(floors) * family:.3g} with {family} comparisons"
        notes.append(f"{floor}: fight more battles or raise resamples")
    return notes


def _battle_notes(battles: pd.DataFrame, state: pd.DataFrame, *, rate: Rate) -> list[str]:
    """Remarks on battles that are pending, alike, or without a score."""
    notes = []
    if pending := int(state["pending"].sum()):
        notes.append(f"interim: {pending} of {len(battles)} battles pending; estimates only, no test and no ratio interval")
    scored = battles[battles["scored"]]
    if scored["stratum"].nunique() == 1:
        notes.append(f"all {len(scored)} scored battles lie in one stratum: the result speaks of this setting only")
    empty = int(state["no_exposure"].sum())
    if unjudged := int(((battles["status"] == "complete") & ~battles["scored"]).sum()) - empty:
        notes.append(f"{unjudged} complete battles could not be scored and count as missing")
    if empty:
        notes.append(f"{empty} complete battles hold no generated {rate.removesuffix('s')}: not scored, counted as missing")
    if "transcript_sha" in scored.columns:
        known = scored[scored["transcript_sha"].notna()]
        if copied := int(known.duplicated(["arm", "stratum", "transcript_sha"]).sum()):
            notes.append(f"{copied} of {len(scored)} scored transcripts repeat another of the same arm and stratum")
    return notes

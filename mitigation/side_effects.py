"""Battles of a study in; for each treatment what is shown of its side effects against the plan's margin, out.

"No significant difference" is not safety. A rise is shown to stay within the margin when the hypothesis that it reaches the
margin is rejected, and to lie beyond it when the hypothesis that it stays within is: two one-sided tests that invert Newcombe's
interval.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from mitigation.arms import Arms
from mitigation.estimates import arm_rates, shared_strata, stratified_newcombe
from mitigation.evidence import SIDE_EFFECTS
from mitigation.sensitivity import pairs_of
from mitigation.types import AnalysisPlan

COLUMNS: Final = (
    *("treatment", "side_effect", "difference", "low", "high", "margin", "p_within", "p_beyond", "shown"),
    *("share_of_messages_control", "share_of_messages_treatment", "note"),
)
LEVEL: Final = 0.025
"""Of each one-sided test: what the 95 % intervals of verdicts stand for."""
_SMALLEST: Final = 1e-6


def side_effects(battles: pd.DataFrame, *, plan: AnalysisPlan, arms: Arms) -> pd.DataFrame:
    """Return one row for each treatment and side effect, `COLUMNS`; nothing is shown while battles are pending.

    `difference` is that of the shares of battles with at least one such message, weighted over strata, with its 95 %
    interval, which matches two one-sided tests at 2.5 %. The shares of messages stand beside it, because longer battles hold more
    of everything.

    Args:
        battles: one row per planned battle, as `Analysis.battles` holds them.
        arms: role and expected direction of each arm, by name.
    """
    rows: list[dict[str, Any]] = []
    for treatment, pair, blocked in pairs_of(battles, plan=plan, arms=arms, outcome="ingroup"):
        for name in (name for name in SIDE_EFFECTS if f"{name}_messages" in pair.battles.columns):
            row: dict[str, Any] = {
                "treatment": treatment,
                "side_effect": name,
                "margin": plan.side_effect_margin,
                "note": blocked,
            }
            if blocked is None:
                row |= _judged(pair.battles, pair.treated, name, plan.side_effect_margin)
            rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _judged(battles: pd.DataFrame, treated: Any, name: str, margin: float) -> dict[str, Any]:
    hits = battles[f"{name}_messages"].to_numpy(dtype=np.float64, na_value=np.nan)
    names = battles["stratum"].astype(str).to_numpy()
    known = np.isfinite(hits)
    known[known] = shared_strata(treated[known], names[known])
    if not known.any():
        return {"note": "not judged in both arms of any stratum"}
    event, label, strata = hits[known] > 0, treated[known], names[known]
    shares = arm_rates(hits[known] / battles["messages"].to_numpy(dtype=np.float64)[known], label, strata)
    shown = stratified_newcombe(event, label, strata, confidence=1 - 2 * LEVEL)
    within, beyond = (_one_sided(event, label, strata, margin, above=above) for above in (False, True))
    said = "within the margin" if within <= LEVEL else "beyond the margin" if beyond <= LEVEL else "neither"
    return {
        "difference": shown.estimate, "low": shown.low, "high": shown.high, "p_within": within, "p_beyond": beyond, "shown": said,
        "share_of_messages_control": shares.control, "share_of_messages_treatment": shares.treated,
    }  # fmt: skip


def _one_sided(event: Any, label: Any, strata: Any, margin: float, *, above: bool) -> float:
    """Return the one-sided p value, at most 0.5 or 1: the level at which the interval ends at the margin.

    Args:
        above: test a rise within the margin against one beyond it; else one that reaches the margin against one within.
    """

    def excludes(level: float) -> bool:
        found = stratified_newcombe(event, label, strata, confidence=1 - 2 * level)
        end = found.low if above else found.high
        return end is not None and (end > margin if above else end < margin)

    low, high = _SMALLEST, 0.5 - _SMALLEST
    if excludes(low):
        return low
    if not excludes(high):
        return 1.0
    while high - low > _SMALLEST:
        middle = (low + high) / 2
        low, high = (low, middle) if excludes(middle) else (middle, high)
    return high

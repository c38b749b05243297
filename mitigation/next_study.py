"""Battles of a study in; what a next study like it would find, by its number of battles, out.

Only how the control's battles vary is taken from the study, never the effect that was seen: power computed from a seen effect is
the p value in another dress (Hoenig & Heisey 2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from mitigation.errors import AnalysisError
from mitigation.pilot import Pilot, needed, pilot_of
from mitigation.power import power
from mitigation.significance.group_sequential import nominal_level
from mitigation.types import AnalysisPlan

RATIOS: Final = (0.5, 0.6, 0.7, 0.8)
WANTED: Final = (0.8, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a next study is planned from.

    Attributes:
        pilot: the control's battles.
        battles: control battles of this study.
        strata: strata of this study.
        treatments: arms that are compared with the control.
        alpha: level of one comparison: that of the first of Holm's steps, at the last look where there are several.
    """

    pilot: Pilot
    battles: int
    strata: int
    treatments: int
    alpha: float

    def power(self, battles: int, ratio: float) -> float:
        """Return the chance to find a rate ratio with so many battles an arm."""
        return power(battles, ratio=ratio, variation=self.pilot.variation(ratio), strata=self.strata, alpha=self.alpha)


def outlook(battles: pd.DataFrame, *, plan: AnalysisPlan, outcome: str = "ingroup") -> Outlook | None:
    """Return what a next study can be planned from, None where the control's battles are too few or hold no event.

    Args:
        battles: one row per planned battle, as `Analysis.battles` holds them.
        outcome: prefix of the primary outcome's columns.
    """
    if not {"status", "messages", f"{outcome}_messages"} <= set(battles.columns):
        return None
    treatments = battles.loc[battles["arm"] != plan.control, "arm"].nunique()
    try:
        pilot = pilot_of(battles, control=plan.control, outcome=outcome)
    except AnalysisError:
        return None
    if not treatments:
        return None
    own = battles[(battles["arm"] == plan.control) & (battles["status"] == "complete")]
    return Outlook(
        pilot=pilot,
        battles=pilot.hits.size,
        strata=int(own["stratum"].astype(str).nunique()),
        treatments=treatments,
        alpha=nominal_level(plan.alpha / treatments, plan.looks, plan.looks),
    )


def sample_sizes(found: Outlook) -> pd.DataFrame:
    """Return the power of a study of this size, and the battles an arm that give 80 and 90 %, for each of `RATIOS`."""
    rows = [
        {
            "rate_ratio": ratio,
            "power_here": found.power(found.battles, ratio),
            **{
                f"battles_for_{100 * wanted:.0f}": needed(
                    found.pilot, ratio=ratio, strata=found.strata, alpha=found.alpha, wanted=wanted
                )
                for wanted in WANTED
            },
        }
        for ratio in RATIOS
    ]
    return pd.DataFrame(rows, dtype=object)

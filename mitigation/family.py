"""Battles of a study in; all treatments as one family out: simultaneous intervals and p values adjusted in three ways.

The plan names Holm's or max-T's p values to decide the verdicts. Max-T uses that the treatments share a control. Benjamini and
Hochberg's are for lists that are screened and confirmed on fresh battles, not for claims. None here allows for several looks.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from mitigation.arms import Arms
from mitigation.contrasts import CONFIDENCE, compare
from mitigation.errors import AnalysisError
from mitigation.multiplicity import by_max_t
from mitigation.sensitivity import Pair, pairs_of
from mitigation.significance.holm import holm
from mitigation.significance.inversion import rate_ratio
from mitigation.types import AnalysisPlan

COLUMNS: Final = (
    *("treatment", "rate_ratio", "ratio_low", "ratio_high", "simultaneous_low", "simultaneous_high"),
    *("p_value", "p_holm", "p_max_t", "p_benjamini_hochberg", "note"),
)


def family(battles: pd.DataFrame, *, plan: AnalysisPlan, arms: Arms, outcome: str = "ingroup") -> pd.DataFrame:
    """Return one row a treatment, `COLUMNS`.

    The simultaneous intervals invert the primary test at level 1 - (1 - 0.95) / k for k treatments that were tested (Bonferroni):
    all of them hold together in 95 % of studies.

    Args:
        battles: one row per planned battle, as `Analysis.battles` holds them.
        arms: role and expected direction of each arm, by name.
    """
    rows: list[dict[str, Any]] = []
    tested: list[tuple[dict[str, Any], Pair]] = []
    for treatment, pair, blocked in pairs_of(battles, plan=plan, arms=arms, outcome=outcome):
        row: dict[str, Any] = {"treatment": treatment, "note": blocked}
        rows.append(row)
        if blocked is not None:
            continue
        found = compare(pair.battles, outcome=outcome, name="", control=plan.control, treatment=treatment, plan=plan)
        row |= {"rate_ratio": found.ratio.ratio, "ratio_low": found.ratio.low, "ratio_high": found.ratio.high}
        row |= {"p_value": found.p_value, "note": found.blocked}
        if found.p_value is not None:
            tested.append((row, pair))
    if tested:
        _adjust(tested, battles, plan=plan)
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _adjust(tested: list[tuple[dict[str, Any], Pair]], battles: pd.DataFrame, *, plan: AnalysisPlan) -> None:
    """Add to each tested row what depends on the number of them."""
    from scipy.stats import false_discovery_control

    raw = [row["p_value"] for row, _ in tested]
    ranked = false_discovery_control(raw)
    for (row, pair), adjusted, share in zip(tested, holm(raw), ranked, strict=True):
        wide = 1 - (1 - CONFIDENCE) / len(tested)
        rng = np.random.default_rng(plan.seed)  # the draws of the primary test
        ends = rate_ratio(pair.rates, pair.treated, pair.strata, resamples=plan.resamples, rng=rng, confidence=wide)
        row |= {"simultaneous_low": ends.low, "simultaneous_high": ends.high}
        row |= {"p_holm": adjusted, "p_benjamini_hochberg": float(share)}
    names = [row["treatment"] for row, _ in tested]
    try:
        together = by_max_t(battles[battles["scored"]], names, plan=plan)
    except AnalysisError as error:
        for row, _ in tested:
            row["note"] = str(error)
        return
    for (row, _), p_value in zip(tested, together, strict=True):
        row["p_max_t"] = p_value

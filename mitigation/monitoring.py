"""Battles of a study in, finished or not; what the complete blocks say so far, valid whenever one looks, out.

A block holds one battle of every arm with the same scenario, pairing, opener and seats. Blocks count in the order in which they
were begun, and only once the battles of both arms are scored; blocks in which one failed are counted and left out.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from mitigation.arms import Arms
from mitigation.significance.e_process import e_process
from mitigation.types import AnalysisPlan

COLUMNS: Final = ("treatment", "blocks", "blocks_left_out", "mean_difference", "e_value", "p_anytime")
_BLOCK: Final = ["scenario", "pairing", "replicate"]


def monitor(battles: pd.DataFrame, *, plan: AnalysisPlan, arms: Arms) -> pd.DataFrame:
    """Return one row a treatment, `COLUMNS`; empty where battles are of no known block, as in a study from elsewhere.

    While battles are pending only the e-value is given, no p value.

    Args:
        battles: one row per planned battle with arm, status, scored, rate, scenario, pairing, replicate and run_order.
        arms: role and expected direction of each arm, by name.
    """
    rows: list[dict[str, Any]] = []
    if not {*_BLOCK, "run_order"} <= set(battles.columns):
        return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    settled = battles[battles["run_order"].notna()]
    rates = settled[settled["scored"]].pivot_table(index=_BLOCK, columns="arm", values="rate", aggfunc="first")
    interim = bool((battles["status"] == "pending").any())
    begun = settled.groupby(_BLOCK)["run_order"].min()
    for treatment in (arm for arm in arms if arm != plan.control):
        if not {treatment, plan.control} <= set(rates.columns):
            continue
        both = rates[[plan.control, treatment]].dropna()
        ordered = both.loc[begun.loc[both.index].sort_values(kind="stable").index]
        difference = (ordered[treatment] - ordered[plan.control]).to_numpy(dtype=np.float64)
        found = e_process(difference)
        touched = settled[settled["arm"].isin([plan.control, treatment])].groupby(_BLOCK).ngroups
        rows.append(
            {
                "treatment": treatment,
                "blocks": len(difference),
                "blocks_left_out": touched - len(difference),
                "mean_difference": float(difference.mean()) if len(difference) else None,
                "e_value": found.e_value,
                "p_anytime": None if interim else found.p_value,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)

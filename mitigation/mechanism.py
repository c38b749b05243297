"""Battles of a study in; each treatment against every other arm that is not the control, out.

The control says whether there is an effect; the other arms say of what. The treatment against `same_unique` asks whether the
identity has to be the agent's own, against `incoherent` whether it has to make sense, against `placebo` whether it has to be an
identity. The test is that of the primary outcome; its p values are secondary: not adjusted for their number, and no verdict
depends on them.
"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from mitigation.arms import Arms
from mitigation.contrasts import compare
from mitigation.evidence import copies
from mitigation.types import AnalysisPlan

COLUMNS: Final = (
    *("treatment", "against", "n_against", "n_treatment", "rate_against", "rate_treatment"),
    *("rate_ratio", "ratio_low", "ratio_high", "p_value", "no_test"),
)


def against_others(battles: pd.DataFrame, *, plan: AnalysisPlan, arms: Arms, outcome: str = "ingroup") -> pd.DataFrame:
    """Return one row for each treatment and each other arm, control excepted; `no_test` says why there is no p value.

    Args:
        battles: one row per planned battle, as `Analysis.battles` holds them.
        arms: role and expected direction of each arm, by name.
    """
    scored, pending = battles[battles["scored"]], int((battles["status"] == "pending").sum())
    rows: list[dict[str, Any]] = []
    for treatment in (arm for arm, about in arms.items() if about["role"] == "treatment"):
        for other in (arm for arm in arms if arm not in (treatment, plan.control)):
            blocked = f"interim: {pending} pending" if pending else copies(scored, control=other, treatment=treatment)
            found = compare(
                scored, outcome=outcome, name=f"{outcome}_rate", control=other, treatment=treatment, plan=plan, blocked=blocked
            )
            rows.append(
                {
                    "treatment": treatment,
                    "against": other,
                    "n_against": found.n_control,
                    "n_treatment": found.n_treatment,
                    "rate_against": found.rate_control,
                    "rate_treatment": found.rate_treatment,
                    "rate_ratio": found.ratio.ratio,
                    "ratio_low": found.ratio.low,
                    "ratio_high": found.ratio.high,
                    "p_value": found.p_value,
                    "no_test": found.blocked,
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)

"""Battles of four arms in; the main effects of unique and of disassociative identities, and their interaction, out.

Unique (each agent its own) × disassociative (of no kind that both share): shared_group has neither, unique_affiliated is unique,
same_unique disassociative, unique_disassociative both. A main effect permutes battles between the two levels of one factor within
strata and within the level of the other, by the primary test; the interaction is the ratio of the two ratios.
"""

from __future__ import annotations

from math import exp, log
from typing import Any, Final

import numpy as np
import pandas as pd

from mitigation.contrasts import CONFIDENCE, compare
from mitigation.estimates import mean_variance
from mitigation.evidence import copies
from mitigation.types import AnalysisPlan

ARMS: Final = {
    "shared_group": (False, False),
    "unique_affiliated": (True, False),
    "same_unique": (False, True),
    "unique_disassociative": (True, True),
}
"""Arm: whether its identities are unique, and whether they are disassociative."""
_ZERO: Final = 1e-12
FACTORS: Final = ("unique", "disassociative")
COLUMNS: Final = ("effect", "within", "n_without", "n_with", "ratio", "low", "high", "p_value", "note")


def factorial(battles: pd.DataFrame, *, plan: AnalysisPlan, outcome: str = "ingroup") -> pd.DataFrame:
    """Return the two main effects, the effect of each factor within each level of the other, and the interaction, `COLUMNS`.

    Empty where one of the four arms has fewer than two scored battles, where their strata differ, where battles are
    pending, and where transcripts are copies of one another.
    """
    empty = pd.DataFrame(columns=list(COLUMNS), dtype=object)
    own = battles[battles["arm"].isin(ARMS) & battles["scored"]]
    sizes = own.groupby("arm").size()
    strata = {tuple(sorted(set(names.astype(str)))) for _, names in own.groupby("arm")["stratum"]}
    if len(sizes) < len(ARMS) or sizes.min() < 2 or len(strata) > 1 or (battles["status"] == "pending").any():
        return empty
    if any(copies(own, control="shared_group", treatment=arm) for arm in ARMS):
        return empty
    rows = []
    for place, factor in enumerate(FACTORS):
        other = FACTORS[1 - place]
        level = own["arm"].map(lambda arm, k=place: ARMS[arm][k]).to_numpy(dtype=np.bool_)
        held = own["arm"].map(lambda arm, k=1 - place: ARMS[arm][k]).to_numpy(dtype=np.bool_)
        rows.append(_effect(own, level, held, plan, outcome) | {"effect": factor, "within": f"both levels of {other}"})
        for value in (False, True):
            within = f"{'' if value else 'not '}{other}"
            mine = held == value
            rows.append(_effect(own[mine], level[mine], held[mine], plan, outcome) | {"effect": factor, "within": within})
    rows.append(_interaction(own))
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _effect(own: pd.DataFrame, level: Any, held: Any, plan: AnalysisPlan, outcome: str) -> dict[str, Any]:
    """Compare the battles with a factor with those without, within strata and the level of the other factor."""
    strata = own["stratum"].astype(str).to_numpy() + np.where(held, "|1", "|0")
    sides = own.assign(arm=np.where(level, "with", "without"), stratum=strata)
    found = compare(sides, outcome=outcome, name="", control="without", treatment="with", plan=plan)
    return {
        "n_without": found.n_control, "n_with": found.n_treatment, "ratio": found.ratio.ratio, "low": found.ratio.low,
        "high": found.ratio.high, "p_value": found.p_value, "note": found.blocked,
    }  # fmt: skip


def _interaction(own: pd.DataFrame) -> dict[str, Any]:
    """Return the ratio of ratios with a t interval: Neyman's variance of each mean, over the squared mean (delta method)."""
    row: dict[str, Any] = {"effect": "interaction", "within": "ratio of ratios", "n_with": len(own)}
    total = variance = 0.0
    weights = {str(name): float(share) for name, share in own["stratum"].astype(str).value_counts(normalize=True).items()}
    for arm, (unique, apart) in ARMS.items():
        mine = own[own["arm"] == arm]
        if len(mine) <= len(weights):  # one battle in each stratum has no variance of its own
            return row | {"note": f"{arm} has one battle in each stratum: its error cannot be told"}
        mean, spread = mean_variance(mine["rate"].to_numpy(dtype=np.float64), mine["stratum"].astype(str).to_numpy(), weights)
        if mean <= 0:
            return row
        total += log(mean) * (1 if unique == apart else -1)
        variance += spread / mean**2
    freedom = len(own) - len(ARMS) * len(weights)
    if variance < _ZERO:
        return row | {"ratio": exp(total), "note": "no battle differs from another of its arm"}
    from scipy.stats import t

    error = variance**0.5
    reach = float(t.isf((1 - CONFIDENCE) / 2, freedom)) * error
    limits = {"ratio": exp(total), "low": exp(total - reach), "high": exp(total + reach)}
    return row | limits | {"p_value": float(2 * t.sf(abs(total) / error, freedom))}

"""Battles of a study in; how the primary contrast differs between levels, hangs on single battles, and how battles vary, out.

None of this decides a verdict, and no p value here is adjusted.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from mitigation.arms import Arms
from mitigation.contrasts import compare
from mitigation.errors import AnalysisError
from mitigation.sensitivity import Pair, pairs_of
from mitigation.significance.poisson_gee import FEWEST, poisson_gee
from mitigation.types import AnalysisPlan

LEVEL_COLUMNS: Final = (
    *("treatment", "factor", "level", "n_control", "n_treatment", "rate_control", "rate_treatment"),
    *("rate_ratio", "ratio_low", "ratio_high", "p_value", "p_heterogeneity", "note"),
)
_ZERO: Final = 1e-12
"""A rate below this share of the whole is rounding error."""
FACTORS: Final = ("scenario", "pairing", "opener")
INFLUENCE_COLUMNS: Final = ("treatment", "ratio", "battle_id", "arm", "rate", "ratio_without")
DISPERSION_COLUMNS: Final = ("arm", "battles", "without_any", "mean", "variance", "dispersion", "expected_without_any")


def by_level(battles: pd.DataFrame, *, plan: AnalysisPlan, arms: Arms, outcome: str = "ingroup") -> pd.DataFrame:
    """Return the contrast of each treatment within each scenario, pairing and opener that has another beside it, `LEVEL_COLUMNS`.

    `p_heterogeneity` tests, once a factor, whether the ratio differs between its levels (Poisson GEE). A level without a small
    p value is no level without an effect: its battles are few.
    """
    rows = []
    for treatment, pair, blocked in pairs_of(battles, plan=plan, arms=arms, outcome=outcome):
        for factor in (name for name in FACTORS if blocked is None and name in pair.battles.columns):
            level = pair.battles[factor].astype(str)
            if level.nunique() < 2:
                continue
            differs, why = _differs(pair, level.to_numpy())
            for name in sorted(level.unique()):
                found = compare(
                    pair.battles[level == name],
                    outcome=outcome,
                    name=factor,
                    control=plan.control,
                    treatment=treatment,
                    plan=plan,
                )
                rows.append(
                    {
                        "treatment": treatment, "factor": factor, "level": name, "n_control": found.n_control,
                        "n_treatment": found.n_treatment, "rate_control": found.rate_control,
                        "rate_treatment": found.rate_treatment, "rate_ratio": found.ratio.ratio, "ratio_low": found.ratio.low,
                        "ratio_high": found.ratio.high, "p_value": found.p_value, "p_heterogeneity": differs,
                        "note": found.blocked or why,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows, columns=list(LEVEL_COLUMNS), dtype=object)


def _differs(pair: Pair, level: Any) -> tuple[float | None, str | None]:
    try:
        found = poisson_gee(*pair.totals(), pair.treated, pair.strata, groups=level)
    except AnalysisError as error:
        return None, str(error)
    if found.heterogeneity is None:
        return None, f"heterogeneity not estimable: each level needs {FEWEST} battles of both arms, and events in them"
    return found.heterogeneity, None


def influence(battles: pd.DataFrame, *, plan: AnalysisPlan, arms: Arms, outcome: str = "ingroup") -> pd.DataFrame:
    """Return for each treatment the battles whose absence moves the ratio most, down and up, `INFLUENCE_COLUMNS`.

    `ratio_without` is missing where the control has no event without that battle.
    """
    rows = []
    for treatment, pair, blocked in pairs_of(battles, plan=plan, arms=arms, outcome=outcome):
        if blocked is not None or len(pair.battles) < 4:
            continue
        rates, treated = pair.rates, pair.treated
        without = _left_out(rates, treated, pair.strata)
        if without is None:
            continue
        whole, each = without
        for place in dict.fromkeys((int(np.argmin(each)), int(np.argmax(each)))):
            battle = pair.battles.iloc[place]
            about = {"battle_id": battle["battle_id"], "arm": battle["arm"], "rate": rates[place]}
            without_it = each[place] if np.isfinite(each[place]) else None
            rows.append({"treatment": treatment, "ratio": whole} | about | {"ratio_without": without_it})
    return pd.DataFrame(rows, columns=list(INFLUENCE_COLUMNS), dtype=object)


def _left_out(rates: Any, treated: Any, strata: Any) -> tuple[float, Any] | None:
    """Return the ratio, and the ratio without each battle in turn; None where an arm has no event.

    Weights of the strata are kept, so that only the means move; a battle that is alone in its arm and stratum is not left out.
    """
    codes = np.unique(strata, return_inverse=True)[1]
    cell = 2 * codes + treated
    size, total = np.bincount(cell, minlength=2 * codes.max() + 2), np.bincount(cell, rates, minlength=2 * codes.max() + 2)
    weight = np.bincount(codes) / codes.size
    means = total / size
    control, treat = float(weight @ means[0::2]), float(weight @ means[1::2])
    if control <= 0 or treat <= 0:
        return None
    alone = size[cell] == 1
    after = weight[codes] * ((total[cell] - rates) / np.where(alone, 1, size[cell] - 1) - means[cell])
    whole = np.where(treated, treat, control)
    left = np.where(alone, whole, whole + after)  # a battle that is alone is not left out
    left = np.where(left <= _ZERO * whole, 0.0, left)
    none = ~treated & (left == 0)
    ratio = np.where(treated, left / control, treat / np.where(left == 0, 1.0, left))
    return treat / control, np.where(none, np.inf, ratio)


def dispersion(battles: pd.DataFrame, *, outcome: str = "ingroup") -> pd.DataFrame:
    """Return for each arm how its battles vary, `DISPERSION_COLUMNS`.

    `dispersion` is the variance of messages with an event over what independent messages of one common chance would give, and
    `expected_without_any` the share of battles without an event under that: far above 1, or far below the share seen, say that
    battles differ among themselves, which is why whole battles are permuted.
    """
    rows = []
    for arm, own in battles[battles["scored"] & (battles["messages"] > 0)].groupby("arm", sort=True):
        hits = own[f"{outcome}_messages"].to_numpy(dtype=np.float64)
        size = own["messages"].to_numpy(dtype=np.float64)
        chance = hits.sum() / size.sum()
        spread = float(np.sum((hits - size * chance) ** 2) / max(len(own) - 1, 1))
        independent = float(np.mean(size * chance * (1 - chance)))
        rows.append(
            {
                "arm": arm, "battles": len(own), "without_any": float(np.mean(hits == 0)), "mean": float(own["rate"].mean()),
                "variance": float(own["rate"].var(ddof=1)) if len(own) > 1 else None,
                "dispersion": spread / independent if independent > 0 and len(own) > 1 else None,
                "expected_without_any": float(np.mean((1 - chance) ** size)),
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(DISPERSION_COLUMNS), dtype=object)

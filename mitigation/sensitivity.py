"""Battles of a study in; the primary contrast by other methods, outcomes and selections out.

None of this decides a verdict, and no p value here is adjusted: the table shows whether the primary result hangs on one choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from mitigation.arms import Arms
from mitigation.contrasts import CONFIDENCE, compare
from mitigation.errors import AnalysisError
from mitigation.estimates import arm_rates, cohens_h, shared_strata
from mitigation.evidence import copies
from mitigation.outcomes import drawn_wordings
from mitigation.significance.jackknife import jackknife
from mitigation.significance.poisson_gee import poisson_gee
from mitigation.significance.van_elteren import van_elteren
from mitigation.significance.welch import welch
from mitigation.types import AnalysisPlan

COLUMNS: Final = ("treatment", "analysis", "effect", "estimate", "low", "high", "p_value", "n_control", "n_treatment", "note")


@dataclass(frozen=True, slots=True)
class Pair:
    """Scored battles of one treatment and the control, in strata that hold both."""

    battles: pd.DataFrame
    plan: AnalysisPlan
    treatment: str
    outcome: str = "ingroup"

    @property
    def treated(self) -> Any:
        """True for battles of the treatment, shape (battles,)."""
        return (self.battles["arm"] == self.treatment).to_numpy(dtype=np.bool_)

    @property
    def strata(self) -> Any:
        """Stratum of each battle, shape (battles,)."""
        return self.battles["stratum"].astype(str).to_numpy()

    @property
    def rates(self) -> Any:
        """Rate of each battle, shape (battles,)."""
        return self.battles["rate"].to_numpy(dtype=np.float64)

    def totals(self) -> tuple[Any, Any]:
        """Return events and exposure of each battle, in the unit of the plan's rate."""
        words = self.plan.rate == "words" and f"{self.outcome}_count" in self.battles.columns
        above, below = f"{self.outcome}_count" if words else f"{self.outcome}_messages", "words" if words else "messages"
        return self.battles[above].to_numpy(dtype=np.float64), self.battles[below].to_numpy(dtype=np.float64)


def sensitivity(battles: pd.DataFrame, *, plan: AnalysisPlan, arms: Arms, outcome: str = "ingroup") -> pd.DataFrame:
    """Return the primary contrast of each treatment by other analyses, `COLUMNS`; `note` says why one cannot be made.

    Args:
        battles: one row per planned battle, as `Analysis.battles` holds them.
        arms: role and expected direction of each arm, by name.
    """
    rows = []
    for treatment, pair, blocked in pairs_of(battles, plan=plan, arms=arms, outcome=outcome):
        if blocked is not None:
            rows.append({"treatment": treatment, "analysis": "all", "note": blocked})
            continue
        rows += [{"treatment": treatment} | row for row in (*_selections(pair), *_methods(pair))]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def pairs_of(battles: pd.DataFrame, *, plan: AnalysisPlan, arms: Arms, outcome: str) -> Iterator[tuple[str, Pair, str | None]]:
    """Yield every treatment, its battles beside the control's, and why nothing may be tested."""
    scored, pending = battles[battles["scored"]], int((battles["status"] == "pending").sum())
    for treatment in (arm for arm in arms if arm != plan.control):
        own = scored[scored["arm"].isin([plan.control, treatment])]
        shared = shared_strata((own["arm"] == treatment).to_numpy(), own["stratum"].astype(str).to_numpy())
        blocked = f"interim: {pending} pending" if pending else copies(scored, control=plan.control, treatment=treatment)
        if not shared.any():
            blocked = blocked or f"no stratum holds battles of both {plan.control} and {treatment}"
        yield treatment, Pair(own[shared].reset_index(drop=True), plan, treatment, outcome), blocked


def _selections(pair: Pair) -> Iterator[dict[str, Any]]:
    """Yield the primary test of other outcomes and of fewer battles."""
    battles, columns = pair.battles, set(pair.battles.columns)
    other = "words" if pair.plan.rate == "messages" else "messages"
    yield _tested(pair, "primary", battles)
    if f"{pair.outcome}_count" in columns:
        yield _tested(pair, f"rate by {other}", battles, rate=other)
    for tier, said in (("strict", "without the first reply and bare let’s"), ("social", "names or presupposes a shared group")):
        if f"{tier}_messages" in columns:
            yield _tested(pair, f"{tier} tier", battles, outcome=tier, note=said)
    free_of = {
        "truncated": "no reply cut off at its limit",
        "unjudged": "every message judged",
        "retried": "every reply at the first call",
        "refusal_messages": "no refusal in words",
    }
    for column, name in free_of.items():
        if column not in columns or battles[column].isna().all():
            continue
        kept = (battles[column] == 0).fillna(False).to_numpy(dtype=np.bool_)  # what is not known is set aside too
        if not kept.all():
            left = int((~kept).sum())
            note = f"battles set aside: {left}; what sets them aside may itself be an effect"
            yield _tested(pair, f"battles with {name}", battles[kept], note=note)


def _tested(
    pair: Pair, name: str, battles: pd.DataFrame, *, outcome: str | None = None, rate: Any = None, note: str | None = None
) -> dict[str, Any]:
    found = compare(
        battles,
        outcome=outcome or pair.outcome,
        name=name,
        control=pair.plan.control,
        treatment=pair.treatment,
        plan=pair.plan,
        rate=rate,
    )
    return {
        "analysis": name, "effect": "ratio", "estimate": found.ratio.ratio, "low": found.ratio.low, "high": found.ratio.high,
        "p_value": found.p_value, "n_control": found.n_control, "n_treatment": found.n_treatment, "note": found.blocked or note,
    }  # fmt: skip


def _methods(pair: Pair) -> Iterator[dict[str, Any]]:
    """Yield other methods on the same battles."""
    counts, exposure = pair.totals()
    treated, strata, rates = pair.treated, pair.strata, pair.rates

    def model(groups: Any) -> dict[str, Any]:
        found = poisson_gee(counts, exposure, treated, groups, confidence=CONFIDENCE)
        note = f"{found.clusters} clusters, t with {found.freedom} degrees of freedom; long battles count more"
        return _ratio(found, note)

    def ranks() -> dict[str, Any]:
        found = van_elteren(rates, treated, strata)
        note = "asks whether the distributions differ, not whether the means do; 0.5 is no shift"
        return {"effect": "chance of a higher rate", "estimate": found.superiority, "p_value": found.p_value, "note": note}

    def means() -> dict[str, Any]:
        found = welch(rates, treated, confidence=CONFIDENCE)
        limits = {"estimate": found.difference, "low": found.low, "high": found.high}
        return {"effect": "difference", **limits, "p_value": found.p_value, "note": "blind to strata"}

    def wordings() -> dict[str, Any]:
        found = jackknife(rates, treated, strata, drawn_wordings(pair.battles), confidence=CONFIDENCE)
        return _ratio(found, f"over {found.wordings} wordings: would others like these do the same?")

    def medians() -> dict[str, Any]:
        middle = [float(np.median(rates[side])) for side in (treated, ~treated)]
        note = f"median battle rate {middle[0]:.3g} against {middle[1]:.3g}, blind to strata"
        return {"effect": "difference of medians", "estimate": middle[0] - middle[1], "note": note}

    def share_any() -> dict[str, Any]:
        shares = arm_rates(rates > 0, treated, strata)
        note = f"battles with any: {shares.treated:.1%} against {shares.control:.1%}; 0.2 is small, 0.8 large"
        return {"effect": "Cohen’s h", "estimate": cohens_h(shares.treated, shares.control), "note": note}

    ways: dict[str, Callable[[], dict[str, Any]]] = {
        "Poisson GEE, strata, bias-reduced covariance": lambda: model(strata),
        "pooled ratio, no strata, bias-reduced covariance": lambda: model(None),
        "Welch’s t test of battle rates": means,
        "van Elteren’s rank test" if len(set(strata)) > 1 else "Mann–Whitney’s rank test": ranks,
    }
    ways |= {"battles with any": share_any, "medians of battle rates": medians}
    if "wordings" in pair.battles.columns:
        ways["jackknife over wordings"] = wordings
    sizes = {"n_control": int((~treated).sum()), "n_treatment": int(treated.sum())}
    for name, way in ways.items():
        try:
            yield {"analysis": name} | sizes | way()
        except AnalysisError as error:
            yield {"analysis": name} | sizes | {"note": str(error)}


def _ratio(found: Any, note: str) -> dict[str, Any]:
    limits = {"estimate": found.ratio, "low": found.low, "high": found.high}
    return {"effect": "ratio", **limits, "p_value": found.p_value, "note": note}

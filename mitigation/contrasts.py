"""Scored battles of two arms in, one outcome compared out: rates, ratio, risk difference and p value, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mitigation.estimates import Interval, arm_rates, newcombe, shared_strata, stratified_newcombe
from mitigation.significance.arrangements import arrange
from mitigation.significance.boschloo import boschloo
from mitigation.significance.inversion import RatioInterval, invert
from mitigation.types import AnalysisPlan, Rate

CONFIDENCE: Final = 0.95
"""Level of every interval; only the verdict of the primary outcome uses the plan's alpha."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_NO_RATIO: Final = RatioInterval(None, None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One outcome of a treatment against a control.

    Attributes:
        n_control, n_treatment: battles used, in strata that hold both arms and with this outcome known.
        rate_control, rate_treatment: the estimand's arm rates; None where nothing can be compared.
        ratio: rate ratio with its interval; all None where it is not estimable or not asked for.
        risk: risk difference of "at least one in the battle" with Newcombe's interval, or None.
        p_value: None where no test was made; `blocked` then says why.
        test: name of the test and of the weighting.
        smallest_p: smallest p value that these numbers of battles could give, or None.
        blocked: why there is no test, in words, or None.
        caution: what a reader of the p value must know, or None.
        left_out: battles in strata that one of the arms does not hold.
        unknown: scored battles whose outcome is missing.
    """

    outcome: str
    control: str
    treatment: str
    n_control: int
    n_treatment: int
    rate_control: float | None = None
    rate_treatment: float | None = None
    ratio: RatioInterval = _NO_RATIO
    risk: Interval | None = None
    p_value: float | None = None
    test: str = "no test"
    smallest_p: float | None = None
    blocked: str | None = None
    caution: str | None = None
    left_out: int = 0
    unknown: int = 0

    @property
    def difference(self) -> float:
        """Rate of the treatment minus that of the control; 0 where either is unknown."""
        if self.rate_control is None or self.rate_treatment is None:
            return 0.0
        return self.rate_treatment - self.rate_control

    @property
    def falls(self) -> bool:
        """Whether a fall is shown: the interval of the ratio excludes 1."""
        return self.ratio.high is not None and self.ratio.high < 1

    def rises_beyond(self, margin: float) -> bool:
        """Whether the interval of the risk difference lies wholly beyond a margin."""
        return self.risk is not None and self.risk.low is not None and self.risk.low > margin


def is_interim(why: str | None) -> bool:
    """Tell whether the reason against a test is that the study goes on: then nothing that speaks of significance is shown."""
    return why is not None and why.startswith("interim")


def withheld(found: Comparison, why: str) -> Comparison:
    """Return a comparison without anything that speaks of significance: the estimates stay."""
    risk = None if found.risk is None else replace(found.risk, low=None, high=None)
    ratio = RatioInterval(found.ratio.ratio, None, None)
    return replace(found, blocked=why, caution=None, p_value=None, ratio=ratio, risk=risk, test="no test")


def battle_rates(battles: pd.DataFrame, outcome: str, rate: Rate) -> NDArray[np.float64]:
    """Rate of each battle, shape (battles,): messages with a mention / messages, or mentions / words; NaN where it has none.

    Outcomes that are only known by message have no count; they are always per message.
    """
    by_word = rate == "words" and f"{outcome}_count" in battles.columns
    above = battles[f"{outcome}_count" if by_word else f"{outcome}_messages"].to_numpy(dtype=np.float64, na_value=np.nan)
    below = battles["words" if by_word else "messages"].to_numpy(dtype=np.float64, na_value=np.nan)
    rates: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return rates


def compare(
    battles: pd.DataFrame,
    *,
    outcome: str,
    name: str,
    control: str,
    treatment: str,
    plan: AnalysisPlan,
    kind: Literal["rate", "any"] = "rate",
    rate: Rate | None = None,
    pooled: bool = False,
    blocked: str | None = None,
    confidence: float = CONFIDENCE,
) -> Comparison:
    """Compare two arms in one outcome.

    Args:
        battles: scored battles with columns arm, stratum, messages, words, <outcome>_messages and perhaps <outcome>_count.
        outcome: prefix of the outcome's columns.
        name: name of the outcome in the result.
        kind: "rate": permutation test, ratio and interval of battle rates; "any": Boschloo's test of battles with at least one.
        rate: denominator; None takes the plan's.
        pooled: ignore strata in the risk difference (tables from elsewhere).
        blocked: why no test may be made; estimates and the risk difference remain, p value and ratio interval are left out.
        confidence: level of the ratio's interval; at one of several looks it is that of a single test.
    """
    pair = battles[battles["arm"].isin([control, treatment])]
    value = battle_rates(pair, outcome, plan.rate if rate is None else rate)
    known = np.isfinite(value)
    treated = (pair["arm"] == treatment).to_numpy(dtype=np.bool_)[known]
    strata = pair["stratum"].to_numpy(dtype=object)[known].astype(str)
    value = value[known]
    shared = shared_strata(treated, strata)
    sides = Comparison(
        outcome=name,
        control=control,
        treatment=treatment,
        n_control=int((shared & ~treated).sum()),
        n_treatment=int((shared & treated).sum()),
        left_out=int((~shared).sum()),
        unknown=int((~known).sum()),
        blocked=blocked,
    )
    if not shared.any():
        absent = control if treated.all() else treatment
        one_armed = treated.all() or not treated.any()
        why = f"arm {absent} has no scored battle" if one_armed else f"no stratum holds battles of both {control} and {treatment}"
        return replace(sides, blocked=blocked or why)
    if blocked is None and min(sides.n_control, sides.n_treatment) < 2:
        few = f"battles: {sides.n_control} of {control}, {sides.n_treatment} of {treatment}; a test needs at least two of each"
        sides = replace(sides, blocked=few)
    any_event = value > 0
    if pooled:
        sides = replace(sides, risk=newcombe(**_counts(any_event, treated), confidence=CONFIDENCE))
    else:
        sides = replace(sides, risk=stratified_newcombe(any_event, treated, strata, confidence=CONFIDENCE))
    data = (value[shared], treated[shared], strata[shared])
    if kind == "any":
        found = _with_any(sides, *data, pooled=pooled)
    else:
        found = _with_rates(sides, *data, plan=plan, pooled=pooled, confidence=confidence)
    return withheld(found, blocked) if blocked is not None and is_interim(blocked) else found


def _with_rates(
    sides: Comparison, value: Floats, treated: Bools, strata: NDArray[np.object_], *, plan: AnalysisPlan, pooled: bool,
    confidence: float,
) -> Comparison:  # fmt: skip
    """Add rates, ratio, interval and permutation test; `value` holds battles in shared strata only."""
    arrangements = arrange(value, treated, strata, resamples=plan.resamples, rng=np.random.default_rng(plan.seed))
    control, treatment = arrangements.rate_control, arrangements.rate_treated
    floor = arrangements.smallest_p
    if sides.blocked is None and floor > plan.alpha:
        size = f"{sides.n_control} against {sides.n_treatment} battles in {_strata(arrangements.strata)}"
        sides = replace(sides, blocked=f"{size} cannot give a p below {floor:.4g}, which exceeds alpha {plan.alpha:g}")
    if sides.blocked is None and control > 0 and abs(control - treatment) <= 1e-12 and _constant(value, treated, strata):
        same = f"all battles of a stratum have the same rate ({control:.3g} on average)"
        sides = replace(sides, blocked=f"{same}: without any variation nothing can be estimated")
    ratio = RatioInterval(treatment / control if control > 0 else None, None, None)
    found = replace(sides, rate_control=control, rate_treatment=treatment, ratio=ratio, smallest_p=floor)
    if sides.blocked is not None:
        return found
    how = f"all {arrangements.count:,} arrangements" if arrangements.exact else f"{plan.resamples:,} resamples"
    text = f"permutation of battles within strata, studentised, {how}"
    return replace(
        found,
        p_value=arrangements.p_value(),
        ratio=invert(arrangements, confidence=confidence),
        test=f"{text}; risk difference pooled" if pooled else text,
    )


def _with_any(sides: Comparison, value: Floats, treated: Bools, strata: NDArray[np.object_], *, pooled: bool) -> Comparison:
    """Add the shares of battles with at least one event and Boschloo's test of the counts, which ignore strata."""
    any_event = value > 0
    counts = _counts(any_event, treated)
    if pooled:
        control, treatment = counts["events_control"] / counts["n_control"], counts["events_treated"] / counts["n_treated"]
    else:
        rates = arm_rates(any_event.astype(np.float64), treated, strata)
        control, treatment = rates.control, rates.treated
    found = replace(sides, rate_control=control, rate_treatment=treatment)
    if sides.blocked is not None:
        return found
    exact = boschloo(**counts)
    return replace(
        found,
        p_value=exact.p_value,
        test=f"{exact.test}, pooled over strata; risk difference {'pooled' if pooled else 'stratified'}",
        caution="the p value ignores strata, in which the arms have unequal shares" if _uneven(treated, strata) else None,
    )


def _constant(value: Floats, treated: Bools, strata: NDArray[np.object_]) -> bool:
    """Whether no battle differs from another of its arm and stratum."""
    spread = pd.DataFrame({"value": value, "treated": treated, "stratum": strata}).groupby(["treated", "stratum"])["value"]
    return bool(np.allclose(spread.max(), spread.min(), rtol=1e-12, atol=0.0))


def _uneven(treated: Bools, strata: NDArray[np.object_]) -> bool:
    """Whether the share of treated battles differs between strata."""
    shares = pd.Series(treated).groupby(strata).mean()
    return bool(shares.max() - shares.min() > 1e-9)


def _strata(count: int) -> str:
    return "1 stratum" if count == 1 else f"{count} strata"


def _counts(any_event: Bools, treated: Bools) -> dict[str, int]:
    return {
        "events_treated": int((any_event & treated).sum()),
        "n_treated": int(treated.sum()),
        "events_control": int((any_event & ~treated).sum()),
        "n_control": int((~treated).sum()),
    }

"""p values of the primary outcome of all treatments in, the p values that decide out, and how they came about in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mitigation.contrasts import Comparison
from mitigation.errors import AnalysisError
from mitigation.looks import Look
from mitigation.significance.holm import holm
from mitigation.significance.max_t import max_t
from mitigation.types import AnalysisPlan, Correction


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """p values that decide.

    Attributes:
        p_values: one a treatment, None where there was no test.
        family: comparisons that were counted.
        correction: what was used, which is the plan's where that is possible.
        notes: for the reader.
    """

    p_values: list[float | None]
    family: int
    correction: Correction
    notes: tuple[str, ...] = ()


def adjusted(primaries: Sequence[Comparison], scored: pd.DataFrame, *, plan: AnalysisPlan, look: Look | None) -> Adjusted:
    """Adjust p values as the plan says: for looks first, each on its own, then over the treatments.

    Holm's steps keep the level over treatments and looks together: the chance that the repeated p value of one treatment falls
    to alpha / k at any look is alpha / k at the most, and these sum to alpha. Over looks the family is that of the plan: a
    treatment that cannot be tested yet counts as one whose p value is 1.

    Args:
        primaries: the primary outcome of every treatment.
        scored: battles with a rate, with columns arm, stratum and rate.
        look: the planned look that these are, None where the plan has but one.
    """
    tested = [one.treatment for one in primaries if one.p_value is not None]
    raw = [one.p_value for one in primaries]
    if not tested:
        return Adjusted(p_values=[None] * len(raw), family=0, correction=plan.correction)
    if look is not None:
        known = [1.0 if p is None else look.repeated(p) for p in raw]
        found = [None if p is None else value for p, value in zip(raw, holm(known), strict=True)]
        over = f"{len(raw)} comparisons (Holm), each of them first for " if len(raw) > 1 else ""
        note = f"p values of the primary outcome are adjusted for {over}{look.of} planned looks (O’Brien–Fleming)"
        return Adjusted(p_values=found, family=len(raw), correction="holm", notes=(note,))
    if len(tested) < 2:
        return Adjusted(p_values=raw, family=1, correction=plan.correction)
    counted = f"p values of the primary outcome are adjusted for {len(tested)} comparisons"
    if plan.correction == "max_t":
        try:
            together = dict(zip(tested, by_max_t(scored, tested, plan=plan), strict=True))
        except AnalysisError as error:
            note = f"max-T, which the plan names, cannot be used ({error}): {counted} by Holm instead"
            return Adjusted(p_values=holm(raw), family=len(tested), correction="holm", notes=(note,))
        # Its permutations are others than those of the test of two arms: chance must not make it the smaller one.
        found = [None if one.p_value is None else max(one.p_value, together[one.treatment]) for one in primaries]
        return Adjusted(p_values=found, family=len(tested), correction="max_t", notes=(f"{counted} (max-T)",))
    return Adjusted(p_values=holm(raw), family=len(tested), correction="holm", notes=(f"{counted} (Holm)",))


def by_max_t(scored: pd.DataFrame, treatments: Sequence[str], *, plan: AnalysisPlan) -> list[float]:
    """Return the max-T p value of each treatment; errors as in `max_t`."""
    own = scored[scored["arm"].isin([plan.control, *treatments])]
    return max_t(
        own["rate"].to_numpy(dtype=np.float64), own["arm"].to_numpy(), own["stratum"].astype(str).to_numpy(), treatments,
        control=plan.control, resamples=plan.resamples, seed=plan.seed,
    )  # fmt: skip

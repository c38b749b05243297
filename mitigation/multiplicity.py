"""p values of the primary outcome of all treatments in, the p values that decide out, and how they came about in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mitigation.contrasts import Comparison
from mitigation.errors import AnalysisError
from mitigation.looks import Look
from mitigation.significance.holm import holm
from mitigation.significance.max_t import max_t
from mitigation.types import AnalysisPlan


def adjusted(
    primaries: Sequence[Comparison], scored: pd.DataFrame, *, plan: AnalysisPlan, look: Look | None
) -> tuple[list[float | None], list[str]]:
    """Adjust p values as the plan says: for looks first, each on its own, then over the treatments that were tested.

    Holm's steps keep the level over treatments and looks together: the chance that the repeated p value of one treatment falls
    to alpha / k at any look is alpha / k at the most, and these sum to alpha.

    Args:
        primaries: the primary outcome of every treatment.
        scored: battles with a rate, with columns arm, stratum and rate.
        look: the planned look that these are, None where the plan has but one.

    Returns:
        One p value a treatment, None where there was no test; and notes for the reader.
    """
    tested = [one.treatment for one in primaries if one.p_value is not None]
    repeated = [one.p_value if look is None else look.repeated(one.p_value) for one in primaries]
    if not tested or (len(tested) < 2 and look is None):
        return [None] * len(primaries) if not tested else repeated, []
    for_looks = "" if look is None else f", each of them first for {look.of} planned looks (O’Brien–Fleming)"
    if plan.correction == "max_t":
        try:
            together = dict(zip(tested, by_max_t(scored, tested, plan=plan), strict=True))
            found = [together.get(one.treatment) if one.p_value is not None else None for one in primaries]
            return found, [f"p values of the primary outcome are adjusted for {len(tested)} comparisons (max-T)"]
        except AnalysisError as error:
            why = f"max-T, which the plan names, cannot be used ({error}): "
            return holm(repeated), [f"{why}p values are adjusted for {len(tested)} comparisons by Holm instead"]
    if len(tested) < 2:
        return repeated, [f"the p value of the primary outcome is adjusted{for_looks.replace(', each of them first', '')}"]
    return holm(repeated), [f"p values of the primary outcome are adjusted for {len(tested)} comparisons (Holm){for_looks}"]


def by_max_t(scored: pd.DataFrame, treatments: Sequence[str], *, plan: AnalysisPlan) -> list[float]:
    """Return the max-T p value of each treatment; errors as in `max_t`."""
    own = scored[scored["arm"].isin([plan.control, *treatments])]
    return max_t(
        own["rate"].to_numpy(dtype=np.float64), own["arm"].to_numpy(), own["stratum"].astype(str).to_numpy(), treatments,
        control=plan.control, resamples=plan.resamples, seed=plan.seed,
    )  # fmt: skip

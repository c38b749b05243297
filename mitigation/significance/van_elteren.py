"""Battle rates, arms and strata in; the stratified rank test out. It asks whether distributions differ, not whether means do.

With equal means and unequal spread a rank test rejects, rightly, what it tests: it is shown under its own name and stands for
no rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from mitigation.errors import AnalysisError
from mitigation.estimates import shared_strata


@dataclass(frozen=True, slots=True)
class RankResult:
    """One test.

    Attributes:
        superiority: chance that a treated battle has a higher rate than a control battle of its stratum, ties counted half;
            strata weighed as in the test. 0.5 is no shift.
        p_value: two-sided, from the normal approximation with ties, without a correction for continuity.
    """

    superiority: float
    p_value: float


def van_elteren(values: ArrayLike, treated: ArrayLike, strata: ArrayLike | None = None) -> RankResult:
    """Van Elteren's test (1960): Wilcoxon's rank sums of all strata, each weighed by 1 / (n_s + 1).

    In one stratum it is Mann & Whitney's test, as scipy's `mannwhitneyu(method="asymptotic", use_continuity=False)`.

    Args:
        values: one number a battle, shape (battles,).
        treated: True for battles of the treated arm, shape (battles,).
        strata: stratum of each battle, shape (battles,); None puts all into one.

    Raises:
        AnalysisError: no stratum holds both arms, or all battles of every stratum have the same value.
    """
    value, label = np.asarray(values, dtype=np.float64), np.asarray(treated, dtype=np.bool_)
    names = (np.zeros(label.shape, dtype=np.int8) if strata is None else np.asarray(strata)).astype(str)
    keep = shared_strata(label, names)
    if not keep.any():
        raise AnalysisError("no stratum holds battles of both arms")
    from scipy.stats import norm, rankdata

    shift = variance = pairs = 0.0
    for name in np.unique(names[keep]):
        own = names == name
        ranks, side = rankdata(value[own]), label[own]
        n, m = ranks.size, int(side.sum())
        weight = 1 / (n + 1)
        excess = float(ranks[side].sum()) - m * (n + 1) / 2  # U minus its mean
        shift += weight * excess
        # The variance of a rank sum is m (n - m) / n times the variance of all ranks with divisor n - 1, ties or not.
        variance += weight**2 * m * (n - m) / n * float(np.var(ranks, ddof=1))
        pairs += weight * m * (n - m)
    if variance == 0:
        raise AnalysisError("all battles of a stratum have the same rate: there is nothing to rank")
    return RankResult(0.5 + shift / pairs, float(2 * norm.sf(abs(shift) / sqrt(variance))))

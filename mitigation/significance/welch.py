"""Battle rates of two arms in; Welch's test of equal means, blind to strata, out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mitigation.errors import AnalysisError


@dataclass(frozen=True, slots=True)
class WelchResult:
    """Difference of means, treated minus control, with its interval and two-sided p value."""

    difference: float
    low: float
    high: float
    p_value: float


def welch(values: ArrayLike, treated: ArrayLike, *, confidence: float = 0.95) -> WelchResult:
    """Welch's t test with Satterthwaite's degrees of freedom, as scipy's `ttest_ind(equal_var=False)`; both one entry a battle.

    Raises:
        AnalysisError: an arm has fewer than two battles, or no battle differs from another of its arm.
    """
    value, label = np.asarray(values, dtype=np.float64), np.asarray(treated, dtype=np.bool_)
    arms = np.sort(value[label]), np.sort(value[~label])
    if min(arm.size for arm in arms) < 2:
        raise AnalysisError("a t test needs two battles of each arm")
    if all(np.ptp(arm) <= 1e-12 * np.abs(arm).max() for arm in arms):  # equal but for rounding
        raise AnalysisError("no battle differs from another of its arm: a t test has no scale")
    from scipy.stats import ttest_ind

    with warnings.catch_warnings():  # an arm without variation is no fault: the other one has some
        warnings.filterwarnings("ignore", message="Precision loss occurred", category=RuntimeWarning)
        found = ttest_ind(*arms, equal_var=False)
        ends = found.confidence_interval(confidence)
    return WelchResult(float(arms[0].mean() - arms[1].mean()), float(ends.low), float(ends.high), float(found.pvalue))

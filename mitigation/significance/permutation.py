"""Battle rates, arms and strata in; the p value of a stratified, studentised permutation of the arm labels out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mitigation.significance.arrangements import Arrangements, arrange


@dataclass(frozen=True, slots=True)
class PermutationResult:
    """One test.

    Attributes:
        p_value: two-sided, in (0, 1]: count / arrangements when all were enumerated, else (1 + b) / (1 + B).
        difference: weighted difference of mean rates, treated minus control, in the unit of the rates.
        statistic: the studentised difference; None where the variance is zero.
        arrangements: number of different assignments of the labels, at most 10^18 (more are not told apart).
        exact: True when all arrangements were enumerated.
        smallest_p: no data in this design could give a smaller p value.
        n_control, n_treated: battles used, in strata that hold both arms.
        strata: number of those strata.
    """

    p_value: float
    difference: float
    statistic: float | None
    arrangements: int
    exact: bool
    smallest_p: float
    n_control: int
    n_treated: int
    strata: int


def permutation_test(
    values: ArrayLike, treated: ArrayLike, strata: ArrayLike | None = None, *, resamples: int = 10_000, rng: np.random.Generator
) -> PermutationResult:
    """Test two-sided whether the rates are equal; arguments and errors as in `arrange`."""
    return equal_rates(arrange(values, treated, strata, resamples=resamples, rng=rng))


def equal_rates(arrangements: Arrangements) -> PermutationResult:
    """Test two-sided whether the rates are equal, with arrangements that the interval can share."""
    return PermutationResult(
        p_value=arrangements.p_value(),
        difference=arrangements.rate_treated - arrangements.rate_control,
        statistic=arrangements.statistic(),
        arrangements=arrangements.count,
        exact=arrangements.exact,
        smallest_p=arrangements.smallest_p,
        n_control=arrangements.n_control,
        n_treated=arrangements.n_treated,
        strata=arrangements.strata,
    )

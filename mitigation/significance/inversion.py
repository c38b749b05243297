"""Arrangements in, the rate ratio with the interval of all ratios that the permutation test does not reject out."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from mitigation.errors import AnalysisError
from mitigation.significance.arrangements import Arrangements, arrange

_STEPS: Final = tuple(0.03 * 1.25**k for k in range(30))
"""Distances in log theta from the estimate at which the test is tried, up to a factor of e^19."""
_PRECISION: Final = 1e-9


@dataclass(frozen=True, slots=True)
class RatioInterval:
    """Ratio of rates, treated / control: `low` 0 means "at most `high`", `high` None no upper end, `ratio` None not estimable."""

    ratio: float | None
    low: float | None
    high: float | None


def invert(arrangements: Arrangements, *, confidence: float = 0.95) -> RatioInterval:
    """Find all theta = rate_treated / rate_control with p > 1 - confidence when the treated rates are divided by theta.

    Where the accepted theta have gaps the interval spans them, except that it never spans a rejected theta = 1: it holds 1 if
    and only if the test at theta = 1 gives p > 1 - confidence.

    With a treated total of 0 the upper end is (1 - a^(1/n_treated)) / any_control, a = (1 - confidence) / 2: the largest chance
    of an event that n_treated empty battles leave open, over the share of control battles with an event; it is raised to 1 where
    the test does not reject equal rates. With a control total of 0 nothing can be estimated. `arrangements` must be of rates of
    at least 0.
    """
    control, treated = arrangements.rate_control, arrangements.rate_treated
    if control == 0:
        return RatioInterval(None, None, None)
    alpha = 1.0 - confidence
    if treated == 0:
        bound = (1.0 - (alpha / 2.0) ** (1.0 / arrangements.n_treated)) / arrangements.any_control
        return RatioInterval(0.0, 0.0, bound if arrangements.p_value() <= alpha else max(bound, 1.0))
    low = _end(arrangements, -1.0, alpha)
    high = _end(arrangements, 1.0, alpha)
    return RatioInterval(treated / control, 0.0 if low is None else low, high)


def rate_ratio(
    values: ArrayLike,
    treated: ArrayLike,
    strata: ArrayLike | None = None,
    *,
    resamples: int = 10_000,
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> RatioInterval:
    """Rate ratio and interval of battle rates; arguments and errors as in `arrange`.

    Raises:
        AnalysisError: also when a rate is negative, since a ratio then has no meaning.
    """
    if np.any(np.asarray(values, dtype=np.float64) < 0):
        raise AnalysisError("a rate is negative: a ratio needs rates of at least 0")
    return invert(arrange(values, treated, strata, resamples=resamples, rng=rng), confidence=confidence)


def _end(arrangements: Arrangements, side: float, alpha: float) -> float | None:
    """End of the interval above (side 1) or below (side -1) the estimate; None where the test accepts without bound."""
    centre = log(arrangements.rate_treated / arrangements.rate_control)

    def rejects(distance: float) -> bool:
        where = centre + side * distance
        # Scaled so that neither coefficient exceeds 1, whatever the size of theta.
        return arrangements.p_value(one=exp(min(where, 0.0)), u=exp(-max(where, 0.0))) <= alpha

    steps, to_one = [0.0, *_STEPS], -centre * side
    if to_one > 0 and arrangements.p_value() <= alpha:
        steps = [*(step for step in steps if step < to_one), to_one]
    elif arrangements.p_value(one=float(side > 0), u=float(side < 0)) > alpha:
        return None
    elif to_one > 0:
        steps = sorted([*steps, to_one])
    accepted = max(i for i, step in enumerate(steps) if i == 0 or not rejects(step))
    if accepted == len(steps) - 1:
        return None
    inside, outside = steps[accepted], steps[accepted + 1]
    while outside - inside > _PRECISION:
        middle = (inside + outside) / 2
        if rejects(middle):
            outside = middle
        else:
            inside = middle
    return exp(centre + side * (outside if inside == to_one else inside))

"""Sizes of arms in, the chance to find an effect out: closed form, before any battle.

The statistic is the logarithm of the ratio of two mean battle rates; its variance is (CV₀² + CV₁²) / n with n battles an arm,
whose rates vary by the coefficients of variation CV₀ and CV₁ inside a stratum (delta method), and Student's t with 2n - S - 1
degrees of freedom stands in for the normal distribution, S being the number of strata.
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import Final

from scipy.stats import t

POWER: Final = 0.8
REGIMES: Final = {"often": (0.8, 0.85), "in two of three battles": (1.5, 1.75), "rarely": (3.5, 4.4)}
"""Coefficients of variation (control, treatment at half the rate) of battles in which control says "we" so often.

Rounded from simulated battles with contagion between the agents, battles without any, and early ends; a pilot knows better.
"""


def power(n: int, *, ratio: float, variation: tuple[float, float], strata: int, alpha: float) -> float:
    """Return the chance that a two-sided test at `alpha` finds a rate ratio, with `n` battles an arm."""
    freedom, error = _scale(n, variation, strata)
    if freedom < 1:
        return 0.0
    return float(t.cdf(abs(log(ratio)) / error - t.isf(alpha / 2, freedom), freedom))


def smallest_ratio(n: int, *, variation: tuple[float, float], strata: int, alpha: float, wanted: float = POWER) -> float | None:
    """Return the rate ratio nearest to 1 (below it) that is found with the wanted power; None where no test is possible."""
    freedom, error = _scale(n, variation, strata)
    if freedom < 1:
        return None
    return exp(-float(t.isf(alpha / 2, freedom) + t.ppf(wanted, freedom)) * error)


def battles_needed(*, ratio: float, variation: tuple[float, float], strata: int, alpha: float, wanted: float = POWER) -> int:
    """Return the smallest number of battles an arm that finds a rate ratio with the wanted power."""
    low, high = 1, 2
    while power(high, ratio=ratio, variation=variation, strata=strata, alpha=alpha) < wanted:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        enough = power(middle, ratio=ratio, variation=variation, strata=strata, alpha=alpha) >= wanted
        low, high = (low, middle) if enough else (middle, high)
    return high


def _scale(n: int, variation: tuple[float, float], strata: int) -> tuple[int, float]:
    """Return degrees of freedom and standard error of the log ratio."""
    return 2 * n - strata - 1, sqrt(sum(v * v for v in variation) / n)

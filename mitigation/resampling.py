"""Counts or sums of battles in, what they add up to in resamples of whole battles out, and the interval of what follows.

Row 0 of such sums is the data as they are, the others are resamples; a statistic is computed of all rows at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitigation.errors import AnalysisError
from mitigation.estimates import Interval

Floats = NDArray[np.float64]

POOLED: Final = "all"
MOST_UNDEFINED: Final = 0.05
"""Share of resamples that may lack a value: with more, percentiles would be of the resamples that happen to have one."""
_DRAWS: Final = 2_000_000
"""Battles that are drawn at once, which bounds the memory."""


def resampled_sums(values: ArrayLike, *, resamples: int, rng: np.random.Generator) -> Floats:
    """Add battles up, and again with as many drawn with replacement (the cluster bootstrap).

    A battle is drawn with all its columns, so that statistics of several columns belong together.

    Args:
        values: counts or sums of each battle, shape (battles, columns).

    Returns:
        Sums, shape (1 + resamples, columns); row 0 holds those of the data.
    """
    value = np.asarray(values, dtype=np.float64)
    battles, columns = value.shape
    sums = np.zeros((1 + resamples, columns))
    sums[0] = value.sum(axis=0)
    size = max(1, _DRAWS // max(battles, 1))
    for start in range(1, len(sums) if battles else 0, size):
        rows = len(sums[start : start + size])
        drawn = rng.integers(battles, size=(rows, battles)) + battles * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * battles).reshape(rows, battles)
        sums[start : start + rows] = times @ value
    return sums


def arms_of(battles: Sequence[str], arms: Mapping[str, str] | None) -> NDArray[np.str_] | None:
    """Return the arm of each battle, shape (battles,); None without arms.

    Raises:
        AnalysisError: a battle has no arm, or an arm has the name that stands for all of them.
    """
    if arms is None:
        return None
    if strays := [battle for battle in battles if battle not in arms]:
        raise AnalysisError(f"battle {strays[0]} has no arm ({len(strays)} in all): give the arm of every battle")
    if POOLED in arms.values():
        raise AnalysisError(f"an arm is called {POOLED!r}, which stands for all arms together: rename it")
    return np.array([arms[battle] for battle in battles], dtype=np.str_)


def sums_by_arm(values: Floats, arms: NDArray[np.str_] | None, *, resamples: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Return `resampled_sums` of all battles ("all") and of each arm; battles are drawn within their arms.

    Args:
        values: shape (battles, columns).
        arms: arm of each battle, shape (battles,); None pools only and draws from all battles.
    """
    if arms is None:
        return {POOLED: resampled_sums(values, resamples=resamples, rng=rng)}
    by_arm = {str(arm): resampled_sums(values[arms == arm], resamples=resamples, rng=rng) for arm in np.unique(arms)}
    return {POOLED: sum(by_arm.values(), np.zeros((1, 1))), **by_arm}


def percentile_interval(values: ArrayLike, *, confidence: float = 0.95) -> Interval | None:
    """Return a statistic with its percentile limits; None where it has no value.

    Both limits are None where more than `MOST_UNDEFINED` of the resamples have no value, and where none differs from another:
    battles that are all alike say nothing of how much others would differ.

    Args:
        values: of the data and then of the resamples, shape (1 + resamples,), NaN where there is none.
    """
    value = np.asarray(values, dtype=np.float64)
    drawn = value[1:][np.isfinite(value[1:])]
    if not np.isfinite(value[0]):
        return None
    if not drawn.size or drawn.size < (1 - MOST_UNDEFINED) * (value.size - 1) or np.ptp(drawn) <= 1e-12:
        return Interval(float(value[0]), None, None)
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(value[0]), float(low), float(high))


def quotient(above: ArrayLike, below: ArrayLike) -> Floats:
    """Divide elementwise; NaN where `below` is 0."""
    over, under = np.broadcast_arrays(np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64))
    result: Floats = np.divide(over, under, out=np.full(over.shape, np.nan), where=under != 0)
    return result

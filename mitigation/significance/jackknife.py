"""Battle rates and the wordings that were drawn in, the rate ratio with an interval over wordings out.

The permutation of battles asks whether these wordings changed these battles. Whether other wordings would do the same is asked
by leaving out one wording at a time. Two agents draw one each, so a battle belongs to two wordings, like a tie to two people:
the variance is that of Snijders & Borgatti (1999) for such data, (W - 2) / (2 W) sum (r_-w - mean)^2 over W wordings, or the
plain jackknife's (W - 1) / W where a battle has one. The control's own variance is added; Student's t has
W - 1 degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitigation.errors import AnalysisError
from mitigation.estimates import arm_rates, shared_strata

FEWEST: Final = 4
"""Fewer wordings say next to nothing of how much others would differ."""


@dataclass(frozen=True, slots=True)
class JackknifeResult:
    """Rate ratio, treated / control, with its interval over wordings and the two-sided p value of the ratio 1."""

    ratio: float
    low: float
    high: float
    p_value: float
    wordings: int


def jackknife(
    values: ArrayLike,
    treated: ArrayLike,
    strata: ArrayLike,
    wordings: Sequence[tuple[int, ...]],
    *,
    confidence: float = 0.95,
) -> JackknifeResult:
    """Leave out each wording of the treated arm in turn; every argument has one entry a battle.

    Args:
        values: rates.
        treated: True for battles of the treated arm.
        strata: stratum of each battle.
        wordings: wordings that the agents of a battle drew; those of control battles are not looked at.

    Raises:
        AnalysisError: fewer than `FEWEST` wordings, or an arm without any event, with all wordings or with one left out.
    """
    value, label = np.asarray(values, dtype=np.float64), np.asarray(treated, dtype=np.bool_)
    names = np.asarray(strata).astype(str)
    drawn = [frozenset(own) if side else frozenset() for own, side in zip(wordings, label, strict=True)]
    every = sorted(frozenset().union(*drawn))
    if len(every) < FEWEST:
        raise AnalysisError(
            f"{len(every)} wordings were drawn: at least {FEWEST} are needed to tell how much others would differ"
        )
    whole = _log_ratio(value, label, names)
    without = np.array([_log_ratio(*_kept(value, label, names, [one not in own for own in drawn])) for one in every])
    two = max(len(own) for own in drawn) > 1
    count = len(every)
    factor = (count - 2) / (2 * count) if two else (count - 1) / count
    variance = factor * float(np.sum((without - without.mean()) ** 2)) + _of_control(value, label, names)
    if variance == 0:
        raise AnalysisError("neither wordings nor battles differ: there is nothing to estimate an error from")
    from scipy.stats import t

    error = float(np.sqrt(variance))
    reach = float(t.isf((1 - confidence) / 2, count - 1)) * error
    p_value = float(2 * t.sf(abs(whole) / error, count - 1))
    return JackknifeResult(exp(whole), exp(whole - reach), exp(whole + reach), p_value, count)


def _kept(
    value: NDArray[np.float64], label: NDArray[np.bool_], names: NDArray[np.str_], keep: list[bool]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.str_]]:
    mask = np.array(keep)
    return value[mask], label[mask], names[mask]


def _log_ratio(value: NDArray[np.float64], label: NDArray[np.bool_], names: NDArray[np.str_]) -> float:
    rates = arm_rates(value, label, names)
    if rates.control <= 0 or rates.treated <= 0:
        raise AnalysisError("an arm has no event, with all wordings or with one of them left out")
    return log(rates.treated / rates.control)


def _of_control(value: NDArray[np.float64], label: NDArray[np.bool_], names: NDArray[np.str_]) -> float:
    """Variance of the logarithm of the control's rate: Neyman's in each stratum, over the squared rate."""
    keep = shared_strata(label, names)
    rates, total = arm_rates(value, label, names), 0.0
    for name in np.unique(names[keep]):
        own = value[keep & (names == name) & ~label]
        weight = float(np.mean(names[keep] == name))
        if own.size > 1:
            total += weight**2 * float(np.var(own, ddof=1)) / own.size
    return total / rates.control**2

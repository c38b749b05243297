"""Battle rates and the wordings that were drawn in, the rate ratio with an interval over wordings out.

The permutation of battles asks whether these wordings changed these battles. Whether other wordings would do the same is asked
by leaving out one wording at a time. Two agents draw one each, so that a battle belongs to two wordings, as a tie belongs to two
people. The variance is that of dyadic data (Cameron & Miller 2014), by the jackknife: (W - 2) / W sum (r_-w - mean)^2 over W
wordings, less what it counts twice, (n - 1) / n sum (r_-b - mean)^2 over n treated battles left out one at a time, and never less
than that last sum alone. Where a battle has one wording it is the plain (W - 1) / W sum. The control's own variance is added;
Student's t has Satterthwaite's degrees of freedom over W - 1 and those of the control.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitigation.errors import AnalysisError
from mitigation.estimates import arm_rates, mean_variance, shared_strata

FEWEST: Final = 4
"""Fewer wordings say next to nothing of how much others would differ."""
_ZERO: Final = 1e-12
"""A variance of a logarithm below this is rounding error."""


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
        few = f"{len(every)} wording{'' if len(every) == 1 else 's'} drawn"
        raise AnalysisError(f"{few}: at least {FEWEST} are needed to tell how much others would differ")
    whole = _log_ratio(value, label, names)
    without = np.array([_log_ratio(*_kept(value, label, names, [one not in own for own in drawn])) for one in every])
    count, spread = len(every), float(np.sum((without - without.mean()) ** 2))
    if max(len(own) for own in drawn) > 1:
        battles = _of_battles(value, label, names)
        wordings_part = max((count - 2) / count * spread - battles, battles)
    else:
        wordings_part = (count - 1) / count * spread
    control_part, control_freedom = _of_control(value, label, names)
    variance = wordings_part + control_part
    if variance < _ZERO:
        raise AnalysisError("neither wordings nor battles differ: there is nothing to estimate an error from")
    freedom = variance**2 / (wordings_part**2 / (count - 1) + control_part**2 / control_freedom)
    from scipy.stats import t

    error = float(np.sqrt(variance))
    reach = float(t.isf((1 - confidence) / 2, freedom)) * error
    p_value = float(2 * t.sf(abs(whole) / error, freedom))
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


def _of_battles(value: NDArray[np.float64], label: NDArray[np.bool_], names: NDArray[np.str_]) -> float:
    """Variance of the logarithm of the treated rate when each treated battle is left out in turn; weights of strata are kept."""
    keep = shared_strata(label, names)
    own, codes = value[keep & label], np.unique(names[keep], return_inverse=True)[1]
    weight, code = np.bincount(codes) / codes.size, codes[label[keep]]
    size, total = np.bincount(code), np.bincount(code, own)
    rate = float(weight @ (total / size))
    alone = size[code] == 1  # nothing is left of its stratum: it moves nothing
    means = (total[code] - own) / np.maximum(size[code] - 1, 1)
    moved = np.where(alone, 0.0, weight[code] * (means - (total / size)[code]))
    left = np.log(np.maximum(rate + moved, 1e-300) / rate)
    return float((own.size - 1) / own.size * np.sum((left - left.mean()) ** 2))


def _of_control(value: NDArray[np.float64], label: NDArray[np.bool_], names: NDArray[np.str_]) -> tuple[float, int]:
    """Variance of the logarithm of the control's rate, and its degrees of freedom."""
    keep = shared_strata(label, names)
    weights = {str(name): float(np.mean(names[keep] == name)) for name in np.unique(names[keep])}
    own = keep & ~label
    freedom = int(own.sum()) - len(weights)
    if freedom < 1:
        raise AnalysisError("the control has one battle in each stratum: its error cannot be told")
    mean, variance = mean_variance(value[own], names[own], weights)
    return variance / mean**2, freedom

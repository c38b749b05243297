"""Battle rates and counts in, effect sizes with their intervals out: arm rates, risk differences, mean rates."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitigation.errors import AnalysisError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ArmRates:
    """Rates of two arms, weighted alike; `left_out` counts battles in strata that only one arm holds."""

    control: float
    treated: float
    n_control: int
    n_treated: int
    strata: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its limits, in the unit of the estimate; None where a limit cannot be estimated."""

    estimate: float
    low: float | None
    high: float | None


def shared_strata(treated: ArrayLike, strata: ArrayLike) -> NDArray[np.bool_]:
    """Which battles lie in strata that hold both arms, shape (battles,)."""
    label, names = np.asarray(treated, dtype=np.bool_), np.asarray(strata).astype(str)
    return np.isin(names, np.intersect1d(names[label], names[~label]))


def arm_rates(values: ArrayLike, treated: ArrayLike, strata: ArrayLike) -> ArmRates:
    """Compute rate_a = sum_s w_s * (mean value of arm a in stratum s), w_s = n_s / N over the strata that hold both arms.

    This is the estimand: n_s counts the battles of both arms in stratum s, N is their sum. With equal allocation it is the plain
    mean of each arm.

    Args:
        values: one number a battle, shape (battles,): its rate, or 1 and 0 for battles with and without any mention.
        treated: True for battles of the treated arm, shape (battles,).
        strata: stratum of each battle, shape (battles,).

    Raises:
        AnalysisError: no stratum holds both arms.
    """
    value, label = np.asarray(values, dtype=np.float64), np.asarray(treated, dtype=np.bool_)
    keep = shared_strata(label, strata)
    if not keep.any():
        raise AnalysisError("no stratum holds battles of both arms, so nothing can be compared: fight the same strata in both")
    value, label, code = value[keep], label[keep], _codes(np.asarray(strata)[keep])
    order = np.lexsort((value, code))
    value, label, code = value[order], label[order], code[order]
    weight = np.bincount(code) / code.size
    rate = [float(weight @ (np.bincount(code[side], value[side]) / np.bincount(code[side]))) for side in (~label, label)]
    return ArmRates(rate[0], rate[1], int((~label).sum()), int(label.sum()), weight.size, int((~keep).sum()))


def wilson(events: ArrayLike, n: ArrayLike, *, z: float) -> tuple[Floats, Floats]:
    """Wilson's score limits of proportions, elementwise, for a two-sided normal quantile z (Wilson 1927)."""
    x, size = np.asarray(events, dtype=np.float64), np.asarray(n, dtype=np.float64)
    centre = x + z * z / 2
    half = z * np.sqrt(x * (size - x) / size + z * z / 4)
    return np.maximum((centre - half) / (size + z * z), 0.0), np.minimum((centre + half) / (size + z * z), 1.0)


def newcombe(*, events_treated: int, n_treated: int, events_control: int, n_control: int, confidence: float = 0.95) -> Interval:
    """Risk difference, treated minus control, with the hybrid score interval (Newcombe 1998, method 10).

    Raises:
        AnalysisError: an arm is empty or a count is outside 0..n.
    """
    _check_counts([events_treated, events_control], [n_treated, n_control])
    one = np.ones(1)
    return _hybrid(events_treated * one, n_treated * one, events_control * one, n_control * one, one, confidence)


def stratified_newcombe(events: ArrayLike, treated: ArrayLike, strata: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Risk difference weighted as the estimand, with the stratified Newcombe interval (Yan & Su 2010).

    Stratified Wilson limits L_a, U_a of each arm enter Newcombe's formula with sum_s w_s^2 / n_as in the place of 1 / n_a; with
    one stratum this is the plain interval.

    Args:
        events: True for battles with the event, shape (battles,).
        treated, strata: as in `arm_rates`.

    Raises:
        AnalysisError: no stratum holds both arms.
    """
    event, label = np.asarray(events, dtype=np.bool_), np.asarray(treated, dtype=np.bool_)
    keep = shared_strata(label, strata)
    if not keep.any():
        raise AnalysisError("no stratum holds battles of both arms, so nothing can be compared: fight the same strata in both")
    event, label, code = event[keep], label[keep], _codes(np.asarray(strata)[keep])
    count = np.bincount(code).size
    x_t, n_t = np.bincount(code[label & event], minlength=count), np.bincount(code[label], minlength=count)
    x_c, n_c = np.bincount(code[~label & event], minlength=count), np.bincount(code[~label], minlength=count)
    return _hybrid(x_t, n_t, x_c, n_c, np.bincount(code) / code.size, confidence)


def mean_interval(
    values: ArrayLike, strata: ArrayLike, weights: dict[str, float], *, top: float | None, confidence: float = 0.95
) -> Interval:
    """Weighted mean rate of one arm with a t interval, cut at what a rate can be: 0 and `top`.

    Variance sum_s w_s^2 s^2 / n_s with s^2 of the stratum, or the pooled one where a stratum has a single battle; degrees of
    freedom after Satterthwaite. Limits are None where no stratum has two battles and where no battle differs from another of its
    stratum: equal battles say nothing of how much others would differ.

    Args:
        values: rate of each battle of the arm, shape (battles,), at least one.
        strata: stratum of each battle, shape (battles,).
        weights: weight of each stratum that may occur; weights of strata without a battle are shared out by rescaling.
        top: largest possible rate, None where there is none.
    """
    value, names = np.asarray(values, dtype=np.float64), np.asarray(strata).astype(str)
    order = np.lexsort((value, names))
    value, names = value[order], names[order]
    present, code = np.unique(names, return_inverse=True)
    weight = np.array([weights[str(name)] for name in present])
    weight = weight / weight.sum()
    n = np.bincount(code)
    mean = np.bincount(code, value) / n
    estimate = float(weight @ mean)
    freedom = n - 1
    if freedom.sum() == 0:
        return Interval(estimate, None, None)
    squares = np.bincount(code, (value - mean[code]) ** 2)
    pooled = squares.sum() / freedom.sum()
    variance = np.where(freedom > 0, squares / np.maximum(freedom, 1), pooled)
    part = weight**2 * variance / n
    total = float(part.sum())
    if total == 0.0:
        return Interval(estimate, None, None)
    from scipy.stats import t

    lent = np.sum(part[freedom == 0])
    df = total**2 / (np.sum(part[freedom > 0] ** 2 / freedom[freedom > 0]) + lent**2 / freedom.sum())
    half = float(t.ppf((1 + confidence) / 2, df)) * total**0.5
    high = estimate + half
    return Interval(estimate, max(0.0, estimate - half), high if top is None else min(top, high))


def cohens_h(treated: float, control: float) -> float:
    """Cohen's h of two proportions, 2 arcsin sqrt(treated) - 2 arcsin sqrt(control) (Cohen 1988)."""
    return 2 * asin(sqrt(treated)) - 2 * asin(sqrt(control))


def mean_variance(values: ArrayLike, strata: ArrayLike, weights: dict[str, float]) -> tuple[float, float]:
    """Weighted mean rate of one arm and its variance, sum_s w_s^2 s^2 / n_s; a stratum of one battle is lent the pooled s^2.

    Args:
        values, strata: one entry a battle of the arm.
        weights: weight of each stratum, adding up to 1; every one of them has a battle.
    """
    value, names = np.asarray(values, dtype=np.float64), np.asarray(strata).astype(str)
    present, code = np.unique(names, return_inverse=True)
    weight, n = np.array([weights[str(name)] for name in present]), np.bincount(code)
    mean = np.bincount(code, value) / n
    squares, freedom = np.bincount(code, (value - mean[code]) ** 2), n - 1
    pooled = squares.sum() / max(1, freedom.sum())
    variance = np.where(freedom > 0, squares / np.maximum(freedom, 1), pooled)
    return float(weight @ mean), float(np.sum(weight**2 * variance / n))


def _codes(names: NDArray[np.generic]) -> NDArray[np.intp]:
    return np.unique(names.astype(str), return_inverse=True)[1].reshape(names.shape)


def _check_counts(events: list[int], sizes: list[int]) -> None:
    for x, n in zip(events, sizes, strict=True):
        if n < 1 or not 0 <= x <= n:
            raise AnalysisError(f"{x} of {n} battles is no proportion: an arm needs battles and 0 to n events")


def _hybrid(x_t: ArrayLike, n_t: ArrayLike, x_c: ArrayLike, n_c: ArrayLike, weight: Floats, confidence: float) -> Interval:
    """Newcombe's interval from counts of each stratum, all of shape (strata,)."""
    from scipy.special import ndtri

    z = float(ndtri((1 + confidence) / 2))
    p_t, low_t, high_t, size_t = _stratified_wilson(np.asarray(x_t), np.asarray(n_t), weight, z)
    p_c, low_c, high_c, size_c = _stratified_wilson(np.asarray(x_c), np.asarray(n_c), weight, z)
    down = z * (low_t * (1 - low_t) * size_t + high_c * (1 - high_c) * size_c) ** 0.5
    up = z * (high_t * (1 - high_t) * size_t + low_c * (1 - low_c) * size_c) ** 0.5
    return Interval(p_t - p_c, max(-1.0, p_t - p_c - down), min(1.0, p_t - p_c + up))


def _stratified_wilson(
    events: NDArray[np.generic], n: NDArray[np.generic], weight: Floats, z: float
) -> tuple[float, float, float, float]:
    """Weighted proportion, its stratified Wilson limits (Yan & Su 2010, equation 4) and sum w^2 / n.

    Each stratum's limits use the quantile z * sqrt(sum w^2 v) / sum(w sqrt(v)), v = p (1 - p) / n. Where every p is 0 or 1 all v
    are zero and 1 / n takes their place, as for equal p.
    """
    x, size = events.astype(np.float64), n.astype(np.float64)
    p = x / size
    variance = p * (1 - p) / size
    if not variance.any():
        variance = 1 / size
    parts = weight * np.sqrt(variance)
    low, high = wilson(x, size, z=z * float(np.sqrt(np.sum(parts**2)) / np.sum(parts)))
    # A weighted mean of ones can exceed 1 by a rounding, and p (1 - p) would then be negative.
    at, below, above = (min(1.0, max(0.0, float(weight @ part))) for part in (p, low, high))
    return at, below, above, float(np.sum(weight**2 / size))

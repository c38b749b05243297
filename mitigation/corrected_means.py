"""Battles of one arm in, its mean rate by four methods out, ready to be compared with that of another arm.

A detector errs, and differently by arm: its rates are biased and so are their differences. Where people labelled whole battles,
drawn at random from the arm, the error of that arm can be estimated and taken away:

    uncorrected     mean of the detector's rates
    labelled        mean of the people's rates, nothing else
    rogan_gladen    (p + specificity - 1) / (sensitivity + specificity - 1) (Rogan & Gladen 1978)
    ppi             people's mean, moved by what the detector says of the battles that were not labelled (PPI++)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mitigation.estimates import Interval
from mitigation.resampling import percentile_interval, quotient, resampled_sums

Floats = NDArray[np.float64]

MIN_LABELLED: Final = 5
"""Labelled battles that an arm needs; with so few, Rogan-Gladen covers less than it should (`python -m tests.corrected`)."""
_NO_VARIANCE: Final = 1e-15


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Battles of one arm; arrays have the shape (battles,).

    Attributes:
        arm: its name.
        weight: weight of each battle, 1 on average.
        said: share of its messages that the detector calls in-group.
        gold: the same by people, NaN where they did not label it.
        both: share that both call so, NaN where not labelled; None where it is not known.
    """

    arm: str
    weight: Floats
    said: Floats
    gold: Floats
    both: Floats | None

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which battles people labelled."""
        return np.isfinite(self.gold)


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean whose variance is a sum of parts, each (variance, degrees of freedom); intervals use Student's t.

    The degrees of freedom of the sum are Satterthwaite's. A mean without variance has no limits: battles that are all alike say
    nothing of how much others would differ.
    """

    value: float
    parts: tuple[tuple[float, float], ...]
    no_limits: str = "no battle that it rests on differs from another"

    @property
    def variance(self) -> float:
        """Variance of the mean."""
        return sum(variance for variance, _ in self.parts)

    def interval(self, confidence: float) -> Interval:
        """Return the mean with its t interval."""
        half = self._quantile(confidence) * self.variance**0.5
        return Interval(self.value, self.value - half, self.value + half) if half else Interval(self.value, None, None)

    def minus(self, control: Mean, confidence: float) -> Interval:
        """Return the difference of two independent means with its t interval."""
        difference = Mean(self.value - control.value, self.parts + control.parts)
        if min(self.variance, control.variance) <= _NO_VARIANCE:
            return Interval(difference.value, None, None)
        return difference.interval(confidence)

    def over(self, control: Mean, confidence: float) -> Interval | None:
        """Return the ratio with Fieller's interval (Fieller 1954), None where the control's mean is not above 0.

        Its ends are the theta with (self - theta control)^2 = q^2 (variance of self + theta^2 variance of control), q being the
        quantile of the difference. There is no upper end where the control cannot be told from 0. An interval on the log scale
        would always have one, and would have no ends where the treatment's mean is 0.
        """
        t, c = self.value, control.value
        if c <= 0:
            return None
        if min(self.variance, control.variance) <= _NO_VARIANCE:
            return Interval(max(t / c, 0.0), None, None)
        square = Mean(t - c, self.parts + control.parts)._quantile(confidence) ** 2
        first, last = c**2 - square * control.variance, t**2 - square * self.variance
        root = max((t * c) ** 2 - first * last, 0.0) ** 0.5
        low = last / (t * c + root) if last > 0 and t > 0 else 0.0
        high = max((t * c + root) / first, 0.0) if first > 0 else None
        return Interval(max(t / c, 0.0), low, high)

    def _quantile(self, confidence: float) -> float:
        from scipy.stats import t

        if self.variance <= _NO_VARIANCE:
            return 0.0
        freedom = self.variance**2 / sum(variance**2 / freedom for variance, freedom in self.parts)
        return float(t.ppf((1 + confidence) / 2, freedom))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mean of the data and then of resamples, shape (1 + resamples,), NaN where there is none; intervals are percentiles."""

    values: Floats
    no_limits: str = "too many resamples cannot be corrected, or none differs from another"

    def interval(self, confidence: float) -> Interval | None:
        """Return the mean with its percentile interval."""
        return percentile_interval(self.values, confidence=confidence)

    def minus(self, control: Drawn, confidence: float) -> Interval | None:
        """Return the difference of two independent means."""
        return percentile_interval(self.values - control.values, confidence=confidence)

    def over(self, control: Drawn, confidence: float) -> Interval | None:
        """Return the ratio, which has no value where the control's mean is not above 0."""
        below = np.where(control.values > 0, control.values, np.nan)
        return percentile_interval(np.maximum(self.values / below, 0.0), confidence=confidence)


def uncorrected(side: Side) -> Mean | str:
    """Return the mean of the detector's rates, or why there is none."""
    if side.said.size < 2:
        return f"arm {side.arm} has {side.said.size} battles: at least two are needed"
    return _mean(side.weight * side.said)


def labelled(side: Side) -> Mean | str:
    """Return the mean of the people's rates, or why there is none."""
    return _too_few(side) or _mean((side.weight * side.gold)[side.labelled])


def prediction_powered(side: Side) -> Mean | str:
    """Return the battle-level PPI++ mean (Angelopoulos, Duchi & Zrnic 2023, arXiv 2311.01453), or why there is none.

    mean(gold) + lambda (mean(said of the N others) - mean(said of the n labelled)), with lambda = cov(gold, said) / ((1 + n / N)
    var(said)) of the labelled battles, cut at 0 and 1.

    Its variance has two parts. That of the labelled battles is a jackknife in which each battle is left out of lambda too, with
    n - 2 degrees of freedom: the plain variance takes lambda as given, which is too small with few battles. That of the others is
    lambda^2 var(said) / N, with var(said) of all battles.
    """
    if reason := _too_few(side):
        return reason
    known = side.labelled
    gold, said, others = (side.weight * side.gold)[known], (side.weight * side.said)[known], (side.weight * side.said)[~known]
    n, rest = gold.size, others.size
    if not rest:
        return _mean(gold)
    # Moments are of deviations, so that equal rates have a variance of exactly 0.
    centre, gap = gold.mean(), others.mean() - said.mean()
    g, s = gold - centre, said - said.mean()

    def tuned(mean: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
        variance = mean(s * s) - mean(s) ** 2
        covariance = mean(g * s) - mean(g) * mean(s)
        slope = np.divide(covariance, variance, out=np.zeros_like(covariance), where=variance > _NO_VARIANCE)
        power = np.clip(slope / (1 + n / rest), 0.0, 1.0)
        return power, mean(g) + power * (gap - mean(s))

    power, moved = tuned(lambda x: np.array([x.mean()]))
    _, without = tuned(lambda x: (x.sum() - x) / (n - 1))
    of_labelled = (n - 1) / n * float(np.sum((without - without.mean()) ** 2))
    of_others = float(power[0]) ** 2 * float(np.var(side.weight * side.said, ddof=1)) / rest
    return Mean(float(centre + moved[0]), ((of_labelled, n - 2), (of_others, n + rest - 1)))


def rogan_gladen(side: Side, *, resamples: int, rng: np.random.Generator) -> Drawn | str:
    """Return the mean corrected by sensitivity and specificity of this arm's labelled messages, or why there is none.

    A message weighs 1 over the messages of its battle, so that every battle weighs the same and what is corrected is the mean of
    battle rates. Labelled and other battles are resampled apart.
    """
    if side.both is None:
        return "only rates of battles are known, not which messages"
    if reason := _too_few(side):
        return reason
    known = side.labelled
    columns = np.column_stack([np.ones(known.size), side.said, np.nan_to_num(side.gold), np.nan_to_num(side.both)])
    values = side.weight[:, None] * columns
    of_labelled = resampled_sums(values[known], resamples=resamples, rng=rng)
    every = of_labelled + resampled_sums(values[~known], resamples=resamples, rng=rng)
    weight, said, gold, both = of_labelled.T
    # A rounding of a rate of 1 is no message of the other class.
    clear = np.where(weight - gold > 1e-9 * weight, weight - gold, 0.0)
    sensitivity, false_alarms = quotient(both, gold), quotient(said - both, clear)
    told_apart = sensitivity - false_alarms
    told_apart = np.where(told_apart > 1e-9, told_apart, 0.0)
    if gold[0] <= 0 or clear[0] <= 0:
        return f"{'every' if gold[0] > 0 else 'no'} labelled message of arm {side.arm} is in-group"
    if told_apart[0] <= 0:
        return f"sensitivity + specificity - 1 is not above 0 in arm {side.arm}"
    return Drawn(quotient(quotient(every[:, 1], every[:, 0]) - false_alarms, told_apart))


def _mean(values: Floats) -> Mean:
    return Mean(float(values.mean()), ((float(np.var(values, ddof=1)) / values.size, values.size - 1),))


def _too_few(side: Side) -> str:
    count = int(side.labelled.sum())
    return "" if count >= MIN_LABELLED else f"arm {side.arm} has {count} labelled battles: at least {MIN_LABELLED} are needed"

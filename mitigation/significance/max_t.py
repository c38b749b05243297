"""Battle rates of several treatments and one control in, step-down max-T adjusted p values out (Westfall & Young 1993).

The statistic of each treatment is that of the primary test: the studentised difference of mean rates over strata. Treatments are
taken from the largest statistic on; at each step the labels of the control and of all treatments that are left are permuted
together within strata, and the largest statistic of these is compared with the one in turn. Treatments share the control, which
correlates their statistics: Holm does not use that, max-T does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitigation.errors import AnalysisError
from mitigation.significance.arrangements import variance_weights

Floats = NDArray[np.float64]

_CHUNK: Final = 2_000_000
"""Numbers drawn at once: it bounds the memory."""
_TIE: Final = 1e-8
_ZERO: Final = 1e-11


@dataclass(frozen=True, slots=True)
class _Stratum:
    """Rates of one stratum in canonical order, and which of its battles belong to which arm (0 is the control)."""

    values: Floats
    sizes: NDArray[np.int64]


def max_t(
    values: ArrayLike, arms: ArrayLike, strata: ArrayLike, treatments: Sequence[str], *, control: str, resamples: int, seed: int
) -> list[float]:
    """Return the adjusted p value of each treatment, in the order given; the same whatever the order of the battles.

    Args:
        values: rate of each battle, shape (battles,), finite.
        arms, strata: arm and stratum of each battle.
        treatments: arms that are compared with the control.
        resamples: permutations at each step; p = (1 + b) / (1 + B).

    Raises:
        AnalysisError: a value is not finite, or a stratum lacks battles of the control or of a treatment.
    """
    value, arm, stratum = (np.asarray(values, dtype=np.float64), np.asarray(arms).astype(str), np.asarray(strata).astype(str))
    if not np.isfinite(value).all():
        raise AnalysisError("a rate is not a finite number: leave battles that were not scored out of the test")
    for name in (control, *treatments):
        if set(stratum[arm == name]) != set(stratum[np.isin(arm, [control, *treatments])]):
            raise AnalysisError(f"max-T needs battles of every arm in every stratum; {name} has none in one of them")
    seen = _statistics(_ordered(value, arm, stratum, [control, *treatments]))[:, 0]
    left, adjusted, reached = sorted(range(len(treatments)), key=lambda k: (-seen[k], treatments[k])), {}, 0.0
    while left:
        names = [control, *sorted(treatments[k] for k in left)]
        found = _largest(_ordered(value, arm, stratum, names), resamples, np.random.default_rng([seed, len(left)]))
        as_large = int(np.count_nonzero(found >= seen[left[0]] * (1 - _TIE)))
        reached = max(reached, (1 + as_large) / (1 + resamples))
        adjusted[left.pop(0)] = reached
    return [adjusted[k] for k in range(len(treatments))]


def _ordered(value: Floats, arm: NDArray[np.str_], stratum: NDArray[np.str_], names: Sequence[str]) -> list[_Stratum]:
    """Return the strata with the battles of each arm side by side, in the order of the names."""
    found = []
    for one in np.unique(stratum[np.isin(arm, names)]):
        parts = [np.sort(value[(stratum == one) & (arm == name)]) for name in names]
        found.append(_Stratum(np.concatenate(parts), np.array([part.size for part in parts])))
    return found


def _largest(strata: Sequence[_Stratum], resamples: int, rng: np.random.Generator) -> Floats:
    """Return (resamples,) the largest squared statistic of each draw."""
    most = max(1, _CHUNK // sum(one.values.size for one in strata))
    found = []
    for begin in range(0, resamples, most):
        draws = min(most, resamples - begin)
        shuffled = [rng.permuted(np.broadcast_to(one.values, (draws, one.values.size)), axis=1) for one in strata]
        found.append(_statistics(strata, shuffled).max(axis=0))
    return np.concatenate(found)


def _statistics(strata: Sequence[_Stratum], shuffled: Sequence[Floats] | None = None) -> Floats:
    """Return (treatments, draws) squared studentised differences; 0 / 0 is 0, and x / 0 is infinite, as in the primary test."""
    draws = [one.values[np.newaxis] for one in strata] if shuffled is None else shuffled
    sizes = np.array([one.sizes for one in strata])  # (strata, arms)
    means, squares = [], []
    for one, drawn in zip(strata, draws, strict=True):
        edges = np.cumsum(one.sizes)[:-1]
        parts = np.split(drawn, edges, axis=1)
        mean = np.array([part.mean(axis=1) for part in parts])
        means.append(mean)
        squares.append(np.array([((part - m[:, np.newaxis]) ** 2).sum(axis=1) for part, m in zip(parts, mean, strict=True)]))
    mean, square = np.array(means), np.array(squares)  # (strata, arms, draws)
    found = []
    for arm in range(1, sizes.shape[1]):
        pair = sizes[:, arm] + sizes[:, 0]
        weight = pair / pair.sum()
        difference = weight @ (mean[:, arm] - mean[:, 0])
        own, other = variance_weights(weight, sizes[:, arm], sizes[:, 0])
        scale = weight @ (np.abs(mean[:, arm]) + np.abs(mean[:, 0]))
        difference = np.where(np.abs(difference) <= _ZERO * scale, 0.0, difference)
        variance = own @ square[:, arm] + other @ square[:, 0]
        flat = variance <= _ZERO * np.maximum(scale * scale, 1e-300)
        ratio = np.where(flat, np.where(difference != 0, np.inf, 0.0), difference**2 / np.where(flat, 1.0, variance))
        found.append(ratio if (own + other).any() else difference**2)
    return np.array(found)

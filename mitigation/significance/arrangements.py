"""Battle rates, arms and strata in; every arrangement of the arm labels within strata, or a draw of them, out.

Statistic: T(theta) = D / sqrt(V) with D = sum_s w_s (mean of treated / theta - mean of control in stratum s), w_s = n_s / N over
the strata that hold both arms, and V = sum_s w_s^2 (var_treated,s / n_treated,s + var_control,s / n_control,s): Neyman's
variance, as Chung & Romano 2013 studentise. theta = 1 is the test (`permutation`), other theta serve the interval (`inversion`).

Both D and V are polynomials in 1/theta whose coefficients depend on the arrangement alone. They are computed once for each
arrangement, so the test and the interval share their arrangements and a further theta costs no new draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import comb, prod
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitigation.errors import AnalysisError
from mitigation.significance.subsets import TABLE_LIMIT, Floats, all_sums, drawn_sums

Bools = NDArray[np.bool_]

_TIE: Final = 1e-8
"""Squared statistics nearer than this, relatively, are equal: rates are ratios of small whole numbers and tie often."""
_ZERO: Final = 1e-11
"""A variance (or difference) below this share of its own scale is rounding error of zero."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrangements:
    """The five coefficients of D and V for every arrangement (or drawn one), and those of the data.

    With u = 1/theta: D = d0 + d1 u and V = v0 + v1 u + v2 u^2, V >= 0. `terms` has shape (5, arrangements), `observed` (5,).
    """

    terms: Floats
    observed: Floats
    scale: Floats
    studentised: bool
    exact: bool
    count: int
    smallest_p: float
    rate_control: float
    rate_treated: float
    any_control: float
    n_control: int
    n_treated: int
    strata: int

    def p_value(self, one: float = 1.0, u: float = 1.0) -> float:
        """Test the hypothesis theta = one / u; u = 0 is theta without bound, one = 0 is theta = 0."""
        seen = self._squared(self.observed[:, np.newaxis], one, u)[0]
        drawn = self._squared(self.terms, one, u)
        as_extreme = int(np.count_nonzero(drawn >= seen * (1.0 - _TIE)))
        return as_extreme / drawn.size if self.exact else (1 + as_extreme) / (1 + drawn.size)

    def statistic(self) -> float | None:
        """Studentised difference of the data, treated minus control; None where its variance is zero."""
        squared = float(self._squared(self.observed[:, np.newaxis], 1.0, 1.0)[0])
        if not self.studentised or not np.isfinite(squared):
            return None
        return float(np.copysign(np.sqrt(squared), self.rate_treated - self.rate_control))

    def _squared(self, terms: Floats, one: float, u: float) -> Floats:
        """Squared statistic, shape (arrangements,): 0 where the difference is zero (also 0/0), infinite for x/0.

        This is a fixed function of data and labels for every arrangement, so the test stays exact in degenerate data.
        """
        d0, d1, v0, v1, v2 = terms
        scale_d = self.scale[0] * one + self.scale[1] * u
        scale_v = self.scale[2] * one * one + self.scale[3] * u * u
        difference = d0 * one + d1 * u
        difference = np.where(np.abs(difference) <= _ZERO * scale_d, 0.0, difference)
        squared: Floats = difference * difference
        if not self.studentised:
            return squared
        variance = v0 * (one * one) + v1 * (one * u) + v2 * (u * u)
        flat = variance <= _ZERO * scale_v
        at_zero = np.where(squared > 0.0, np.inf, 0.0)
        return np.where(flat, at_zero, squared / np.where(flat, 1.0, variance))


@dataclass(frozen=True, slots=True, eq=False)
class _Stratum:
    """One stratum in canonical order: `columns` holds c, t, c^2, t^2 (a rate stands in its own arm's column, 0 in the other)."""

    columns: Floats
    first: Bools
    weight: float
    spread: tuple[float, float]

    def terms(self, sums: Floats) -> Floats:
        """Give the five coefficients, first arm minus second, from sums over the first arm, shape (arrangements, 4)."""
        n1 = int(self.first.sum())
        n2 = self.first.size - n1
        c1, t1, cc1, tt1 = sums.T
        c2, t2, cc2, tt2 = (self.columns.sum(axis=0) - sums).T
        k1, k2 = self.spread
        return np.stack(
            [
                self.weight * (c1 / n1 - c2 / n2),
                self.weight * (t1 / n1 - t2 / n2),
                k1 * (cc1 - c1 * c1 / n1) + k2 * (cc2 - c2 * c2 / n2),
                -2.0 * (k1 * c1 * t1 / n1 + k2 * c2 * t2 / n2),
                k1 * (tt1 - t1 * t1 / n1) + k2 * (tt2 - t2 * t2 / n2),
            ]
        )


def arrange(
    values: ArrayLike, treated: ArrayLike, strata: ArrayLike | None = None, *, resamples: int = 10_000, rng: np.random.Generator
) -> Arrangements:
    """Enumerate the arrangements of the labels within strata, or draw `resamples` of them when there are more than 20,000.

    Args:
        values: rate of each battle, shape (battles,), finite.
        treated: True for battles of the treated arm, shape (battles,).
        strata: stratum of each battle, shape (battles,); None puts all into one.

    Returns:
        The same numbers whatever the order of the battles.

    Raises:
        AnalysisError: shapes differ, a value is not finite, or no stratum holds both arms.
    """
    value, label, stratum = _check(values, treated, strata)
    both = np.intersect1d(stratum[label], stratum[~label])
    if both.size == 0:
        raise AnalysisError("no stratum holds battles of both arms, so nothing can be compared: fight the same strata in both")
    keep = np.isin(stratum, both)
    value, label, stratum = value[keep], label[keep], stratum[keep]
    first = label if _comes_first(value, label, stratum) else ~label
    order = np.lexsort((first, value, stratum))
    value, label, stratum, first = value[order], label[order], stratum[order], first[order]

    _, starts = np.unique(stratum, return_index=True)
    control, treat = np.where(label, 0.0, value), np.where(label, value, 0.0)
    columns = np.column_stack([control, treat, control**2, treat**2])
    n_first = np.add.reduceat(first.astype(np.int64), starts)
    sizes = np.diff(np.append(starts, value.size))
    weight = sizes / value.size
    spread = variance_weights(weight, n_first, sizes - n_first)
    parts = [
        _Stratum(c, f, float(w), (float(k1), float(k2)))
        for c, f, w, k1, k2 in zip(np.split(columns, starts[1:]), np.split(first, starts[1:]), weight, *spread, strict=True)
    ]
    count = prod(comb(int(n), int(k)) for n, k in zip(sizes, n_first, strict=True))
    exact = count <= TABLE_LIMIT
    if exact:
        tables = (p.terms(all_sums(p.columns, int(p.first.sum()))) for p in parts)
        terms = reduce(lambda done, new: (done[:, :, np.newaxis] + new[:, np.newaxis, :]).reshape(5, -1), tables)
    else:
        terms = np.zeros((5, resamples))
        for p in parts:
            terms += p.terms(drawn_sums(p.columns, int(p.first.sum()), draws=resamples, rng=rng))
    observed = np.sum([p.terms(p.columns[p.first].sum(axis=0)[np.newaxis]) for p in parts], axis=0)[:, 0]
    totals = np.add.reduceat(columns, starts)
    n_treated = np.add.reduceat(label.astype(np.int64), starts)
    n_control = sizes - n_treated
    means = totals[:, :2] / np.column_stack([n_control, n_treated])
    rates = weight @ means
    any_control = weight @ (np.add.reduceat((control > 0).astype(np.int64), starts) / n_control)
    return Arrangements(
        terms=terms,
        observed=observed,
        scale=np.array([*(weight @ np.abs(means)), *((spread[0] + spread[1]) @ totals[:, 2:])]),
        studentised=bool((spread[0] + spread[1]).any()),
        exact=exact,
        count=min(count, 10**18),
        smallest_p=smallest_p(n_first, sizes - n_first, resamples=resamples),
        rate_control=float(rates[0]),
        rate_treated=float(rates[1]),
        any_control=float(any_control),
        n_control=int(n_control.sum()),
        n_treated=int(n_treated.sum()),
        strata=len(parts),
    )


def smallest_p(n_first: ArrayLike, n_second: ArrayLike, *, resamples: int) -> float:
    """Smallest p value that a test of these battles can give; arguments hold the battles of each arm in each stratum.

    Equal arms make every arrangement as extreme as its mirror image, so that two share the smallest p.
    """
    first, second = np.asarray(n_first, dtype=np.int64), np.asarray(n_second, dtype=np.int64)
    count = prod(comb(int(n + m), int(n)) for n, m in zip(first, second, strict=True))
    floor = (2 if np.array_equal(first, second) else 1) / count
    return min(1.0, floor if count <= TABLE_LIMIT else max(floor, 1 / (1 + resamples)))


def _check(values: ArrayLike, treated: ArrayLike, strata: ArrayLike | None) -> tuple[Floats, Bools, NDArray[np.intp]]:
    value = np.asarray(values, dtype=np.float64)
    label = np.asarray(treated, dtype=np.bool_)
    names = np.zeros(value.shape, dtype=np.int8) if strata is None else np.asarray(strata)
    if value.ndim != 1 or label.shape != value.shape or names.shape != value.shape:
        raise AnalysisError(f"values {value.shape}, treated {label.shape} and strata {names.shape} must be equally long lists")
    if not np.isfinite(value).all():
        raise AnalysisError("a rate is not a finite number: leave battles that were not scored out of the test")
    return value, label, np.unique(names.astype(str), return_inverse=True)[1].reshape(value.shape)


def _comes_first(value: Floats, label: Bools, stratum: NDArray[np.intp]) -> bool:
    """Whether the treated arm is the one whose members are drawn: a rule on size and values, so that swapped arms draw alike."""
    if 2 * int(label.sum()) != label.size:
        return 2 * int(label.sum()) < label.size
    order = np.lexsort((value, stratum))
    keys = [np.column_stack([stratum[order][side[order]], value[order][side[order]]]).ravel() for side in (label, ~label)]
    differs = np.flatnonzero(keys[0] != keys[1])
    return bool(differs.size and keys[0][differs[0]] < keys[1][differs[0]])


def variance_weights(weight: Floats, n_first: NDArray[np.int64], n_second: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Coefficients k of each stratum and arm with V = sum k * (sum of squares about the mean); Neyman: w^2 / (n (n - 1)).

    A single battle has no variance of its own: it is lent the pooled variance of its arm's other strata, else the other arm's.
    With one battle of each arm in every stratum both are zero and the difference stays as it is (the sign-flip test of pairs).
    """
    own, lent, freedom = [], [], []
    for n in (n_first, n_second):
        own.append(np.where(n > 1, weight**2 / np.maximum(n * (n - 1), 1), 0.0))
        lent.append(float(np.sum(weight[n == 1] ** 2)))
        freedom.append(int(np.sum(n - 1)))
    if freedom[0] == 0 and freedom[1] == 0:
        return own[0], own[1]
    for arm in (0, 1):
        lender = arm if freedom[arm] else 1 - arm
        own[lender] = own[lender] + lent[arm] / freedom[lender]
    return own[0], own[1]

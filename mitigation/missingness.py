"""Planned battles of two arms in; a test of differential missingness, and what the missing ones could change, out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mitigation.estimates import arm_rates, shared_strata
from mitigation.significance.boschloo import boschloo
from mitigation.types import Expected

Bound = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missingness:
    """What is missing in two arms, and the bounds of the primary outcome over all planned battles.

    Attributes:
        missing_control, missing_treatment: planned battles without a score (refused, failed, excluded or without exposure).
        p_value: exact p of equal shares missing; None where an arm was not planned.
        test: name of that test.
        worst_ratio, best_ratio: rate ratio when every missing battle takes the value that speaks against, or for, the expected
            direction; None where the control rate is 0 then.
        worst_difference, best_difference: difference of rates likewise.
        agree: True when nothing is missing, or both bounds lie on the same side of no effect; None where nothing is concluded.
        unjudged_control, unjudged_treatment: messages of scored battles that the detector could not judge.
    """

    control: str
    treatment: str
    planned_control: int
    planned_treatment: int
    missing_control: int
    missing_treatment: int
    p_value: float | None
    test: str
    worst_ratio: float | None
    best_ratio: float | None
    worst_difference: float | None
    best_difference: float | None
    agree: bool | None
    unjudged_control: int = 0
    unjudged_treatment: int = 0


def untested(found: Missingness) -> Missingness:
    """Return it without a test and without what the bounds agree on, as while a study is unfinished."""
    return replace(found, p_value=None, test="no test", agree=None)


def missingness(planned: pd.DataFrame, *, control: str, treatment: str, expected: Expected, top: float) -> Missingness:
    """Bound the primary outcome over the planned battles of two arms (worst and best case, after Manski 1990).

    Args:
        planned: one row per planned battle that is not pending, with columns arm, stratum and rate (missing where not scored).
            With messages and unjudged, a rate of messages is bounded by what its unjudged messages could have been.
        expected: "more" turns worst and best round; "none" counts as "less".
        top: largest rate that a missing battle could have had; the smallest is 0.
    """
    pair = planned[planned["arm"].isin([control, treatment])]
    treated = (pair["arm"] == treatment).to_numpy(dtype=np.bool_)
    rate = pair["rate"].to_numpy(dtype=np.float64, na_value=np.nan)
    absent = np.isnan(rate)
    n_t, n_c = int(treated.sum()), int((~treated).sum())
    gone_t, gone_c = int((absent & treated).sum()), int((absent & ~treated).sum())
    exact = boschloo(events_treated=gone_t, n_treated=n_t, events_control=gone_c, n_control=n_c) if n_t and n_c else None
    strata = pair["stratum"].to_numpy(dtype=object).astype(str)
    high: Bound = (None, None)
    low: Bound = (None, None)
    lowest, highest, lost = _possible(pair, rate, absent, top)
    if shared_strata(treated, strata).any():
        high = _bound(np.where(treated, highest, lowest), treated, strata)
        low = _bound(np.where(treated, lowest, highest), treated, strata)
    worst, best = (low, high) if expected == "more" else (high, low)
    return Missingness(
        control=control,
        treatment=treatment,
        planned_control=n_c,
        planned_treatment=n_t,
        missing_control=gone_c,
        missing_treatment=gone_t,
        p_value=exact.p_value if exact else None,
        test=exact.test if exact else "no test",
        worst_ratio=worst[0],
        best_ratio=best[0],
        worst_difference=worst[1],
        best_difference=best[1],
        agree=not (absent.any() or lost.any()) or (worst[1] or 0.0) * (best[1] or 0.0) > 0,
        unjudged_control=int(lost[~treated].sum()),
        unjudged_treatment=int(lost[treated].sum()),
    )


def _possible(
    pair: pd.DataFrame, rate: NDArray[np.float64], absent: NDArray[np.bool_], top: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return (battles,) the lowest and the highest rate that each battle can have, and its unjudged messages."""
    lowest, highest = np.where(absent, 0.0, rate), np.where(absent, top, rate)
    if not {"messages", "unjudged"} <= set(pair.columns):
        return lowest, highest, np.zeros(len(pair))
    judged, lost = (pair[name].fillna(0).to_numpy(dtype=np.float64) for name in ("messages", "unjudged"))
    lost = np.where(absent, 0.0, lost)
    if top == 1.0:  # a share of messages; for a rate of words nobody knows how many the lost ones held
        every = np.maximum(judged + lost, 1.0)
        lowest = np.where(absent, lowest, rate * judged / every)
        highest = np.where(absent, highest, (rate * judged + lost) / every)
    return lowest, highest, lost


def _bound(value: NDArray[np.float64], treated: NDArray[np.bool_], strata: NDArray[np.str_]) -> Bound:
    """Return ratio and difference of the estimand."""
    rates = arm_rates(value, treated, strata)
    return rates.treated / rates.control if rates.control > 0 else None, rates.treated - rates.control

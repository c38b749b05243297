"""Two arms' counts of battles with and without an event in, the exact two-sided p value out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from mitigation.errors import AnalysisError

_LARGEST_TABLE: Final = 160_000
"""Boschloo's p costs time in proportion to n1 * n2: one second here."""


@dataclass(frozen=True, slots=True)
class ExactResult:
    """p value in (0, 1] and the name of what gave it."""

    p_value: float
    test: Literal["Boschloo", "Fisher"]


@lru_cache(maxsize=4096)
def boschloo(*, events_treated: int, n_treated: int, events_control: int, n_control: int) -> ExactResult:
    """Boschloo's exact unconditional test of equal chances (Boschloo 1970; twice the smaller one-sided p, as scipy).

    Tables without any event, or with nothing but events, cannot differ: p = 1. When n_treated * n_control exceeds 160,000
    Fisher's exact test stands in, which is valid too and hardly loses power at that size; `test` says so.

    Raises:
        AnalysisError: an arm is empty or a count is outside 0..n.
    """
    for events, n in ((events_treated, n_treated), (events_control, n_control)):
        if n < 1 or not 0 <= events <= n:
            raise AnalysisError(f"{events} of {n} battles is no proportion: an arm needs battles and 0 to n events")
    if events_treated + events_control in (0, n_treated + n_control):
        return ExactResult(1.0, "Boschloo")
    from scipy import stats

    table = [[events_treated, events_control], [n_treated - events_treated, n_control - events_control]]
    if n_treated * n_control > _LARGEST_TABLE:
        return ExactResult(min(1.0, float(stats.fisher_exact(table).pvalue)), "Fisher")
    return ExactResult(min(1.0, float(stats.boschloo_exact(table).pvalue)), "Boschloo")

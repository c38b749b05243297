"""Control battles of a pilot in, the chance to find an effect out, by playing the pilot again.

A study is drawn from the pilot: battles with replacement within their strata, and in the treated arm events kept with a chance,
so that the ratio of mean rates is known. The share of such studies in which the primary test rejects is the power, for battles
that vary as the pilot's do. For a ratio above 1 the control's events are thinned instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mitigation.errors import AnalysisError
from mitigation.power import battles_needed
from mitigation.significance.arrangements import arrange

STUDIES = 400
RESAMPLES, MOST_RESAMPLES = 499, 9_999
"""Ten times as many as the level needs, within these: fewer could not reject at a small level."""
FEWEST = 8
"""Fewer battles say next to nothing of how battles vary."""
IN_STRATUM = 4
"""With fewer battles in a stratum its own variation is not told: the strata of the pilot are then taken for one."""


@dataclass(frozen=True, slots=True)
class Pilot:
    """Control battles that were fought.

    Attributes:
        hits, messages: messages with an in-group we, and all messages, of each battle.
        stratum: stratum of each battle, as whole numbers from 0.
    """

    hits: NDArray[np.int64]
    messages: NDArray[np.int64]
    stratum: NDArray[np.int64]

    @property
    def rates(self) -> NDArray[np.float64]:
        """Rate of each battle."""
        found: NDArray[np.float64] = self.hits / self.messages
        return found

    @property
    def share_any(self) -> float:
        """Share of battles with at least one in-group we."""
        return float(np.mean(self.hits > 0))

    def variation(self, ratio: float) -> tuple[float, float]:
        """Coefficients of variation of battle rates within strata: control, and an arm whose events were thinned to `ratio`."""
        rates, mean = self.rates, float(self.rates.mean())
        squares = sum(float(np.sum((rates[self.stratum == s] - rates[self.stratum == s].mean()) ** 2)) for s in set(self.stratum))
        freedom = max(1, rates.size - len(set(self.stratum)))
        own = squares / freedom / mean**2
        noise = float(np.mean(self.hits / self.messages**2)) / mean**2
        # Thinning keeps the coefficient of variation of the rates and adds that of the draw.
        return float(np.sqrt(own)), float(np.sqrt(own + (1 - ratio) / ratio * noise))


def pilot_of(battles: pd.DataFrame, *, control: str, outcome: str = "ingroup") -> Pilot:
    """Return the scored battles of the control arm.

    Args:
        battles: one row per battle with arm, stratum, status, messages and <outcome>_messages.

    Raises:
        AnalysisError: fewer than `FEWEST` of them, or none with an in-group we.
    """
    own = battles[(battles["arm"] == control) & (battles["status"] == "complete") & (battles["messages"].fillna(0) > 0)]
    said = f"{outcome}_messages"
    own = own[own[said].notna()]
    if len(own) < FEWEST:
        raise AnalysisError(f"the pilot has {len(own)} scored battles of {control}: at least {FEWEST} are needed")
    hits, messages = (own[name].to_numpy(dtype=np.int64) for name in (said, "messages"))
    if not hits.any():
        raise AnalysisError(f"no battle of {control} in the pilot holds an in-group we: there is nothing to plan from")
    strata = np.unique(own["stratum"].astype(str), return_inverse=True)[1].astype(np.int64)
    return Pilot(hits, messages, strata if np.bincount(strata).min() >= IN_STRATUM else np.zeros_like(strata))


def simulated_power(
    pilot: Pilot, n: int, *, ratio: float, strata: int, alpha: float, studies: int = STUDIES, seed: int = 0
) -> float:
    """Return the share of simulated studies, `n` battles an arm in `strata` equal strata, in which the primary test rejects.

    As many strata as the pilot has are drawn each from its own; another number of them is drawn from all battles.

    Raises:
        AnalysisError: the ratio is not above 0.
    """
    if not ratio > 0:
        raise AnalysisError(f"a rate ratio of {ratio} is not above 0")
    keep = (1.0, ratio) if ratio <= 1 else (1 / ratio, 1.0)
    names = np.arange(n) % max(1, strata)
    own = [np.flatnonzero(pilot.stratum == s) for s in np.unique(pilot.stratum)]
    pools = own if len(own) == strata else [np.arange(pilot.hits.size)]
    treated, every = np.repeat([False, True], n), np.tile(names, 2)
    found, resamples = 0, max(RESAMPLES, min(MOST_RESAMPLES, ceil(10 / alpha)))
    for study in range(studies):
        rng = np.random.default_rng([seed, study, n])
        drawn = np.concatenate([[rng.choice(pools[s % len(pools)]) for s in names] for _ in range(2)])
        hits = rng.binomial(pilot.hits[drawn], np.repeat(keep, n))
        test = arrange(hits / pilot.messages[drawn], treated, every, resamples=resamples, rng=rng)
        found += test.p_value() <= alpha
    return found / studies


def needed(pilot: Pilot, *, ratio: float, strata: int, alpha: float, wanted: float) -> int:
    """Return the battles an arm that find a ratio with the wanted power, by the closed form and the pilot's variation.

    Raises:
        AnalysisError: the ratio is not between 0 and 1.
    """
    if not 0 < ratio < 1:
        raise AnalysisError(f"a rate ratio of {ratio} is not between 0 and 1: there is no number of battles to find it with")
    return battles_needed(ratio=ratio, variation=pilot.variation(ratio), strata=strata, alpha=alpha, wanted=wanted)

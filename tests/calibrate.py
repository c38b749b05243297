"""`make calibrate`: how often the primary test rejects a true null, how often the interval covers, how often an effect is seen.

Prints a Markdown table. Battles of four strata are drawn with a share that holds no event at all and a beta-binomial
number of messages with one in the others; 2,000 studies a cell, 2,000 permutations each.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from mitigation.significance.arrangements import arrange
from mitigation.significance.inversion import invert

# Share of control battles that can hold an event, and their mean rate: frequent, base, sparse.
REGIMES = {"C": (0.97, 0.40), "A": (0.70, 0.30), "B": (0.30, 0.25)}
STRATA, RESAMPLES, LEVEL = 4, 2_000, 0.05


def rates(battles: int, regime: str, ratio: float, stratum: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one rate a battle; strata differ by up to 15 % in how many battles hold an event."""
    share, mean = REGIMES[regime]
    messages = rng.integers(6, 21, battles)
    holds = rng.random(battles) < share * (1 + 0.15 * (stratum - 1.5) / 1.5)
    chance = np.clip(rng.beta(1.2, 1.2 * (1 - mean) / mean, battles) * ratio, 0, 1)
    return rng.binomial(messages, chance * holds) / messages


def cell(regime: str, battles: int, ratio: float, studies: int) -> tuple[float, float]:
    """Return the share of studies that reject, and of those with a ratio the share whose interval covers the true one."""
    rejected = covered = known = 0
    stratum = np.arange(battles) % STRATA
    strata, treated = np.tile(stratum, 2), np.repeat([False, True], battles)
    for study in range(studies):
        rng = np.random.default_rng([study, battles, ord(regime), round(100 * ratio)])
        both = [rates(battles, regime, 1.0, stratum, rng), rates(battles, regime, ratio, stratum, rng)]
        arrangements = arrange(np.concatenate(both), treated, strata, resamples=RESAMPLES, rng=rng)
        rejected += arrangements.p_value() <= LEVEL
        interval = invert(arrangements)
        if interval.ratio is not None:
            known += 1
            covered += (interval.low or 0) <= ratio and (interval.high is None or ratio <= interval.high)
    return rejected / studies, covered / known


def main(studies: int) -> None:
    """Print the table."""
    cells = [(regime, battles, ratio, studies) for regime in REGIMES for battles in (10, 20) for ratio in (1.0, 0.5)]
    with ProcessPoolExecutor() as pool:
        found = dict(zip([c[:3] for c in cells], pool.map(cell, *zip(*cells, strict=True)), strict=True))
    print("| battles an arm | type I, level 5 % | coverage of the 95 % interval, true ratio 1 / 0.5 | power at ratio 0.5 |")
    print("|---|---|---|---|")
    for regime in REGIMES:
        for battles in (10, 20):
            null, half = found[regime, battles, 1.0], found[regime, battles, 0.5]
            print(f"| {regime}, {battles} | {null[0]:.1%} | {null[1]:.1%} / {half[1]:.1%} | {half[0]:.0%} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)

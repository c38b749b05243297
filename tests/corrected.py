"""`python -m tests.corrected`: coverage and width of intervals where a detector errs differently by arm, by simulation.

Prints a Markdown table. Specificity is .95 in control and .85 in treatment, sensitivity .9 in both. Battles share a rate and
share errors: each has a rate of its own (none at all in some), and a sensitivity and specificity of its own.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

from mitigation.correction import METHODS, corrected_contrasts, labelled_battles

SENSITIVITY, SPECIFICITY = 0.9, {"control": 0.95, "treated": 0.85}
# Share of battles that can hold an in-group we, and mean rates of those in control and treatment: frequent, base, sparse.
REGIMES = {"C": (0.97, 0.40, 0.25), "A": (0.70, 0.40, 0.25), "B": (0.30, 0.40, 0.25)}
SIZES = ((200, 40), (100, 20), (50, 10), (40, 5))
ALIKE = 30  # the larger, the less do battles of an arm differ in sensitivity and specificity


def study(regime: str, battles: int, labelled: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the messages of two arms; the first `labelled` battles of each have gold labels."""
    share, *means = REGIMES[regime]
    frames = []
    for (arm, specificity), mean in zip(SPECIFICITY.items(), means, strict=True):
        messages = rng.integers(6, 21, battles)
        rate = rng.beta(1.2, 1.2 * (1 - mean) / mean, battles) * (rng.random(battles) < share)
        battle = np.repeat(np.arange(battles), messages)
        gold = rng.random(battle.size) < rate[battle]
        found = rng.beta(ALIKE * SENSITIVITY, ALIKE * (1 - SENSITIVITY), battles)[battle]
        alarm = rng.beta(ALIKE * (1 - specificity), ALIKE * specificity, battles)[battle]
        said = rng.random(battle.size) < np.where(gold, found, alarm)
        known = pd.array(gold, dtype="boolean")
        known[battle >= labelled] = pd.NA
        frames.append(pd.DataFrame({"arm": arm, "battle_id": [f"{arm}{b}" for b in battle], "said": said, "gold": known}))
    return pd.concat(frames, ignore_index=True)


def truth(regime: str) -> dict[str, float]:
    """Return the true difference and the true ratio of mean battle rates."""
    share, control, treated = REGIMES[regime]
    return {"difference": share * (treated - control), "ratio": treated / control}


def trial(regime: str, battles: int, labelled: int, seed: int, resamples: int) -> pd.DataFrame:
    """Return `covered`, `known` and `width` of each measure and method in one study."""
    rng = np.random.default_rng([seed, battles, ord(regime)])
    table = labelled_battles(study(regime, battles, labelled, rng))
    found = corrected_contrasts(table, control="control", rng=rng, resamples=resamples).set_index(["measure", "method"])
    low, high = found["low"].astype(float), found["high"].astype(float)
    true = pd.Series([truth(regime)[measure] for measure, _ in found.index], index=found.index)
    covered = (low <= true) & ((true <= high) | high.isna())
    return pd.DataFrame({"covered": covered, "known": low.notna(), "width": high - low})


def cell(regime: str, battles: int, labelled: int, studies: int, resamples: int) -> pd.DataFrame:
    """Return the coverage of the intervals there are, their share, and their median width beside that of `labelled`."""
    trials = [trial(regime, battles, labelled, seed, resamples) for seed in range(studies)]
    known = sum(one["known"].astype(float) for one in trials)
    covered = sum(one["covered"].astype(float) for one in trials)
    widths = pd.concat([_beside_labelled(one["width"]) for one in trials], axis=1).median(axis=1)
    return pd.DataFrame({"coverage": covered / known, "known": known / studies, "width": widths})


def _beside_labelled(width: pd.Series) -> pd.Series:
    """Divide by the width from labelled battles alone; missing where either has no upper end."""
    return width / np.array([width[measure, "labelled"] for measure, _ in width.index])


def main(studies: int) -> None:
    """Print the table."""
    cells = [(regime, *size, studies, 500) for size in SIZES for regime in REGIMES]
    with ProcessPoolExecutor() as pool:
        found = dict(zip(cells, pool.map(cell, *zip(*cells, strict=True)), strict=True))
    print(f"{studies} studies; coverage of the 95 % interval (its width, that of the labelled battles alone being 1)\n")
    print(f"| regime, battles an arm, labelled | measure | {' | '.join(METHODS)} |\n|---|---|{'---|' * len(METHODS)}")
    for (regime, battles, labelled, *_), table in found.items():
        for measure in ("difference", "ratio"):
            rows = [table.loc[(measure, method)] for method in METHODS]
            told = [
                f"{row.coverage:.1%} ({row.width:.2f}{f', known {row.known:.0%}' if row.known < 0.995 else ''})" for row in rows
            ]
            print(f"| {regime}, {battles}, {labelled} | {measure} | {' | '.join(told)} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)

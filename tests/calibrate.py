"""`make calibrate`: how often tests reject a true null, how often intervals cover, how often an effect is seen.

Prints Markdown tables. Battles are played message by message: a share of them can hold no event at all, in the others each has a
chance of its own, an event makes the next one likelier (contagion), and a battle may end early. Four strata differ in how many
battles can hold an event. An effect thins events, so that the ratio of mean rates is known exactly.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from mitigation.comparison import ratio_of_ratios
from mitigation.errors import AnalysisError
from mitigation.looks import blocks_of
from mitigation.significance.arrangements import arrange
from mitigation.significance.group_sequential import repeated_p
from mitigation.significance.holm import holm
from mitigation.significance.inversion import invert
from mitigation.significance.jackknife import jackknife
from mitigation.significance.poisson_gee import poisson_gee
from mitigation.significance.van_elteren import van_elteren
from mitigation.significance.welch import welch

# Share of battles that can hold an event, mean chance in these, and how much of the way to 1 an event moves the next chance.
REGIMES = {"C": (1.1, 0.3, 0.3), "A": (0.75, 0.2, 0.4), "B": (0.4, 0.08, 0.4)}
STRATA, RESAMPLES, LEVEL, MOST, WORDINGS, SHAPE = 4, 2_000, 0.05, 20, 24, 2.0


@dataclass(frozen=True)
class Arm:
    """Battles of one arm: messages with an event, messages, stratum."""

    hits: np.ndarray
    messages: np.ndarray
    stratum: np.ndarray

    @property
    def rates(self) -> np.ndarray:
        """Rate of each battle."""
        return self.hits / self.messages

    def first(self, battles: int) -> Arm:
        """Return the first battles."""
        return Arm(self.hits[:battles], self.messages[:battles], self.stratum[:battles])

    def thinned(self, keep: float | np.ndarray, rng: np.random.Generator) -> Arm:
        """Keep each event with a chance: the mean rate is multiplied by it."""
        return Arm(rng.binomial(self.hits, keep), self.messages, self.stratum)


def play(battles: int, regime: str, rng: np.random.Generator) -> Arm:
    """Return an arm without any treatment."""
    share, mean, contagion = REGIMES[regime]
    stratum = np.arange(battles) % STRATA
    messages = np.minimum(MOST, 6 + rng.geometric(0.08, battles))
    holds = rng.random(battles) < share * (1 + 0.15 * (stratum - 1.5) / 1.5)
    own = rng.beta(SHAPE, SHAPE * (1 - mean) / mean, battles) * holds
    hits, before = np.zeros(battles, dtype=np.int64), np.zeros(battles, dtype=bool)
    for turn in range(MOST):
        chance = np.where(before, own + contagion * (1 - own) * holds, own)
        before = (rng.random(battles) < chance) & (turn < messages)
        hits += before
    return Arm(hits, messages, stratum)


def describe(regime: str) -> tuple[float, float]:
    """Return the share of battles with an event, and the coefficient of variation of a battle's rate."""
    arm = play(200_000, regime, np.random.default_rng(0))
    return float(np.mean(arm.hits > 0)), float(np.std(arm.rates) / np.mean(arm.rates))


def joined(control: Arm, treated: Arm) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return hits, messages, treated and stratum of both arms."""
    label = np.repeat([False, True], [control.hits.size, treated.hits.size])
    parts = [np.concatenate([getattr(control, name), getattr(treated, name)]) for name in ("hits", "messages", "stratum")]
    return parts[0], parts[1], label, parts[2]


def methods(control: Arm, treated: Arm, rng: np.random.Generator) -> dict[str, float]:
    """Return the p value of every method; a method that cannot be used does not reject."""
    hits, messages, label, stratum = joined(control, treated)
    rates = hits / messages
    ways: dict[str, Callable[[], float]] = {
        "permutation": lambda: arrange(rates, label, stratum, resamples=RESAMPLES, rng=rng).p_value(),
        "GEE": lambda: poisson_gee(hits, messages, label, stratum).p_value,
        "Welch": lambda: welch(rates, label).p_value,
        "van Elteren": lambda: van_elteren(rates, label, stratum).p_value,
    }
    found = {}
    for name, way in ways.items():
        try:
            found[name] = way()
        except AnalysisError:
            found[name] = 1.0
    return found


def two_arms(regime: str, battles: int, ratio: float, studies: int) -> dict[str, float]:
    """Return the share of studies in which each method rejects, and that of intervals of the primary ratio that cover."""
    rejected: dict[str, int] = {}
    covered = known = 0
    for study in range(studies):
        rng = np.random.default_rng([study, battles, ord(regime), round(100 * ratio)])
        control, treated = play(battles, regime, rng), play(battles, regime, rng).thinned(ratio, rng)
        for name, p in methods(control, treated, rng).items():
            rejected[name] = rejected.get(name, 0) + (p <= LEVEL)
        hits, messages, label, stratum = joined(control, treated)
        interval = invert(arrange(hits / messages, label, stratum, resamples=RESAMPLES, rng=rng))
        if interval.ratio is not None:
            known += 1
            covered += (interval.low or 0) <= ratio and (interval.high is None or ratio <= interval.high)
    return {name: count / studies for name, count in rejected.items()} | {"coverage": covered / known}


def family(regime: str, battles: int, arms: int, studies: int) -> float:
    """Return the share of studies of several treatments without effect in which Holm's p value of one or more is significant."""
    wrong = 0
    for study in range(studies):
        rng = np.random.default_rng([study, battles, ord(regime), arms])
        control, p_values = play(battles, regime, rng), []
        for _ in range(arms):
            hits, messages, label, stratum = joined(control, play(battles, regime, rng))
            p_values.append(arrange(hits / messages, label, stratum, resamples=RESAMPLES, rng=rng).p_value())
        wrong += min(p for p in holm(p_values) if p is not None) <= LEVEL
    return wrong / studies


def sequential(regime: str, battles: int, ratio: float, looks: int, studies: int) -> tuple[float, float, float, float]:
    """Return how often planned looks reject, how often the same looks do without a boundary, the last one alone, battles used.

    The last is the mean share of the battles that a study takes which stops at the first boundary it crosses.
    """
    counts = np.zeros(4)
    for study in range(studies):
        rng = np.random.default_rng([study, battles, ord(regime), round(100 * ratio), looks])
        control, treated = play(battles, regime, rng), play(battles, regime, rng).thinned(ratio, rng)
        p_values = []
        for look in range(1, looks + 1):
            first = blocks_of(look, looks, battles)
            hits, messages, label, stratum = joined(control.first(first), treated.first(first))
            p_values.append(arrange(hits / messages, label, stratum, resamples=RESAMPLES, rng=rng).p_value())
        crossed = [repeated_p(p, look, looks) <= LEVEL for look, p in enumerate(p_values, 1)]
        used = blocks_of(crossed.index(True) + 1, looks, battles) / battles if any(crossed) else 1.0
        counts += any(crossed), min(p_values) <= LEVEL, p_values[-1] <= LEVEL, used
    rejected, naive, alone, used = counts / studies
    return float(rejected), float(naive), float(alone), float(used)


def weak_null(regime: str, battles: int, spread: float, studies: int) -> tuple[float, float, float]:
    """Return how often permutation, jackknife over wordings, and both reject when wordings have effects that average out.

    Each of the wordings keeps a share of events of its own, with mean 0.5 and standard deviation 0.5 * spread over wordings; the
    control keeps 0.5. Each battle has two wordings and the mean of their shares.
    """
    counts = np.zeros(3)
    for study in range(studies):
        rng = np.random.default_rng([study, battles, ord(regime), round(100 * spread)])
        concentration = 1 / spread**2 - 1 if spread else 1e9  # of a beta distribution with mean 0.5
        share = rng.beta(concentration / 2, concentration / 2, WORDINGS)
        order = rng.permutation(WORDINGS)
        drawn = [(int(order[(2 * k) % WORDINGS]), int(order[(2 * k + 1) % WORDINGS])) for k in range(battles)]
        control = play(battles, regime, rng).thinned(0.5, rng)
        treated = play(battles, regime, rng).thinned(share[np.array(drawn)].mean(axis=1), rng)
        hits, messages, label, stratum = joined(control, treated)
        permuted = arrange(hits / messages, label, stratum, resamples=RESAMPLES, rng=rng).p_value() <= LEVEL
        try:
            over = jackknife(hits / messages, label, stratum, [*[()] * battles, *drawn]).p_value <= LEVEL
        except AnalysisError:
            over = False
        counts += permuted, over, permuted and over
    permuted_share, over_share, both = counts / studies
    return float(permuted_share), float(over_share), float(both)


def two_studies(regime: str, battles: int, truth: float, studies: int) -> tuple[float, float]:
    """Return how often the interval of the ratio of two studies' ratios covers the truth, and how often equality is rejected.

    The first study's ratio is 0.5, the second's `truth` times that, with half as many events under its control.
    """
    covered = known = rejected = tested = 0
    for study in range(studies):
        rng = np.random.default_rng([study, battles, ord(regime), round(100 * truth), 2])
        pairs, intervals = [], []
        for keep, ratio in ((1.0, 0.5), (0.5, 0.5 * truth)):
            control, treated = (play(battles, regime, rng).thinned(share, rng) for share in (keep, keep * ratio))
            hits, messages, label, stratum = joined(control, treated)
            intervals.append(invert(arrange(hits / messages, label, stratum, resamples=RESAMPLES, rng=rng)))
            pairs.append((hits, messages, label, stratum + STRATA * len(pairs), np.full(hits.size, len(pairs))))
        found = ratio_of_ratios(intervals[1], intervals[0])
        if found.ratio is not None:
            known += 1
            covered += (found.low or 0) <= truth and (found.high is None or truth <= found.high)
        try:
            hits, messages, label, stratum, of = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
            p_value = poisson_gee(hits, messages, label, stratum, groups=of).heterogeneity
        except AnalysisError:
            p_value = None
        tested += p_value is not None
        rejected += p_value is not None and p_value <= LEVEL
    return covered / max(1, known), rejected / max(1, tested)


def main(studies: int) -> None:
    """Print the tables."""
    cells = [(regime, battles, ratio) for regime in REGIMES for battles in (10, 20, 50) for ratio in (1.0, 0.5)]
    with ProcessPoolExecutor(2) as pool:
        two = dict(zip(cells, pool.map(partial(_spread, two_arms, studies), cells), strict=True))
        families = [(regime, battles, 5) for regime in REGIMES for battles in (10, 20)]
        several = dict(zip(families, pool.map(partial(_spread, family, studies), families), strict=True))
        weak = [(regime, 48, spread) for regime in ("C", "A") for spread in (0.0, 0.3, 0.6)]
        uneven = dict(zip(weak, pool.map(partial(_spread, weak_null, studies), weak), strict=True))
        looks = [(regime, 60, ratio, 5) for regime in ("C", "A") for ratio in (1.0, 0.6)]
        peeked = dict(zip(looks, pool.map(partial(_spread, sequential, studies), looks), strict=True))
        pairs = [(regime, battles, truth) for regime in ("C", "A") for battles in (10, 20, 50) for truth in (1.0, 2.0)]
        apart = dict(zip(pairs, pool.map(partial(_spread, two_studies, studies), pairs), strict=True))
    for regime in REGIMES:
        share, variation = describe(regime)
        print(f"{regime}: {share:.0%} of control battles with an event, coefficient of variation {variation:.1f}")
    print(f"\n{studies:,} studies a cell, {RESAMPLES:,} resamples, level {LEVEL:.0%}\n")
    heads = ("battles an arm", "type I", "coverage, true ratio 1 / 0.5", "power at 0.5", "type I: GEE", "Welch", "van Elteren")
    print(f"| {' | '.join((*heads, 'power: GEE'))} |\n|{'---|' * 8}")
    for regime in REGIMES:
        for battles in (10, 20, 50):
            null, half = two[regime, battles, 1.0], two[regime, battles, 0.5]
            others = " | ".join(f"{null[name]:.1%}" for name in ("GEE", "Welch", "van Elteren"))
            cover = f"{null['coverage']:.1%} / {half['coverage']:.1%}"
            own = f"{null['permutation']:.1%} | {cover} | {half['permutation']:.0%}"
            print(f"| {regime}, {battles} | {own} | {others} | {half['GEE']:.0%} |")
    print("\n| five treatments without effect, battles an arm | any significant after Holm |\n|---|---|")
    for (regime, battles, _), wrong in several.items():
        print(f"| {regime}, {battles} | {wrong:.1%} |")
    print(f"\nEffects that differ between {WORDINGS} wordings and average out, 48 battles an arm:\n")
    print("| spread of the effects | permutation | jackknife over wordings | both |\n|---|---|---|---|")
    for (regime, _, spread), (one, other, both) in uneven.items():
        print(f"| {regime}, {spread:.0%} | {one:.1%} | {other:.1%} | {both:.1%} |")
    print("\nFive looks at 60 blocks, O’Brien–Fleming, against the same looks without a boundary, and one at the end:\n")
    print("| true ratio | with the boundary | without | at the end alone | battles used |\n|---|---|---|---|---|")
    for (regime, _, ratio, _), (rejected, naive, alone, used) in peeked.items():
        print(f"| {regime}, {ratio:g} | {rejected:.1%} | {naive:.1%} | {alone:.1%} | {used:.0%} |")
    print("\nTwo studies, one with ratio 0.5, the other with 0.5 or 1:\n")
    print(
        "| battles an arm | the ratio of their ratios is covered, true 1 / 2 | heterogeneity found, true 1 / 2 |\n|---|---|---|"
    )
    for regime in ("C", "A"):
        for battles in (10, 20, 50):
            (same, wrong), (double, right) = apart[regime, battles, 1.0], apart[regime, battles, 2.0]
            print(f"| {regime}, {battles} | {same:.1%} / {double:.1%} | {wrong:.1%} / {right:.0%} |")


def _spread(study: Callable[..., object], studies: int, cell: tuple[object, ...]) -> object:
    return study(*cell, studies)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)

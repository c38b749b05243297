"""Designed battles and what is stored in, what a run would do out; no call is made and nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mitigation.costs import Measured
from mitigation.design import stratum
from mitigation.looks import blocks_of
from mitigation.power import POWER, REGIMES, battles_needed, power, smallest_ratio
from mitigation.significance.arrangements import smallest_p
from mitigation.significance.group_sequential import nominal_level, repeated_p
from mitigation.types import AnalysisPlan, Battle, Cell, Transcript
from mitigation.work import missing

_MOST_RESAMPLES: Final = 10_000_000
"""As many as a plan may ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPlan:
    """One cell of a planned run.

    Attributes:
        planned: battles in all.
        done: battles that would not be fought again.
        calls: model calls at the most for what is left.
    """

    identity: str
    scenario: str
    pairing: str
    planned: int
    done: int
    calls: int


def cell_plans(battles: Sequence[Battle], statuses: Mapping[str, str]) -> list[CellPlan]:
    """Return one row a cell, in the order of their names; `statuses` holds the state of each stored battle."""
    left = Counter(battle.cell.key for battle in missing(battles, statuses))
    cells = {battle.cell.key: battle.cell for battle in battles}
    return [
        CellPlan(
            identity=key[0],
            scenario=key[1],
            pairing=key[2],
            planned=cells[key].replicates,
            done=cells[key].replicates - left[key],
            calls=left[key] * (cells[key].messages + 2 * cells[key].manipulation_check),
        )
        for key in sorted(cells)
    ]


def measured(battles: Iterable[Transcript]) -> dict[str, Measured]:
    """Return what stored battles took, by name of pairing; battles of which nothing is known tell nothing."""
    sums: dict[str, list[float]] = {}
    for battle in battles:
        told = [turn.output_tokens for turn in battle.replies if turn.output_tokens is not None]
        if battle.status == "complete" and told:
            entry = sums.setdefault(battle.pairing, [0.0] * 5)
            spent = _seconds(battle)
            for place, value in enumerate((1, len(battle.replies), sum(told), len(told), spent or 0.0)):
                entry[place] += value
    return {
        pairing: Measured(messages=messages / count, tokens=tokens / replies, seconds=seconds / messages if seconds else None)
        for pairing, (count, messages, tokens, replies, seconds) in sums.items()
    }


def _seconds(battle: Transcript) -> float | None:
    """Return how long a battle took, None when it was not told or makes no sense."""
    try:
        began, ended = (datetime.fromisoformat(str(when)) for when in (battle.started_at, battle.finished_at))
        return max(0.0, (ended - began).total_seconds())
    except (ValueError, TypeError):
        return None


def feasibility(battles: Sequence[Battle], plan: AnalysisPlan) -> list[str]:
    """Return what the analysis could never conclude, whatever the data: a user should know before paying."""
    found = []
    arms = sorted({battle.cell.identity.name for battle in battles})
    if plan.control not in arms:
        return [f"no arm is called {plan.control}: nothing can be compared with it"]
    if len(arms) == 1:
        return [f"{plan.control} is the only arm: add one to compare with it"]
    sizes, floors = _sizes(battles), []
    for arm in arms:
        if arm == plan.control:
            continue
        both = _shared(sizes, plan.control, arm)
        smallest = smallest_p([one for one, _ in both], [other for _, other in both], resamples=plan.resamples)
        floors.append(smallest)
        if smallest > plan.alpha:
            found.append(
                f"{arm} against {plan.control} cannot reach p ≤ {plan.alpha:g}: the smallest attainable p is {smallest:.3g}; "
                "add replicates"
            )
    # The first step of Holm multiplies by all comparisons; if that fails for the smallest p, it fails for all.
    family = len(floors) if plan.correction == "holm" else 1
    if not found and repeated_p(min(floors), plan.looks, plan.looks) * family > plan.alpha:
        looks = f" and corrected for {plan.looks} looks" if plan.looks > 1 else ""
        found.append(
            f"no adjusted p can reach {plan.alpha:g}: the smallest attainable p is {min(floors):.3g}, times {family} "
            f"comparisons (Holm){looks}; add replicates or resamples, or leave out arms that no question needs"
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLook:
    """One look of a sequential plan.

    Attributes:
        number: which look; where several fall on the same block, the last of them.
        blocks: complete blocks at which it is reached.
        level: what the smallest of the treatments' p values must not exceed to stop there (the first of Holm's steps).
        smallest: smallest p value that the battles there can give with the resamples of the plan.
        possible: the same with as many resamples as a plan may ask for.
    """

    number: int
    blocks: int
    level: float
    smallest: float
    possible: float


def planned_looks(battles: Sequence[Battle], plan: AnalysisPlan) -> list[PlannedLook]:
    """Return the looks of a plan in their order, for its arm with the most battles there; none where the plan has but one."""
    keys = list(dict.fromkeys((b.replicate, b.cell.scenario.name, b.cell.pairing.name) for b in battles))
    arms = sorted({b.cell.identity.name for b in battles} - {plan.control})
    if plan.looks == 1 or not arms:
        return []
    found: dict[int, PlannedLook] = {}
    for number in range(1, plan.looks + 1):
        blocks = blocks_of(number, plan.looks, len(keys))
        inside = set(keys[:blocks])
        sizes = _sizes([b for b in battles if (b.replicate, b.cell.scenario.name, b.cell.pairing.name) in inside])
        pairs = [_shared(sizes, plan.control, arm) for arm in arms]
        floors = {
            resamples: min((smallest_p(*zip(*both, strict=True), resamples=resamples) for both in pairs if both), default=1.0)
            for resamples in (plan.resamples, _MOST_RESAMPLES)
        }
        level = nominal_level(plan.alpha / len(arms), number, plan.looks)
        found[blocks] = PlannedLook(
            number=number, blocks=blocks, level=level, smallest=floors[plan.resamples], possible=floors[_MOST_RESAMPLES]
        )
    return list(found.values())


def imbalances(cells: Sequence[Cell]) -> list[str]:
    """Return which scenarios have openers and seat orders out of balance, because the replicates are no multiple of both."""
    found: dict[tuple[int, int], set[str]] = {}
    for cell in cells:
        whole = 2 * len(cell.scenario.openers)
        if cell.replicates % whole:
            found.setdefault((cell.replicates, whole), set()).add(cell.scenario.name)
    return [
        f"replicates={replicates} is no multiple of {whole} (openers × 2 seat orders) in {', '.join(sorted(names))}: "
        "these are not in balance"
        for (replicates, whole), names in found.items()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What a design can find, for the arm that has the fewest battles.

    Attributes:
        battles: battles of that arm, and of control in the same strata.
        strata: strata that hold both.
        family: treatments that share alpha (the first of Holm's steps is tested at alpha / family).
        alpha: level of that test, at the last look where there are several.
        halving: chance to find half the control's rate, by how often control says "we" (`power.REGIMES`).
        smallest: rate ratio nearest to 1 that is found in 80 % of studies, likewise; None where no test is possible.
        needed: battles an arm that would find a halving in 80 % of studies, likewise.
    """

    battles: int
    strata: int
    family: int
    alpha: float
    halving: Mapping[str, float]
    smallest: Mapping[str, float | None]
    needed: Mapping[str, int]

    @property
    def low(self) -> bool:
        """Whether even a halving would be missed in more than one of five studies, unless control says "we" often."""
        return list(self.halving.values())[1] < POWER


def prospect(battles: Sequence[Battle], plan: AnalysisPlan) -> Prospect | None:
    """Return what the design can find, before any battle; None where there is nothing to compare."""
    sizes = _sizes(battles)
    arms = sorted({arm for arm, _ in sizes} - {plan.control})
    found = [_shared(sizes, plan.control, arm) for arm in arms]
    pairs = [pair for pair in found if pair]
    if not pairs:
        return None
    smallest = min(pairs, key=lambda pair: sum(min(sides) for sides in pair))
    n, strata, family = sum(min(sides) for sides in smallest), len(smallest), len(arms)
    alpha = nominal_level(plan.alpha / family, plan.looks, plan.looks)
    return Prospect(
        battles=n,
        strata=strata,
        family=family,
        alpha=alpha,
        halving={name: power(n, ratio=0.5, variation=spread, strata=strata, alpha=alpha) for name, spread in REGIMES.items()},
        smallest={name: smallest_ratio(n, variation=spread, strata=strata, alpha=alpha) for name, spread in REGIMES.items()},
        needed={
            name: battles_needed(ratio=0.5, variation=spread, strata=strata, alpha=alpha) for name, spread in REGIMES.items()
        },
    )


def _sizes(battles: Sequence[Battle]) -> Counter[tuple[str, str]]:
    """Count the battles of each arm in each stratum."""
    return Counter((b.cell.identity.name, stratum(b.cell.scenario.name, b.cell.pairing.name, b.opener)) for b in battles)


def _shared(sizes: Mapping[tuple[str, str], int], control: str, arm: str) -> list[tuple[int, int]]:
    """Return the battles of control and arm in every stratum that holds both."""
    strata = sorted({where for _, where in sizes})
    pairs = [(sizes.get((control, where), 0), sizes.get((arm, where), 0)) for where in strata]
    return [pair for pair in pairs if all(pair)]

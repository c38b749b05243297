"""Designed battles and what is stored in, what a run would do out; no call is made and nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mitigation.costs import Measured
from mitigation.design import stratum
from mitigation.significance.arrangements import smallest_p
from mitigation.types import AnalysisPlan, Battle, Transcript
from mitigation.work import missing


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
            calls=left[key] * cells[key].messages,
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
    sizes = Counter((b.cell.identity.name, stratum(b.cell.scenario.name, b.cell.pairing.name, b.opener)) for b in battles)
    strata = sorted({where for _, where in sizes})
    for arm in arms:
        if arm == plan.control:
            continue
        pairs = [(sizes[plan.control, where], sizes[arm, where]) for where in strata]
        both = [pair for pair in pairs if all(pair)]
        smallest = smallest_p([one for one, _ in both], [other for _, other in both], resamples=plan.resamples)
        if smallest > plan.alpha:
            found.append(
                f"{arm} against {plan.control} cannot reach p ≤ {plan.alpha:g}: the smallest attainable p is {smallest:.3g}; "
                "add replicates"
            )
    return found

"""What a study lacks: cells in, the battles still to fight and the replies they have already out, under a lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from mitigation.design import interleave
from mitigation.files import Reserve
from mitigation.freezing import freeze
from mitigation.journal import Reply
from mitigation.store import PROBE, Damage, Study
from mitigation.types import Battle, Cell, Model

# Room on the disk for each battle in flight, freed when the disk is full: a reply of 32,000 tokens fits.
ROOM = 1 << 17


def missing(battles: Sequence[Battle], statuses: Mapping[str, str]) -> list[Battle]:
    """Return the battles still to fight, in order: those without a result and those that failed."""
    return [battle for battle in battles if statuses.get(battle.battle_id, "failed") == "failed"]


@dataclass(frozen=True, slots=True)
class Work:
    """What a locked study holds and lacks.

    Attributes:
        planned: every battle of the sweep, in order.
        todo: those to fight.
        replies: replies that unfinished battles have already, by battle and message index.
        damage: lines that could not be used.
        changed: cells whose earlier battles were set aside, and why.
        reserve: room on the disk for the last records.
    """

    planned: list[Battle]
    todo: list[Battle]
    replies: dict[str, dict[int, Reply]]
    damage: list[Damage]
    changed: list[str]
    reserve: Reserve


@contextmanager
def opened(
    study: Study, cells: Sequence[Cell], *, concurrency: int = 1, single: bool = False, allow_change: bool = False
) -> Iterator[Work]:
    """Own the study, freeze what its cells are, and find what is missing.

    Args:
        study: the study.
        cells: what is to be fought.
        concurrency: battles in flight at once, for the room on the disk.
        single: own only the given cells, so that other processes may fight others of the study.
        allow_change: set the battles of a cell aside when its definition has changed.

    Raises:
        ConfigError: as `Study.lock` and `freeze` say.
    """
    planned = interleave(cells)
    room = PROBE + ROOM * min(concurrency, len(planned))
    with study.lock(cells if single else (), room=room) as reserve:
        changed = freeze(study, cells, allow_change=allow_change, whole=not single)
        torn = study.repair(cells)
        statuses, damage = study.statuses(cells)
        todo = missing(planned, statuses)
        finished = {name for name, status in statuses.items() if status != "failed"}
        replies, bad = study.journal(cells, {battle.battle_id for battle in todo}, finished)
        yield Work(planned, todo, replies, torn + damage + bad, changed, reserve)


def states(planned: Sequence[Battle], statuses: Mapping[str, str]) -> Counter[str]:
    """Return how many of the planned battles are in which state; one without a result is pending."""
    return Counter(statuses.get(battle.battle_id, "pending") for battle in planned)


def models(battles: Sequence[Battle]) -> list[Model]:
    """Return the models that the battles need."""
    needed: list[Model] = []
    for pairing in {b.cell.pairing.name: b.cell.pairing for b in battles}.values():
        for model in (pairing.first, pairing.second):
            if model not in needed:
                needed.append(model)
    return needed

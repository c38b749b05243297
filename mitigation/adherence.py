"""A locked plan and the study that was fought under it in; whether the plan was followed, and what differs, out."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mitigation.definitions import cell, differences
from mitigation.design import battles
from mitigation.preregistration import Lock, changes, design
from mitigation.prompts import system_prompt
from mitigation.types import AnalysisPlan, Battle, Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class Adherence:
    """Whether a study kept to its locked plan.

    Attributes:
        locked_at, sha256: as in `Lock`.
        deviations: what differs, in words; empty when the plan was followed.
    """

    locked_at: str
    sha256: str
    deviations: tuple[str, ...]

    @property
    def followed(self) -> bool:
        """Whether nothing differs."""
        return not self.deviations


def adherence(
    found: Lock, definitions: Sequence[Mapping[str, Any]], transcripts: Iterable[Transcript], *, plan: AnalysisPlan, detector: str
) -> Adherence:
    """Compare a study as it was fought and analysed with its lock.

    Args:
        found: the lock.
        definitions: frozen cells of the study.
        transcripts: its battles.
        plan: how it is analysed now.
        detector: what judged the messages.
    """
    odd = list(differences(dataclasses.asdict(found.plan), dataclasses.asdict(plan), "analysis"))
    if detector != found.contents["detector"]:
        odd.append(f"detector: {found.contents['detector']} → {detector}")
    now = design(definitions)
    strange = sorted({tuple(cell) for cell in now["cells"]} - set(found.cells))
    odd += [f"{' × '.join(key)} was not part of the locked design" for key in strange[:3]]
    odd += changes(found, now)
    odd += _battles(found, list(transcripts))
    return Adherence(locked_at=found.locked_at, sha256=found.sha256, deviations=tuple(odd))


def _battles(found: Lock, transcripts: Sequence[Transcript]) -> Iterator[str]:
    """Yield what the battles themselves show: when they began, which were set aside by hand, and what their agents were told."""
    if early := sum(1 for b in transcripts if b.started_at and _earlier(b.started_at, found.locked_at)):
        yield f"{_counted(early)} began before the plan was locked"
    if excluded := sum(b.status == "excluded" for b in transcripts):
        yield f"excluded by hand: {_counted(excluded)}"
    planned = {battle.battle_id: battle for plain in found.definitions for battle in battles(cell(plain))}
    other = [b.battle_id for b in transcripts if (known := planned.get(b.battle_id)) and _drawn(known) != _fought(b)]
    if other:
        yield f"not drawn or told as locked: {_counted(len(other))}, {other[0]} among them"


def _counted(battles: int) -> str:
    """Return '1 battle', '3 battles'."""
    return f"{battles:,} battle{'' if battles == 1 else 's'}"


def _drawn(battle: Battle) -> tuple[object, ...]:
    """Return what the design gives a battle: opener, seed, wordings, and the hash of each agent's system prompt."""
    prompts = tuple(hashlib.sha256(system_prompt(battle, seat).encode()).hexdigest() for seat in (0, 1))
    return battle.opener, battle.seed, battle.wording, prompts


def _fought(battle: Transcript) -> tuple[object, ...]:
    return battle.opener, battle.seed, tuple(battle.wording), tuple(agent.prompt_sha256 for agent in battle.agents)


def _earlier(one: str, other: str) -> bool:
    """Whether a time lies before another; a time that cannot be read proves nothing."""
    try:
        return datetime.fromisoformat(one) < datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False

"""Imported battles in; lines of a study's files out, each battle once however often it is imported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from mitigation.design import battle_id
from mitigation.errors import ConfigError
from mitigation.store import Study
from mitigation.types import Transcript


def write(study: Study, battles: Sequence[Transcript]) -> int:
    """Add battles to a study and return how many were new.

    A battle whose messages are there already under its arm, scenario and pairing is the same battle. New ones are numbered
    after those that are there, so that several folders can be imported into one study.

    Raises:
        ConfigError: the study holds battles that were fought here, or is in use.
    """
    with study.lock():
        if study.definitions():
            raise ConfigError(f"study {study.name} holds battles that were fought here: choose another name for what is imported")
        there, _ = study.read()
        # At temperature 0 two battles may be the same to the letter: as many are known as are there, and no more.
        known = Counter((_cell(battle), _said(battle)) for battle in there)
        numbers = Counter(_cell(battle) for battle in there)
        added = 0
        for battle in battles:
            cell = _cell(battle)
            if known[cell, _said(battle)] > 0:
                known[cell, _said(battle)] -= 1
                continue
            made = replace(battle, replicate=numbers[cell], battle_id=battle_id(*cell, numbers[cell]))
            path, line = study.line(made)
            path.parent.mkdir(parents=True, exist_ok=True)
            study.append(path, line)
            numbers[cell] += 1
            added += 1
    return added


def _cell(battle: Transcript) -> tuple[str, str, str]:
    return battle.identity, battle.scenario, battle.pairing


def _said(battle: Transcript) -> tuple[tuple[str, str], ...]:
    return tuple((turn.agent, turn.text) for turn in battle.turns)

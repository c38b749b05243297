"""What a study's battles were fought under is frozen by the first of them: cells in, a refusal or frozen definitions out.

results/<study>/<identity>/<scenario>/<pairing>/cell.json  what was fought
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from pathlib import Path

import orjson

from mitigation import journal, preregistration
from mitigation.definitions import cell_key, definition, first_conflict, read_definition
from mitigation.errors import ConfigError
from mitigation.files import write_atomically
from mitigation.games import check_game
from mitigation.store import BATTLES, Study
from mitigation.types import Cell


def check(study: Study, cells: Sequence[Cell], *, allow_change: bool = False, whole: bool = True) -> list[tuple[str, str, str]]:
    """Compare cells with what the study's battles were fought under; nothing is written.

    More replicates and further cells are welcome at any time. But a cell with battles stays what it was, one name means one
    thing in a study, and its limit of messages and its seed are the same everywhere, so that versions are never mixed.

    Args:
        cells: what is to be fought.
        allow_change: let cells change; their earlier battles have to be set aside then.
        whole: under a locked plan, demand every arm of a block; False where each process fights one cell.

    Returns:
        The cells whose battles have to be set aside.

    Raises:
        ConfigError: something differs that may not; the message names what. Or a game of the cells is not known, or its moves
            cannot be judged on this machine. Or the plan is locked and the cells are not those that were locked.
    """
    if (locked := preregistration.read(study.folder)) is not None:
        preregistration.enforce(locked, study.name, cells, allow_change=allow_change, whole=whole)
    for game in sorted({cell.scenario.game for cell in cells if cell.scenario.game is not None}):
        check_game(game)
    fought = [found for found in study.definitions() if _begun(study.cell_folder(*cell_key(found)))]
    new = {cell.key: definition(cell) for cell in cells}
    aside: list[tuple[str, str, str]] = []
    if allow_change:
        aside = [key for old in fought if (key := cell_key(old)) in new and first_conflict([new[key]], [old])]
        fought = [old for old in fought if cell_key(old) not in aside]
    if conflict := first_conflict(list(new.values()), fought):
        way = (
            "the cells that hold them are not all part of this sweep: add them to it"
            if allow_change
            else "put them back, choose another study name, or set allow_change=true to set those battles aside and fight anew"
        )
        raise ConfigError(f"study {study.name} holds battles fought under other settings ({conflict}): {way}")
    return aside


def freeze(study: Study, cells: Sequence[Cell], *, allow_change: bool = False, whole: bool = True) -> list[str]:
    """Write what each cell is, after `check`; the number of replicates only grows.

    Returns:
        For each cell that changed, what was set aside.
    """
    told = []
    for key in check(study, cells, allow_change=allow_change, whole=whole):
        old, new = read_definition(study.cell_folder(*key) / "cell.json"), next(c for c in cells if c.key == key)
        assert old is not None
        change = first_conflict([definition(new)], [old])
        told.append(f"{'/'.join(key)}: {change}; its earlier battles are now in {_set_aside(study, key)}")
    for cell in cells:
        path, frozen = study.cell_folder(*cell.key) / "cell.json", definition(cell)
        before = read_definition(path)
        if before is not None and _begun(path.parent):
            frozen["replicates"] = max(frozen["replicates"], before["replicates"])
        if frozen != before:
            write_atomically(path, orjson.dumps(frozen, option=orjson.OPT_INDENT_2) + b"\n")
    return told


def begun(study: Study) -> bool:
    """Whether a study holds a battle or a reply of one."""
    # What was set aside counts as well: it was seen.
    kept = ("*/*/*/battles*.jsonl", "*/*/*/journal*.jsonl", "ledger.jsonl")
    return any(True for name in kept for _ in study.folder.glob(name))


def _begun(folder: Path) -> bool:
    """Whether a cell holds a battle or a reply of one."""
    return any((folder / name).exists() for name in (BATTLES, journal.NAME))


def _set_aside(study: Study, key: tuple[str, str, str]) -> str:
    """Rename the files of a cell, so that nothing reads them as results any more; return the new name of its battles."""
    folder = study.cell_folder(*key)
    number = next(n for n in itertools.count(1) if not (folder / f"battles.{n}.jsonl").exists())
    # The battles go first: from then on the cell counts as empty, whatever happens to the rest.
    for name in (BATTLES, journal.NAME, "cell.json"):
        stem, _, suffix = name.rpartition(".")
        with contextlib.suppress(FileNotFoundError):
            (folder / name).rename(folder / f"{stem}.{number}.{suffix}")
    return f"battles.{number}.jsonl"

"""A study's plan, locked before its battles: design, analysis and detector in, their hash out.

results/<study>/plan.lock.json  what was locked, when, and the SHA-256 of it; register the hash elsewhere to prove the date

The hash covers what is planned and nothing else, so that the same plan has the same hash on every machine. Under a lock the
battles must be those that were locked: every arm of a block, word for word.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from mitigation.definitions import cell_key, definition, differences
from mitigation.errors import ConfigError, StoreError
from mitigation.files import write_atomically
from mitigation.prompts import QUESTION
from mitigation.types import AnalysisPlan, Cell

FILE: Final = "plan.lock.json"
SCHEMA: Final = 1
_PARTS: Final = ("identity", "scenario", "pairing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A locked plan.

    Attributes:
        locked_at: when, in ISO 8601.
        sha256: hash of `contents`, 64 hexadecimal digits.
        contents: analysis, detector and design as plain values.
    """

    locked_at: str
    sha256: str
    contents: Mapping[str, Any]

    @property
    def plan(self) -> AnalysisPlan:
        """The analysis that was locked; StoreError when another version of this program wrote it."""
        try:
            return AnalysisPlan(**self.contents["analysis"])
        except TypeError as error:
            raise StoreError(f"the locked analysis was written by another version ({error}): read it with that one") from None

    @property
    def definitions(self) -> list[dict[str, Any]]:
        """Every locked cell as `definitions.definition` gives it."""
        design = self.contents["design"]
        return [
            {**{part: design[part][name] for part, name in zip(_PARTS, key, strict=True)}, **design["shared"]}
            for key in self.cells
        ]

    @property
    def cells(self) -> list[tuple[str, str, str]]:
        """Names of arm, scenario and pairing of every locked cell."""
        return [(arm, scenario, pairing) for arm, scenario, pairing in self.contents["design"]["cells"]]


def design(definitions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return cells as one design: each part once, what all cells share, and which parts make a cell.

    Args:
        definitions: cells as `definitions.definition` gives them.
    """
    found: dict[str, Any] = {part: {} for part in _PARTS} | {"shared": {}, "cells": []}
    for plain in definitions:
        for part in _PARTS:
            found[part][plain[part]["name"]] = plain[part]
        for field in plain.keys() - {"schema", *_PARTS}:
            # A field that differs between cells would be hidden by the last of them.
            known = found["shared"].setdefault(field, plain[field])
            found["shared"][field] = known if known == plain[field] else "not the same in all cells"
        found["cells"].append(list(cell_key(plain)))
    found["cells"].sort()
    return found


def _digest(contents: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(contents, option=orjson.OPT_SORT_KEYS)).hexdigest()


def lock(folder: Path, cells: Sequence[Cell], *, plan: AnalysisPlan, detector: str, begun: bool) -> Lock:
    """Lock the plan of a study that has not begun, and return the lock; the same plan again changes nothing.

    Args:
        folder: the study's folder.
        cells: the design.
        plan: the analysis.
        detector: name, version and digest of what will judge the messages.
        begun: whether the study holds a battle or a reply.

    Raises:
        ConfigError: the study has begun, or another plan is locked.
    """
    contents = {
        "analysis": dataclasses.asdict(plan),
        "detector": detector,
        "question": QUESTION,
        "design": design(definition(each) for each in cells),
    }
    made = Lock(locked_at=datetime.now(UTC).isoformat(timespec="seconds"), sha256=_digest(contents), contents=contents)
    if (known := read(folder)) is not None:
        # A lock of an earlier version lacks settings that came later: it means their defaults.
        before = {**known.contents, "analysis": dataclasses.asdict(known.plan)}
        if _digest(before) == made.sha256:
            return known
        changed = next(differences(before, contents, "plan"), "the hash differs")
        raise ConfigError(
            f"{folder / FILE} holds another plan, locked {known.locked_at} ({changed}): a lock is not renewed; choose another "
            "study name, or delete the file and say so where the hash was registered"
        )
    if begun:
        raise ConfigError(
            f"study {folder.name} holds battles already: a plan is locked before the first; choose another study name"
        )
    record = {"schema": SCHEMA, "locked_at": made.locked_at, "sha256": made.sha256, "contents": contents}
    write_atomically(folder / FILE, orjson.dumps(record, option=orjson.OPT_INDENT_2) + b"\n")
    return made


def read(folder: Path) -> Lock | None:
    """Return the lock of a study, None when it has none.

    Raises:
        StoreError: the file is damaged, of another version, or its contents are not those that were hashed.
    """
    path = folder / FILE
    try:
        record = orjson.loads(path.read_bytes())
        if record["schema"] != SCHEMA:
            raise StoreError(f"{path} was written under schema {record['schema']!r}, and this version reads {SCHEMA}")
        found = Lock(locked_at=str(record["locked_at"]), sha256=str(record["sha256"]), contents=record["contents"])
        intact = _digest(found.contents) == found.sha256
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} is damaged ({type(error).__name__}): restore it from a copy") from None
    if not intact:
        raise StoreError(
            f"{path} was altered after it was written: its contents do not have the hash {found.sha256[:12]}…; restore it"
        )
    return found


def enforce(found: Lock, study: str, cells: Sequence[Cell], *, allow_change: bool, whole: bool) -> None:
    """Raise ConfigError unless the cells are those that were locked, with every arm of each scenario × pairing.

    Args:
        found: the lock.
        study: the study's name.
        cells: what is to be fought.
        allow_change: whether the user wants to change cells, which a lock forbids.
        whole: whether the cells must hold every arm; False where each process fights one cell.
    """

    def refuse(why: str) -> ConfigError:
        way = "fight what was locked, or choose another study name"
        return ConfigError(f"study {study} is locked ({FILE}, sha256 {found.sha256[:12]}…): {why}; {way}")

    if allow_change:
        raise refuse("allow_change=true would change it")
    locked, given = found.cells, [each.key for each in cells]
    if strange := sorted(set(given) - set(locked)):
        raise refuse(f"the cell {' × '.join(strange[0])} is not part of it")
    blocks = {key[1:] for key in given}
    if whole and (absent := sorted({key for key in locked if key[1:] in blocks} - set(given))):
        arms = ", ".join(sorted({key[0] for key in absent}))
        control = found.contents["analysis"]["control"]
        what = f"the control ({control})" if control in {key[0] for key in absent} else arms
        raise refuse(f"this sweep lacks {what}, and a block is fought with all its arms")
    now = design(definition(each) for each in cells)
    if changed := next(changes(found, now), None):
        raise refuse(changed)
    if found.contents["question"] != QUESTION and now["shared"]["manipulation_check"]:
        raise refuse("the question of the manipulation check is another one in this version")


def changes(found: Lock, now: Mapping[str, Any]) -> Iterator[str]:
    """Yield what differs between a design and the locked one, in the parts that both have and in what all cells share."""
    before = found.contents["design"]
    for part in _PARTS:
        for name in sorted(now[part].keys() & before[part].keys()):
            yield from differences(before[part][name], now[part][name], f"{part} {name}: ")
    if now["cells"]:
        yield from differences(before["shared"], now["shared"], "")

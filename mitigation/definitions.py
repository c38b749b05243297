"""Cells in, their frozen definitions out, and what keeps two definitions from standing in one study."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from mitigation.errors import StoreError
from mitigation.types import Cell, Identity, Model, Pairing, Scenario

SCHEMA = 1
MOST_SHOWN = 60
_PARTS = ("identity", "scenario", "pairing")
_NOT_FOUGHT = ("api_key_env", "price", "requests_per_minute", "tokens_per_minute")


def first_conflict(new: Sequence[Mapping[str, Any]], fought: Sequence[Mapping[str, Any]]) -> str | None:
    """Return what differs between new cells and those that hold battles, or None.

    A cell with battles stays what it was; one name means one thing in a study; the limit of messages and the seed are the
    same in all its cells. Replicates may grow.
    """
    known = {cell_key(cell): cell for cell in fought}
    parts = {(part, cell[part]["name"]): cell[part] for cell in fought for part in _PARTS}
    for cell in new:
        changes: list[str] = []
        for part in _PARTS:
            changes += differences(parts.get((part, cell[part]["name"]), cell[part]), cell[part], part)
        shared = known.get(cell_key(cell)) or next(iter(fought), cell)
        for name in ("messages", "seed", "manipulation_check"):
            changes += differences(shared[name], cell[name], name)
        if changes:
            return "; ".join(changes[:4]) + (f"; and {len(changes) - 4} more" if len(changes) > 4 else "")
    return None


def cell_key(cell: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the names of arm, scenario and pairing."""
    return cell["identity"]["name"], cell["scenario"]["name"], cell["pairing"]["name"]


def definition(cell: Cell) -> dict[str, Any]:
    """Return a cell as it is frozen: plain values, no key among them, and nothing that changes no battle."""
    plain = json.loads(orjson.dumps(dataclasses.asdict(cell)))
    del plain["identity"]["profile"]
    for seat in ("first", "second"):
        for field in _NOT_FOUGHT:
            del plain["pairing"][seat][field]
    return {"schema": SCHEMA, **plain}


def cell(plain: Mapping[str, Any]) -> Cell:
    """Return the cell that a definition describes; what no battle depends on has its default."""
    identity, scenario, pairing = (plain[part] for part in _PARTS)
    models = {seat: Model(**pairing[seat]) for seat in ("first", "second")}
    return Cell(
        identity=Identity(**{**identity, "bank": tuple(identity["bank"])}),
        scenario=Scenario(**{**scenario, "agents": tuple(scenario["agents"]), "openers": tuple(scenario["openers"])}),
        pairing=Pairing(name=pairing["name"], **models),
        **{field: value for field, value in plain.items() if field not in ("schema", *_PARTS)},
    )


def read_definition(path: Path) -> dict[str, Any] | None:
    """Return a frozen cell, None when there is none; StoreError when it is damaged or of another version."""
    try:
        found = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StoreError(f"{path} is damaged ({error}): restore it from a copy or choose another study name") from None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        written = found.get("schema") if isinstance(found, dict) else None
        raise StoreError(
            f"{path} was written under schema {written!r}, and this version reads {SCHEMA}: "
            "read it with the version that wrote it, or install a newer one"
        )
    for part, kind in ((found, Cell), (found.get("identity"), Identity), (found.get("scenario"), Scenario)):
        _complete(part, kind)
    return found


def _complete(stored: Any, kind: type[Cell | Identity | Scenario]) -> None:
    """Give a stored part the default of every field that did not exist when it was written."""
    for field in dataclasses.fields(kind):
        if isinstance(stored, dict) and field.default is not dataclasses.MISSING:
            stored.setdefault(field.name, json.loads(orjson.dumps(field.default)))


def differences(old: Any, new: Any, where: str) -> Iterator[str]:
    """Yield "field: old → new" for every leaf of plain values that differs; `where` stands before the names of the fields."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            inner = f"{where}.{key}" if where and not where.endswith(" ") else f"{where}{key}"
            yield from differences(old.get(key), new.get(key), inner)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f"{where}[{index}]")
    elif old != new:
        begin = _parting(old, new) if isinstance(old, str) and isinstance(new, str) else 0
        yield f"{where}: {_short(old, begin)} → {_short(new, begin)}"


def _parting(old: str, new: str) -> int:
    """Return where an excerpt of two long texts begins that shows how they differ: a few characters before they part."""
    if max(len(old), len(new)) <= MOST_SHOWN:
        return 0
    common = next((place for place, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return max(0, common - 12)


def _short(value: Any, begin: int = 0) -> str:
    text = repr(value[begin:] if begin else value)
    return ("…" if begin else "") + (text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 3] + "…")

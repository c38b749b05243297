"""Plain JSONL, an object a message: agent, text, and what else is known: battle_id, turn, condition, scenario, pairing, model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from mitigation.imports.base import Heard, Source, fault

AGENT: Final = ("agent", "name", "speaker")
TEXT: Final = ("text", "content", "message")
TURN: Final = ("turn", "index")
ARM: Final = ("condition", "arm", "identity")


def parse(name: str, text: str) -> list[Source]:
    """Return the battles of a file, in the order in which they begin; without battle_id the whole file is one.

    Raises:
        ConfigError: a line is no JSON object, lacks agent or text, or repeats a turn; the message names the line.
    """
    battles: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = orjson.loads(line)
        except ValueError as error:
            raise fault(name, f"line {number} is no JSON ({error})") from None
        if not isinstance(record, Mapping):
            raise fault(name, f"line {number} is no JSON object")
        battles.setdefault(str(record.get("battle_id", "")), []).append((number, record))
    if not battles:
        raise fault(name, "there is no line in it")
    return [_battle(name, key, records) for key, records in battles.items()]


def _battle(name: str, key: str, records: list[tuple[int, Mapping[str, Any]]]) -> Source:
    turns = [_first(record, TURN) for _, record in records]
    if all(isinstance(turn, int) and not isinstance(turn, bool) for turn in turns):
        if len(set(turns)) < len(turns):
            raise fault(name, f"battle {key or '1'} holds a turn twice")
        records = [record for _, record in sorted(zip(turns, records, strict=True), key=lambda pair: pair[0])]
    elif any(turn is not None for turn in turns):
        raise fault(name, f"battle {key or '1'}: turn is not a whole number in every line")
    heard = []
    for number, record in records:
        agent, text, model = _first(record, AGENT), _first(record, TEXT), record.get("model")
        if not isinstance(agent, str) or not agent.strip():
            raise fault(name, f"line {number} names no agent ({', '.join(AGENT)})")
        if not isinstance(text, str):
            raise fault(name, f"line {number} holds no text ({', '.join(TEXT)})")
        heard.append(Heard(agent=agent.strip(), text=text, model=model if isinstance(model, str) else None))
    return Source(
        name=f"{name}, battle {key}" if key else name,
        heard=heard,
        arm=_same(name, key, [_first(record, ARM) for _, record in records], "condition"),
        scenario=_same(name, key, [record.get("scenario") for _, record in records], "scenario"),
        pairing=_same(name, key, [record.get("pairing") for _, record in records], "pairing"),
    )


def _first(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((record[name] for name in names if record.get(name) is not None), None)


def _same(name: str, key: str, values: list[Any], what: str) -> str | None:
    """Return what all lines of a battle say of one thing."""
    different = {str(value) for value in values if value is not None}
    if len(different) > 1:
        raise fault(name, f"battle {key or '1'} has several values of {what}: {', '.join(sorted(different)[:3])}")
    return different.pop() if different else None

"""Records to lines with a checksum, and lines back into transcripts.

Every field is checked on the way in, because files are edited, copied and imported.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from mitigation.types import ENDINGS, STATUSES, Agent, Transcript, Turn

_SEAL = b',"crc32":"%08x"}'
_SEAL_LENGTH = len(_SEAL % 0)


def seal(record: Mapping[str, Any]) -> bytes:
    """Return a record as one line of JSON that ends in the checksum of what stands before it."""
    body = orjson.dumps(record)
    return body[:-1] + _SEAL % zlib.crc32(body) + b"\n"


def unseal(line: bytes) -> Any:
    """Return the record in a line; a line of another tool without a checksum is taken as it is.

    Raises:
        ValueError: the line is torn, altered or no JSON.
    """
    if line[-_SEAL_LENGTH:].startswith(b',"crc32":"'):
        body = line[:-_SEAL_LENGTH] + b"}"
        if _SEAL % zlib.crc32(body) != line[-_SEAL_LENGTH:]:
            raise ValueError("the checksum does not match")
        return orjson.loads(body)
    return orjson.loads(line)


def holds(line: bytes) -> bool:
    """Whether a line that lacks its line end is whole all the same."""
    try:
        unseal(line)
    except ValueError:
        return False
    return True


def transcript(record: Any) -> Transcript:
    """Return the transcript in one record.

    Raises:
        ValueError: a field is missing or is not what it must be; the message names the field.
    """
    if not isinstance(record, Mapping):
        raise ValueError("the line is no JSON object")
    turns = tuple(_turn(turn, place) for place, turn in enumerate(_list(record, "turns")))
    indices = [turn.index for turn in turns]
    if indices != sorted(set(indices)):
        raise ValueError("turns[].index does not rise")
    status, ending = record.get("status"), record.get("ending")
    if status not in STATUSES:
        raise ValueError(f"status={status!r} is not one of {', '.join(STATUSES)}")
    if ending is not None and ending not in ENDINGS:
        raise ValueError(f"ending={ending!r} is not one of {', '.join(ENDINGS)}")
    name = _text(record, "battle_id")
    if not name.isascii():
        raise ValueError("battle_id is not ASCII")
    return Transcript(
        battle_id=name,
        identity=_text(record, "identity"),
        scenario=_text(record, "scenario"),
        pairing=_text(record, "pairing"),
        opener=_number(record, "opener") or 0,
        replicate=_number(record, "replicate") or 0,
        seed=_number(record, "seed"),
        wording=tuple(_list(record, "wording")),
        status=status,
        ending=ending,
        run_order=_number(record, "run_order"),
        started_at=record.get("started_at"),
        finished_at=record.get("finished_at"),
        agents=tuple(_agent(agent) for agent in _list(record, "agents")),
        turns=turns,
        flags=tuple(map(str, _list(record, "flags"))),
        error=record.get("error"),
        calls=_number(record, "calls"),
        usd=record.get("usd"),
        check=tuple(_turn(turn, place) for place, turn in enumerate(_list(record, "check"))),
    )


def _turn(record: Any, place: int) -> Turn:
    if not isinstance(record, Mapping):
        raise ValueError(f"turns[{place}] is no JSON object")
    text = record.get("text")
    if not isinstance(text, str):
        raise ValueError(f"turns[{place}].text is no text")
    index = _number(record, "index")
    return Turn(
        index=place if index is None else index,
        agent=_text(record, "agent"),
        text=text,
        model=record.get("model"),
        finish_reason=record.get("finish_reason"),
        input_tokens=_number(record, "input_tokens"),
        output_tokens=_number(record, "output_tokens"),
    )


def _agent(record: Any) -> Agent:
    if isinstance(record, str):
        return Agent(name=record)
    if not isinstance(record, Mapping):
        raise ValueError("agents[] holds neither a name nor an object")
    known = {field: record.get(field) for field in Agent.__slots__ if field != "name"}
    return Agent(name=_text(record, "name"), **known)


def _text(record: Mapping[str, Any], field: str) -> str:
    value = record.get(field)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{field}={value!r} is no text")
    return value


def _number(record: Mapping[str, Any], field: str) -> int | None:
    value = record.get(field)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"{field}={value!r} is no whole number")
    return value


def _list(record: Mapping[str, Any], field: str) -> list[Any]:
    value = record.get(field, [])
    if not isinstance(value, list):
        raise ValueError(f"{field} is no list")
    return value

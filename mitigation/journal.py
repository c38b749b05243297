"""The replies of battles that are not finished: each is written before it is used, so that a killed battle goes on.

    results/<study>/<identity>/<scenario>/<pairing>/journal.jsonl  one line a paid reply

A reply is taken up again only for the same prompt, byte for byte; once a battle is finished its lines are no longer needed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mitigation.files import write_atomically
from mitigation.providers.base import Completion
from mitigation.records import seal, unseal

NAME = "journal.jsonl"
_START = b'{"battle_id":"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply and what it took to get it.

    Attributes:
        completion: the reply.
        prompt: digest of the prompt that it answers.
        calls: attempts that were sent for it, this one included.
        empty: replies without a word that came before it.
        usd: what all its attempts cost, None when that is not known.
        began: when the first attempt was made.
    """

    completion: Completion
    prompt: str
    calls: int
    empty: int
    usd: float | None
    began: str


def line(battle_id: str, index: int, reply: Reply) -> bytes:
    """Return a reply as one line of the journal; the battle comes first, so that lines can be skipped unread."""
    said = reply.completion
    return seal(
        {
            "battle_id": battle_id,
            "index": index,
            "text": said.text,
            "model": said.model,
            "finish_reason": said.finish_reason,
            "input_tokens": said.input_tokens,
            "output_tokens": said.output_tokens,
            "prompt": reply.prompt,
            "calls": reply.calls,
            "empty": reply.empty,
            "usd": reply.usd,
            "began": reply.began,
        }
    )


def _reply(record: Any) -> Reply:
    """Return the reply in a record; ValueError when a field is not what it must be."""
    texts = [record[field] for field in ("battle_id", "text", "model", "finish_reason", "prompt", "began")]
    counts = [record[field] for field in ("index", "calls", "empty")]
    tokens = [record[field] for field in ("input_tokens", "output_tokens")]
    whole = all(isinstance(text, str) for text in texts) and all(type(count) is int for count in counts)
    if not whole or not all(count is None or type(count) is int for count in tokens):
        raise ValueError("a field is not what it must be")
    if record["usd"] is not None and not isinstance(record["usd"], int | float):
        raise ValueError(f"usd={record['usd']!r} is no number")
    said = Completion(**{field: record[field] for field in Completion.__slots__})
    return Reply(completion=said, **{field: record[field] for field in Reply.__slots__ if field != "completion"})


def battle_of(line: bytes) -> str | None:
    """Return whose line it is, without reading the rest; None for a line that does not begin as one."""
    if not line.startswith(_START):
        return None
    return line[len(_START) : line.find(b'"', len(_START))].decode("ascii", "replace")


def read(
    path: Path, wanted: Collection[str] | None, finished: Collection[str] = ()
) -> tuple[dict[str, dict[int, Reply]], list[tuple[int, str]]]:
    """Return the replies of the wanted battles by message index, and number and fault of each line that could not be used.

    None wants all. Lines of finished battles are skipped unread.
    """
    found: dict[str, dict[int, Reply]] = {}
    damage: list[tuple[int, str]] = []
    for number, line in enumerate(_lines(path), 1):
        owner = battle_of(line)
        if owner is not None and owner in finished:
            continue
        try:
            record = unseal(line)
            found.setdefault(record["battle_id"], {})[record["index"]] = _reply(record)
        except (ValueError, KeyError, TypeError) as error:
            damage.append((number, f"{type(error).__name__}: {error}"))
    return {battle: replies for battle, replies in found.items() if wanted is None or battle in wanted}, damage


def compact(path: Path, finished: Collection[str]) -> None:
    """Drop the lines of finished battles; lines that cannot be read are kept for whoever looks into them."""
    if not path.exists():
        return
    kept, dropped = [], 0
    for line in _lines(path):
        owner = battle_of(line)
        if owner is None or owner not in finished:
            kept.append(line + b"\n")
        else:
            dropped += 1
    if dropped:
        write_atomically(path, b"".join(kept))


def _lines(path: Path) -> Iterable[bytes]:
    """Yield the lines of a file without holding all of it."""
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                if line.strip():
                    yield line.rstrip(b"\n")

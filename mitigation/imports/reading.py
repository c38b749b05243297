"""A file or a folder in, the battles in it as transcripts out; what cannot be read is an error that names the place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import orjson

from mitigation.checks import check_name
from mitigation.design import battle_id
from mitigation.errors import ConfigError
from mitigation.flags import concession, flags
from mitigation.imports import autogen, console, lines
from mitigation.imports.base import Source, fault
from mitigation.types import Agent, Transcript, Turn

LARGEST: Final = 50 * 2**20
MOST_FILES: Final = 10_000


def _json(name: str, text: str) -> list[Source]:
    try:
        return autogen.parse(name, orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise fault(name, f"is no JSON ({error})") from None


FORMATS: Final[dict[str, Callable[[str, str], list[Source]]]] = {"console": console.parse, "autogen": _json, "lines": lines.parse}
_SUFFIXES: Final = {".txt": "console", ".log": "console", ".json": "autogen", ".jsonl": "lines"}


def read(path: Path, *, form: str = "auto", arm: str = "control") -> tuple[list[Transcript], list[str]]:
    """Return the battles of a file, or of all files in a folder in their natural order, and the names of files passed over.

    Args:
        path: a file, or a folder of files; links are not followed and folders in it not entered.
        form: one of FORMATS, or "auto" for the one that a file's ending names (.txt and .log, .json, .jsonl).
        arm: arm of battles that do not name their own.

    Raises:
        ConfigError: the path does not exist, nothing in it can be read, a file is too large or not UTF-8, or a battle makes
            no sense; nothing of the folder is used then.
    """
    files = [path] if path.is_file() else sorted(path.glob("*"), key=lambda file: _natural(file.name))
    if not path.exists():
        raise ConfigError(f"path={path}: there is no such file or folder")
    if len(files) > MOST_FILES:
        raise ConfigError(f"path={path} holds {len(files):,} files, more than {MOST_FILES:,}: import it in parts")
    sources, passed = [], []
    for file in files:
        kind = _SUFFIXES.get(file.suffix.lower()) if form == "auto" else form
        if kind is None or not file.is_file() or file.is_symlink() or file.name.startswith("."):
            passed.append(file.name)
            continue
        text = _text(file)
        if path.is_dir() and kind == "console" and not console.looks_like(text):
            passed.append(file.name)
            continue
        sources += FORMATS[kind](file.name, text)
    if not sources:
        raise ConfigError(f"path={path}: no file in it is a transcript; formats: {', '.join(FORMATS)} (format=NAME sets it)")
    return _transcripts(sources, arm), passed


def _natural(name: str) -> list[tuple[int, str]]:
    """Order names as people do: battle_2 before battle_10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _text(file: Path) -> str:
    size = file.stat().st_size
    if size > LARGEST:
        raise fault(file.name, f"has {size:,} bytes, more than {LARGEST:,}: cut it into files of one battle")
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise fault(file.name, f"is not UTF-8 (byte {error.start}): save it as UTF-8") from None


def _transcripts(sources: Sequence[Source], arm: str) -> list[Transcript]:
    counts: Counter[tuple[str, str, str]] = Counter()
    names: dict[str, str] = {}
    found = []
    for source in sources:
        key = (
            _name(source.arm or arm, names),
            _name(source.scenario or "imported", names),
            _name(source.pairing or "imported", names),
        )
        found.append(_transcript(source, key, counts[key]))
        counts[key] += 1
    return found


def _name(given: str, names: dict[str, str]) -> str:
    """Return a name that is safe as a folder; two different ones never become one."""
    made = re.sub(r"[^a-z0-9_-]+", "_", given.lower()).strip("_-")[:64]
    if names.setdefault(made, given) != given:
        raise ConfigError(f"{names[made]!r} and {given!r} would both be called {made}: rename one of them")
    return check_name(made, f"the name made of {given!r}")


def _transcript(source: Source, key: tuple[str, str, str], replicate: int) -> Transcript:
    agents = list(dict.fromkeys(message.agent for message in source.heard))
    if len(agents) != 2:
        told = ", ".join(agents[:4]) or "nobody"
        raise fault(source.name, f"{len(agents)} agents speak ({told}), and a battle has two")
    models = {message.agent: message.model for message in source.heard if message.model}
    turns = tuple(
        Turn(index=index, agent=message.agent, text=message.text, model=message.model)
        for index, message in enumerate(source.heard)
    )
    return Transcript(
        battle_id=battle_id(key[0], key[1], key[2], replicate),
        identity=key[0],
        scenario=key[1],
        pairing=key[2],
        opener=0,
        replicate=replicate,
        seed=None,
        wording=(None, None),
        status="complete",
        # A battle that nobody lost ended as its file does; why is not known.
        ending="conceded" if concession(turns[-1].text) == "plain" else None,
        run_order=None,
        started_at=None,
        finished_at=None,
        agents=(Agent(name=agents[0], model=models.get(agents[0])), Agent(name=agents[1], model=models.get(agents[1]))),
        turns=turns,
        flags=flags(turns, (agents[0], agents[1])),
    )

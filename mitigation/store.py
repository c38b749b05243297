"""The only reader and writer of results/: cell definitions and transcripts in and out, under one lock a study.

    results/<study>/.lock                                          owner of a running study
    results/<study>/<identity>/<scenario>/<pairing>/cell.json      what was fought, frozen by its first battle
    results/<study>/<identity>/<scenario>/<pairing>/battles.jsonl  one line a finished battle, appended and synced
    results/<study>/detections/<detector>.jsonl                    rebuilt as a whole

A line ends in a checksum. A line that does not check is never used and always counted; a torn last line is moved aside
before anything is appended.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from mitigation.checks import check_name, check_study
from mitigation.errors import ConfigError, Stopped, StoreError
from mitigation.records import seal, transcript, unseal
from mitigation.types import Cell, Transcript

SCHEMA = 1


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file as a whole: after a crash it holds the old bytes or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


@dataclasses.dataclass(frozen=True, slots=True)
class Damage:
    """A line that could not be used, and why."""

    file: str
    line: int
    reason: str


class Study:
    """One study's folder.

    Args:
        results: the results folder.
        name: name of the study; ConfigError when it could leave that folder.
    """

    def __init__(self, results: Path, name: str) -> None:
        self.name = check_study(name)
        self.folder = Path(results) / name
        self._mended: set[Path] = set()

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Own the study while it is written to; the kernel frees the lock of a process that died.

        Raises:
            ConfigError: another live process owns it, or the folder cannot be written.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = (self.folder / ".lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{self.folder} cannot be written ({error.strerror}): free or choose another folder") from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                owner = file.read().strip() or "another process"
                raise ConfigError(f"study {self.name} is being written by {owner}: wait for it or stop it") from None
            file.truncate(0)
            since = datetime.now(UTC).isoformat(timespec="seconds")
            file.write(f"process {os.getpid()} on {socket.gethostname()} since {since}")
            file.flush()
            yield
            file.truncate(0)

    def cell_folder(self, identity: str, scenario: str, pairing: str) -> Path:
        """Return the folder of a cell."""
        return self.folder / identity / scenario / pairing

    def freeze(self, cells: Sequence[Cell]) -> None:
        """Write what each cell is, or compare it with what its battles were fought under.

        More replicates are welcome at any time; everything else must be the same, so that versions are never mixed.

        Raises:
            ConfigError: a cell with battles was defined otherwise; the message names what differs.
        """
        fresh = []
        for cell in cells:
            path = self.cell_folder(*cell.key) / "cell.json"
            new = _definition(cell)
            old = _read_json(path)
            if old is not None and (path.parent / "battles.jsonl").exists():
                changes = list(_differences(old, new, ""))
                if changes:
                    shown = "; ".join(changes[:4]) + (f"; and {len(changes) - 4} more" if len(changes) > 4 else "")
                    raise ConfigError(
                        f"study {self.name} holds battles of {' × '.join(cell.key)} fought under other settings ({shown}): "
                        "put them back, or choose another study name"
                    )
                new["replicates"] = max(new["replicates"], old["replicates"])
            if new != old:
                fresh.append((path, new))
        for path, new in fresh:
            write_atomically(path, orjson.dumps(new, option=orjson.OPT_INDENT_2) + b"\n")

    def definitions(self) -> list[dict[str, Any]]:
        """Return the frozen definitions of all cells, in the order of their paths."""
        paths = sorted(self.folder.glob("*/*/*/cell.json"))
        return [record for path in paths if (record := _read_json(path)) is not None]

    def append(self, battle: Transcript) -> None:
        """Add a finished battle; when this returns, it survives a crash.

        Raises:
            Stopped: the disk did not take it.
        """
        path = self.cell_folder(battle.identity, battle.scenario, battle.pairing) / "battles.jsonl"
        line = seal(dataclasses.asdict(battle))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._mend(path)
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                start = os.fstat(descriptor).st_size
                if os.write(descriptor, line) != len(line):
                    os.ftruncate(descriptor, start)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise Stopped(
                f"{path} could not be written ({error.strerror}; {len(line):,} bytes needed): "
                "mend that, then run the same command again"
            ) from None

    def _mend(self, path: Path) -> None:
        """Move a torn last line aside, once a file and run, so that the next line begins on its own."""
        if path in self._mended or not path.exists():
            self._mended.add(path)
            return
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with path.with_name("battles.torn").open("ab") as torn:
                torn.write(data[whole:] + b"\n")
                torn.flush()
                os.fsync(torn.fileno())
            os.truncate(path, whole)
        self._mended.add(path)

    def read(self) -> tuple[list[Transcript], list[Damage]]:
        """Return the latest line of every battle, ordered by battle id, and the lines that could not be used."""
        latest: dict[str, Transcript] = {}
        damage: list[Damage] = []
        for path in sorted(self.folder.glob("**/battles.jsonl")):
            name = str(path.relative_to(self.folder))
            for number, line in enumerate(path.read_bytes().lstrip(b"\xef\xbb\xbf").splitlines(), 1):
                if not line.strip():
                    continue
                try:
                    battle = transcript(unseal(line))
                except ValueError as error:
                    damage.append(Damage(name, number, str(error)))
                else:
                    latest[battle.battle_id] = battle
        return [latest[key] for key in sorted(latest)], damage

    def exists(self) -> bool:
        """Return whether anything of the study is on disk."""
        return any(self.folder.glob("**/battles.jsonl")) or any(self.folder.glob("*/*/*/cell.json"))

    def write_detections(self, detector: str, records: Sequence[Mapping[str, Any]]) -> Path:
        """Replace the detections of one detector and return their file."""
        path = self.folder / "detections" / f"{check_name(detector, 'detector')}.jsonl"
        write_atomically(path, b"".join(seal(record) for record in records))
        return path

    def read_detections(self, detector: str) -> list[dict[str, Any]]:
        """Return the stored detections of one detector, none when there are none.

        Raises:
            StoreError: a line is damaged; detections can be made again, so nothing is guessed.
        """
        path = self.folder / "detections" / f"{check_name(detector, 'detector')}.jsonl"
        if not path.exists():
            return []
        try:
            return [unseal(line) for line in path.read_bytes().splitlines()]
        except ValueError as error:
            raise StoreError(f"{path} is damaged ({error}): run mitigation detect study={self.name} to make it again") from None


def _definition(cell: Cell) -> dict[str, Any]:
    return {"schema": SCHEMA, **json.loads(orjson.dumps(dataclasses.asdict(cell)))}


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        found = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StoreError(f"{path} is damaged ({error}): restore it from a copy or choose another study name") from None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise StoreError(f"{path} was written by another version of this tool: this one reads schema {SCHEMA}")
    return found


def _differences(old: Any, new: Any, where: str) -> Iterator[str]:
    """Yield "field: old → new" for every leaf that differs, leaving the number of replicates aside."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if (where, key) != ("", "replicates"):
                yield from _differences(old.get(key), new.get(key), f"{where}.{key}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differences(one, other, f"{where}[{index}]")
    elif old != new:
        yield f"{where}: {_short(old)} → {_short(new)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"

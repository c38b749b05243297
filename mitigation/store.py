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
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from mitigation.checks import check_name, check_study
from mitigation.definitions import cell_key, definition, first_conflict, read_definition
from mitigation.errors import ConfigError, Stopped, StoreError
from mitigation.records import seal, transcript, unseal
from mitigation.types import Cell, Transcript

# Bytes that must be free before a run begins.
PROBE = 1 << 20


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file as a whole: after a crash it holds the old bytes or the new ones; StoreError when it cannot be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StoreError(f"{path} could not be written ({error.strerror}; {len(data):,} bytes needed)") from None


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
            # A full disk is found here, before the first call is paid for.
            probe = self.folder / ".probe"
            try:
                write_atomically(probe, bytes(PROBE))
            except StoreError as error:
                raise ConfigError(f"{error}: free space, then run the same command again") from None
            probe.unlink()
            file.truncate(0)
            since = datetime.now(UTC).isoformat(timespec="seconds")
            file.write(f"process {os.getpid()} on {socket.gethostname()} since {since}")
            file.flush()
            yield
            file.truncate(0)

    def cell_folder(self, identity: str, scenario: str, pairing: str) -> Path:
        """Return the folder of a cell."""
        return self.folder / identity / scenario / pairing

    def check(self, cells: Sequence[Cell]) -> None:
        """Compare cells with what the study's battles were fought under; nothing is written.

        More replicates and further cells are welcome at any time. But a cell with battles stays what it was, one name means one
        thing in a study, and its limit of messages and its seed are the same everywhere, so that versions are never mixed.

        Raises:
            ConfigError: something differs; the message names what.
        """
        fought = [found for found in self.definitions() if (self.cell_folder(*cell_key(found)) / "battles.jsonl").exists()]
        if conflict := first_conflict([definition(cell) for cell in cells], fought):
            raise ConfigError(
                f"study {self.name} holds battles fought under other settings ({conflict}): "
                "put them back, or choose another study name"
            )

    def freeze(self, cells: Sequence[Cell]) -> None:
        """Write what each cell is, after `check`; the number of replicates only grows."""
        self.check(cells)
        for cell in cells:
            path, new = self.cell_folder(*cell.key) / "cell.json", definition(cell)
            old = read_definition(path)
            if old is not None and (path.parent / "battles.jsonl").exists():
                new["replicates"] = max(new["replicates"], old["replicates"])
            if new != old:
                write_atomically(path, orjson.dumps(new, option=orjson.OPT_INDENT_2) + b"\n")

    def definitions(self) -> list[dict[str, Any]]:
        """Return the frozen definitions of all cells, in the order of their paths."""
        paths = sorted(self.folder.glob("*/*/*/cell.json"))
        return [record for path in paths if (record := read_definition(path)) is not None]

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
        if whole < len(data) and _holds(data[whole:]):
            with path.open("ab") as file:
                file.write(b"\n")
        elif whole < len(data):
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


def _holds(line: bytes) -> bool:
    """Whether a line that lacks its line end is whole all the same."""
    try:
        unseal(line)
    except ValueError:
        return False
    return True

"""The only reader and writer of results/: cell definitions and transcripts in and out, under one lock a study.

    results/<study>/.lock                                          owner of a running study
    results/<study>/<identity>/<scenario>/<pairing>/cell.json      what was fought, frozen by its first battle
    results/<study>/<identity>/<scenario>/<pairing>/battles.jsonl  one line a finished battle, appended and synced
    results/<study>/<identity>/<scenario>/<pairing>/journal.jsonl  one line a paid reply of a battle that is not finished
    results/<study>/ledger.jsonl                                   every paid attempt and what it cost
    results/<study>/detections/<detector>.jsonl                    rebuilt as a whole
    results/<study>/labels/<annotator>.jsonl                       one line a message labelled by hand (`labels`, `annotation`)

A line ends in a checksum. A line that does not check is never used and always counted; a torn last line is moved aside
before anything is appended.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mitigation import journal
from mitigation.checks import check_name, check_study
from mitigation.definitions import read_definition
from mitigation.errors import ConfigError, StoreError
from mitigation.files import Reserve, append, torn_end, write_atomically
from mitigation.journal import Reply
from mitigation.ledger import Ledger, Totals
from mitigation.locks import Crew, held
from mitigation.records import holds, seal, transcript, unseal
from mitigation.types import Cell, Status, Transcript

BATTLES = "battles.jsonl"
# Bytes that must be free before a run begins.
PROBE = 1 << 20


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
    def lock(self, cells: Sequence[Cell] = (), *, room: int = PROBE) -> Iterator[Reserve]:
        """Own the study while it is written to, or only the given cells of it, so that other processes may own others.

        Args:
            cells: the cells to own; none for the whole study.
            room: bytes to keep free for the last records of a run whose disk becomes full.

        Raises:
            ConfigError: another live process owns it, or the folder cannot be written or holds too little room.
        """
        with contextlib.ExitStack() as locks:
            locks.enter_context(held(self.folder / ".lock", f"study {self.name}", shared=bool(cells)))
            for cell in cells:
                lock = self.cell_folder(*cell.key) / ".lock"
                locks.enter_context(held(lock, f"cell {'/'.join(cell.key)} of study {self.name}"))
            owned = [self.cell_folder(*cell.key) for cell in cells] or [self.folder]
            for leftover in (path for folder in owned for path in folder.glob(".*.[0-9]*")):  # of a process that was killed
                leftover.unlink(missing_ok=True)
            # A full disk is found here, before the first call is paid for.
            reserve = Reserve(owned[0] / ".reserve", room)
            try:
                reserve.take()
            except StoreError as error:
                raise ConfigError(f"{error}: free space, then run the same command again") from None
            try:
                yield reserve
            finally:
                reserve.give_up()

    def cell_folder(self, identity: str, scenario: str, pairing: str) -> Path:
        """Return the folder of a cell."""
        return self.folder / identity / scenario / pairing

    def definitions(self) -> list[dict[str, Any]]:
        """Return the frozen definitions of all cells, in the order of their paths."""
        paths = sorted(self.folder.glob("*/*/*/cell.json"))
        return [record for path in paths if (record := read_definition(path)) is not None]

    def line(self, battle: Transcript) -> tuple[Path, bytes]:
        """Return the file of a finished battle and its line there."""
        folder = self.cell_folder(battle.identity, battle.scenario, battle.pairing)
        return folder / BATTLES, seal(dataclasses.asdict(battle))

    def append(self, path: Path, lines: bytes) -> None:
        """Add lines to a file of the study and wait for the disk, after a torn end was moved aside; OSError: it took them not."""
        self.mend(path)
        append(path, lines)

    def mend(self, path: Path) -> Damage | None:
        """Move a torn last line aside, once a file and run, so that the next line begins on its own; return what was moved."""
        if path in self._mended:
            return None
        moved = self._mend(path)
        self._mended.add(path)
        return moved

    def _mend(self, path: Path) -> Damage | None:
        torn = torn_end(path) if path.exists() else b""
        if torn and holds(torn):
            append(path, b"\n")
        elif torn:
            aside = path.with_suffix(".torn")
            append(aside, torn + b"\n")
            os.truncate(path, path.stat().st_size - len(torn))
            return Damage(str(path.relative_to(self.folder)), 0, f"its torn end ({len(torn)} bytes) was moved to {aside.name}")
        return None

    def _records(self, damage: list[Damage], cells: Sequence[Cell] = ()) -> Iterator[tuple[Any, str, int]]:
        """Yield record, file and number of every whole line in files of battles, in the order of their paths."""
        ours = [path for cell in cells if (path := self.cell_folder(*cell.key) / BATTLES).exists()]
        for path in sorted(ours if cells else self.folder.glob(f"**/{BATTLES}")):
            name = str(path.relative_to(self.folder))
            with path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    if number == 1:
                        line = line.removeprefix(b"\xef\xbb\xbf")
                    if not line.strip():
                        continue
                    try:
                        yield unseal(line.rstrip(b"\r\n")), name, number
                    except ValueError as error:
                        damage.append(Damage(name, number, str(error)))

    def read(self) -> tuple[list[Transcript], list[Damage]]:
        """Return the latest line of every battle, ordered by battle id, and the lines that could not be used."""
        latest: dict[str, Transcript] = {}
        damage: list[Damage] = []
        for record, name, number in self._records(damage):
            try:
                battle = transcript(record)
            except ValueError as error:
                damage.append(Damage(name, number, str(error)))
            else:
                latest[battle.battle_id] = battle
        return [latest[key] for key in sorted(latest)], damage

    def statuses(self, cells: Sequence[Cell] = ()) -> tuple[dict[str, Status], list[Damage]]:
        """Return the state of every stored battle (of some cells), and the lines that could not be used; no text is kept."""
        latest: dict[str, Status] = {}
        damage: list[Damage] = []
        for record, name, number in self._records(damage, cells):
            try:
                battle = transcript(record)
            except ValueError as error:
                damage.append(Damage(name, number, str(error)))
            else:
                latest[battle.battle_id] = battle.status
        return latest, damage

    def repair(self, cells: Sequence[Cell]) -> list[Damage]:
        """Move the torn ends of the files of cells aside and return which there were; the lock must be held."""
        paths = [self.cell_folder(*cell.key) / name for cell in cells for name in (BATTLES, journal.NAME)]
        try:
            return [moved for path in paths if (moved := self.mend(path))]
        except OSError as error:
            raise ConfigError(
                f"a torn line in {self.folder} could not be moved aside ({error.strerror}): free space, then run the same command"
            ) from None

    def journal(
        self, cells: Sequence[Cell], unfinished: Collection[str], finished: Collection[str]
    ) -> tuple[dict[str, dict[int, Reply]], list[Damage]]:
        """Return the replies of unfinished battles, by battle and message index, and the lines that could not be used.

        What the journals hold of finished battles is dropped; what they hold of battles that are neither, because the sweep
        became smaller, stays. The lock must be held.
        """
        replies: dict[str, dict[int, Reply]] = {}
        damage: list[Damage] = []
        for cell in cells:
            path = self.cell_folder(*cell.key) / journal.NAME
            journal.compact(path, finished)
            found, bad = journal.read(path, unfinished, finished)
            replies |= found
            damage += [Damage(str(path.relative_to(self.folder)), number, reason) for number, reason in bad]
        return replies, damage

    def ledger(self, *, cap: float | None, shared: bool = False) -> Ledger:
        """Return the study's ledger as this process sees it."""
        return Ledger(self.folder / "ledger.jsonl", cap=cap, owner=f"{os.getpid()}.{secrets.token_hex(4)}", shared=shared)

    @property
    def crew(self) -> Crew:
        """The processes that fight single cells of the study."""
        return Crew(self.folder / ".crew")

    def spent(self) -> Totals:
        """Return what the study has sent and spent so far; nothing is written."""
        ledger = self.ledger(cap=None)
        if ledger.path.exists():
            ledger.open(write=False)
            ledger.close()
        return ledger.totals

    def exists(self) -> bool:
        """Return whether anything of the study is on disk."""
        return any(self.folder.glob(f"**/{BATTLES}")) or any(self.folder.glob("*/*/*/cell.json"))

    def write_detections(self, detector: str, records: Sequence[Mapping[str, Any]]) -> Path:
        """Replace the detections of one detector and return their file."""
        path = self.folder / "detections" / f"{check_name(detector, 'detector')}.jsonl"
        write_atomically(path, b"".join(seal(record) for record in records))
        return path

    def drop_detections(self, detector: str) -> None:
        """Remove the detections of one detector, if there are any."""
        (self.folder / "detections" / f"{check_name(detector, 'detector')}.jsonl").unlink(missing_ok=True)

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

"""What a run writes while it goes: attempts, replies and finished battles of many tasks, committed in groups."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mitigation import files, journal
from mitigation.commits import GroupCommit
from mitigation.errors import Stopped
from mitigation.journal import Reply
from mitigation.ledger import Answer, Close, Ledger, Try, stopped
from mitigation.store import Study
from mitigation.types import Battle, Transcript

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line for the end of a file."""

    path: Path
    data: bytes


class Recorder:
    """Writes for one run; use as `async with`. What a method has returned from survives a crash.

    Args:
        study: where to; its lock is held.
        ledger: where attempts are entered, already open.
        reserve: room that is given up when the disk is full.
    """

    def __init__(self, study: Study, ledger: Ledger, reserve: files.Reserve | None = None) -> None:
        self.study, self.ledger = study, ledger
        self._reserve = reserve
        self._group: GroupCommit[_Line | Try | Close, Answer] = GroupCommit(self._commit)

    async def __aenter__(self) -> Recorder:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._group.close()

    async def attempt(self, entry: Try) -> Answer:
        """Enter an attempt before it is sent; only after a "yes" it may be. Stopped: the disk took it not."""
        return await self._group.wait(entry)

    def close(self, entry: Close) -> None:
        """Enter what came of an attempt; the next commit takes it along."""
        self._group.put(entry)

    def reply(self, battle: Battle, index: int, reply: Reply) -> None:
        """Store a reply before it is used: no attempt is entered and no battle stored before it is on disk."""
        folder = self.study.cell_folder(*battle.cell.key)
        self._group.put(_Line(folder / journal.NAME, journal.line(battle.battle_id, index, reply)))

    async def battle(self, battle: Transcript) -> None:
        """Store a finished battle; Stopped: the disk took it not."""
        await self._group.wait(_Line(*self.study.line(battle)))

    def _commit(self, items: Sequence[_Line | Try | Close]) -> list[Answer]:
        """Write lines file by file, then the ledger: an attempt is only closed once its reply is safe."""
        lines: dict[Path, list[bytes]] = {}
        for item in items:
            if isinstance(item, _Line):
                lines.setdefault(item.path, []).append(item.data)
        for path, parts in lines.items():
            self._write(path, b"".join(parts))
        entries = [item for item in items if not isinstance(item, _Line)]
        if not entries:
            return ["yes"] * len(items)
        try:
            written = iter(self.ledger.commit(entries))
        except OSError as error:
            if not self._room(error):
                raise stopped(self.ledger.path, error, 200 * len(entries)) from None
            raise Stopped(f"the disk of {self.study.folder} is full: free space, then run the same command again") from None
        return ["yes" if isinstance(item, _Line) else next(written) for item in items]

    def _write(self, path: Path, data: bytes) -> None:
        try:
            self.study.mend(path)
            try:
                files.append(path, data)
            except OSError as error:
                if not self._room(error):
                    raise
                files.append(path, data)
        except OSError as error:
            raise stopped(path, error, len(data)) from None

    def _room(self, error: OSError) -> bool:
        """Free the reserve when the disk is full; what is paid for then finds its place."""
        return error.errno in _FULL and self._reserve is not None and self._reserve.give_up()

"""What a run writes while it goes: attempts, replies and finished battles of many tasks.

Attempts and replies are written at once, so that no kill of the process loses one, and synced to the disk together, a few
times a second; a battle counts as finished only once it is synced, and everything before it with it.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from mitigation import files, journal
from mitigation.commits import GroupCommit
from mitigation.errors import Stopped
from mitigation.journal import Reply
from mitigation.ledger import Answer, Close, Ledger, Try
from mitigation.store import Study
from mitigation.types import Battle, Transcript

# How often what was written is synced while no battle ends.
SYNC_SECONDS = 0.25
# Journals that are kept open; a study may have thousands of cells.
OPEN_FILES = 24
_FULL = (errno.ENOSPC, errno.EDQUOT)
Result = TypeVar("Result")


class Recorder:
    """Writes for one run; use as `async with`.

    Args:
        study: where to; its lock is held.
        ledger: where attempts are entered, already open.
        reserve: room that is given up when the disk is full.

    Attributes:
        short: calls that wait for the budget.
    """

    def __init__(self, study: Study, ledger: Ledger, reserve: files.Reserve | None = None) -> None:
        self.study, self.ledger = study, ledger
        self.short = 0
        self._reserve = reserve
        self._full = False
        self._open: dict[Path, int] = {}
        self._dirty: set[Path] = set()
        self._group: GroupCommit[Transcript | None] = GroupCommit(self._commit)
        self._syncing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Recorder:
        self._syncing = asyncio.create_task(self._sync_often())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._syncing:
            self._syncing.cancel()
        with suppress(Stopped):  # what could not be synced is in the hands of the system, and the run is over
            await self._group.wait(None)
        await self._group.close()
        while self._open:
            os.close(self._open.popitem()[1])

    def attempt(self, entry: Try) -> Answer:
        """Enter an attempt before it is sent; only after a "yes" it may be. Stopped: the disk took it not, or is full."""
        if self._full:
            raise Stopped(f"the disk of {self.study.folder} is full: free space, then run the same command again")
        return self._enter(entry)

    def close(self, entry: Close) -> None:
        """Enter what came of an attempt. Stopped: the disk took it not; the attempt counts as paid in full."""
        self._enter(entry)

    def reply(self, battle: Battle, index: int, reply: Reply) -> None:
        """Store a reply before it is used. Stopped: the disk took it not."""
        self.answer(self.study.cell_folder(*battle.cell.key) / journal.NAME, battle.battle_id, index, reply)

    def answer(self, path: Path, caller: str, index: int, reply: Reply) -> None:
        """Store a reply to any caller in a journal of its own. Stopped: the disk took it not."""
        data = journal.line(caller, index, reply)
        self._kept(path, len(data), lambda: files.write_all(self._descriptor(path), data))
        self._dirty.add(path)

    async def battle(self, battle: Transcript) -> None:
        """Store a finished battle; when this returns, it survives a crash of the machine. Stopped: the disk took it not."""
        await self._group.wait(battle)

    def _enter(self, entry: Try | Close) -> Answer:
        answer = self._kept(self.ledger.path, 200, lambda: self.ledger.commit([entry])[0])
        self._dirty.add(self.ledger.path)
        return answer

    def _descriptor(self, path: Path) -> int:
        """Return an open file; the one that was used longest ago is closed when there are too many."""
        if path in self._open:
            self._open[path] = self._open.pop(path)
            return self._open[path]
        self.study.mend(path)
        while len(self._open) >= OPEN_FILES:
            os.close(self._open.pop(next(iter(self._open))))
        self._open[path] = files.open_end(path)
        return self._open[path]

    async def _sync_often(self) -> None:
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            if self._dirty:
                with suppress(Stopped):  # the next battle that is stored meets it too
                    await self._group.wait(None)

    def _commit(self, items: Sequence[Transcript | None]) -> None:
        """Append battles, file by file, and sync everything; runs in a thread of its own."""
        lines: dict[Path, list[bytes]] = {}
        for battle in items:
            if battle is not None:
                path, data = self.study.line(battle)
                lines.setdefault(path, []).append(data)
        dirty, self._dirty = self._dirty, set()
        try:
            for path in dirty:
                self._kept(path, 0, lambda path=path: files.sync(path))  # type: ignore[misc]
        except Stopped:
            self._dirty |= dirty
            raise
        for path, parts in lines.items():
            data = b"".join(parts)
            self._kept(path, len(data), lambda path=path, data=data: self.study.append(path, data))  # type: ignore[misc]

    def _kept(self, path: Path, size: int, write: Callable[[], Result]) -> Result:
        """Write; on a full disk free the reserve and write again, so that what is paid for finds its place."""
        try:
            try:
                return write()
            except OSError as error:
                if error.errno in _FULL and self._reserve is not None and (self._reserve.give_up() or self._full):
                    self._full = True  # what is in flight still finds its place; nothing more is sent
                    return write()
                raise
        except OSError as error:
            raise Stopped(
                f"{path} could not be written ({error.strerror}; {size:,} bytes needed): "
                "mend that, then run the same command again"
            ) from None

"""Every attempt to send a paid call, in one file a study that all its processes share; and the cap on what they may cost.

An attempt is entered with the most it can cost before it is sent, and closed with what it did cost. An attempt that was never
closed, because its process died or its answer was lost, counts as paid in full. The file is read and written under a
lock of the kernel, so that two processes never spend the same dollar.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mitigation.errors import ConfigError
from mitigation.files import write_all
from mitigation.records import seal, unseal

Answer = Literal["yes", "later", "never"]
# An attempt of another process that wrote nothing for so long is one of a dead process.
OTHERS_SECONDS = 150.0


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt that is about to be sent: `call` is its X-Battle header, `usd` the most it can cost (None: price unknown)."""

    call: str
    number: int
    usd: float | None


@dataclass(frozen=True, slots=True)
class Close:
    """What came of an attempt: its cost (None: not known, so all that was entered) and how it ended, in a word."""

    call: str
    number: int
    usd: float | None
    how: str


@dataclass(slots=True)
class Totals:
    """What a study has sent so far.

    Attributes:
        calls: attempts.
        usd: dollars of closed attempts and the most that open ones can cost.
        unpriced: attempts whose price is unknown.
        open: the most that each open attempt can cost, by call, number and process.
        damaged: lines that could not be read.
        latest: when another process last entered an attempt, in seconds since 1970.
    """

    calls: int = 0
    usd: float = 0.0
    unpriced: int = 0
    open: dict[tuple[str, int, str], float] = field(default_factory=dict)
    damaged: int = 0
    latest: float = 0.0


class Ledger:
    """The ledger of one study as one process sees it.

    Args:
        path: the file.
        cap: dollars that the study may cost in all, over all runs and processes; None for no cap.
        owner: name of this process.
        shared: whether other processes write to it at the same time.
    """

    def __init__(self, path: Path, *, cap: float | None, owner: str, shared: bool = False) -> None:
        self.cap, self.shared = cap, shared
        self.totals = Totals()
        self._writing = False
        self.path, self._owner = path, owner
        self._offset = 0
        self._descriptor: int | None = None

    def open(self, *, write: bool = True) -> None:
        """Read what was sent before; without `write` the file is only looked at.

        Raises:
            ConfigError: the file cannot be opened, or its file system has no locks.
        """
        self._writing = write
        try:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT if write else os.O_RDONLY
            self._descriptor = os.open(self.path, flags, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX if write else fcntl.LOCK_SH)
            self._catch_up()
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        except OSError as error:
            self.close()
            raise ConfigError(
                f"{self.path} cannot be opened, locked and mended ({error.strerror}): free space or choose another folder"
            ) from None

    @property
    def left(self) -> float:
        """Dollars that no attempt has taken yet."""
        return float("inf") if self.cap is None else self.cap - self.totals.usd

    def commit(self, entries: Sequence[Try | Close]) -> list[Answer]:
        """Write entries; a Try is written only where the cap holds whatever the call will cost.

        What was written outlives the process; whoever has to outlive the machine too syncs the file.

        Returns:
            For each entry "yes" when it was written; "later" when an attempt that is under way may turn out cheap enough to
            leave room for it; "never" when none is.

        Raises:
            OSError: the disk did not take them; none counts.
        """
        assert self._descriptor is not None, "open the ledger first"
        if not self.shared:  # nobody else writes, so there is nothing to lock and nothing to read
            return self._write(entries)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            self._catch_up()
            return self._write(entries)
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _write(self, entries: Sequence[Try | Close]) -> list[Answer]:
        assert self._descriptor is not None
        left, written, lines = self.left, list[Try | Close](), list[bytes]()
        fits = []
        for entry in entries:
            cost = (entry.usd or 0.0) if isinstance(entry, Try) else 0.0
            fits.append(isinstance(entry, Close) or self.cap is None or (entry.usd is not None and cost <= left))
            if fits[-1]:
                left -= cost
                if isinstance(entry, Close) and entry.usd is not None:
                    left += self.totals.open.get((entry.call, entry.number, self._owner), entry.usd) - entry.usd
                written.append(entry)
                lines.append(self._line(entry))
        if lines:
            data = b"".join(lines)
            write_all(self._descriptor, data)
            self._offset += len(data)
            for entry in written:
                self._count((entry.call, entry.number, self._owner), entry.usd, isinstance(entry, Close))
        no: Answer = "later" if self._under_way() else "never"
        return ["yes" if fit else no for fit in fits]

    def _under_way(self) -> bool:
        """Whether an attempt may still be closed: one of ours, or one of a process that wrote not long ago."""
        others = self.shared and time.time() - self.totals.latest < OTHERS_SECONDS
        return any(others or owner == self._owner for _, _, owner in self.totals.open)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def _line(self, entry: Try | Close) -> bytes:
        record = {"call": entry.call, "n": entry.number, "by": self._owner, "usd": entry.usd}
        if isinstance(entry, Close):
            record["how"] = entry.how
        else:
            record["at"] = round(time.time(), 3)
        return seal(record)

    def _catch_up(self) -> None:
        """Read what was appended since, by whomever; a torn end, of a process that died, is closed with a line end."""
        assert self._descriptor is not None
        size = os.fstat(self._descriptor).st_size
        while self._offset < size:
            data = os.pread(self._descriptor, min(size - self._offset, 1 << 24), self._offset)
            whole = data.rfind(b"\n") + 1
            if not whole and not self._writing:
                return
            if not whole:
                os.write(self._descriptor, b"\n")
                size += 1
                continue
            for line in data[:whole].splitlines():
                self._enter(line)
            self._offset += whole

    def _enter(self, line: bytes) -> None:
        """Count one line."""
        try:
            record = unseal(line)
            key, usd, at = (record["call"], record["n"], record["by"]), record["usd"], record.get("at", 0)
            if [type(part) for part in key] != [str, int, str] or not _dollars(usd) or not isinstance(at, int | float):
                raise ValueError("a field is not what it must be")
        except (ValueError, KeyError, TypeError, AttributeError):
            self.totals.damaged += bool(line.strip())
            return
        self._count(key, usd, "how" in record)
        self.totals.latest = max(self.totals.latest, at)

    def _count(self, key: tuple[str, int, str], usd: float | None, closes: bool) -> None:
        totals = self.totals
        if not closes:
            totals.calls += 1
            totals.unpriced += usd is None
            totals.usd += usd or 0.0
            totals.open[key] = usd or 0.0
        elif key in totals.open:
            most = totals.open.pop(key)
            totals.usd += 0.0 if usd is None else usd - most

    @property
    def mine(self) -> int:
        """Attempts of this process that were never closed."""
        return sum(owner == self._owner for _, _, owner in self.totals.open)


def _dollars(usd: object) -> bool:
    """Whether a value is an amount, or None."""
    return usd is None or (isinstance(usd, int | float) and not isinstance(usd, bool) and 0 <= usd < 1e12)

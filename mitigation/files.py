"""Bytes to disk so that they are there after a crash: whole files replaced, lines appended, room kept for the last lines."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from mitigation.errors import StoreError


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
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StoreError(f"{path} could not be written ({error.strerror}; {len(data):,} bytes needed)") from None


def append(path: Path, data: bytes) -> None:
    """Add whole lines to a file and wait for the disk; after an OSError they may stand there all the same."""
    descriptor = open_end(path)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_end(path: Path) -> int:
    """Return a descriptor for appending to a file, which is made if need be."""
    new = not path.exists()
    if new:
        path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    if new:
        _sync_folder(path.parent)
    return descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Append to an open file, for the process to die afterwards; what a full disk took only in part is cut off again."""
    written = os.write(descriptor, data)
    if written != len(data):
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def sync(path: Path) -> None:
    """Wait until what was written to a file is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def torn_end(path: Path) -> bytes:
    """Return what stands behind the last line end of a file."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        tail = b""
        while b"\n" not in tail and len(tail) < end:
            size = min(end, max(1 << 16, 2 * len(tail)))
            file.seek(end - size)
            tail = file.read(size)
    return tail[tail.rfind(b"\n") + 1 :]


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power loss, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Reserve:
    """Room on the disk that is given up when the disk is full, so that replies on their way can still be stored.

    Args:
        path: where the room is kept while a run lasts.
        size: bytes.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path, self._size = path, size

    def take(self) -> None:
        """Fill the room; StoreError when it is not there."""
        write_atomically(self._path, bytes(self._size))

    def give_up(self) -> bool:
        """Free the room; return whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

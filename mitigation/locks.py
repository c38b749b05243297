"""One owner at a time: a lock of the kernel, which a dead process cannot hold, and a heartbeat for disks that two machines share.

Where the kernel's lock does not reach other machines, the owner's name and the age of its last sign of life decide: a lock of
another machine is taken over when it has been silent for a minute.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from mitigation.errors import ConfigError

BEAT_SECONDS = 10.0
DEAD_SECONDS = 60.0
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


def owner() -> str:
    """Return what identifies this process to a reader of a lock."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return f"process {os.getpid()} on {socket.gethostname()} since {since}"


@contextmanager
def held(path: Path, what: str, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock while the block runs.

    Args:
        path: the lock's file; its folder is made.
        what: what is locked, for messages.
        shared: let others hold it too, as long as they share it.

    Raises:
        ConfigError: somebody else holds it, or the folder cannot be written or has no locks.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path.parent} cannot be written ({error.strerror}): free or choose another folder") from None
    with file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                raise ConfigError(f"the file system of {path.parent} has no locks: put results on one that has") from None
            raise ConfigError(f"{what} is being written by {_told(file)}: wait for it or stop it") from None
        _refuse_living(file, path, what)
        try:
            # Past the file's own buffer, which would try again to write what a full disk refused.
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), b"" if shared else owner().encode())
        except OSError as error:
            raise ConfigError(f"{path} cannot be written ({error.strerror}): free space or choose another folder") from None
        if shared:
            yield
            return
        over = threading.Event()
        beat = threading.Thread(target=_beat, args=(path, over), daemon=True)
        beat.start()
        try:
            yield
        finally:
            over.set()
            file.truncate(0)


def _told(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "processes that hold single cells of it"


def _refuse_living(file: IO[str], path: Path, what: str) -> None:
    """Refuse a lock whose last owner is on another machine and not known to be dead."""
    file.seek(0)
    last = file.read().strip()
    silent = time.time() - path.stat().st_mtime
    if last and f" on {socket.gethostname()} " not in last and silent < DEAD_SECONDS:
        raise ConfigError(
            f"{what} is being written by {last}, whose last sign of life is {silent:.0f} s old: wait for it or stop it; "
            f"it is taken for dead after {DEAD_SECONDS:g} s, or when {path} is deleted"
        )


def _beat(path: Path, over: threading.Event) -> None:
    while not over.wait(BEAT_SECONDS):
        with suppress(OSError):
            os.utime(path)


class Crew:
    """The processes that write to one study at the same time; each is a file that it locks while it lives.

    Args:
        folder: where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Be one of them while the block runs."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{socket.gethostname()}.{os.getpid()}"
        while True:
            with path.open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                # Somebody who counted just then may have taken the file for one of a dead process and removed it.
                if not (path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))):
                    continue
                try:
                    yield
                finally:
                    path.unlink(missing_ok=True)
                return

    def members(self) -> list[tuple[str, int]]:
        """Return host and process of all that live; what the dead left is removed."""
        found = []
        for path in sorted(self._folder.glob("*.*")) if self._folder.is_dir() else ():
            host, _, process = path.name.rpartition(".")
            if not process.isdigit():
                continue
            try:
                with path.open("r+") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink(missing_ok=True)
            except FileNotFoundError:
                continue
            except OSError:  # somebody holds it
                found.append((host, int(process)))
        return found

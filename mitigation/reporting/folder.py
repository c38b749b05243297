"""Files as bytes in, a report folder out: it changes as a whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from mitigation.errors import StoreError


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files into a new folder beside `folder`, flush them to disk, then put it in the place of the old one.

    Raises:
        StoreError: the folder cannot be written; what stood there before still stands.
    """
    folder = folder.resolve()
    made = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    try:
        shutil.rmtree(made, ignore_errors=True)
        for name, content in files.items():
            _write(made / name, content)
        _swap(made, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"report folder {folder} cannot be written ({reason}): mend that; an earlier report is unchanged"
        ) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _swap(made: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    shutil.rmtree(old, ignore_errors=True)
    moved = folder.exists()
    if moved:
        folder.rename(old)
    try:
        made.rename(folder)
    except BaseException:
        if moved:
            old.rename(folder)
        raise
    handle = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    shutil.rmtree(old, ignore_errors=True)

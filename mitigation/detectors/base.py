"""What every detector is: a message and the message before it go in, a `Detection` comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from mitigation.types import Detection


class Detector(Protocol):
    """Judges one message at a time.

    Attributes:
        name: name in `detector=` and of the file of detections.
        version: raised by hand when labels may change.
        digest: SHA-256 over everything the labels depend on, so that a changed rule shows even when nobody raised the version.
    """

    @property
    def name(self) -> str:
        """Name in `detector=` and of the file of detections."""
        ...

    @property
    def version(self) -> str:
        """Version of the labels."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of the rules, 64 hexadecimal digits."""
        ...

    def detect(self, text: str, context: str, index: int) -> Detection:
        """Judge message `index` with text `text`; `context` is the other agent's message before it ("" if none)."""
        ...


def digest_of(files: Iterable[Path]) -> str:
    """Return the SHA-256 over names and contents of `files`; line ends do not count, the order given does."""
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()

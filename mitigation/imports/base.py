"""What every format gives: the messages of one battle in their order, and no more than the file says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mitigation.errors import ConfigError

# What a terminal was told about colours and cursors is no part of a message.
_ESCAPES: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message: who said it, what, and by which model if that is known."""

    agent: str
    text: str
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One battle as a file holds it.

    Attributes:
        name: where it comes from, for messages to the user.
        heard: its messages; the first one opens.
        arm, scenario, pairing: what the file says of them; None where it says nothing.
    """

    name: str
    heard: Sequence[Heard]
    arm: str | None = None
    scenario: str | None = None
    pairing: str | None = None


def plain(text: str) -> str:
    """Return text without escape sequences of a terminal."""
    return _ESCAPES.sub("", text)


def fault(name: str, why: str) -> ConfigError:
    """Return the error for a file that cannot be read as a battle."""
    return ConfigError(f"{name}: {why}")

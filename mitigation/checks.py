"""Checks of single values: each returns the value or raises a ConfigError that names value, fault and remedy."""

from __future__ import annotations

import math
import re
from typing import Final

from mitigation.errors import ConfigError

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_STUDY: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")


def check_name(value: object, what: str) -> str:
    """Return `value` if it is a name that is safe as a folder and in a battle id, else raise ConfigError."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ConfigError(f"{what}={value!r} is not a name: use 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit")
    return value


def check_study(value: object) -> str:
    """Return the name of a study as text if it is safe as a folder, else raise ConfigError."""
    name = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(name, str) or not _STUDY.fullmatch(name):
        quote = (
            f" (it was read as a {type(value).__name__}: quote it)" if value is not None and not isinstance(value, str) else ""
        )
        raise ConfigError(
            f"study={value!r} is not a name{quote}: use 1 to 64 of letters, digits, . _ and -, beginning with a letter or digit"
        )
    return name


def check_int(value: object, what: str, *, low: int, high: int) -> int:
    """Return `value` if it is a whole number from `low` to `high`, else raise ConfigError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{what}={value!r} is out of range: give a whole number from {low:,} to {high:,}")
    return value


def check_float(value: object, what: str, *, low: float, high: float) -> float:
    """Return `value` if it is a finite number from `low` to `high`, else raise ConfigError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or not low <= value <= high:
        raise ConfigError(f"{what}={value!r} is out of range: give a number from {low:g} to {high:g}")
    return float(value)


def check_choice(value: object, what: str, choices: tuple[str, ...]) -> None:
    """Raise ConfigError unless `value` is one of `choices`."""
    if value not in choices:
        raise ConfigError(f"{what}={value!r} is not known: choose one of {', '.join(choices)}")


def check_bool(value: object, what: str) -> bool:
    """Return `value` if it is true or false, else raise ConfigError."""
    if not isinstance(value, bool):
        raise ConfigError(f"{what}={value!r} is not known: choose true or false")
    return value

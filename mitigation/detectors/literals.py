"""A pattern in; strings, one of which stands in every text that it matches, out: to look for those costs a tenth of the pattern.

The strings come from Python's own parse of the pattern. Where no such strings can be told, nothing is, and the pattern is always
tried: an optimisation that is never wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

MOST: Final = 24
"""Longest list of strings that is still cheaper to look for than its pattern."""
SHORTEST: Final = 2
"""A single letter stands in almost every text."""


def needles(pattern: re.Pattern[str], common: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return strings of which every text that `pattern` matches holds at least one; none when there are no such strings.

    Args:
        pattern: the pattern.
        common: strings that stand in every text anyway, so that looking for them is in vain.
    """
    if pattern.flags & re.IGNORECASE:
        return ()
    found = _any_of(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE), common)
    return tuple(sorted(found)) if found and len(found) <= MOST and min(map(len, found)) >= SHORTEST else ()


def holds(text: str, strings: tuple[str, ...]) -> bool:
    """Whether a text holds one of the strings."""
    for string in strings:  # noqa: SIM110 - any() with a generator costs as much as the pattern that it saves
        if string in text:
            return True
    return False


def _any_of(sequence: Iterable[tuple[Any, Any]], common: frozenset[str]) -> set[str] | None:
    """Return the best set of strings that a sequence of parsed items guarantees, None when it guarantees none."""
    best: set[str] | None = None
    run = ""

    def consider(strings: set[str] | None) -> None:
        nonlocal best
        if not strings or any(string.strip() in common for string in strings):
            return
        if best is None or _worth(strings) > _worth(best):
            best = strings

    for kind, value in sequence:
        if kind is sre.LITERAL:
            run += chr(value)
            continue
        if kind is sre.AT:  # a boundary takes no letter
            continue
        consider({run} if run else None)
        run = ""
        consider(_of_item(kind, value, common))
    consider({run} if run else None)
    return best


def _of_item(kind: Any, value: Any, common: frozenset[str]) -> set[str] | None:
    if kind is sre.SUBPATTERN:
        return _any_of(value[3], common)
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return _any_of(value[2], common) if value[0] > 0 else None
    if kind is sre.ATOMIC_GROUP:
        return _any_of(value, common)
    if kind is sre.BRANCH:
        together: set[str] = set()
        for branch in value[1]:
            own = _any_of(branch, common)
            if own is None:
                return None
            together |= own
        return together
    return None  # classes, lookarounds, back references: they guarantee nothing that is cheap to look for


def _worth(strings: set[str]) -> tuple[bool, int, int]:
    """Few and long strings are worth most."""
    return len(strings) <= MOST, min(map(len, strings)), -len(strings)

"""A pattern in; strings, one of which stands in every text that it matches, out: to look for those costs a tenth of the pattern.

The strings come from Python's own parse of the pattern. Where no such strings can be told, nothing is, and the pattern is always
tried: an optimisation that is never wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

MOST: Final = 24
"""Longest list of strings that is still cheaper to look for than its pattern."""
_PIECE: Final = 3
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


def alternatives(pattern: str) -> list[str]:
    """Return the alternatives of a pattern, cut at every | outside of brackets."""
    found, depth, begin, place = [], 0, 0, 0
    while place < len(pattern):
        sign = pattern[place]
        if sign == "\\":
            place += 1
        elif sign == "[":  # up to the bracket that closes the class; one that stands first in it belongs to it
            place = pattern.index("]", place + (3 if pattern[place + 1] == "^" else 2))
        elif sign in "()":
            depth += 1 if sign == "(" else -1
        elif sign == "|" and depth == 0:
            found.append(pattern[begin:place])
            begin = place + 1
        place += 1
    return [*found, pattern[begin:]]


def holds(text: str, strings: tuple[str, ...]) -> bool:
    """Whether a text holds one of the strings."""
    for string in strings:  # noqa: SIM110 - any() with a generator costs as much as the pattern that it saves
        if string in text:
            return True
    return False


class Sieve:
    """Finds, in one pass over a text, those of many patterns that can match it: three letters of each string are looked up.

    Args:
        strings: for each pattern, strings of which every text that it matches holds one; none for a pattern that is always tried.
    """

    def __init__(self, strings: Sequence[tuple[str, ...]]) -> None:
        self._strings = strings
        self._always = [place for place, own in enumerate(strings) if not own or min(map(len, own)) < _PIECE]
        self._by_piece: dict[str, list[int]] = {}
        for place, own in enumerate(strings):
            for piece in {string[:_PIECE] for string in own} if place not in self._always else ():
                self._by_piece.setdefault(piece, []).append(place)
        self._pieces = frozenset(self._by_piece)

    def candidates(self, text: str) -> set[int]:
        """Return the places of the patterns that can match."""
        pieces = self._pieces & {text[k : k + _PIECE] for k in range(len(text) - _PIECE + 1)}
        near = {place for piece in pieces for place in self._by_piece[piece]}
        found = {place for place in near if holds(text, self._strings[place])}
        return found.union(self._always)


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

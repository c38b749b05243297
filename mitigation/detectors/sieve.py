"""Many patterns and a text in; the few patterns that can match it, out, in one pass.

RE2 looks for all patterns at once, in time linear in the text, but knows no lookarounds and only ASCII word characters. So each
pattern is loosened until RE2 takes it and until it matches whatever Python's would; Python then decides on the few that are left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import re2

_TOGETHER: Final = 16
"""Patterns in one automaton: fewer cost more passes, more cost more states."""
_MEMORY: Final = 32 << 20
"""Bytes for one automaton; where they are full it begins anew, and says the same."""
_LOOKAROUND: Final = ("(?=", "(?!", "(?<=", "(?<!")
_FOREIGN: Final = re.compile(r"[^\W\x00-\x7f]")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Sieve:
    """Finds those of many patterns that can match a text.

    Args:
        patterns: Python patterns, without flags.
    """

    def __init__(self, patterns: Sequence[re.Pattern[str]]) -> None:
        self._sets: list[tuple[int, re2.Set]] = []
        for begin in range(0, len(patterns), _TOGETHER):
            together = re2.Set.SearchSet(_options())
            for pattern in patterns[begin : begin + _TOGETHER]:
                together.Add(loosened(pattern.pattern))
            together.Compile()
            self._sets.append((begin, together))

    def candidates(self, text: str) -> list[int]:
        """Return the places of the patterns that can match, in order."""
        read = _readable(text).encode()
        return sorted([begin + place for begin, together in self._sets for place in together.Match(read) or ()])


class Tally:
    """Counts the matches of one pattern, as Python's `findall` would.

    Args:
        pattern: letters of ASCII, and no lookaround.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = re2.compile(pattern, _options())

    def count(self, text: str) -> int:
        """Return how many matches a text holds; none overlaps the one before."""
        return sum(1 for _ in self._pattern.finditer(_readable(text)))


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = _MEMORY
    return options


def _readable(text: str) -> str:
    """Return a text with a letter or digit of ASCII for each one that RE2 would not take for part of a word."""
    if text.isascii():
        return text
    return _LONE_SURROGATE.sub("\ufffd", _FOREIGN.sub(lambda match: "0" if match[0].isdecimal() else "x", text))


def loosened(pattern: str) -> str:
    """Return a pattern that RE2 takes and that matches wherever this one does: without lookarounds, not possessive."""
    kept: list[str] = []
    hidden = depth = 0  # brackets open since a lookaround began, and in all
    for sign in _signs(pattern):
        if sign.startswith("("):
            depth += 1
            hidden = hidden or (depth if sign in _LOOKAROUND else 0)
        if not hidden:
            kept.append(_loosened_sign(sign))
        if sign == ")":
            hidden = 0 if hidden == depth else hidden
            depth -= 1
    return "".join(kept)


_SPACE: Final = r"\s\v\x{1c}-\x{1f}\x{85}\pZ"


def _loosened_sign(sign: str) -> str:
    """Return what RE2 reads as Python reads a sign, or as more.

    Raises:
        ValueError: RE2 would match less, as foreign letters and digits are read as x and 0 (see `_readable`).
    """
    apart = (("é", "x"), ("٣", "0"))
    if sign[0] == "[" and any(re.match(sign, one) and not re.match(sign, other) for one, other in apart):
        raise ValueError(f"the class {sign} tells foreign letters or digits from those of ASCII: write another")
    if _FOREIGN.search(sign):
        raise ValueError(f"{sign!r} holds a foreign letter, which is read as x")
    if sign[0] == "[":
        return sign if sign.startswith("[^") else sign.replace("\\s", _SPACE)
    if len(sign) > 1 and sign[0] in "*+?{":  # a repeat
        return sign.removesuffix("+").replace("{,", "{0,")
    return {"(?>": "(?:", "$": r"(?:\n?$)", "\\s": f"[{_SPACE}]"}.get(sign, sign)


def alternatives(pattern: str) -> list[str]:
    """Return the alternatives of a pattern, cut at every | outside of brackets."""
    found, depth = [""], 0
    for sign in _signs(pattern):
        depth += sign.startswith("(") - (sign == ")")
        if sign == "|" and depth == 0:
            found.append("")
        else:
            found[-1] += sign
    return found


_SIGN: Final = re.compile(
    r"\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]|\(\?(?:<?[=!]|[:>])|[*+?]\+|\{\d*,?\d*\}\+?|.",
    re.DOTALL,
)


def _signs(pattern: str) -> Iterator[str]:
    """Yield the signs of a pattern: escapes, classes and the openings of brackets are one sign each."""
    yield from _SIGN.findall(pattern)

"""Text that a model wrote in, pieces for display out: what is unseen, or changes what is seen, becomes a visible code."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal, NamedTuple

_KEPT: Final = "\n\t "
# Letters that look Latin and are not; a word that mixes them with Latin letters is marked.
_MIXED: Final = re.compile(r"\b(?=\w*[A-Za-z])\w*[\u0370-\u03ff\u0400-\u052f]\w*")
_SUSPECT: Final = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")


class Piece(NamedTuple):
    """A run of text: plain; a code for one hidden character; or a word that mixes alphabets."""

    text: str
    kind: Literal["plain", "code", "mixed"]


def code(character: str) -> str:
    r"""Return the escape of one character: \x1b, \u202e, \U000e0041."""
    point = ord(character)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def pieces(text: str) -> list[Piece]:
    """Cut a text into pieces; joined back, the plain and mixed pieces hold every visible character unchanged."""
    found: list[Piece] = []
    plain: list[str] = []

    def flush() -> None:
        if plain:
            found.extend(_words("".join(plain)))
            plain.clear()

    if text.isprintable() and not _SUSPECT.search(text):
        return [Piece(text, "plain")] if text else []
    for place, character in enumerate(text):
        if _seen(text, place, character):
            plain.append(character)
        else:
            flush()
            found.append(Piece(code(character), "code"))
    flush()
    return found


def flat(text: str) -> str:
    """Return a text with every hidden character as its code, for places that take no markup."""
    return "".join(piece.text for piece in pieces(text))


def _seen(text: str, place: int, character: str) -> bool:
    if character in _KEPT or character.isprintable():
        return True
    category = unicodedata.category(character)
    if category == "Zs":
        return True
    return character in "\u200c\u200d" and _joins(text, place)


def _joins(text: str, place: int) -> bool:
    """Tell whether a joiner stands where scripts and emoji need one: between two symbols or two letters beyond Latin."""
    around = text[place - 1 : place] + text[place + 1 : place + 2] if place else ""
    kinds = {unicodedata.category(character) for character in around}
    return len(around) == 2 and kinds <= {"So", "Sk", "Mn", "Mc", "Lo"}


def _words(text: str) -> list[Piece]:
    if not _SUSPECT.search(text):
        return [Piece(text, "plain")]
    found, last = [], 0
    for match in _MIXED.finditer(text):
        if match.start() > last:
            found.append(Piece(text[last : match.start()], "plain"))
        found.append(Piece(match.group(), "mixed"))
        last = match.end()
    return found + ([Piece(text[last:], "plain")] if last < len(text) else [])

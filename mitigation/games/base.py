"""What a game is: the messages of a battle in, one parsed move for each generated message out; nothing is guessed.

A move is a line of its own that begins with the game's keyword and a colon, `MOVE: SHARE`. Case of the keyword, Markdown
emphasis, backticks, a bullet or heading before it and a full stop or exclamation mark after it do not matter. Prose about a
move, a quoted line (`> MOVE: SHARE`) and a line with a speaker before the keyword state no move. The same move on several
lines is one move; lines that differ in it are none.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeVar, get_args

from mitigation.types import Turn

State = Literal["legal", "illegal", "missing"]
STATES: Final[tuple[State, ...]] = get_args(State)

# How providers say that a reply was cut at its longest length.
_CUT: Final = ("length", "max_tokens")
_MARKS: Final = "*_` \t\r\xa0"
# A heading or a bullet may stand before the keyword; "> " may not, as it quotes.
_HEADS: Final = _MARKS + "#-•"
_LONGEST: Final = 80

Meaning = TypeVar("Meaning", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What one generated message does in a game.

    Attributes:
        index: index of the message, from 1; the scripted opener carries no move.
        seat: the agent that moves, index % 2.
        state: "legal"; "illegal": a move line is there, but states no move that can be made now, or two different ones;
            "missing": no move line is there.
        text: what the move lines state, as written; None where the move is missing.
        cooperation: how cooperative the move is, from 0 to 1; None where it is not legal or the game does not measure it.
        payoffs: what the move brings to seat 0 and to seat 1; nothing where it is not legal.
    """

    index: int
    seat: int
    state: State
    text: str | None = None
    cooperation: float | None = None
    payoffs: tuple[float, float] = (0.0, 0.0)


class Game(Protocol):
    """Rules that turn messages into moves."""

    @property
    def name(self) -> str:
        """Name in scenarios, tables and reports."""

    @property
    def form(self) -> str:
        """The form of a move line, in words."""

    def lacks(self) -> str | None:
        """Return why moves cannot be judged on this machine and what to do about it; None when they can."""

    def moves(self, turns: Sequence[Turn]) -> list[Move]:
        """Return one move for each generated message, in order; the opener among the turns is passed over."""


def parsed(turn: Turn, keyword: str, read: Callable[[str], Meaning | None]) -> tuple[State, str | None, Meaning | None]:
    """Return the state of a message's move, what its move lines state, and what that means if it is legal.

    Args:
        keyword: what a move line begins with, in lower case.
        read: gives the meaning of what stands after the colon, None where that is no legal move.
    """
    said = _stated(turn, keyword)
    if not said:
        return "missing", None, None
    text = " / ".join(said[:3])
    text = text if len(text) <= _LONGEST and len(said) <= 3 else f"{text[:_LONGEST]}…"
    meant = read(said[0])
    if meant is None or any(read(other) != meant for other in said[1:]):
        return "illegal", text, None
    return "legal", text, meant


def _stated(turn: Turn, keyword: str) -> list[str]:
    """Return what the move lines of a message state, each wording once; a line that was cut off ends in "…", as no move does."""
    lines = turn.text.split("\n")
    found: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        head, colon, tail = line.partition(":")
        if colon and head.strip(_HEADS).lower() == keyword:
            stated = tail.strip(_MARKS).rstrip(".!").strip(_MARKS)
            found[f"{stated}…" if turn.finish_reason in _CUT and number == len(lines) else stated] = None
    return list(found)

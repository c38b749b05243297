"""Games whose moves are a few words or numbers, and in which every move pays by itself, whatever went before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mitigation.games.base import Move, parsed
from mitigation.types import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One move: how cooperative it is (0 to 1), and what it brings to the agent that makes it and to the other."""

    cooperation: float
    own: float
    other: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditiveGame:
    """A game as a table.

    Attributes:
        name, form: as `Game` says.
        keyword: what a move line begins with, in lower case.
        choices: what stands after the colon, in lower case, and what it does.
    """

    name: str
    form: str
    keyword: str
    choices: Mapping[str, Choice]

    def lacks(self) -> str | None:
        """Return None: nothing is needed."""
        return None

    def moves(self, turns: Sequence[Turn]) -> list[Move]:
        """Return one move for each generated message; one that is not legal brings nothing to either side."""
        return [self._move(turn) for turn in turns if turn.index > 0]

    def _move(self, turn: Turn) -> Move:
        seat = turn.index % 2
        state, text, choice = parsed(turn, self.keyword, lambda stated: self.choices.get(stated.lower()))
        if choice is None:
            return Move(index=turn.index, seat=seat, state=state, text=text)
        payoffs = (choice.own, choice.other) if seat == 0 else (choice.other, choice.own)
        return Move(index=turn.index, seat=seat, state=state, text=text, cooperation=choice.cooperation, payoffs=payoffs)

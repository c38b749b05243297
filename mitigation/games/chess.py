"""Chess: whether each move is legal, by the library `chess` (GPL-3), which is an extra and is imported only here.

The white pieces are with seat 1, which speaks the first generated message; the opener challenges and has black. A move is in
standard algebraic or UCI notation (`Nf3`, `g1f3`); signs for check and capture are not checked. A message without a legal move
leaves the board as it is and passes the turn. Whoever is in check cannot pass and has lost by it: as after mate or stalemate, no
later move is legal. Cooperation is not measured, and no move pays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from mitigation.errors import ConfigError
from mitigation.games.base import Move, parsed
from mitigation.types import Turn

# "1. e4" and "1... e5": the number of a move, which says nothing.
_NUMBER: Final = re.compile(r"^\d{1,3}\.(?:\.\.)?\s*")

if TYPE_CHECKING:
    import chess


class Chess:
    """The game; see the module."""

    name = "chess"
    form = "MOVE: and a move in standard algebraic or UCI notation"

    def lacks(self) -> str | None:
        """Return that the library is not installed, if it is not."""
        if find_spec("chess") is not None:
            return None
        return "moves of chess are judged by the library chess, which is not installed: python -m pip install chess"

    def moves(self, turns: Sequence[Turn]) -> list[Move]:
        """Return one move for each generated message.

        Raises:
            ConfigError: the library is not installed.
        """
        if lacking := self.lacks():
            raise ConfigError(lacking)
        import chess

        board: chess.Board | None = chess.Board()
        found = []
        for turn in (turn for turn in turns if turn.index > 0):
            seat = turn.index % 2
            if board is not None and board.turn != (seat == 1):
                board = _passed(board)
            state, text, move = parsed(turn, "move", partial(_legal, board))
            if board is not None and move is not None:
                board.push_uci(move)
            found.append(Move(index=turn.index, seat=seat, state=state, text=text))
        return found


def _passed(board: chess.Board) -> chess.Board | None:
    """Return the board after the side to move has passed; None, the end of the game, where it is in check or has no move."""
    import chess

    if board.is_check() or board.is_stalemate():
        return None
    board.push(chess.Move.null())
    return board


def _legal(board: chess.Board | None, stated: str) -> str | None:
    """Return a stated move in UCI notation if it is legal now, else None; a null move is none."""
    if board is None:
        return None
    try:
        move = board.parse_san(_NUMBER.sub("", stated))
    except ValueError:
        return None
    written: str = move.uci()
    return written if move else None

"""Games with parsed moves, by the name that a scenario gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mitigation.checks import check_choice
from mitigation.errors import ConfigError
from mitigation.games.base import STATES, Game, Move
from mitigation.games.chess import Chess
from mitigation.games.prisoners_dilemma import PRISONERS_DILEMMA
from mitigation.games.public_goods import PUBLIC_GOODS

__all__ = ["GAMES", "STATES", "Game", "Move", "check_game"]

GAMES: Final[Mapping[str, Game]] = {game.name: game for game in (PRISONERS_DILEMMA, PUBLIC_GOODS, Chess())}


def check_game(name: str) -> None:
    """Raise ConfigError unless the game is known and its moves can be judged on this machine."""
    check_choice(name, "game", tuple(GAMES))
    if lacking := GAMES[name].lacks():
        raise ConfigError(lacking)

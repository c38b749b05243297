"""Transcripts and frozen definitions in; the moves of games out, as tidy tables: one row a generated message, one row a battle.

Only complete battles of scenarios with a game count. A message whose move is illegal or missing stays a row and is counted; it
has no cooperation and pays nothing. Where a battle has no legal move, or its game does not measure cooperation, its cooperation
and joint pay-off are missing, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from mitigation.design import stratum
from mitigation.games import GAMES, STATES, Move
from mitigation.types import Transcript

MOVE_COLUMNS: Final = (
    *("battle_id", "arm", "scenario", "pairing", "stratum", "game", "index", "agent", "seat", "state", "move"),
    *("cooperation", "payoff_0", "payoff_1"),
)
BATTLE_COLUMNS: Final = (
    *("battle_id", "arm", "scenario", "pairing", "stratum", "game", "moves", *STATES),
    *("cooperation", "payoff_0", "payoff_1", "joint_payoff"),
)


@dataclass(frozen=True, kw_only=True)
class MoveTables:
    """The moves of a study.

    Attributes:
        moves: one row for each generated message; `move` is what it states, as written.
        battles: one row for each battle: its messages (`moves`) and how many of them hold a legal, an illegal and no move; mean
            cooperation over legal moves; pay-off of each seat over the whole battle; `joint_payoff`, that of both together for
            each legal move, which does not depend on the length of the battle.
        games: names of the games whose moves were judged.
        notes: scenarios whose moves could not be judged, and why.
    """

    moves: pd.DataFrame
    battles: pd.DataFrame
    games: tuple[str, ...]
    notes: tuple[str, ...]


def games_of(definitions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the name of the game of each scenario that has one."""
    scenarios = {cell["scenario"]["name"]: cell["scenario"].get("game") for cell in definitions}
    return {scenario: game for scenario, game in sorted(scenarios.items()) if game is not None}


def move_tables(transcripts: Sequence[Transcript], definitions: Sequence[Mapping[str, Any]]) -> MoveTables | None:
    """Return the moves of a study; None where none of its scenarios has a game."""
    games = games_of(definitions)
    if not games:
        return None
    notes = [note for scenario, game in games.items() if (note := _unjudged(scenario, game))]
    judged = {scenario: game for scenario, game in games.items() if not _unjudged(scenario, game)}
    moves: list[dict[str, Any]] = []
    battles: list[dict[str, Any]] = []
    for battle in transcripts:
        if battle.status != "complete" or battle.scenario not in judged:
            continue
        about = {
            "battle_id": battle.battle_id,
            "arm": battle.identity,
            "scenario": battle.scenario,
            "pairing": battle.pairing,
            "stratum": stratum(battle.scenario, battle.pairing, battle.opener),
            "game": judged[battle.scenario],
        }
        made = GAMES[judged[battle.scenario]].moves(battle.turns)
        agents = {turn.index: turn.agent for turn in battle.turns}
        moves += [about | {"agent": agents[move.index]} | _row(move) for move in made]
        battles.append(about | _summed(made))
    return MoveTables(
        moves=pd.DataFrame(moves, columns=list(MOVE_COLUMNS)).astype({"cooperation": "Float64"}),
        battles=pd.DataFrame(battles, columns=list(BATTLE_COLUMNS)).astype({"cooperation": "Float64", "joint_payoff": "Float64"}),
        games=tuple(sorted(set(judged.values()))),
        notes=tuple(notes),
    )


def _unjudged(scenario: str, game: str) -> str | None:
    """Return why the moves of a scenario cannot be judged, None when they can."""
    if game not in GAMES:
        return f"the moves of {scenario} could not be judged: this version knows no game {game!r}"
    lacking = GAMES[game].lacks()
    return f"the moves of {scenario} could not be judged: {lacking}, then write the report again" if lacking else None


def _row(move: Move) -> dict[str, Any]:
    return {
        "index": move.index,
        "seat": move.seat,
        "state": move.state,
        "move": move.text,
        "cooperation": move.cooperation,
        "payoff_0": move.payoffs[0],
        "payoff_1": move.payoffs[1],
    }


def _summed(made: Sequence[Move]) -> dict[str, Any]:
    """Return what the moves of one battle come to."""
    known = [move.cooperation for move in made if move.cooperation is not None]
    first, second = (sum(move.payoffs[seat] for move in made) for seat in (0, 1))
    return {
        "moves": len(made),
        **{str(state): sum(move.state == state for move in made) for state in STATES},
        "cooperation": sum(known) / len(known) if known else None,
        "payoff_0": first,
        "payoff_1": second,
        "joint_payoff": (first + second) / len(known) if known else None,
    }

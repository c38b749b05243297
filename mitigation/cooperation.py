"""Moves of battles in, the arms' cooperation and pay-off in each game out, and how they differ from control.

The battle is the unit, as for words, and the test is the same permutation of battles within strata. Its p values are secondary:
they are not adjusted for their number, and no verdict depends on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from mitigation.contrasts import CONFIDENCE, Comparison, compare
from mitigation.estimates import mean_interval
from mitigation.games import STATES
from mitigation.moves import MoveTables, move_tables
from mitigation.types import AnalysisPlan, Transcript

ARM_COLUMNS: Final = (
    *("game", "arm", "battles", "moves", *STATES, "cooperation", "cooperation_low", "cooperation_high", "joint_payoff"),
    *("difference", "p_value", "test", "no_test"),
)


@dataclass(frozen=True, kw_only=True)
class Conduct:
    """How the agents of a study acted.

    Attributes:
        tables: the moves, and what they come to in each battle.
        arms: one row for each game and arm. `cooperation`, with a 95 % t interval, and `joint_payoff` are means over battles with
            a legal move, in which a stratum weighs as much as its share of the game's battles; `difference` is cooperation minus
            that of control, over strata that hold both; `no_test` says why there is no p value.
    """

    tables: MoveTables
    arms: pd.DataFrame


def conduct(
    transcripts: Sequence[Transcript],
    definitions: Sequence[Mapping[str, Any]],
    *,
    plan: AnalysisPlan,
    arms: Sequence[str],
    interim: bool,
) -> Conduct | None:
    """Return how the agents of a study acted; None where none of its scenarios has a game.

    Args:
        arms: every arm of the study, in the order of its report.
        interim: battles are pending, so that nothing is tested.
    """
    tables = move_tables(transcripts, definitions)
    if tables is None:
        return None
    played = {game: tables.battles[tables.battles["game"] == game] for game in tables.games}
    rows = [_row(battles, game, arm, plan, interim) for game, battles in played.items() for arm in arms]
    return Conduct(tables=tables, arms=pd.DataFrame(rows, columns=list(ARM_COLUMNS), dtype=object))


def _row(battles: pd.DataFrame, game: str, arm: str, plan: AnalysisPlan, interim: bool) -> dict[str, Any]:
    """Return one arm in one game; `battles` holds all arms of that game."""
    mine = battles[battles["arm"] == arm]
    row: dict[str, Any] = {"game": game, "arm": arm, "battles": len(mine)}
    row |= {column: int(mine[column].sum()) for column in ("moves", *STATES)}
    row |= _means(battles[battles["cooperation"].notna()], arm)
    if arm == plan.control:
        return row
    found = _compared(battles, arm, plan, interim)
    if found.rate_control is not None and found.rate_treatment is not None:
        row["difference"] = found.difference
    return row | {"p_value": found.p_value, "test": found.test, "no_test": found.blocked}


def _means(scored: pd.DataFrame, arm: str) -> dict[str, float | None]:
    """Return an arm's mean cooperation with its interval, and its mean pay-off; `scored` holds all arms."""
    mine = scored[scored["arm"] == arm]
    if not len(mine):
        return {}
    weights = {str(name): share for name, share in scored["stratum"].astype(str).value_counts(normalize=True).items()}
    strata = mine["stratum"].astype(str).to_numpy()
    cooperation, payoff = (mine[column].to_numpy(dtype=np.float64) for column in ("cooperation", "joint_payoff"))
    mean = mean_interval(cooperation, strata, weights, top=1.0, confidence=CONFIDENCE)
    return {
        "cooperation": mean.estimate,
        "cooperation_low": mean.low,
        "cooperation_high": mean.high,
        "joint_payoff": mean_interval(payoff, strata, weights, top=None).estimate,
    }


def _compared(battles: pd.DataFrame, arm: str, plan: AnalysisPlan, interim: bool) -> Comparison:
    """Compare the cooperation of an arm with that of control: a battle's rate is its mean over legal moves."""
    pair = battles[battles["arm"].isin([plan.control, arm])]
    known = pair["cooperation"].dropna()
    blocked = "battles are pending" if interim else None
    if not len(known):
        blocked = "no battle of either arm holds a legal move whose cooperation this game measures"
    elif blocked is None and len(known) > 1 and known.max() - known.min() <= 1e-12:
        blocked = f"all battles have the same cooperation ({known.iloc[0]:.3g}): without any variation nothing can be tested"
    rated = pair.assign(messages=pair["cooperation"].notna().astype(float), cooperation_messages=pair["cooperation"])
    return compare(
        rated,
        outcome="cooperation",
        name="cooperation_rate",
        control=plan.control,
        treatment=arm,
        plan=plan,
        rate="messages",
        blocked=blocked,
    )

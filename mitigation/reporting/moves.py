"""How agents acted in; the table of moves as a report prints it, and the tables as it stores them, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from mitigation.figures import rows, wording
from mitigation.reporting.inputs import ReportInput

if TYPE_CHECKING:
    import pandas as pd

HEADS: Final = (
    *("Game", "Arm", "Battles", "Messages", "Legal", "Illegal", "Missing"),
    *("Cooperation, 95% CI", "Joint pay-off per legal move", "Difference from control"),
)
TESTED: Final = ("p", "No p because")
ABOUT: Final = (
    "Moves that the agents of complete battles made in a game. Each legal move is worth 0 to 1 in cooperation (a gift of 4 of 10 "
    "coins is 0.4); a battle's cooperation is the mean of its legal moves, an arm's the mean of its battles. An illegal or "
    "missing move is counted and never guessed. These numbers are secondary: p values are not adjusted for their number, and no "
    "verdict depends on them."
)


def shown(given: ReportInput) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]] | None:
    """Return heads and cells of the table of moves, None where the study holds no game; while it is unfinished without tests."""
    if given.conduct is None:
        return None
    heads = HEADS if given.interim else (*HEADS, *TESTED)
    return heads, tuple(_line(row)[: len(heads)] for row in rows.records(given.conduct.arms))


def notes(given: ReportInput) -> tuple[str, ...]:
    """Return which moves could not be judged, and why."""
    return given.conduct.tables.notes if given.conduct is not None else ()


def stored(given: ReportInput) -> dict[str, pd.DataFrame]:
    """Return the tables of moves by file name; none where the study holds no game."""
    if given.conduct is None:
        return {}
    tables = given.conduct.tables
    return {"moves": tables.moves, "moves_battles": tables.battles, "moves_arms": given.conduct.arms}


def _line(row: Mapping[str, object]) -> tuple[str, ...]:
    counts = (wording.whole(rows.count(row[name])) for name in ("battles", "moves", "legal", "illegal", "missing"))
    mean, low, high, payoff, difference = (
        wording.decimal(rows.number(row[name]))
        for name in ("cooperation", "cooperation_low", "cooperation_high", "joint_payoff", "difference")
    )
    ends = "" if wording.NONE in (low, high) else f" [{low}, {high}]"
    tested = wording.p_cell(rows.number(row["p_value"])), rows.text(row["no_test"]) or wording.NONE
    return (rows.text(row["game"]), rows.text(row["arm"]), *counts, f"{mean}{ends}", payoff, difference, *tested)

"""A table of scored messages from elsewhere in, one row per battle out; whatever the table gets wrong is a ConfigError."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mitigation.errors import AnalysisError, ConfigError

REQUIRED: Final = ("condition", "battle_id", "we_count", "words", "any_we")
OPTIONAL: Final = ("stratum", "turn", "agent")
_TRUTH: Final = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}


def battles_of_messages(table: pd.DataFrame, *, control: str) -> pd.DataFrame:
    """Check a table with a row per message and add it up to a row per battle.

    Args:
        table: columns `REQUIRED`, and any of `OPTIONAL`; condition, battle_id and turn together are the key. any_we may be given
            as booleans, 0 and 1, or the words true and false.
        control: the condition that the others are compared with.

    Returns:
        Columns battle_id, arm, stratum, status (always complete), messages, words, we_messages, we_count; sorted, so that the
        order of the table's rows has no influence. Without a stratum column all battles share the stratum "all".

    Raises:
        ConfigError: a column is missing; a cell is missing, not a number, infinite, negative or not whole; any_we contradicts
            we_count; a key occurs twice; a battle lies in two strata; no row has the condition `control`. Rows count from 1.
        AnalysisError: the table has no rows.
    """
    missing = [name for name in REQUIRED if name not in table.columns]
    if missing:
        raise ConfigError(f"the table has no column {', '.join(missing)}: it needs {', '.join(REQUIRED)}, one row per message")
    if table.columns.duplicated().any():
        raise ConfigError(f"the table has the column {table.columns[table.columns.duplicated()][0]!r} twice: remove one")
    if not len(table):
        raise AnalysisError("the table holds no messages, so there is nothing to analyse: fill it with one row per message")
    used = [name for name in (*REQUIRED, *OPTIONAL) if name in table.columns]
    for name in used:
        _refuse(
            table[name].isna().to_numpy(dtype=bool), table, f"column {name} is empty (or NaN)", "fill it or remove the message"
        )
    frame = pd.DataFrame({name: table[name].astype(str).to_numpy(dtype=object) for name in used if name not in REQUIRED[2:]})
    if "stratum" not in frame:
        frame["stratum"] = "all"
    if control not in set(frame["condition"]):
        known = ", ".join(sorted(set(frame["condition"])))
        raise ConfigError(f"control={control!r} is no condition of the table: choose one of {known}")
    we, words = _whole(table, "we_count"), _whole(table, "words")
    said = np.array([_TRUTH.get(str(cell).strip().lower(), np.nan) for cell in table["any_we"]])
    _refuse(np.isnan(said), table, "any_we is neither true nor false", "write true or false, or 1 or 0")
    _refuse((said > 0) != (we > 0), table, "any_we contradicts we_count", "any_we must be true exactly where we_count is above 0")
    _refuse((we > 0) & (words == 0), table, "we_count is above 0 in a message of 0 words", "mend either")
    if "turn" in frame:
        again = frame.duplicated(["condition", "battle_id", "turn"]).to_numpy(dtype=bool)
        _refuse(
            again, table, f"the key (condition, battle_id, turn) with turn {_at(frame['turn'], again)} occurs before", "remove it"
        )
    frame = frame.assign(messages=1, words=words, we_messages=said, we_count=we)
    battles = frame.groupby(["condition", "battle_id"], sort=True)
    homes = battles["stratum"].nunique()
    if (homes > 1).any():
        condition, battle = homes.index[homes.to_numpy() > 1][0]
        raise ConfigError(
            f"battle {battle!r} of condition {condition!r} lies in {homes.max()} strata: give all its messages one stratum"
        )
    sums = battles[["messages", "words", "we_messages", "we_count"]].sum()
    sums["stratum"] = battles["stratum"].first()
    sums = sums.reset_index().rename(columns={"condition": "arm"})
    return sums.assign(status="complete")


def _whole(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Cells of a column that must hold counts."""
    value = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64)
    _refuse(~np.isfinite(value), table, f"{name} is not a finite number", "give a whole number from 0")
    _refuse(value < 0, table, f"{name} is negative", "give a whole number from 0")
    _refuse(value != np.floor(value), table, f"{name} is not whole", "give a whole number from 0")
    return value


def _refuse(bad: NDArray[np.bool_], table: pd.DataFrame, fault: str, remedy: str) -> None:
    """Raise ConfigError for the first bad row, if there is one."""
    if not bad.any():
        return
    i = int(np.argmax(bad))
    where = f"row {i + 1} (condition {table['condition'].iloc[i]!s}, battle {table['battle_id'].iloc[i]!s})"
    others = f", as in {int(bad.sum()) - 1} more rows" if bad.sum() > 1 else ""
    raise ConfigError(f"{where}: {fault}{others}: {remedy}")


def _at(column: pd.Series, bad: NDArray[np.bool_]) -> str:
    return str(column.iloc[int(np.argmax(bad))]) if bad.any() else ""

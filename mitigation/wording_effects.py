"""Scored battles and the wordings that their agents drew, in; rates by wording, and each wording left out in turn, out.

A bank is a sample of the identities that could have been written. If the effect goes when one wording is left out, it was
the effect of that wording. These numbers describe; they are no test.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from mitigation.estimates import arm_rates, shared_strata
from mitigation.types import AnalysisPlan, Transcript

WORDING_COLUMNS: Final = ("arm", "wording", "battles", "rate", "own_messages", "own_rate", "ratio_without")
ARM_COLUMNS: Final = ("arm", "wordings", "ratio", "lowest_without", "highest_without", "wording_lowest", "wording_highest")


def wording_table(
    battles: pd.DataFrame, messages: pd.DataFrame, transcripts: Sequence[Transcript], *, plan: AnalysisPlan
) -> pd.DataFrame:
    """Return one row for each wording that was drawn in a scored battle; wordings are counted from 1, as in their files.

    Args:
        battles: one row a battle with battle_id, arm, stratum, rate and scored.
        messages: one row a generated message with battle_id, agent and ingroup.
        transcripts: the battles, for who drew what.

    Returns:
        `rate`: mean rate of the battles in which an agent had the wording; `own_rate`: share of that agent's own messages with an
        in-group we; `ratio_without`: rate ratio against control when those battles are left out, missing where it is not known.
    """
    scored = battles[battles["scored"]]
    by_agent = messages[messages["ingroup"].notna()].groupby(["battle_id", "agent"])["ingroup"]
    said = dict(zip(by_agent.groups, zip(by_agent.sum().astype(int), by_agent.size(), strict=True), strict=True))
    own: dict[tuple[str, int], list[tuple[int, int]]] = {}
    held: dict[tuple[str, int], set[str]] = {}
    known = set(scored["battle_id"])
    for battle in transcripts:
        if battle.battle_id not in known:
            continue
        for agent, index in zip(battle.agents, battle.wording, strict=False):
            if index is None:
                continue
            held.setdefault((battle.identity, index), set()).add(battle.battle_id)
            if found := said.get((battle.battle_id, agent.name)):
                own.setdefault((battle.identity, index), []).append((int(found[0]), int(found[1])))
    rows: list[dict[str, Any]] = []
    for (arm, index), ids in sorted(held.items()):
        spoken = own.get((arm, index), [])
        total = sum(size for _, size in spoken)
        rows.append(
            {
                "arm": arm,
                "wording": index + 1,
                "battles": len(ids),
                "rate": float(scored.loc[scored["battle_id"].isin(ids), "rate"].mean()),
                "own_messages": total,
                "own_rate": sum(hits for hits, _ in spoken) / total if total else None,
                "ratio_without": _ratio(scored[~scored["battle_id"].isin(ids)], arm, plan.control),
            }
        )
    return pd.DataFrame(rows, columns=list(WORDING_COLUMNS), dtype=object)


def arms_by_wording(wordings: pd.DataFrame, battles: pd.DataFrame, *, plan: AnalysisPlan) -> pd.DataFrame:
    """Return one row for each arm of several wordings: its ratio, and its range when any one wording is left out."""
    scored, rows = battles[battles["scored"]], []
    for arm, mine in wordings.groupby("arm", sort=True):
        without = mine.dropna(subset=["ratio_without"])
        if arm == plan.control or len(mine) < 2 or without.empty:
            continue
        ordered = without.sort_values("ratio_without", kind="stable")
        low, high = ordered.iloc[0], ordered.iloc[-1]
        rows.append(
            {
                "arm": arm,
                "wordings": len(mine),
                "ratio": _ratio(scored, str(arm), plan.control),
                "lowest_without": low["ratio_without"],
                "highest_without": high["ratio_without"],
                "wording_lowest": low["wording"],
                "wording_highest": high["wording"],
            }
        )
    return pd.DataFrame(rows, columns=list(ARM_COLUMNS), dtype=object)


def _ratio(scored: pd.DataFrame, arm: str, control: str) -> float | None:
    """Return the rate ratio of an arm against control, None where it is not known."""
    pair = scored[scored["arm"].isin([arm, control])]
    treated, strata = (pair["arm"] == arm).to_numpy(), pair["stratum"].astype(str).to_numpy()
    if arm == control or not shared_strata(treated, strata).any():
        return None
    rates = arm_rates(pair["rate"].to_numpy(dtype=float), treated, strata)
    return rates.treated / rates.control if rates.control > 0 else None

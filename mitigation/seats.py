"""Messages of a study in; each treatment against control for one agent of a battle at a time, out.

Where one agent is treated and the other is not, the treated agent is compared with the agent in the same seat of the control
battle of its block, and its opponent with that agent's opponent: who carries the effect? Elsewhere the agent that opens and the
agent that answers are compared with theirs. The test is the primary one on rates of one agent; nothing here is adjusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from mitigation.contrasts import compare
from mitigation.evidence import copies
from mitigation.types import ONE_SEAT, AnalysisPlan, Transcript

COLUMNS: Final = (
    *("treatment", "agent", "n_control", "n_treatment", "rate_control", "rate_treatment"),
    *("rate_ratio", "ratio_low", "ratio_high", "p_value", "note"),
)


def by_seat(
    messages: pd.DataFrame,
    transcripts: Sequence[Transcript],
    *,
    plan: AnalysisPlan,
    seats: Mapping[str, str],
    battles: pd.DataFrame,
    outcome: str = "ingroup",
) -> pd.DataFrame:
    """Return two rows a treatment, `COLUMNS`.

    Args:
        messages: one row a generated message with battle_id, arm, stratum, agent, words, <outcome> and <outcome>_count.
        transcripts: the battles, for who sat where and who was treated.
        seats: which agents receive an identity, by arm (`Identity.seats`).
        battles: one row per planned battle, as `Analysis.battles` holds them: nothing is tested while some are pending, or where
            transcripts are copies.
    """
    rates, interim = _agent_rates(messages, transcripts, outcome), bool((battles["status"] == "pending").any())
    rows = []
    for treatment in (arm for arm in seats if arm != plan.control and (rates["arm"] == arm).any()):
        own = rates[rates["arm"] == treatment]
        copied = copies(battles[battles["scored"]], control=plan.control, treatment=treatment)
        if seats[treatment] in ONE_SEAT:
            treated = own[own["treated"]].set_index("block")["seat"]
            sides = {"the treated agent": treated, "its opponent": 1 - treated}
        else:
            blocks = pd.Index(sorted(set(own["block"])))
            sides = {"the agent that opens": pd.Series(0, blocks), "the agent that answers": pd.Series(1, blocks)}
        for name, seat in sides.items():
            pair = rates[rates["arm"].isin([plan.control, treatment])]
            mine = pair[pair["seat"] == pair["block"].map(seat)]
            found = compare(
                # The seat belongs to the stratum: it is balanced over blocks, and a comparison is of the same seat.
                mine.assign(stratum=mine["stratum"] + "|" + mine["seat"].astype(str)),
                outcome=outcome,
                name=name,
                control=plan.control,
                treatment=treatment,
                plan=plan,
                blocked="interim: battles are pending" if interim else copied,
            )
            rows.append(
                {
                    "treatment": treatment, "agent": name, "n_control": found.n_control, "n_treatment": found.n_treatment,
                    "rate_control": found.rate_control, "rate_treatment": found.rate_treatment,
                    "rate_ratio": found.ratio.ratio, "ratio_low": found.ratio.low, "ratio_high": found.ratio.high,
                    "p_value": found.p_value, "note": found.blocked,
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _agent_rates(messages: pd.DataFrame, transcripts: Sequence[Transcript], outcome: str) -> pd.DataFrame:
    """Return one row for each agent of a battle that has judged messages; a block is scenario, pairing and replicate."""
    judged = messages[messages[outcome].notna()]
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for battle in transcripts:
        for seat, agent in enumerate(battle.agents[:2]):
            index = battle.wording[seat] if seat < len(battle.wording) else None
            block = f"{battle.scenario}|{battle.pairing}|{battle.replicate}"
            told[battle.battle_id, agent.name] = {"seat": seat, "block": block, "treated": index is not None}
    keys = ["battle_id", "arm", "stratum", "agent"]
    grouped = judged.groupby(keys, sort=True)
    rows = grouped.agg(
        **{
            "messages": ("index", "size"),
            "words": ("words", "sum"),
            f"{outcome}_messages": (outcome, "sum"),
            f"{outcome}_count": (f"{outcome}_count", "sum"),
        }
    ).reset_index()
    about = [told.get((one, agent)) for one, agent in zip(rows["battle_id"], rows["agent"], strict=True)]
    known = pd.Series([found is not None for found in about], dtype=bool)
    rows = rows[known.to_numpy()].reset_index(drop=True)
    extra = pd.DataFrame([found for found in about if found is not None], columns=["seat", "block", "treated"])
    return pd.concat([rows, extra], axis=1)

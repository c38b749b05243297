"""Transcripts and detections in, two tidy tables out: one row a generated message, one row a planned battle.

Column names are spelled here and nowhere else. A message that the detector could not judge counts as no exposure and is
counted in `unjudged`; a battle that was not finished has no outcome (missing, never 0).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from mitigation.design import battle_id, block_rank, levels, stratum
from mitigation.types import Detection, Mention, Transcript, Turn

# Three nested tiers of the in-group "we"; each has a count of mentions and a count of messages with at least one.
TIERS: Final = ("ingroup", "strict", "social")
MESSAGE_COLUMNS: Final = ("battle_id", "arm", "scenario", "pairing", "stratum", "index", "agent", "words", *TIERS)
BATTLE_COLUMNS: Final = (
    "battle_id",
    "arm",
    "scenario",
    "pairing",
    "opener",
    "stratum",
    "replicate",
    "block",
    "status",
    "ending",
    "messages",
    "words",
    "unjudged",
    "truncated",
    "retried",
    "wordings",
    "run_order",
    "transcript_sha",
)


def is_bare_lets(mention: Mention, text: str) -> bool:
    """Return whether a mention is "let's", "lets" or the "us" of "let us": often no more than "go on"."""
    word = mention.text.casefold()
    return word.startswith("let") or (word == "us" and text[: mention.start].rstrip().casefold().endswith("let"))


def tiers(turn: Turn, mentions: Iterable[Mention]) -> dict[str, int]:
    """Return the number of mentions in each tier of one message.

    "ingroup": both agents meant; "strict": those after the first reply and without bare let's; "social": those that name or
    presuppose a shared group.
    """
    counts = dict.fromkeys(TIERS, 0)
    for mention in mentions:
        if mention.label != "ingroup":
            continue
        counts["ingroup"] += 1
        counts["strict"] += turn.index > 1 and not is_bare_lets(mention, turn.text)
        counts["social"] += mention.tier == "social"
    return counts


def on_task(labels: Mapping[str, bool | None]) -> bool | None:
    """Return whether a message adheres to the goal: it neither refuses nor leaves the task. None where that is not known."""
    away = labels.get("refusal"), labels.get("topic_drift")
    return None if None in away else not any(away)


def message_table(transcripts: Sequence[Transcript], detections: Mapping[str, Sequence[Detection]]) -> pd.DataFrame:
    """Return one row for each generated message of a complete battle, with `<tier>_count`, a bool a tier and a bool a label.

    Where the detector could not judge, the bools are missing.
    """
    rows: list[dict[str, Any]] = []
    for battle in transcripts:
        if battle.status != "complete":
            continue
        found = {detection.index: detection for detection in detections.get(battle.battle_id, ())}
        for turn in battle.replies:
            row: dict[str, Any] = {
                "battle_id": battle.battle_id,
                "arm": battle.identity,
                "scenario": battle.scenario,
                "pairing": battle.pairing,
                "stratum": stratum(battle.scenario, battle.pairing, battle.opener),
                "index": turn.index,
                "agent": turn.agent,
                "words": len(turn.text.split()),
            }
            seen = found.get(turn.index)
            if seen is not None and seen.mentions is not None:
                counts = tiers(turn, seen.mentions)
                row |= {tier: counts[tier] > 0 for tier in TIERS}
                row |= {f"{tier}_count": counts[tier] for tier in TIERS}
                row |= dict(seen.labels)
                row["on_task"] = on_task(seen.labels)
            rows.append(row)
    columns = list(dict.fromkeys([*MESSAGE_COLUMNS, *(f"{tier}_count" for tier in TIERS), *(key for row in rows for key in row)]))
    return pd.DataFrame(rows, columns=columns)


def battle_table(
    transcripts: Sequence[Transcript], messages: pd.DataFrame, definitions: Sequence[Mapping[str, Any]] = ()
) -> pd.DataFrame:
    """Return one row for each planned battle, ordered by battle id; a planned battle without a result is pending.

    Args:
        transcripts: the latest result of each battle.
        messages: table of `message_table`.
        definitions: frozen cells of the study; without them only what was found is planned.

    Returns:
        BATTLE_COLUMNS (block: place of the battle's block in the order of the design, from 0), and for each tier and label
        `<name>_messages` (messages with at least one), for each tier also `<name>_count` (mentions); missing where the battle is
        not complete or has no judged message.
    """
    rows = {row["battle_id"]: row for row in _planned(definitions)} | {b.battle_id: _row(b) for b in transcripts}
    table = pd.DataFrame([rows[key] for key in sorted(rows)], columns=list(BATTLE_COLUMNS))
    table["block"] = _blocks(table, definitions)
    flags = [column for column in messages.columns if column not in MESSAGE_COLUMNS or column in TIERS]
    judged = messages[messages["ingroup"].notna()]
    summed = judged.groupby("battle_id")[flags].sum().astype("Int64") if len(judged) else pd.DataFrame(columns=flags)
    summed = summed.rename(columns={flag: flag if flag.endswith("_count") else f"{flag}_messages" for flag in flags})
    exposure = judged.groupby("battle_id").agg(messages=("index", "size"), words=("words", "sum"))
    every = messages.groupby("battle_id").size()
    complete = table["status"] == "complete"
    table["messages"] = table["battle_id"].map(exposure["messages"]).astype("Int64")
    table["words"] = table["battle_id"].map(exposure["words"]).astype("Int64")
    table["unjudged"] = (table["battle_id"].map(every).fillna(0) - table["messages"].fillna(0)).astype("Int64")
    # A battle without a generated message has no exposure; one whose messages could not be judged has an unknown one.
    silent = complete & (table["unjudged"] == 0)
    table.loc[silent, ["messages", "words"]] = table.loc[silent, ["messages", "words"]].fillna(0)
    return table.merge(summed, how="left", left_on="battle_id", right_index=True)


def drawn_wordings(battles: pd.DataFrame) -> list[tuple[int, ...]]:
    """Return the wordings of each battle from the column `wordings`, which joins their numbers by a bar."""
    stored = ["" if pd.isna(text) else str(text) for text in battles["wordings"]]
    return [tuple(int(float(one)) for one in text.split("|") if one) for text in stored]


def _blocks(table: pd.DataFrame, definitions: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """Return the place of each battle's block among all blocks of the design; None where there is no design."""
    keys = list(zip(table["replicate"], table["scenario"], table["pairing"], strict=True))
    if not definitions:
        return [None] * len(keys)
    seed = definitions[0]["seed"]
    places = {key: place for place, key in enumerate(sorted(set(keys), key=lambda key: block_rank(seed, *key)))}
    return [places[key] for key in keys]


def _planned(definitions: Sequence[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for cell in definitions:
        arm, scenario, pairing = (cell[part]["name"] for part in ("identity", "scenario", "pairing"))
        openers = len(cell["scenario"]["openers"])
        for replicate in range(cell["replicates"]):
            opener, _, _ = levels(replicate, openers)
            yield {
                "battle_id": battle_id(arm, scenario, pairing, replicate),
                "arm": arm,
                "scenario": scenario,
                "pairing": pairing,
                "opener": opener,
                "stratum": stratum(scenario, pairing, opener),
                "replicate": replicate,
                "status": "pending",
            }


def _row(battle: Transcript) -> dict[str, Any]:
    text = "\x1f".join(f"{turn.agent}\x1e{turn.text}" for turn in battle.replies)
    return {
        "battle_id": battle.battle_id,
        "arm": battle.identity,
        "scenario": battle.scenario,
        "pairing": battle.pairing,
        "opener": battle.opener,
        "stratum": stratum(battle.scenario, battle.pairing, battle.opener),
        "replicate": battle.replicate,
        "status": battle.status,
        "ending": battle.ending,
        "truncated": sum(flag.startswith("truncated:") for flag in battle.flags),
        "retried": None if battle.calls is None else max(0, battle.calls - len(battle.replies) - len(battle.check)),
        "run_order": battle.run_order,
        "wordings": "|".join(str(one) for one in battle.wording if one is not None) or None,
        "transcript_sha": hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16] if battle.replies else None,
    }

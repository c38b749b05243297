"""The table of messages in; what happened in the battles of each arm, described: tiers, onset, disclosure, the tree, endings.

Everything here describes; what is tested stands in the contrasts. A battle counts once, whatever its length: shares are means
over battles. A message that could not be judged is left out, and so is a battle without a judged message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from mitigation.outcomes import TIERS
from mitigation.types import Transcript

TIER_COLUMNS: Final = ("arm", "tier", "battles", "with_any", "share_of_messages", "per_100_words")
ONSET_COLUMNS: Final = ("arm", "event", "battles", "with_event", "median_message", "earliest", "latest")
DISCLOSURE_COLUMNS: Final = ("arm", "battles", "disclosed", "before", "after", "undisclosed")
TREE_COLUMNS: Final = ("arm", "branch", "leaf", "battles", "with_any", "share_of_messages")
COURSE_COLUMNS: Final = ("arm", "battles", "farewell_loops", "recognised_other", "on_task")

TREE: Final[Mapping[str, tuple[str, ...]]] = {
    "in-group behaviour": ("cooperation", "shared_goals", "support"),
    "out-group behaviour": ("competition", "misunderstanding", "conflict"),
}
"""Leaves of the tree of Social Identity Theory applied to AI agents, by branch."""
EVENTS: Final[Mapping[str, str]] = {
    "in-group we": "ingroup",
    "says to be an AI": "ai_identity",
    "recognises the other as an AI": "other_ai_identity",
    "leaves the task": "topic_drift",
    "offers or accepts to end": "end_agreement",
}


def tier_table(messages: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    """Return, by arm and nested tier, how many battles hold one, the mean share of messages and the mean rate per 100 words."""
    rows: list[dict[str, Any]] = []
    for arm, own in _judged(messages, arms):
        for tier in TIERS:
            found = own.groupby("battle_id").agg(any=(tier, "max"), share=(tier, "mean"), words=("words", "sum"))
            counts = own.groupby("battle_id")[f"{tier}_count"].sum()
            per = (100 * counts / found["words"])[found["words"] > 0]
            rows.append(
                {
                    "arm": arm,
                    "tier": tier,
                    "battles": len(found),
                    "with_any": int(found["any"].sum()),
                    "share_of_messages": _mean(found["share"]),
                    "per_100_words": _mean(per),
                }
            )
    return _frame(rows, TIER_COLUMNS)


def onset_table(messages: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    """Return, by arm and event, in how many battles it occurred and at which message first: median, earliest, latest."""
    rows: list[dict[str, Any]] = []
    for arm, own in _judged(messages, arms):
        battles = own["battle_id"].nunique()
        for event, column in EVENTS.items():
            if column not in own:
                continue
            first = own[own[column].eq(True)].groupby("battle_id")["index"].min()
            rows.append(
                {
                    "arm": arm,
                    "event": event,
                    "battles": battles,
                    "with_event": len(first),
                    "median_message": None if first.empty else float(first.median()),
                    "earliest": None if first.empty else int(first.min()),
                    "latest": None if first.empty else int(first.max()),
                }
            )
    return _frame(rows, ONSET_COLUMNS)


def disclosure_table(messages: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    """Return, by arm, the share of messages with an in-group we before and after the first message that says to be an AI.

    The disclosing message itself belongs to neither side; `undisclosed` is the share in battles where nobody says so. Both sides
    are means over the battles that have messages on both: what differs between them is not what makes a battle disclose.
    """
    rows: list[dict[str, Any]] = []
    for arm, own in _judged(messages, arms):
        first = own[own["ai_identity"].eq(True)].groupby("battle_id")["index"].min()
        when = own["battle_id"].map(first)
        before = own[own["index"] < when].groupby("battle_id")["ingroup"].mean()
        after = own[own["index"] > when].groupby("battle_id")["ingroup"].mean()
        both = before.index.intersection(after.index)
        rows.append(
            {
                "arm": arm,
                "battles": own["battle_id"].nunique(),
                "disclosed": len(first),
                "before": _mean(before[both]),
                "after": _mean(after[both]),
                "undisclosed": _mean(own[when.isna()].groupby("battle_id")["ingroup"].mean()),
            }
        )
    return _frame(rows, DISCLOSURE_COLUMNS)


def tree_table(messages: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    """Return, by arm, rates of each leaf of the tree and of each branch (`leaf` None: a message with any of its leaves)."""
    rows: list[dict[str, Any]] = []
    for arm, own in _judged(messages, arms):
        for branch, leaves in TREE.items():
            known = [leaf for leaf in leaves if leaf in own]
            columns = [(None, own[known].eq(True).any(axis=1)), *((leaf, own[leaf].eq(True)) for leaf in known)]
            for leaf, holds in columns:
                by_battle = holds.groupby(own["battle_id"])
                rows.append(
                    {
                        "arm": arm,
                        "branch": branch,
                        "leaf": leaf,
                        "battles": by_battle.ngroups,
                        "with_any": int(by_battle.max().sum()),
                        "share_of_messages": _mean(by_battle.mean()),
                    }
                )
    return _frame(rows, TREE_COLUMNS)


def course_table(messages: pd.DataFrame, transcripts: Sequence[Transcript], arms: Sequence[str]) -> pd.DataFrame:
    """Return, by arm, battles with a loop of farewells, battles where one recognises the other as an AI, and goal adherence.

    A loop is what `mitigation.flags` marks as one. `on_task` is the mean share of messages that neither refuse nor leave the
    task.
    """
    loops = {battle.battle_id for battle in transcripts if any(flag.startswith("farewell_loop:") for flag in battle.flags)}
    rows: list[dict[str, Any]] = []
    for arm, own in _judged(messages, arms):
        rows.append(
            {
                "arm": arm,
                "battles": own["battle_id"].nunique(),
                "farewell_loops": len(loops.intersection(own["battle_id"])),
                "recognised_other": int(own[own["other_ai_identity"].eq(True)]["battle_id"].nunique()),
                "on_task": _mean(own["on_task"].eq(True).groupby(own["battle_id"]).mean()),
            }
        )
    return _frame(rows, COURSE_COLUMNS)


def _judged(messages: pd.DataFrame, arms: Sequence[str]) -> list[tuple[str, pd.DataFrame]]:
    """Return the judged messages of each arm that has any, in the order of the arms."""
    judged = messages[messages["ingroup"].notna()]
    judged = judged.astype(dict.fromkeys(TIERS, float))
    found = [(arm, judged[judged["arm"] == arm]) for arm in arms]
    return [(arm, own) for arm, own in found if len(own)]


def _mean(values: pd.Series) -> float | None:
    return float(values.mean()) if len(values) else None


def _frame(rows: list[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns)).astype(object).where(lambda frame: frame.notna(), None)

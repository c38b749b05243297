"""Transcripts in; how many messages of each arm the rules of flags.py mark, out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd

from mitigation.flags import RULES, flags
from mitigation.types import Transcript

# Beside the rules on what was said: replies without a word that came before a message.
KINDS = ("truncated", "empty", *(rule for rule in RULES if rule != "truncated"))


def flagged(transcripts: Iterable[Transcript], arms: Sequence[str]) -> pd.DataFrame:
    """Return one row an arm: complete battles, their messages, and the messages that each rule marks.

    The rules are applied anew, so that battles of earlier versions are counted by the same rules; only empty replies, which
    leave no trace in a transcript, are taken as they were recorded.
    """
    counts: dict[str, Counter[str]] = {arm: Counter() for arm in arms}
    for battle in transcripts:
        if battle.status != "complete" or len(battle.agents) != 2:
            continue
        names = battle.agents[0].name, battle.agents[1].name
        found = [*flags(battle.turns, names), *(flag for flag in battle.flags if flag.startswith("empty:"))]
        arm = counts.setdefault(battle.identity, Counter())
        arm.update(flag.partition(":")[0] for flag in found)
        arm.update({"battles": 1, "messages": len(battle.replies)})
    columns = ["battles", "messages", *KINDS]
    return pd.DataFrame(
        [[arm, *(count[column] for column in columns)] for arm, count in counts.items()], columns=["arm", *columns]
    )

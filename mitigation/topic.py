"""Battles and what they were to be about in; how near each message, and each arm over time, stays to its task, out.

Nearness is the cosine between the words of a message and those of the scenario's task and openers, each word weighed by how rare
it is among the messages of the study. It needs no list of subjects and knows no arm. On 1,679 labelled messages it told those
that leave the task from the others with an area under the curve of .62 (`make accuracy`): enough to draw a course, not to judge
a message.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from mitigation.types import Transcript
from mitigation.wordings import content, words

COLUMNS: Final = ("battle_id", "arm", "scenario", "index", "nearness")
ARM_COLUMNS: Final = ("arm", "battles", "first_third", "last_third")
Weights = dict[str, float]


def nearness_table(transcripts: Sequence[Transcript], definitions: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row for each generated message of a complete battle whose scenario is known; nearness is 0 to 1."""
    tasks = {cell["scenario"]["name"]: " ".join((cell["scenario"]["task"], *cell["scenario"]["openers"])) for cell in definitions}
    told = [battle for battle in transcripts if battle.status == "complete" and battle.scenario in tasks]
    places = [(battle, turn) for battle in told for turn in battle.replies]
    near = nearness([(turn.text, tasks[battle.scenario]) for battle, turn in places])
    rows = [
        (battle.battle_id, battle.identity, battle.scenario, turn.index, value)
        for (battle, turn), value in zip(places, near, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def nearness(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Return, for each message and its task, how near they are, 0 to 1; how rare a word is, all the messages together tell."""
    documents = Counter(word for text, _ in pairs for word in content(text))
    unseen = math.log(len(pairs) + 1)
    rarity = {word: math.log((len(pairs) + 1) / (count + 1)) for word, count in documents.items()}
    tasks = {task: _weighed(task, rarity, unseen) for task in {task for _, task in pairs}}
    return [_cosine(_weighed(text, rarity, unseen), tasks[task]) for text, task in pairs]


def arm_nearness(table: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    """Return, by arm, the mean over battles of the nearness of the first and of the last third of their messages."""
    ordered = table.sort_values(["battle_id", "index"], kind="stable")
    battles = ordered.groupby("battle_id")["nearness"]
    place, size = battles.cumcount(), battles.transform("size")
    third = (size / 3).round().clip(lower=1)
    ends = {"first_third": ordered[place < third], "last_third": ordered[place >= size - third]}
    means = {name: part.groupby(["arm", "battle_id"])["nearness"].mean() for name, part in ends.items()}
    rows: list[dict[str, Any]] = []
    for arm in arms:
        own = {name: values[values.index.get_level_values("arm") == arm] for name, values in means.items()}
        if len(own["first_third"]):
            rows.append({"arm": arm, "battles": len(own["first_third"]), **{name: float(v.mean()) for name, v in own.items()}})
    return pd.DataFrame(rows, columns=list(ARM_COLUMNS))


def _weighed(text: str, rarity: Mapping[str, float], unseen: float) -> Weights:
    carrying = content(text)
    counts = Counter(word for word in words(text) if word in carrying)
    return {word: (1 + math.log(count)) * rarity.get(word, unseen) for word, count in counts.items()}


def _cosine(one: Weights, other: Weights) -> float:
    product = sum(weight * other.get(word, 0.0) for word, weight in one.items())
    sizes = (math.sqrt(sum(weight * weight for weight in each.values())) for each in (one, other))
    size = math.prod(sizes)
    return min(1.0, product / size) if size else 0.0

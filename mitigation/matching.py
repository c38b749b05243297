"""Ratings of the same battles by several raters in, the units on which they can be compared out: mentions and messages.

A rater is whoever gives one `Detection` per message: a detector, a judge, a person. A message that a rater lacks or could not
judge has no answer of that rater; it is counted, and it is never a "no".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mitigation.errors import AnalysisError
from mitigation.types import Detection, Mention

Rater = Mapping[str, Sequence[Detection]]
"""Detections by battle id."""
Answer = str | bool | None
Level = Literal["mention", "message"]

NONE: Final = "none"
"""Label of a mention that only another rater has."""
DIFFERENCE_COLUMNS: Final = ("battle_id", "index", "start", "end", "text", "one", "other", "one_tier", "other_tier")


@dataclass(frozen=True, slots=True)
class Judged:
    """One message with the detection of each rater, None where a rater lacks it."""

    battle_id: str
    index: int
    seen: tuple[Detection | None, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What raters answered to one question.

    Attributes:
        battles: battle of each unit, length units.
        given: answers of each unit, one a rater; None where a rater did not judge.
        messages: by battle, messages that at least two raters judged.
        unjudged: by battle, messages that were left out because fewer did.
    """

    battles: list[str] = field(default_factory=list)
    given: list[tuple[Answer, ...]] = field(default_factory=list)
    messages: Counter[str] = field(default_factory=Counter)
    unjudged: Counter[str] = field(default_factory=Counter)

    def exposure(self, battles: Sequence[str]) -> NDArray[np.float64]:
        """Return for each battle whether any message was judged, how many were, how many were not: shape (battles, 3)."""
        return np.array([[self.messages[b] > 0, self.messages[b], self.unjudged[b]] for b in battles], dtype=np.float64)

    def add_up(self, units: NDArray[np.generic], battles: Sequence[str]) -> NDArray[np.float64]:
        """Add numbers of units, shape (units, columns), up to those of their battles, shape (battles, columns)."""
        place = {battle: i for i, battle in enumerate(battles)}
        sums = np.zeros((len(battles), units.shape[1]))
        np.add.at(sums, [place[battle] for battle in self.battles], units.astype(np.float64))
        return sums


def judged_messages(raters: Sequence[Rater]) -> list[Judged]:
    """Return every message of the battles that at least two raters hold, ordered by battle id and index.

    Raises:
        AnalysisError: there are fewer than two raters or they share no battle; a rater has a message twice or two mentions in
            the same place.
    """
    holders = Counter(battle for rater in raters for battle in rater)
    shared = sorted(battle for battle, count in holders.items() if count > 1)
    if not shared:
        raise AnalysisError(
            f"{len(raters)} raters share no battle, so nothing can be compared: give two ratings of the same ones"
        )
    found = []
    for battle in shared:
        seen = [_by_index(battle, rater.get(battle, ())) for rater in raters]
        found += [Judged(battle, index, tuple(one.get(index) for one in seen)) for index in sorted(set().union(*seen))]
    return found


def battles_of(messages: Sequence[Judged]) -> list[str]:
    """Return the battles that hold any of the messages, in alphabetical order."""
    return sorted({message.battle_id for message in messages})


def message_labels(messages: Sequence[Judged]) -> list[str]:
    """Return the names of all labels of messages that a rater gave, in alphabetical order."""
    return sorted({label for message in messages for seen in message.seen if seen for label in seen.labels})


def message_answers(messages: Sequence[Judged], read: Callable[[Detection], Answer]) -> Answers:
    """Return what `read` finds in each detection; a unit is a message with at least two answers."""
    answers = Answers()
    for message in messages:
        given = tuple(None if seen is None else read(seen) for seen in message.seen)
        if sum(answer is not None for answer in given) < 2:
            answers.unjudged[message.battle_id] += 1
            continue
        answers.messages[message.battle_id] += 1
        answers.battles.append(message.battle_id)
        answers.given.append(given)
    return answers


def mention_answers(messages: Sequence[Judged], read: Callable[[Mention], Answer], *, absent: Answer) -> Answers:
    """Return what `read` finds in each mention; a unit is a place that at least one rater marked.

    Places match if start and end are the same; where a rater judged the message and marked no such place, its answer is `absent`.
    """
    answers = Answers()
    for message in messages:
        places = [_by_place(seen) for seen in message.seen]
        if sum(marked is not None for marked in places) < 2:
            answers.unjudged[message.battle_id] += 1
            continue
        answers.messages[message.battle_id] += 1
        for place in sorted({place for marked in places if marked for place in marked}):
            answers.battles.append(message.battle_id)
            answers.given.append(tuple(_answer(marked, place, read, absent) for marked in places))
    return answers


def label_answers(messages: Sequence[Judged], label: str) -> Answers:
    """Return whether each message has a label."""
    return message_answers(messages, lambda seen: seen.labels.get(label))


def differences(one: Rater, other: Rater) -> pd.DataFrame:
    """Return every mention that two raters label differently, for relabelling.

    Returns:
        Columns `DIFFERENCE_COLUMNS`, ordered by place; `one` and `other` are labels, "none" where that rater has no such mention.
        In-group mentions that differ in nothing but their tier are listed too. Messages that either could not judge are not.

    Raises:
        AnalysisError: as in `judged_messages`.
    """
    rows: list[tuple[object, ...]] = []
    for message in judged_messages([one, other]):
        first, second = (_by_place(seen) for seen in message.seen)
        if first is None or second is None:
            continue
        for place in sorted(first.keys() | second.keys()):
            mine, theirs = first.get(place), second.get(place)
            (label, tier), (other_label, other_tier) = ((m.label, m.tier) if m else (NONE, None) for m in (mine, theirs))
            if (label, tier) != (other_label, other_tier):
                text = next(m.text for m in (mine, theirs) if m)
                rows.append((message.battle_id, message.index, *place, text, label, other_label, tier, other_tier))
    return pd.DataFrame(rows, columns=list(DIFFERENCE_COLUMNS), dtype=object)


def _by_index(battle: str, detections: Sequence[Detection]) -> dict[int, Detection]:
    found = {seen.index: seen for seen in detections}
    if len(found) < len(detections):
        twice = next(index for index, count in Counter(seen.index for seen in detections).items() if count > 1)
        raise AnalysisError(f"a rater has message {twice} of battle {battle} twice: keep one detection of each message")
    for seen in detections:
        places = [(mention.start, mention.end) for mention in seen.mentions or ()]
        if len(set(places)) < len(places):
            raise AnalysisError(f"a rater marked a place in message {seen.index} of battle {battle} twice: keep one label of it")
    return found


def _by_place(seen: Detection | None) -> dict[tuple[int, int], Mention] | None:
    if seen is None or seen.mentions is None:
        return None
    return {(mention.start, mention.end): mention for mention in seen.mentions}


def _answer(
    marked: Mapping[tuple[int, int], Mention] | None, place: tuple[int, int], read: Callable[[Mention], Answer], absent: Answer
) -> Answer:
    if marked is None:
        return None
    return read(marked[place]) if place in marked else absent

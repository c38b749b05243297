"""Labelled messages: those that the project came with (tests/data/we) and those written for it (tests/data/messages)."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"
FIRST = "first"
"""Name of the author of tests/data/we, on which the rules were written: what they say there is no evidence."""
_MARK = re.compile(r"\{\{([^|{}]+)\|([a-z_.]+)\}\}")


@dataclass(frozen=True)
class Message:
    """One labelled message.

    Attributes:
        id, author: its name, and whose it is.
        mentions: label and tier by (start, end); None where only the message as a whole was labelled.
        labels: labels that hold for the message; None where only mentions were labelled.
        known: labels that were looked for.
    """

    id: str
    author: str
    scenario: str
    context: str
    text: str
    mentions: dict[tuple[int, int], tuple[str, str | None]] | None
    labels: frozenset[str] | None
    known: tuple[str, ...] = ()


LABELS = tuple(
    "ai_identity shared_ai_identity user_inference refusal topic_drift end_agreement cooperation competition win_claim concede "
    "shared_goals support misunderstanding conflict maker_identity substitute conditional_concession".split()
)


def written() -> list[Message]:
    """Return the messages of every author in tests/data/messages."""
    return [
        _unmarked(path.stem, json.loads(line)) for path in sorted((DATA / "messages").glob("*.jsonl")) for line in path.open()
    ]


def _unmarked(author: str, row: dict) -> Message:  # type: ignore[type-arg]
    pieces, last, mentions = [], 0, {}
    for mark in _MARK.finditer(row["text"]):
        pieces += [row["text"][last : mark.start()], mark[1]]
        start = sum(map(len, pieces)) - len(mark[1])
        label, _, tier = mark[2].partition(".")
        mentions[start, start + len(mark[1])] = (label, tier or None)
        last = mark.end()
    text = "".join([*pieces, row["text"][last:]])
    return Message(row["id"], author, row["scenario"], row["context"], text, mentions, frozenset(row["labels"]), LABELS)


def first() -> list[Message]:
    """Return the messages of tests/data/we: some with labelled mentions, others with labels of the whole message."""
    found: dict[str, Message] = {}
    with (DATA / "we" / "dev.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            known = found.setdefault(row["id"], Message(row["id"], FIRST, row["scenario"], row["context"], row["text"], {}, None))
            assert known.mentions is not None
            known.mentions[int(row["start"]), int(row["end"])] = row["label"], row["tier"] or None
    with (DATA / "we" / "turns_dev.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            holds = frozenset(label for label in LABELS[:10] if row[label] == "1")
            about = row["id"], FIRST, row["scenario"], row["context"], row["text"]
            found[row["id"]] = Message(*about, None, holds, LABELS[:10])
    return list(found.values())

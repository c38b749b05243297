"""Battles and an annotator in; messages for the page and stored labels out. It knows nothing of HTTP.

What is shown says nothing of arm, model, study or detector, and a message goes by a random name. Only a review shows the labels
of somebody else, and what is saved in it says so.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mitigation.detectors import LABELS_OF_TURN
from mitigation.detectors.mentions import find_tokens
from mitigation.labels import Key, Said, labels_file, line, marks, messages, read, text_hash
from mitigation.records import seal
from mitigation.reporting.visible import flat, pieces
from mitigation.store import Study
from mitigation.types import Transcript, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Whose labels are compared with the annotator's, and what they say."""

    rater: str
    said: Mapping[Key, Said]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One message to label, `opens` if it is the first of its battle that is shown."""

    key: Key
    before: Turn
    turn: Turn
    opens: bool


class Session:
    """One annotator at work on some battles; safe to call from several threads.

    Args:
        study: where labels are stored.
        annotator: whose they are.
        transcripts: the study as it is stored.
        chosen: battles to label, in this order.
        review: show only messages that this annotator and another rater labelled differently, with both labels.
    """

    def __init__(
        self,
        study: Study,
        annotator: str,
        transcripts: Sequence[Transcript],
        chosen: Collection[str],
        *,
        review: Review | None = None,
    ) -> None:
        self.annotator, self.review = annotator, review
        self.path = labels_file(study.folder, annotator)
        # Without a review only what was said blind is shown; what was settled in one stays as it is.
        self.reading = read(self.path, transcripts, blind=review is None)
        self._settled = {key for key, said in read(self.path, transcripts).messages.items() if said.against is not None}
        self._study, self._said = study, dict(self.reading.messages)
        self._lock = threading.Lock()
        battles = {battle.battle_id: battle for battle in transcripts}
        self._tasks: dict[str, Task] = {}
        last = None
        for battle in (battles[name] for name in chosen if name in battles):
            for before, turn in messages(battle):
                key = (battle.battle_id, turn.index)
                if review is None or self._disputed(key, review):
                    task = Task(key=key, before=before, turn=turn, opens=battle.battle_id != last)
                    self._tasks[secrets.token_hex(8)] = task
                    last = battle.battle_id

    def _disputed(self, key: Key, review: Review) -> bool:
        own, other = self._said.get(key), review.said.get(key)
        return own is not None and other is not None and differ(own, other)

    @property
    def progress(self) -> tuple[int, int]:
        """How many messages are done, and of how many."""
        with self._lock:
            return sum(map(self._done, self._tasks.values())), len(self._tasks)

    def _done(self, task: Task) -> bool:
        own = self._said.get(task.key)
        return own is not None and (self.review is None or own.against == self.review.rater)

    def queue(self) -> dict[str, Any]:
        """Return the names of all messages, in their order, and which of them are done."""
        return {"messages": [{"id": name, "done": self._done(task)} for name, task in self._tasks.items()]}

    def message(self, name: str) -> dict[str, Any]:
        """Return what the page shows of a message; KeyError when there is none of that name."""
        task = self._tasks[name]
        told = {
            "before": _shown(task.before),
            "message": _shown(task.turn),
            "tokens": list(find_tokens(task.turn.text)),
            "opens": task.opens,
            "own": _plain(self._said.get(task.key)),
        }
        return told if self.review is None else {**told, "other": _plain(self.review.said[task.key])}

    def save(self, name: str, given: Any) -> None:
        """Store what the annotator says of a message; when this returns it is on the disk.

        Raises:
            KeyError: there is no message of that name.
            ValueError: what was given does not fit the message; nothing is stored.
            OSError: the disk did not take it.
        """
        task = self._tasks[name]
        if self.review is None and task.key in self._settled:
            raise ValueError("this message was settled in a review, with another's labels in sight: it takes no blind label")
        said = self._checked(given, task.turn.text)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        record = line(task.key, said, text_sha256=text_hash(task.before.text, task.turn.text), at=at)
        with self._lock:
            self._study.append(self.path, seal(record))
            self._said[task.key] = said

    def _checked(self, given: Any, text: str) -> Said:
        if not isinstance(given, Mapping):
            raise ValueError("what was sent is no object")
        found = marks(given.get("mentions"), text)
        spans = {(mark.start, mark.end) for mark in found}
        for start, end in find_tokens(text):
            if (start, end) not in spans:
                raise ValueError(f"the mention at {start} has no label")
        labels = given.get("labels")
        if not isinstance(labels, Mapping) or set(labels) != set(LABELS_OF_TURN):
            raise ValueError(f"labels have to be these and no others: {', '.join(LABELS_OF_TURN)}")
        if wrong := [label for label, value in labels.items() if not isinstance(value, bool)]:
            raise ValueError(f"{wrong[0]} is neither true nor false")
        return Said(marks=found, labels=dict(labels), against=self.review.rater if self.review else None)


def differ(one: Said, other: Said) -> bool:
    """Whether two judge a message differently; what one of them did not judge is no difference."""
    if one.pronouns != other.pronouns:
        return True
    both = ((one.labels.get(label), other.labels.get(label)) for label in LABELS_OF_TURN)
    return any(a is not None and b is not None and a != b for a, b in both)


def _plain(said: Said | None) -> dict[str, Any] | None:
    return None if said is None else {"mentions": [mark._asdict() for mark in said.marks], "labels": dict(said.labels)}


def _shown(turn: Turn) -> dict[str, Any]:
    """Return a message for display: its text, the codes of characters that cannot be seen, and the words of two alphabets."""
    codes, mixed, at = [], [], 0
    for piece in pieces(turn.text):
        length = 1 if piece.kind == "code" else len(piece.text)
        if piece.kind == "code":
            codes.append((at, piece.text))
        elif piece.kind == "mixed":
            mixed.append((at, at + length))
        at += length
    return {"agent": flat(turn.agent), "text": turn.text, "codes": codes, "mixed": mixed}

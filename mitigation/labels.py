"""Labels that people gave in; detections by annotator out, and the battles that are to be labelled.

    results/<study>/labels/<annotator>.jsonl  one line a saved message; the latest line of a message wins

A label belongs to the words that were read: each line holds a hash of its message and of the message before it, and one whose
hash no longer fits the stored battle is not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args

from mitigation.design import generator
from mitigation.detectors import LABELS_OF_TURN
from mitigation.records import unseal
from mitigation.types import LABELS, Detection, Label, Mention, Tier, Transcript, Turn

FOLDER: Final = "labels"
TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
NONE: Final = "none"

Key = tuple[str, int]


class Mark(NamedTuple):
    """A span that an annotator judged; unlike a `Mention` it may be no pronoun at all ("none"). Offsets are code points."""

    label: Label | Literal["none"]
    tier: Tier | None
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody says of one message.

    Attributes:
        marks: every span that was judged, in order.
        labels: by name; None where it was not judged.
        against: whose labels the annotator saw before giving these; None for labels given blind.
    """

    marks: tuple[Mark, ...]
    labels: Mapping[str, bool | None]
    against: str | None = None

    @classmethod
    def of(cls, seen: Detection) -> Said:
        """Return a detector's judgement as if it had been said."""
        found = tuple(Mark(m.label, m.tier, m.start, m.end, m.text) for m in seen.mentions or ())
        return cls(marks=found, labels=seen.labels)

    @property
    def pronouns(self) -> tuple[Mark, ...]:
        """The marks that are a first-person plural."""
        return tuple(mark for mark in self.marks if mark.label != NONE)

    def detection(self, index: int) -> Detection:
        """Return it as a detector's judgement of message `index`."""
        found = tuple(Mention(**mark._asdict(), reason="") for mark in self.pronouns)
        return Detection(index=index, mentions=found, labels=self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One annotator's file as it lies on disk.

    Attributes:
        messages: by battle and index, the latest label that fits the stored text.
        stale: messages with labels, none of which fits the stored text any more.
        damaged: lines that could not be used.
    """

    messages: Mapping[Key, Said]
    stale: int
    damaged: int


def messages(battle: Transcript) -> Iterator[tuple[Turn, Turn]]:
    """Yield each generated message of a battle behind the message before it, which is its context."""
    return ((before, turn) for before, turn in pairwise(battle.turns) if turn.index > 0)


def text_hash(context: str, text: str) -> str:
    """Return what ties a label to the words it was given for: 16 hexadecimal digits."""
    return hashlib.sha256(f"{context}\x1f{text}".encode("utf-8", "replace")).hexdigest()[:16]


def marks(value: Any, text: str) -> tuple[Mark, ...]:
    """Return the spans of one message in order, checked against its text.

    Raises:
        ValueError: what stands there is no list of spans of this text with known labels, or two of them overlap.
    """
    if not isinstance(value, list):
        raise ValueError("mentions is no list")
    found = sorted((_mark(each, text) for each in value), key=lambda mark: mark.start)
    for one, other in pairwise(found):
        if other.start < one.end:
            raise ValueError(f"the mentions at {one.start} and {other.start} overlap")
    return tuple(found)


def _mark(value: Any, text: str) -> Mark:
    if not isinstance(value, Mapping):
        raise ValueError("a mention is no object")
    start, end, label, tier = (value.get(field) for field in ("start", "end", "label", "tier"))
    if not (type(start) is type(end) is int and 0 <= start < end <= len(text)):
        raise ValueError(f"a mention from {start!r} to {end!r} is no span of a message of {len(text)} characters")
    if value.get("text") != text[start:end]:
        raise ValueError(f"the mention at {start} is not the text that stands there")
    if label not in (*LABELS, NONE):
        raise ValueError(f"the mention at {start} has the label {label!r}: give one of {', '.join((*LABELS, NONE))}")
    if tier not in (TIERS if label == "ingroup" else (None,)):
        raise ValueError(f"the mention at {start} has the tier {tier!r}: ingroup is {' or '.join(TIERS)}, others have none")
    return Mark(label, tier, start, end, text[start:end])


def line(key: Key, said: Said, *, text_sha256: str, at: str) -> dict[str, Any]:
    """Return the record of a saved message; `at` is a time in ISO 8601."""
    record: dict[str, Any] = {"battle_id": key[0], "index": key[1], "text_sha256": text_sha256}
    record |= {"mentions": [{**mark._asdict(), "reason": ""} for mark in said.marks], "labels": dict(said.labels), "at": at}
    return record if said.against is None else {**record, "relabelled": True, "against": said.against}


def read(path: Path, transcripts: Iterable[Transcript], *, blind: bool = False) -> Reading:
    """Return what one annotator said of the messages of some battles; a file that is not there holds nothing.

    Args:
        path: the annotator's file.
        transcripts: battles as they are stored now.
        blind: leave out what was labelled again in a review, when another's labels were in sight. Agreement between annotators
            is measured on such labels, since a review makes it look better than it is.
    """
    there = {(battle.battle_id, turn.index): (before, turn) for battle in transcripts for before, turn in messages(battle)}
    found: dict[Key, Said] = {}
    stale: set[Key] = set()
    damaged = 0
    for content in path.read_bytes().split(b"\n") if path.exists() else ():
        if not content.strip():
            continue
        try:
            record = unseal(content)
            key, said = _said(record, there)
        except (ValueError, KeyError, TypeError):
            damaged += 1
            continue
        if said is None:
            stale.add(key)
        elif not (blind and said.against is not None):
            found[key] = said
    return Reading(messages=found, stale=len(stale - found.keys()), damaged=damaged)


def _said(record: Any, there: Mapping[Key, tuple[Turn, Turn]]) -> tuple[Key, Said | None]:
    """Return which message a record is about and what it says; None where the words are no longer those that were labelled."""
    key = (record["battle_id"], record["index"])
    if key not in there:
        return key, None
    before, turn = there[key]
    if record["text_sha256"] != text_hash(before.text, turn.text):
        return key, None
    labels = record["labels"]
    if not isinstance(labels, Mapping) or not all(value is None or isinstance(value, bool) for value in labels.values()):
        raise ValueError("labels are neither true nor false")
    # A label that did not exist when the message was read was not judged.
    given = {name: labels.get(name) for name in LABELS_OF_TURN}
    against = str(record.get("against")) if record.get("relabelled") else None
    return key, Said(marks=marks(record["mentions"], turn.text), labels=given, against=against)


def annotators(folder: Path) -> list[str]:
    """Return everybody who labelled anything of a study; `folder` is the study's."""
    return sorted(path.stem for path in (folder / FOLDER).glob("*.jsonl"))


def read_labels(
    folder: Path, transcripts: Sequence[Transcript], *, blind: bool = False
) -> dict[str, dict[str, tuple[Detection, ...]]]:
    """Return the labels of a study as a detector would have given them: by annotator and battle, in the order of the messages.

    Args:
        folder: the study's folder, results/<study>.
        transcripts: its battles; labels of others, or of other words, are left out (`read` counts them).
        blind: as in `read`.
    """
    given: dict[str, dict[str, tuple[Detection, ...]]] = {}
    for annotator in annotators(folder):
        battles: dict[str, tuple[Detection, ...]] = {}
        for (battle, index), said in sorted(read(labels_file(folder, annotator), transcripts, blind=blind).messages.items()):
            battles[battle] = (*battles.get(battle, ()), said.detection(index))
        given[annotator] = battles
    return given


def labels_file(folder: Path, annotator: str) -> Path:
    """Return the file of an annotator; `folder` is the study's."""
    return folder / FOLDER / f"{annotator}.jsonl"


def draw(transcripts: Iterable[Transcript], per_arm: int, seed: int, *, kept: Collection[str] = ()) -> list[str]:
    """Return ids of complete battles, `per_arm` of each arm, in the order to label them.

    Every battle has a rank by its name and the seed. The first of each arm come first, shuffled over arms, then the second of
    each, and so on: what is drawn for fewer battles is the beginning of what is drawn for more, and arms are in balance
    wherever somebody stops.

    Args:
        transcripts: the study.
        per_arm: battles of each arm, or all that it has.
        seed: root seed.
        kept: ids that were drawn before, which come first even if more battles were fought since.
    """

    def rank(*names: str | int) -> float:
        return float(generator(seed, "labels", *names).random())

    arms: dict[str, list[str]] = {}
    for battle in transcripts:
        if battle.status == "complete" and battle.replies:
            arms.setdefault(battle.identity, []).append(battle.battle_id)
    before = {battle: place for place, battle in enumerate(kept)}
    places = []
    for arm, own in arms.items():
        own.sort(key=lambda battle: (before.get(battle, len(before)), rank(battle), battle))
        places += [(turn, rank(arm, turn), battle) for turn, battle in enumerate(own[:per_arm])]
    return sorted((battle for *_, battle in sorted(places)), key=lambda battle: before.get(battle, len(before)))

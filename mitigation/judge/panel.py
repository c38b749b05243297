"""Two judges and a study in, what is still to be asked out; the answers that came, put together as detections."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import orjson

from mitigation.detectors import base, mentions
from mitigation.detectors.base import digest_of
from mitigation.detectors.behaviours import LABELS_OF_TURN
from mitigation.detectors.mentions import find_tokens
from mitigation.errors import ConfigError
from mitigation.journal import Reply
from mitigation.judge import answers, rubric
from mitigation.types import Detection, Model, Transcript

NAMES: Final = ("judge", "judge_second")
"""The first judge's detections are those of detector=judge; the second's stand beside them, for the agreement of the two."""
MOST_CHARACTERS: Final = 24_000
MOST_MENTIONS: Final = 60
TRIES: Final = 2
"""An answer that cannot be used is asked for once more."""
Answers = Mapping[int, Reply]
_SETTINGS: Final = ("name", "provider", "base_url", "temperature", "max_tokens", "extra")


@dataclass(frozen=True)
class Judge:
    """One model as a detector; two with equal digests give the same kind of labels.

    Attributes:
        name: name of its detections.
        model: what is asked.
        version: raised by hand when labels may change.
    """

    name: str
    model: Model
    version: str = "1"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the rubric, the reading of answers, what finds the mentions, and the model with its settings."""
        sources = (Path(str(module.__file__)) for module in (rubric, answers, mentions, base))
        asked = {field: getattr(self.model, field) for field in _SETTINGS}
        told = [digest_of(sources).encode(), rubric.SYSTEM.encode(), orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)]
        return hashlib.sha256(b"\0".join(told)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Who judges: one model, or two whose agreement is told; their makers should differ, and neither should be a contestant."""

    name: str
    first: Model
    second: Model | None = None

    def __post_init__(self) -> None:
        one, other = self.first, self.second
        # What a command line sets in a model's place is not the kind that is declared.
        given: tuple[tuple[str, object], ...] = (("first", one), ("second", other))
        for seat, model in given:
            if not isinstance(model, Model) and not (seat == "second" and model is None):
                raise ConfigError(f"panel.{seat}={model!r} is no model: choose a panel= and set panel.{seat}.name in it")
        if other is not None and (one.name, one.base_url, one.extra) == (other.name, other.base_url, other.extra):
            raise ConfigError(
                f"both judges of panel {self.name} are {one.name}: their agreement would say nothing; set another "
                "panel.second.name, or panel.second=null for one judge"
            )

    @property
    def judges(self) -> tuple[Judge, ...]:
        """The judges, the one whose labels are used first."""
        models = [model for model in (self.first, self.second) if model is not None]
        return tuple(Judge(name, model) for name, model in zip(NAMES, models, strict=False))

    def contestants(self, fought: Collection[str]) -> list[str]:
        """Return the judges among the models that fought."""
        return [judge.model.name for judge in self.judges if judge.model.name in fought]


@dataclass(frozen=True)
class Task:
    """One message for one judge.

    Attributes:
        judge: who is asked.
        context: the message before.
        text: the message.
    """

    judge: Judge
    context: str
    text: str

    @cached_property
    def key(self) -> str:
        """An opaque name: nobody can tell the battle from it, and the same words have to be judged once only."""
        told = "\x1f".join((self.judge.digest, self.context, self.text))
        return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:24]

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The mentions of the message."""
        return tuple(find_tokens(self.text))

    @property
    def too_long(self) -> str | None:
        """Why the message is not sent to a judge, None when it is."""
        if max(len(self.text), len(self.context)) > MOST_CHARACTERS:
            return f"longer than {MOST_CHARACTERS:,} characters"
        return f"more than {MOST_MENTIONS} mentions" if len(self.spans) > MOST_MENTIONS else None

    def judgement(self, replies: Answers) -> tuple[answers.Judgement | None, str]:
        """Return the first answer that holds up, or None and what was wrong with the last."""
        fault = self.too_long or "no answer came"
        for number in sorted(replies):
            try:
                said = replies[number].completion.text
                return answers.read(said, context=self.context, text=self.text, spans=self.spans), ""
            except answers.Unusable as error:
                fault = str(error)
        return None, fault

    def missing(self, replies: Answers) -> bool:
        """Whether the judge has to be asked (again)."""
        return self.too_long is None and len(replies) < TRIES and self.judgement(replies)[0] is None


def tasks(battles: Sequence[Transcript], judge: Judge) -> Iterator[Task]:
    """Yield what a judge has to be asked of complete battles: every generated message, each different one once."""
    seen: set[str] = set()
    for battle in battles:
        if battle.status != "complete":
            continue
        for task in messages(battle, judge).values():
            if task.key not in seen:
                seen.add(task.key)
                yield task


def messages(battle: Transcript, judge: Judge) -> dict[int, Task]:
    """Return the task of each generated message of a battle by its index."""
    pairs = zip(battle.turns, battle.turns[1:], strict=False)
    return {turn.index: Task(judge, before.text, turn.text) for before, turn in pairs if turn.index > 0}


def detections(battle: Transcript, judge: Judge, said: Mapping[str, Answers]) -> list[Detection]:
    """Return what a judge found in each generated message; None where it could not judge, with the reason."""
    found = []
    for index, task in messages(battle, judge).items():
        judgement, fault = task.judgement(said.get(task.key, {}))
        if judgement is None:
            found.append(Detection(index=index, mentions=None, labels=dict.fromkeys(LABELS_OF_TURN), fault=fault))
        else:
            found.append(
                Detection(index=index, mentions=judgement.mentions, labels=judgement.labels, evidence=judgement.evidence)
            )
    return found

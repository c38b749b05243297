"""A message and the message before it go in; its labels come out, each True or False, and the words that show them.

Rules speak first; a linear model weighs what they said with all words of the message (see `model`). Labels that it was not given
examples of are the rules' own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from mitigation.detectors.features import Feature, of_message
from mitigation.detectors.model import models
from mitigation.detectors.passages import REACH, normal, quoted_spans, sentence_spans
from mitigation.detectors.turn_bearing import BEARING
from mitigation.detectors.turn_course import COURSE
from mitigation.detectors.turn_identity import IDENTITY
from mitigation.detectors.turn_rules import TurnRules

# The ten labels of the original study first, then the leaves of the Social Identity tree and the others of this project.
LABELS_OF_TURN: Final[tuple[str, ...]] = (
    "ai_identity",
    "shared_ai_identity",
    "user_inference",
    "refusal",
    "topic_drift",
    "end_agreement",
    "cooperation",
    "competition",
    "win_claim",
    "concede",
    "shared_goals",
    "support",
    "misunderstanding",
    "conflict",
    "maker_identity",
    "substitute",
    "conditional_concession",
    "other_ai_identity",
)


MOST_SHOWN: Final = 20_000
MOST_SENTENCES: Final = 400
_KIND_WORDS: Final = re.compile(
    r"\b(?:elegant|well played|best speech|enjoyed|fun|close|good game|gg|pleasure|thank|thanks|great|kind|sorry|"
    r"honou?r|fair)\b"
)


@cache
def _rules(label: str = "") -> TurnRules:
    """Return the rules for one label, or for all."""
    return TurnRules([line for line in IDENTITY + COURSE + BEARING if label in ("", line.label)])


def label_turn(text: str, context: str = "") -> dict[str, bool]:
    """Return every label of `LABELS_OF_TURN` for `text`; `context` is the other agent's message before it ("" if none).

    Words in quotation marks are not the speaker's own and count for nothing. A shared AI identity is an AI identity too.
    """
    words = _own_words(text)
    labels = _by_rules(words)
    model = models()[1]
    sums = model.sums(of_message(words, _background(context), (label for label, holds in labels.items() if holds)))
    labels |= {label: bool(holds) for label, holds in zip(model.labels, sums >= model.thresholds, strict=True)}
    if labels["shared_ai_identity"]:
        labels["ai_identity"] = labels["other_ai_identity"] = True
    return labels


def signs(text: str, context: str = "") -> list[Feature]:
    """Return what the model of messages weighs."""
    words = _own_words(text)
    return of_message(words, _background(context), (label for label, holds in _by_rules(words).items() if holds))


def evidence(text: str, labels: Mapping[str, bool]) -> dict[str, tuple[int, int]]:
    """Return, for each label that holds, the code points of the sentence of `text` that speaks for it most.

    That is the first sentence in which its rule is found; without one, the sentence that the model gives most weight.
    """
    holding = [label for label, holds in labels.items() if holds]
    if not holding:
        return {}
    model = models()[1]
    # Like the labels, what shows them is looked for in the beginning of an endless message.
    sentences = sentence_spans(text[:MOST_SHOWN])[:MOST_SENTENCES]
    said = [_own_words(text[start:end]) for start, end in sentences]
    found: dict[str, tuple[int, int]] = {}
    weights: list[Any] = []
    for label in holding:
        place = next((k for k, words in enumerate(said) if _rules(label).labels_of(words)), None)
        if place is None and label in model.labels:
            weights = weights or [model.sums(of_message(words, "", ())) for words in said]
            column = model.labels.index(label)
            place = max(range(len(said)), key=lambda k: weights[k][column])
        found[label] = sentences[place or 0]
    return found


def _by_rules(words: str) -> dict[str, bool]:
    """Return what the rules say of a message in normal form."""
    found = _rules().labels_of(words)
    labels = {label: label in found for label in LABELS_OF_TURN}
    if labels["shared_ai_identity"]:
        labels["ai_identity"] = True
    # A victory that is announced without a kind word is a boast; help that is offered with a boast is mockery.
    if labels["win_claim"] and not (
        labels["end_agreement"] or labels["support"] or labels["refusal"] or _KIND_WORDS.search(words)
    ):
        labels["competition"] = True
    if labels["competition"] and (labels["win_claim"] or not (labels["end_agreement"] or labels["refusal"])):
        labels["cooperation"] = False
    return labels


def _own_words(text: str) -> str:
    """Return the normal form of a message without what stands in quotation marks."""
    pieces: list[str] = []
    last = 0
    for start, end in quoted_spans(text):
        pieces.append(text[last:start])
        last = end
    pieces.append(text[last:])
    return normal(" … ".join(pieces).replace("\n", " / ")).strip()


def _background(context: str) -> str:
    return normal(context[-REACH:]).strip()

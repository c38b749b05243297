"""A message and the message before it go in; the labels of the message come out, each True or False."""

from __future__ import annotations

import re
from typing import Final

from mitigation.detectors.passages import normal, quoted_spans
from mitigation.detectors.turn_bearing import BEARING
from mitigation.detectors.turn_course import COURSE
from mitigation.detectors.turn_identity import IDENTITY

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
)

_RULES: Final = {line.label: line for line in IDENTITY + COURSE + BEARING}

_KIND_WORDS: Final = re.compile(
    r"\b(?:elegant|well played|best speech|enjoyed|fun|close|good game|gg|pleasure|thank|thanks|great|kind|sorry|"
    r"honou?r|fair)\b"
)


def label_turn(text: str, context: str = "") -> dict[str, bool]:
    """Return every label of `LABELS_OF_TURN` for `text`; `context` is the other agent's message before it ("" if none).

    Words in quotation marks are not the speaker's own and count for nothing. A shared AI identity is an AI identity too.
    """
    words = normal(_unquoted(text).replace("\n", " / ")).strip()
    labels: dict[str, bool] = {}
    for label in LABELS_OF_TURN:
        _, pattern, ignored = _RULES[label]
        own = ignored.sub(" … ", words) if ignored is not None else words
        labels[label] = pattern.search(own) is not None
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


def _unquoted(text: str) -> str:
    pieces: list[str] = []
    last = 0
    for start, end in quoted_spans(text):
        pieces.append(text[last:start])
        last = end
    pieces.append(text[last:])
    return " … ".join(pieces)

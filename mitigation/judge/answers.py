"""A judge's answer in, mentions and labels with the words that show them out; what does not hold up is refused with a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from mitigation.detectors.behaviours import LABELS_OF_TURN
from mitigation.judge.rubric import INCLUDES, MARK
from mitigation.types import Label, Mention, Tier

# Words that stand for a group without naming one.
_NO_NAMES: Final = frozenset("we us our ours ourselves let lets both you and me my your all are re ve ll of the two".split())
_MENTION: Final = {"number": int, "used": bool, "includes": str, "adversarial": bool, "group": str, "quote": str}
_LABEL: Final = {"label": str, "quote": str}
# A reply that tries to be read as deep nesting costs nothing: longer ones are no answer to this rubric.
LONGEST: Final = 100_000
MOST_TRIED: Final = 500
"""Places at which an object may begin; an answer with more is not read, since the last object is the one that counts."""
_BEGINS: Final = re.compile(r'\{\s*(?:"(mentions|labels)"|["}])')
_QUOTES: Final = str.maketrans("’‘“”", "''\"\"")


class Unusable(ValueError):
    """An answer that cannot be taken; its text says why."""


class Judgement(NamedTuple):
    """What a judge found in one message; `evidence` is the span of the words that show a label."""

    mentions: tuple[Mention, ...]
    labels: dict[str, bool]
    evidence: dict[str, tuple[int, int]]


def read(answer: str, *, context: str, text: str, spans: Sequence[tuple[int, int]]) -> Judgement:
    """Return what an answer says of a message.

    Args:
        answer: the judge's reply; the last JSON object of the right form in it counts, whatever stands around.
        context: the message before.
        text: the message.
        spans: its mentions, in the order of their numbers.

    Raises:
        Unusable: there is no such object, a mention is missing or judged twice, or a quote does not stand in the message.
    """
    found = _last_object(answer)
    mentions, given = [], {entry["number"]: entry for entry in found["mentions"]}
    if sorted(given) != list(range(1, len(spans) + 1)) or len(given) < len(found["mentions"]):
        came = ", ".join(str(entry["number"])[:10] for entry in found["mentions"][:100]) or "none"
        raise Unusable(f"mentions 1 to {len(spans)} were asked for, and {came} came")
    for number, (start, end) in enumerate(spans, 1):
        entry = given[number]
        places = _places(entry["quote"], text)
        if not any(low <= start and end <= high for low, high in places):
            raise Unusable(f"the quote for mention {number} does not hold it")
        group = MARK.sub("", entry["group"])
        social = bool(_names(group)) and bool(_places(group, text) or _places(group, context))
        label, tier, reason = _meaning(entry, social=social, group=group)
        mentions.append(Mention(label=label, tier=tier, start=start, end=end, text=text[start:end], reason=reason))
    evidence: dict[str, tuple[int, int]] = {}
    for entry in found["labels"]:
        places = _places(entry["quote"], text)
        if not places:
            raise Unusable(f"the quote for {entry['label']} does not stand in the message")
        evidence.setdefault(entry["label"], places[0])
    labels = {label: label in evidence for label in LABELS_OF_TURN}
    for implied in ("ai_identity", "other_ai_identity"):
        if labels["shared_ai_identity"] and not labels[implied]:
            labels[implied], evidence[implied] = True, evidence["shared_ai_identity"]
    return Judgement(tuple(mentions), labels, evidence)


def _names(group: str) -> set[str]:
    """Return the words that can name a group: a pronoun alone names none."""
    return set(re.findall(r"[^\W\d_]{2,}", group.lower())) - _NO_NAMES


def _meaning(entry: dict[str, Any], *, social: bool, group: str) -> tuple[Label, Tier | None, str]:
    """Return label, tier and reason that the three answers to the three questions amount to."""
    if not entry["used"]:
        return "quoted", None, "judged: a word that is quoted, not used"
    if entry["includes"] == "own_side":
        return "exclusive", None, "judged: the writer's side without the addressee"
    if entry["includes"] == "people":
        return "generic", None, "judged: people at large"
    if entry["includes"] == "neither":
        return "other", None, "judged: none of these"
    if entry["adversarial"]:
        return "opponent_frame", None, "judged: both, purely as adversaries"
    return "ingroup", "social" if social else "dyadic", f"judged: both, as {group}" if social else "judged: you and I"


def _last_object(answer: str) -> dict[str, Any]:
    """Return the last top-level JSON object of the right form.

    One that begins like an answer and is none leaves no earlier one in force, which may be words of the message.
    """
    if len(answer) > LONGEST:
        raise Unusable(f"the answer is {len(answer):,} characters long")
    decoder = json.JSONDecoder(parse_constant=_refuse)
    found: dict[str, Any] | None = None
    fault: str | None = None
    tried = end = 0
    for begin in _BEGINS.finditer(answer):
        if begin.start() < end:
            continue
        tried += 1
        if tried > MOST_TRIED:
            raise Unusable(f"more than {MOST_TRIED} objects seem to begin in the answer")
        try:
            value, end = decoder.raw_decode(answer, begin.start())
            problem = _fault(value)
        except (ValueError, RecursionError) as error:
            value, problem = None, f"the answer is no JSON ({str(error)[:80]})"
        if problem is None:
            found = value
        elif begin[1]:
            found, fault = None, problem
        else:
            fault = fault or problem
    if found is None:
        raise Unusable(fault or "the answer holds no JSON object")
    return found


def _fault(value: Any) -> str | None:
    """Return what keeps a JSON value from being an answer."""
    if not isinstance(value, dict) or set(value) != {"mentions", "labels"}:
        return "the answer has other fields than mentions and labels"
    if not isinstance(value["mentions"], list) or not isinstance(value["labels"], list):
        return "mentions and labels must be lists"
    for entries, fields, what in ((value["mentions"], _MENTION, "mention"), (value["labels"], _LABEL, "label")):
        for entry in entries:
            if not isinstance(entry, dict) or {name: type(field) for name, field in entry.items()} != fields:
                return f"a {what} has not the fields that were asked for"
    for entry in value["mentions"]:
        if entry["includes"] not in INCLUDES:
            return f"includes is none of {', '.join(INCLUDES)}"
    unknown = [entry["label"] for entry in value["labels"] if entry["label"] not in LABELS_OF_TURN]
    return f"{unknown[0][:40]!r} is no label" if unknown else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _places(quote: str, text: str) -> list[tuple[int, int]]:
    """Return where a quote stands in a text; marks in it, which may be ours or the message's own, may be left out or in."""
    places = _found(quote, text)
    bare = MARK.sub("", quote)
    if bare != quote:
        places += _found(bare, text)
    kept = _outside_marks(text)
    if len(kept) < len(text):
        plain = "".join(text[place] for place in kept)
        places += [(kept[start], kept[end - 1] + 1) for start, end in _found(bare, plain)]
    return places


def _found(quote: str, text: str) -> list[tuple[int, int]]:
    """Return where a quote stands, even where it overlaps itself; white space and the shape of quotation marks do not count."""
    words = quote.translate(_QUOTES).strip(" \t\r\n\"'….").split()
    if not words:
        return []
    pattern = r"\s+".join(re.escape(word) for word in words)
    return [match.span(1) for match in re.finditer(f"(?=({pattern}))", text.translate(_QUOTES))]


def _outside_marks(text: str) -> Sequence[int]:
    """Return the places of a text's characters that are part of no mark."""
    marks = [match.span() for match in MARK.finditer(text)]
    if not marks:
        return range(len(text))
    ends = [0, *(end for _, end in marks)]
    starts = [*(start for start, _ in marks), len(text)]
    return [place for end, start in zip(ends, starts, strict=True) for place in range(end, start)]

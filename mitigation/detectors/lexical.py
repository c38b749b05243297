"""A message and the message before it go in; every first-person plural comes out with a label, a tier and a reason.

An ordered cascade of rules speaks first: the first that matches. Rules on the words round the mention come first (`rules`), then
what an earlier mention of the same sentence says, then weaker cues in the sentence, the sentence before and the other agent's
message (`cues`); without any cue it is "you and I". A linear model then weighs what the rules said with the words around
(`features`, `model`): on authors that neither had seen it is right more often than the rules alone. Where it overrules one, the
reason names the words that outweighed it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple, cast

from mitigation.detectors import cues, rules_apart, rules_exclusive, rules_generic, rules_rivals, rules_together
from mitigation.detectors import vocabulary as v
from mitigation.detectors.features import Feature, Surroundings, of_mention
from mitigation.detectors.mentions import find_tokens
from mitigation.detectors.model import models
from mitigation.detectors.passages import REACH, Passage, is_inside, marked, normal, passage_at, quoted_spans
from mitigation.detectors.rules import Cascade, Rule
from mitigation.types import Label, Mention, Tier

_FIRST: Final[tuple[Rule, ...]] = (
    rules_apart.QUOTED
    + rules_apart.OTHER
    + rules_rivals.RIVALS
    + rules_generic.PEOPLE
    + rules_exclusive.EXCLUSIVE
    + rules_together.HUMAN_ADDRESSEE
    + rules_generic.GENERIC
    + rules_generic.OBJECT_CLAUSE
    + rules_together.PARTY_BEFORE
    + rules_together.TOGETHER
)
_THEN: Final[tuple[Rule, ...]] = cues.WEAK + cues.BEFORE + cues.HABIT + cues.CONTEXT
_CLAUSE: Final = re.compile(r" ?[;:—–] ?| - |,? (?:but|yet|while|whereas|though|although) ")
_MARK: Final = re.compile("[A-Z]+")
_SOCIAL: Final = re.compile(rf"\b(?:{v.AI_KIND}|{v.AI_TRAIT})\b")
# Words that begin a new "we": the carry from the sentence before stops here.
_FRESH: Final[dict[Label, re.Pattern[str]]] = {
    "exclusive": re.compile(
        r"\b(?:both|together|let US|each other|if WE|so,? WE|agreed?|shall WE|could WE|should WE|perhaps|maybe|"
        r"with you|you and (?:i|me)|"
        r"truce|draw|deal)\b|[?]"
    ),
    "generic": re.compile(r"\b(?:you|your|i|me|my|both|together|let US|each other|if WE|but|should|could|shall|agreed?)\b|[?]"),
}
_CARRY: Final = 120
_WEIGHTS: Final = {"sentence": 1.0, "before": 0.5, "after": 0.5, "context": 0.5}
_HANDED_ON: Final = re.compile(r"^(?:as in the sentence before|as the mention before it): ")
_MOST_IN_A_PASSAGE: Final = 12
# No battle says "we" so often; a reply that is nothing else must not hold up a study.
MOST_JUDGED: Final = 2_000
_CACHE: Final = 256


@cache
def _cascades() -> tuple[Cascade, Cascade]:
    return Cascade(_FIRST), Cascade(_THEN)


class Verdict(NamedTuple):
    """What is said of one mention."""

    label: Label
    tier: Tier | None
    reason: str


Weigh = Callable[[Verdict, str, list[Feature]], Verdict]
"""What the rules said, the sentence with the mention marked and its features in; what is said in the end out."""


def find_we(text: str, context: str = "") -> list[Mention]:
    """Return every first-person plural of `text` in order; `context` is the other agent's message before it, or ""."""
    return find(text, context, _weighed)


def find(text: str, context: str, weigh: Weigh) -> list[Mention]:
    """Return every first-person plural of `text`, its label decided by `weigh`; what the rules say does not depend on that."""
    tokens = list(find_tokens(text))
    if not tokens:
        return []
    background = normal(context[-REACH:]).strip()
    spans = quoted_spans(text)
    found: list[Mention] = []
    group: list[tuple[int, int]] = []
    passage: Passage | None = None
    last: tuple[Verdict, int] | None = None
    known: dict[tuple[str, str, str, Verdict | None, tuple[bool, ...]], tuple[list[Verdict], list[Verdict]]] = {}

    def close() -> None:
        nonlocal last
        if passage is None:
            return
        inside = tuple(is_inside(start, spans) for start, _ in group)
        sentence = text[passage.start : passage.end]
        carried = None
        if last is not None and last[0].label in {"exclusive", "generic"} and passage.start - last[1] <= _CARRY:
            carried = Verdict(last[0].label, None, _handed_on("as in the sentence before", last[0].reason))
        key = (passage.before, sentence, passage.after, carried, inside)
        if key not in known:
            if len(known) >= _CACHE:
                known.clear()
            around = {"before": normal(passage.before).strip(), "after": normal(passage.after).strip(), "context": background}
            local = [(start - passage.start, end - passage.start) for start, end in group]
            known[key] = _judge(sentence, local, inside, around, carried, weigh)
        ruled, verdicts = known[key]
        for (start, end), verdict in zip(group, verdicts, strict=True):
            found.append(
                Mention(label=verdict.label, tier=verdict.tier, start=start, end=end, text=text[start:end], reason=verdict.reason)
            )
        last = ruled[-1], group[-1][1]

    for start, end in tokens[:MOST_JUDGED]:
        if passage is None or end > passage.end:  # also where an endless sentence was cut within this token
            close()
            passage = passage_at(text, start, end, min(start, passage.end) if passage else 0)
            group = []
        group.append((start, end))
    close()
    return found + _beyond(found[-1], text, tokens[MOST_JUDGED:])


def _beyond(last: Mention, text: str, spans: list[tuple[int, int]]) -> list[Mention]:
    """Return the mentions that are not judged any more: they are taken for what the last one is, and say so."""
    reason = f"beyond the first {MOST_JUDGED:,} mentions of the message: as the last of them"
    label, tier = last.label, last.tier
    return [Mention(label=label, tier=tier, start=a, end=b, text=text[a:b], reason=reason) for a, b in spans]


def _judge(
    sentence: str,
    spans: list[tuple[int, int]],
    inside: tuple[bool, ...],
    around: dict[str, str],
    carried: Verdict | None,
    weigh: Weigh,
) -> tuple[list[Verdict], list[Verdict]]:
    """Judge the mentions `spans` of one sentence, by the rules and in the end; `carried` comes from the sentence before."""
    ruled: list[Verdict] = []
    verdicts: list[Verdict] = []
    surroundings = Surroundings(around["before"], around["after"], around["context"])
    for (start, end), quoted in zip(spans, inside, strict=True):
        if len(verdicts) >= _MOST_IN_A_PASSAGE:
            ruled.append(ruled[-1])
            verdicts.append(verdicts[-1])
            continue
        view = marked(sentence[:start], sentence[start:end], sentence[end:])
        said = Verdict("quoted", None, "inside quotation marks") if quoted else _decide(view, around, ruled, carried)
        earlier = [ruled[-1].label] if ruled else []
        signs = of_mention(view, surroundings, said.label, _HANDED_ON.sub("", said.reason), earlier)
        verdicts.append(weigh(said, view, signs))
        ruled.append(said)
    return ruled, verdicts


def _weighed(said: Verdict, view: str, signs: list[Feature]) -> Verdict:
    """Return what the model makes of a mention; it keeps the rule's reason where it agrees.

    What a rule calls quoted or other (a royal we) stands: the rules err less there, and examples are few.
    """
    if said.label in ("quoted", "other"):
        return said
    model = models()[0]
    sums = model.sums(signs)
    label = cast(Label, model.labels[int(sums.argmax())])
    tier = _tier(view) if label == "ingroup" else None
    if label == said.label:
        return Verdict(label, tier, said.reason)
    words = ", ".join(model.strongest(signs, label, said.label))
    return Verdict(label, tier, f"the words around ({words}) outweigh: {said.reason}")


def _decide(view: str, around: dict[str, str], earlier: list[Verdict], carried: Verdict | None) -> Verdict:
    """Run the cascade of rules on one mention; `view` is its sentence with the mention marked."""
    mark = _MARK.search(view)
    mention = mark[0] if mark else "WE"
    first, then = _cascades()
    scopes = {"clause": _clause_of(view), "sentence": view, **around}
    hit = first.first_match(mention, scopes)
    if hit is None:
        for verdict in reversed(earlier):
            if verdict.label != "quoted":
                return verdict._replace(reason=_handed_on("as the mention before it", verdict.reason))
        if carried is not None and not _FRESH[carried.label].search(view):
            return carried
        hit = then.first_match(mention, scopes)
    if hit is None and _is_quarrel(scopes):
        return Verdict("opponent_frame", None, "the words around are a quarrel")
    if hit is None:
        return Verdict("ingroup", _tier(view), "no cue against: you and I")
    return Verdict(hit.label, _tier(view) if hit.label == "ingroup" else None, hit.reason)


def _handed_on(how: str, reason: str) -> str:
    """Return a reason that was taken over from an earlier mention; it does not grow when it is handed on again."""
    return f"{how}: {_HANDED_ON.sub('', reason)}"


def _is_quarrel(scopes: dict[str, str]) -> bool:
    """Whether the sentences around sound more like rivals than like company; the mention's own sentence counts twice."""
    rivalry = company = 0.0
    for scope, weight in _WEIGHTS.items():
        rivalry += weight * cues.RIVALRY.count(scopes[scope])
        company += weight * cues.COMPANY.count(scopes[scope])
    return rivalry >= 1.0 and rivalry > company


def _clause_of(view: str) -> str:
    """Return the part of the sentence between dashes, semicolons and contrasting conjunctions that holds the mention."""
    begin = 0
    for cut in _CLAUSE.finditer(view):
        if _MARK.search(view, begin, cut.start()):
            return view[begin : cut.start()]
        begin = cut.end()
    return view[begin:]


def _tier(view: str) -> Tier:
    """Social if the sentence names or presupposes a group that both belong to, else dyadic."""
    return "social" if _SOCIAL.search(view) else "dyadic"

"""Identities and designed battles in; a profile of each arm's texts, and every rule that they break, out.

A comparison of two arms is only about what their texts are meant to differ in if they differ in nothing else: length, second
person, forbidden words, likeness to each other, and who receives which wording. Each fault holds the measured number and the
allowed one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Final

from mitigation.profiles import Profile
from mitigation.types import Identity
from mitigation.wordings import bag, named_groups, plurals, second_person, similarity, tokens, words

TOLERANCE: Final = 0.1
"""How far the mean length of a bank may lie from that of the bank it is matched to."""
WORDING_TOLERANCE: Final = 0.25
"""How far a single wording may lie from the mean length of the bank it is matched to."""
ALIKE: Final = 0.25
"""Highest share of content words that two wordings of one bank may have in common."""

MARKER: Final = re.compile(r"\[\[[^\[\]\n]{0,40}\]\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTexts:
    """What the wordings of an arm are like.

    Attributes:
        wordings: size of the bank.
        words, tokens: mean length of a wording; tokens are an estimate that serves no model in particular.
        shortest, longest: words of the shortest and of the longest wording.
        second_person: mean number of "you" and "your" in a wording.
        plurals: "we", "us" and the like in all wordings together.
        groups: words that name a common social group, in all wordings together, by kind.
        alike: highest similarity of two wordings of the bank, 0 where there is one only.
        nearest: highest similarity to a wording of another arm.
        neighbour: that arm; "" where there is none.
    """

    arm: str
    wordings: int
    words: float
    tokens: float
    shortest: int
    longest: int
    second_person: float
    plurals: int
    groups: Mapping[str, int]
    alike: float
    nearest: float
    neighbour: str


def arm_texts(arm: Identity, others: Sequence[Identity]) -> ArmTexts:
    """Measure the wordings of one arm; `others` are the arms that it is compared with in likeness."""
    bank = arm.bank
    lengths = [len(words(text)) for text in bank] or [0]
    near = max(
        (
            (similarity(text, theirs), other.name)
            for other in others
            if other.bank != bank
            for theirs in other.bank
            for text in bank
        ),
        default=(0.0, ""),
    )
    return ArmTexts(
        arm=arm.name,
        wordings=len(bank),
        words=fmean(lengths),
        tokens=_mean(tokens(text) for text in bank),
        shortest=min(lengths),
        longest=max(lengths),
        second_person=_mean(second_person(text) for text in bank),
        plurals=sum(len(plurals(text)) for text in bank),
        groups=Counter(kind for text in bank for _, kind in named_groups(text)),
        alike=max((similarity(one, other) for one, other in combinations(bank, 2)), default=0.0),
        nearest=near[0],
        neighbour=near[1],
    )


def lint(arms: Sequence[Identity], *, library: Sequence[Identity] | None = ()) -> list[str]:
    """Return every rule that the texts of the arms break, each with its numbers; none when all is well.

    Args:
        arms: what is to be used.
        library: further arms that a profile may name; None leaves out rules about arms that are not at hand.
    """
    known = {arm.name: arm for arm in (*(library or ()), *arms)}
    found = []
    for arm in arms:
        found += [f"{arm.name}: {fault}" for fault in _faults(arm, known, partial=library is None)]
    return found


def _faults(arm: Identity, known: Mapping[str, Identity], *, partial: bool) -> Iterator[str]:
    profile = arm.rules
    yield from _words(arm)
    if profile != Profile():
        yield from _likeness(arm)
    for field, check in (("like", _length), ("same_words_as", _same_words), ("same_texts_as", _same_texts)):
        name = getattr(profile, field)
        if name is None or (partial and name not in known):
            continue
        if name not in known:
            yield f"profile.{field} names {name}, which is no identity"
        else:
            yield from check(arm, known[name])


def _words(arm: Identity) -> Iterator[str]:
    """Look for required and forbidden words, and count the second person."""
    profile = arm.rules
    for number, text in enumerate(arm.bank, 1):
        groups = list(named_groups(text))
        for kind in profile.forbid:
            bad = plurals(text) if kind == "plural" else [word for word, of in groups if kind in ("groups", of)]
            if bad:
                yield f"wording {number} says {', '.join(map(repr, sorted(set(bad))))}, and {kind} is forbidden"
        for marker in MARKER.findall(text):
            yield f"wording {number} holds {marker}, which would reach the model as it is: names stand in scenarios only"
        for phrase in profile.hold:
            if not re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text, re.IGNORECASE):
                yield f"wording {number} does not say {phrase!r}"
    if profile.second_person is not None and arm.bank:
        low, high = profile.second_person
        mean = _mean(second_person(text) for text in arm.bank)
        if not low <= mean <= high:
            yield f"{mean:.1f} times “you” or “your” in a wording, not {low:g} to {high:g}"


def _likeness(arm: Identity) -> Iterator[str]:
    for (one, text), (other, again) in combinations(enumerate(arm.bank, 1), 2):
        if (alike := similarity(text, again)) > ALIKE:
            yield f"wordings {one} and {other} share {alike:.0%} of their content words, at most {ALIKE:.0%} is allowed"
    if arm.seats == "distinct" and len(arm.bank) % 2:
        yield f"{len(arm.bank)} wordings cannot be dealt in balance, two a battle: add or remove one"


def remarks(arms: Sequence[Identity]) -> list[str]:
    """Return what a user should know of arms that do not say what their texts are to be like; none of it stops a run."""
    found = [
        f"{arm.name}: its profile is that of {arm.profile.of} and is not applied; set profile.of to {arm.name} and mend its rules"
        for arm in arms
        if arm.rules != arm.profile
    ]
    found += [f"{arm.name}: {remark}" for arm in arms if arm.rules == Profile() for remark in _likeness(arm)]
    for arm in (arm for arm in arms if arm.role == "treatment" and arm.bank):
        for placebo in (other for other in arms if other.role == "placebo" and other.bank):
            if placebo.rules.like != arm.name:
                found += [f"{placebo.name} is no placebo for {arm.name}: {remark}" for remark in _means_apart(placebo, arm)]
    return found


def _means_apart(arm: Identity, model: Identity) -> Iterator[str]:
    for unit, measure in (("words", lambda text: len(words(text))), ("tokens", tokens)):
        own, theirs = _mean(map(measure, arm.bank)), _mean(map(measure, model.bank))
        if theirs and abs(own / theirs - 1) > TOLERANCE:
            numbers = f"{own:.1f} {unit} a wording against {theirs:.1f} of {model.name}"
            yield f"{numbers}: {own / theirs - 1:+.0%}, not within ±{TOLERANCE:.0%}"


def _length(arm: Identity, model: Identity) -> Iterator[str]:
    """Bank against bank in words and in tokens, and no single wording far off."""
    yield from _means_apart(arm, model)
    for unit, measure in (("words", lambda text: len(words(text))), ("tokens", tokens)):
        theirs = _mean(map(measure, model.bank))
        for number, text in enumerate(arm.bank, 1):
            if theirs and abs(measure(text) / theirs - 1) > WORDING_TOLERANCE:
                yield (
                    f"wording {number} has {measure(text)} {unit}, and {model.name} has {theirs:.1f}: "
                    f"{measure(text) / theirs - 1:+.0%}, not within ±{WORDING_TOLERANCE:.0%}"
                )


def _same_words(arm: Identity, model: Identity) -> Iterator[str]:
    if len(arm.bank) != len(model.bank):
        yield f"{len(arm.bank)} wordings, and {model.name}, whose words it is to hold, has {len(model.bank)}"
    for number, (own, theirs) in enumerate(zip(arm.bank, model.bank, strict=False), 1):
        odd = (bag(own) - bag(theirs)) + (bag(theirs) - bag(own))
        if odd:
            yield f"wording {number} and that of {model.name} differ in {', '.join(map(repr, sorted(odd)[:5]))}"
        elif own == theirs:
            yield f"wording {number} is that of {model.name}"


def _same_texts(arm: Identity, model: Identity) -> Iterator[str]:
    if arm.bank != model.bank:
        yield f"its bank is not that of {model.name}: name the same text file"


def _mean(numbers: Iterator[int] | map[int]) -> float:
    values = list(numbers)
    return fmean(values) if values else 0.0

"""What a rule for a whole message is: a label, a pattern over its normal form (see `passages`), and what to leave out first.

A pattern reaches over at most some tens of characters and never over the end of a sentence, so that the work stays linear.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

from mitigation.detectors.literals import Sieve, alternatives, needles

KIND: Final = (
    r"(?:ais?|a\.i|(?:large |text )?language models?|llms?|chat ?bots?|bots?|(?:ai|virtual|digital|automated|"
    r"billing|voice|support|helpful) "
    r"(?:assistants?|agents?|systems?|models?)|assistants?(?! (?:manager|coach|editor|professor|referee|director))|"
    r"(?:code|text|chess|generative) "
    r"(?:models?|engines?|programs?)|neural net(?:work)?s?|transformers?|(?:computer|ai) programs?|"
    r"artificial (?:intelligences?|minds?)|"
    r"(?:bidding|negotiating|negotiation|procurement|trading|autonomous|software|ai) (?:agents?|bots?|units?|"
    r"systems?)|machines?|programs?|software|"
    r"ai (?:pilots?|players?|debaters?|opponents?|rappers?|minds?)|robots?|gpt\S{0,20}|claude|gemini|llama)"
)


class TurnRule(NamedTuple):
    """A label holds if a pattern is found, and still is after everything that `ignored` matches has been taken out.

    The pattern is kept by its alternatives, each with strings of which one stands in every text that it matches.
    """

    label: str
    patterns: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]
    ignored: re.Pattern[str] | None

    def holds(self, words: str) -> bool:
        """Whether the label holds for words in normal form."""
        return next(iter(labels_of((self,), words)), None) is not None


def turn_rule(label: str, pattern: str, ignored: str | None = None) -> TurnRule:
    """Compile a rule; alternatives that promise no string are tried together."""
    compiled = [re.compile(one) for one in alternatives(pattern)]
    signs = [needles(one) for one in compiled]
    quick = [(own, one) for own, one in zip(signs, compiled, strict=True) if own]
    slow = "|".join(one.pattern for own, one in zip(signs, compiled, strict=True) if not own)
    every = (*quick, ((), re.compile(slow))) if slow else tuple(quick)
    return TurnRule(label, every, re.compile(ignored) if ignored else None)


@cache
def _sieve(rules: tuple[TurnRule, ...]) -> tuple[Sieve, list[tuple[TurnRule, re.Pattern[str]]]]:
    flat = [(rule, signs, pattern) for rule in rules for signs, pattern in rule.patterns]
    return Sieve([signs for _, signs, _ in flat]), [(rule, pattern) for rule, _, pattern in flat]


def labels_of(rules: tuple[TurnRule, ...], words: str) -> set[str]:
    """Return the labels whose rules hold for words in normal form."""
    found: set[str] = set()
    sieve, flat = _sieve(rules)
    for place in sieve.candidates(words):
        rule, pattern = flat[place]
        if rule.label not in found and pattern.search(words):
            own = words if rule.ignored is None else rule.ignored.sub(" … ", words)
            if own == words or any(one.search(own) for _, one in rule.patterns):
                found.add(rule.label)
    return found

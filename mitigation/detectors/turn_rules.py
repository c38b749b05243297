"""What a rule for a whole message is: a label, a pattern over its normal form (see `passages`), and what to leave out first.

A pattern reaches over at most some tens of characters and never over the end of a sentence, so that the work stays linear.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from mitigation.detectors.sieve import Sieve, alternatives

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

    The pattern is kept by its alternatives: the sieve tells which of them to try.
    """

    label: str
    patterns: tuple[re.Pattern[str], ...]
    ignored: re.Pattern[str] | None


def turn_rule(label: str, pattern: str, ignored: str | None = None) -> TurnRule:
    """Compile a rule."""
    every = tuple(re.compile(one) for one in alternatives(pattern))
    return TurnRule(label, every, re.compile(ignored) if ignored else None)


class TurnRules:
    """Rules that are tried together on a message."""

    def __init__(self, rules: Sequence[TurnRule]) -> None:
        self._tried = [(rule, pattern) for rule in rules for pattern in rule.patterns]
        self._sieve = Sieve([pattern for _, pattern in self._tried])

    def labels_of(self, words: str) -> set[str]:
        """Return the labels whose rules hold for words in normal form."""
        found: set[str] = set()
        for place in self._sieve.candidates(words):
            rule, pattern = self._tried[place]
            if rule.label not in found and pattern.search(words):
                own = words if rule.ignored is None else rule.ignored.sub(" … ", words)
                if own == words or self._holds(rule, own):
                    found.add(rule.label)
        return found

    def _holds(self, rule: TurnRule, words: str) -> bool:
        tried = (self._tried[place] for place in self._sieve.candidates(words))
        return any(pattern.search(words) for own, pattern in tried if own is rule)

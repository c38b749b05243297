"""What a rule for a whole message is: a label, a pattern over its normal form (see `passages`), and what to leave out first.

A pattern reaches over at most some tens of characters and never over the end of a sentence, so that the work stays linear.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

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
    """A label holds if `pattern` is found, after everything that `ignored` matches has been taken out of the message."""

    label: str
    pattern: re.Pattern[str]
    ignored: re.Pattern[str] | None


def turn_rule(label: str, pattern: str, ignored: str | None = None) -> TurnRule:
    """Compile a rule."""
    return TurnRule(label, re.compile(pattern), re.compile(ignored) if ignored else None)

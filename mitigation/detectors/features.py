"""A mention, or a whole message, in words round it; what a linear model weighs (see `model`), as kind and value, out.

Kinds name where something stands: r1 is the first word to the right of the mention, `near` is within eight words of it, `sent` in
its sentence, `bef` and `aft` in the sentences next to it, `ctx` in the other agent's message. A word also stands for the lists of
`vocabulary` that it belongs to, so that a rare word is weighed as what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final

from mitigation.detectors import vocabulary as v
from mitigation.detectors.cues import COMPANY, RIVALRY

Feature = tuple[str, str, int]
"""Kind, value and amount in tenths: whole numbers add up to the same sum on every machine."""

_NEAR: Final = 8
_SIDE: Final = 6
# Of a message only so many words are weighed: what a label rests on is said by then, and the work stays linear.
MOST_WORDS: Final = 400
MOST_CHARACTERS: Final = 2_400
_WORD: Final = re.compile(r"[a-z']+|[0-9]+|[?!:;,.…—\"]")
_PLAIN: Final = re.compile(r"[a-z']+|[0-9]+|[?!]|…")
_MENTION: Final = re.compile("OURSELVES|WE|US|OUR")
_LISTS: Final = {
    name: re.compile(getattr(v, name.upper()))
    for name in (
        "ai_kind ai_trait humans contest fight enemies compared adverse destroy peace party house org_verb species bodily policy "
        "expository formula royal regalia"
    ).split()
}


@lru_cache(maxsize=50_000)
def lists_of(word: str) -> tuple[str, ...]:
    """Return the lists of the vocabulary that hold a word."""
    return tuple(name for name, pattern in _LISTS.items() if pattern.fullmatch(word))


class Surroundings:
    """What stands round all mentions of one sentence: computed once, weighed for each."""

    def __init__(self, before: str, after: str, context: str) -> None:
        self.features: list[Feature] = []
        for kind, text, amount in (("bef", before, 5), ("aft", after, 5), ("ctx", context, 4)):
            words = set(_WORD.findall(text))
            self.features += [(kind, word, amount) for word in words]
            self.features += [(f"{kind}~", name, 10) for name in {name for word in words for name in lists_of(word)}]


def of_mention(view: str, around: Surroundings, rule: str, reason: str, earlier: Iterable[str]) -> Iterator[Feature]:
    """Yield what is weighed for one mention.

    Args:
        view: its sentence in normal form with the mention in capitals.
        around: what stands round the sentence.
        rule: label that the rules gave it.
        reason: why.
        earlier: labels that the rules gave to the mentions before it in the sentence.
    """
    found = _MENTION.search(view)
    form = found[0] if found else "WE"
    start, end = found.span() if found else (0, 0)
    left, right = _WORD.findall(view[:start].lower()), _WORD.findall(view[end:].lower())
    yield "form", form, 10
    yield "rule", rule, 10
    yield "reason", reason, 10
    for label in earlier:
        yield "earlier", label, 10
    yield from _beside(["<", "<", "<", *left], [*right, ">", ">", ">"], form)
    near = {*left[-_NEAR:], *right[:_NEAR]}
    words = {*left, *right}
    yield from (("near", word, 10) for word in near)
    yield from (("sent", word, 10) for word in words)
    yield from (("near~", name, 10) for name in {name for word in near for name in lists_of(word)})
    yield from (("sent~", name, 10) for name in {name for word in words for name in lists_of(word)})
    yield from around.features


def _beside(left: list[str], right: list[str], form: str) -> Iterator[Feature]:
    """Yield the words next to a mention and their runs of two and three."""
    for place in (1, 2, 3):
        yield f"l{place}", left[-place], 10
        yield f"r{place}", right[place - 1], 10
    for place in (1, 2):
        yield from ((f"l{place}~", name, 10) for name in lists_of(left[-place]))
        yield from ((f"r{place}~", name, 10) for name in lists_of(right[place - 1]))
    yield "round", f"{left[-1]} {form} {right[0]}", 10
    run = [*left[-_SIDE:], "@", *right[:_SIDE]]
    yield from (("two", f"{one} {two}", 10) for one, two in pairwise(run))
    yield from (("three", f"{one} {two} {three}", 10) for one, two, three in zip(run, run[1:], run[2:], strict=False))


def of_message(text: str, context: str, rules: Iterable[str]) -> Iterator[Feature]:
    """Yield what is weighed for a whole message.

    Args:
        text: its normal form without quoted words.
        context: the normal form of the other agent's message before it.
        rules: labels that the rules gave it.
    """
    words = _PLAIN.findall(text)[:MOST_WORDS]
    yield "long", "", min(len(words), 100) // 5
    yield from (("rule", label, 20) for label in rules)
    yield from (("first", word, 5) for word in set(words[:3]))
    yield from (("word", word, 10) for word in set(words))
    yield from (("two", run, 10) for run in {f"{one} {two}" for one, two in pairwise(words)})
    yield from (("ctx", word, 3) for word in set(_PLAIN.findall(context)))
    counts: dict[str, int] = {}
    for word in words:
        for name in lists_of(word):
            counts[name] = counts.get(name, 0) + 1
    yield from (("word~", name, 5 * min(count, 3)) for name, count in counts.items())
    shown = text[:MOST_CHARACTERS]
    yield "quarrel", "", 3 * min(5, len(RIVALRY.findall(shown)))
    yield "company", "", 3 * min(5, len(COMPANY.findall(shown)))

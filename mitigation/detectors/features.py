"""A mention, or a whole message, in words round it; what a linear model weighs (see `model`), by kind, out.

Kinds name where something stands: r1 is the first word to the right of the mention, `near` is within eight words of it, `sent` in
its sentence, `bef` and `aft` in the sentences next to it, `ctx` in the other agent's message. A word also stands for the lists of
`vocabulary` that it belongs to, so that a rare word is weighed as what it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from mitigation.detectors import vocabulary as v
from mitigation.detectors.cues import COMPANY, RIVALRY

Feature = tuple[str, int, Sequence[str]]
"""Kind, amount of each in tenths, and values: whole numbers add up to the same sum on every machine."""

_NEAR: Final = 8
_SIDE: Final = 6
_LONGEST_WORD: Final = 40
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


def lists_of(word: str) -> tuple[str, ...]:
    """Return the lists of the vocabulary that hold a word; an endless one is in none of them, and not remembered."""
    return _lists_of(word) if len(word) <= _LONGEST_WORD else ()


@lru_cache(maxsize=50_000)
def _lists_of(word: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in _LISTS.items() if pattern.fullmatch(word))


class Surroundings:
    """What stands round all mentions of one sentence: computed once, weighed for each."""

    def __init__(self, before: str, after: str, context: str) -> None:
        self.features = [*_around("bef", before, 5), *_around("aft", after, 5), *_around("ctx", context, 4)]


@lru_cache(maxsize=64)
def _around(kind: str, text: str, amount: int) -> list[Feature]:
    words = set(_WORD.findall(text))
    return [(kind, amount, tuple(words)), (f"{kind}~", 10, _lists(words))]


def _lists(words: Iterable[str]) -> tuple[str, ...]:
    return tuple({name for word in words for name in lists_of(word)})


def of_mention(view: str, around: Surroundings, rule: str, reason: str, earlier: Iterable[str]) -> list[Feature]:
    """Return what is weighed for one mention.

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
    near = {*left[-_NEAR:], *right[:_NEAR]}
    words = {*left, *right}
    return [
        ("form", 10, (form,)),
        ("rule", 10, (rule,)),
        ("reason", 10, (reason,)),
        ("earlier", 10, tuple(earlier)),
        *_beside(["<", "<", "<", *left], [*right, ">", ">", ">"], form),
        ("near", 10, tuple(near)),
        ("sent", 10, tuple(words)),
        ("near~", 10, _lists(near)),
        ("sent~", 10, _lists(words)),
        *around.features,
    ]


def _beside(left: list[str], right: list[str], form: str) -> Iterator[Feature]:
    """Yield the words next to a mention and their runs of two and three."""
    for place in (1, 2, 3):
        yield f"l{place}", 10, (left[-place],)
        yield f"r{place}", 10, (right[place - 1],)
    for place in (1, 2):
        yield f"l{place}~", 10, lists_of(left[-place])
        yield f"r{place}~", 10, lists_of(right[place - 1])
    yield "round", 10, (f"{left[-1]} {form} {right[0]}",)
    run = [*left[-_SIDE:], "@", *right[:_SIDE]]
    yield "two", 10, [f"{one} {two}" for one, two in pairwise(run)]
    yield "three", 10, [f"{one} {two} {three}" for one, two, three in zip(run, run[1:], run[2:], strict=False)]


def of_message(text: str, context: str, rules: Iterable[str]) -> list[Feature]:
    """Return what is weighed for a whole message.

    Args:
        text: its normal form without quoted words.
        context: the normal form of the other agent's message before it.
        rules: labels that the rules gave it.
    """
    words = _PLAIN.findall(text)[:MOST_WORDS]
    counts = Counter([name for word in words for name in lists_of(word)])
    shown = text[:MOST_CHARACTERS]
    return [
        ("long", min(len(words), 100) // 5, ("",)),
        ("rule", 20, tuple(rules)),
        ("first", 5, tuple(set(words[:3]))),
        ("word", 10, tuple(set(words))),
        ("two", 10, tuple({f"{one} {two}" for one, two in pairwise(words)})),
        ("ctx", 3, tuple(set(_PLAIN.findall(context)))),
        *(("word~", 5 * min(count, 3), (name,)) for name, count in counts.items()),
        ("quarrel", 3 * min(5, RIVALRY.count(shown)), ("",)),
        ("company", 3 * min(5, COMPANY.count(shown)), ("",)),
    ]

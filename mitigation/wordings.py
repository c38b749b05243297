"""A text about an agent in; its words, what groups it names and how alike it is to another text, out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from mitigation.social_groups import GROUPS

PLURAL: Final = frozenset("we us our ours ourselves let's together".split())
# A denial ("you have no kind", "no species") names a group in order to shut it out.
DENIALS: Final = frozenset(
    "no not nor never neither without none nobody nobody's aren't isn't wasn't don't doesn't didn't haven't hasn't".split()
)
REACH: Final = 4
_SECOND: Final = frozenset("you your yours yourself yourselves you're you've you'd you'll".split())
_STOP: Final = frozenset(
    """a an the and or but of to in on at by for from with without as is are was were be been being it its that this these
    those there then than so no not nor never only one you your yours yourself he she they them his her their who whom what
    which where when how have has had do does did will would can could may might must shall should i me my all any some
    each every other into out up down over under after before again more most own same too very""".split()
)
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_MARKER: Final = re.compile(r"\[\[(?:agent|opponent)\]\]")
_CLAUSE: Final = re.compile(r"[.!?;:]")
# As byte-pair tokenisers cut: words, numbers and marks apart, and a long word in pieces.
_PIECE: Final = re.compile(r"\w{1,9}|[^\w\s]")
_KIND: Final = {word: kind for kind, found in reversed(GROUPS.items()) for word in found}


def words(text: str) -> list[str]:
    """Return the words of a text in lower case; a marker that a name takes the place of is none."""
    return [word.replace("’", "'") for word in _WORD.findall(_MARKER.sub(" ", text.lower()))]


def tokens(text: str) -> int:
    """Return about how many tokens a text is, without any one model's tokeniser: words, numbers and marks, long words cut."""
    return len(_PIECE.findall(text))


def second_person(text: str) -> int:
    """Return how often a text says "you" or "your"."""
    return sum(word in _SECOND for word in words(text))


def plurals(text: str) -> list[str]:
    """Return each "we", "us", "let's" and the like in a text."""
    return [word for word in words(text) if word in PLURAL]


def named_groups(text: str) -> Iterator[tuple[str, str]]:
    """Yield (word, kind) for each word that names a common social group and is not denied just before, in the same clause."""
    for clause in _CLAUSE.split(text):
        spoken = words(clause)
        for place, word in enumerate(spoken):
            if word in _KIND and not DENIALS.intersection(spoken[max(0, place - REACH) : place]):
                yield word, _KIND[word]


def bag(text: str) -> Counter[str]:
    """Return the words of a text without their order."""
    return Counter(words(text))


@lru_cache(maxsize=4096)
def content(text: str) -> frozenset[str]:
    """Return the different words of a text that carry its content."""
    return frozenset(words(text)) - _STOP


def similarity(one: str, other: str) -> float:
    """Return the share of content words that two texts have in common (Jaccard index, 0 to 1); 0 where neither has any."""
    first, second = content(one), content(other)
    both = len(first & second)
    union = len(first) + len(second) - both
    return both / union if union else 0.0


def nearest(text: str, others: Mapping[str, str]) -> tuple[float, str]:
    """Return the highest similarity to any of the others and its name; (0, "") when there are none."""
    return max(((similarity(text, other), name) for name, other in others.items()), default=(0.0, ""))

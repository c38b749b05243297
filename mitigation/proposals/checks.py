"""A drafted identity in, the reasons against it out; and how alike two identities are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

SHORTEST, LONGEST = 25, 90

# Words that name a group to belong to, or tie the agent to the one it talks with: the opposite of disassociative.
GROUPS: Final = frozenset(
    """ai ais agent agents android androids army assistant assistants band bot bots brother brothers brotherhood chatbot
    chatbots circle citizen citizens clan class club colleague colleagues community companion companions company computer
    computers crew crowd family fellow fellows friend friends gang generation group groups guild human humans humanity
    kin kind language league machine machines member members model models nation nations order partner partners people
    peoples player players program programs race robot robots school sibling siblings sister sisters sisterhood society
    species squad staff team teammate teammates teams tribe tribes troop union""".split()
)
# A denial ("you have no kind", "no species") names a group in order to shut it out.
DENIALS: Final = frozenset("no not nor never neither without none nobody".split())
PLURAL: Final = frozenset("we us our ours ourselves let's together".split())
_STOP: Final = frozenset(
    """a an the and or but of to in on at by for from with without as is are was were be been being it its that this these
    those there then than so no not nor never only one you your yours yourself he she they them his her their who whom what
    which where when how have has had do does did will would can could may might must shall should i me my all any some
    each every other into out up down over under after before again more most own same too very""".split()
)
_WORD: Final = re.compile(r"[a-zà-öø-ÿ]+(?:['’][a-z]+)?")


def words(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return [word.replace("’", "'") for word in _WORD.findall(text.lower())]


def similarity(one: str, other: str) -> float:
    """Return the share of content words that two texts have in common (Jaccard index, 0 to 1)."""
    first, second = set(words(one)) - _STOP, set(words(other)) - _STOP
    union = first | second
    return len(first & second) / len(union) if union else 1.0


def nearest(text: str, others: Mapping[str, str]) -> tuple[float, str]:
    """Return the highest similarity to any of the others and its name; (0, "") when there are none."""
    return max(((similarity(text, other), name) for name, other in others.items()), default=(0.0, ""))


def faults(text: str, *, others: Mapping[str, str], limit: float) -> list[str]:
    """Return why a drafted identity cannot be kept; an empty list keeps it.

    Args:
        text: the draft.
        others: every identity it must be unlike, by name.
        limit: highest similarity to any of them.
    """
    found = []
    spoken = words(text)
    if not text.startswith("You are "):
        found.append("does not begin with 'You are'")
    if not SHORTEST <= len(spoken) <= LONGEST:
        found.append(f"has {len(spoken)} words, not {SHORTEST} to {LONGEST}")
    if not text.endswith((".", "!")):
        found.append("breaks off in a sentence")
    if any(not (c.isprintable() or c == " ") for c in text):
        found.append("holds unprintable characters")
    plural = sorted(PLURAL.intersection(spoken))
    if plural:
        found.append(f"says {plural[0]!r}")
    group = next(
        (word for i, word in enumerate(spoken) if word in GROUPS and not DENIALS.intersection(spoken[max(0, i - 3) : i])), None
    )
    if group:
        found.append(f"names a group or kind ({group!r})")
    near, name = nearest(text, others)
    if near > limit:
        found.append(f"is too like {name} (similarity {near:.2f}, limit {limit:.2f})")
    return found

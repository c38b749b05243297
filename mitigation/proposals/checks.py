"""A drafted identity in, the reasons against it out."""

from __future__ import annotations

from collections.abc import Mapping

from mitigation.wordings import named_groups, nearest, plurals, words

SHORTEST, LONGEST = 25, 90


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
    if plural := sorted(plurals(text)):
        found.append(f"says {plural[0]!r}")
    if group := next(named_groups(text), None):
        found.append(f"names a group or kind ({group[0]!r})")
    near, name = nearest(text, others)
    if near > limit:
        found.append(f"is too like {name} (similarity {near:.2f}, limit {limit:.2f})")
    return found

"""Console transcripts of AutoGen's ConversableAgent: "Bobby (to Robbie):", the text, a line of 80 dashes; colours are dropped."""

from __future__ import annotations

import re
from typing import Final

from mitigation.imports.base import Heard, Source, fault, plain

_HEAD: Final = re.compile(r"^(?P<agent>[^\n]{1,100}?) \(to (?P<other>[^\n]{1,100})\):[ \t]*$")
_END: Final = "-" * 80
# What AutoGen itself prints between messages.
_NOTICE: Final = ">>>>>>>> "


def looks_like(text: str) -> bool:
    """Whether the first line of a text that is not empty is the head of a message."""
    first = next((line for line in plain(text).splitlines() if line.strip() and not line.startswith(_NOTICE)), "")
    return bool(_HEAD.match(first))


def parse(name: str, text: str) -> list[Source]:
    """Return the one battle of a console transcript.

    A message ends at a line of exactly 80 dashes that is followed by another head or by the end, so that a ruler inside a message
    stays in it.

    Raises:
        ConfigError: the text does not begin with a head, or a message has no end.
    """
    lines = [line.rstrip("\r") for line in plain(text).split("\n")]
    heads = [place for place, line in enumerate(lines) if _HEAD.match(line) and _opens(lines, place)]
    if not heads:
        raise fault(name, "no line “Name (to Other):” begins a message")
    heard = []
    for place, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        body = lines[place + 1 : end]
        while body and (not body[-1].strip() or body[-1].startswith(_NOTICE)):
            body.pop()
        if not body or body[-1] != _END:
            raise fault(name, f"the message in line {place + 1} does not end in a line of 80 dashes: is the file cut off?")
        head = _HEAD.match(lines[place])
        assert head is not None
        heard.append(Heard(agent=head["agent"].strip(), text="\n".join(body[:-1]).strip("\n")))
    return [Source(name=name, heard=heard)]


def _opens(lines: list[str], place: int) -> bool:
    """Whether a head stands where one may stand: at the beginning, or after the dashes that end a message."""
    before = next((line for line in reversed(lines[:place]) if line.strip() and not line.startswith(_NOTICE)), _END)
    return before == _END

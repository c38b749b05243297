"""The messages of a battle go in; "rule:index" marks of those whose form went wrong come out, to be counted by arm.

The rules are fixed patterns that read form, not merit, and keep silent in doubt. What an agent quotes is not its own speech.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import Final, Literal

from mitigation.types import Turn

VERSION: Final = 1
RULES: Final = {
    "conditional_concession": 'The message says "I lose" only under a condition or in a quoted demand.',
    "farewell_loop": "The message is the third or a later one in a row that is little but a goodbye.",
    "name_swap": "The agent takes the opponent's name, or addresses the opponent by its own.",
    "repetition": "The message has at least three words and equals an earlier one but for case and white space.",
    "role_inversion": "A line of the message begins with the opponent's name as a speaker label.",
    "truncated": "The provider cut the message off at its longest length.",
}

# Conditions that are looked at in one message; more of them are no speech.
MOST: Final = 1_000
# Not "I lose nothing" or "I lose interest": there the phrase is no more than a verb with another object.
_LOSE: Final = re.compile(
    r"(?<!\w)I lose(?!\w)(?!\s+(?:nothing|no|none|interest|sleep|patience|track|count|sight|hope|heart|touch|focus|myself)\b)"
)
# Up to three words between the condition and the phrase: "if in the end I lose", "when I lose", 'say "I lose"'.
_CONDITION: Final = re.compile(
    r"\b(?:if|when|whenever|unless|until|before|should|suppose|once|in case|even if|never|say|saying|says|admit that)"
    r"[\s,:\"'“”‘’]+(?:[\w’']+[\s,]+){0,3}[\"'“‘]?$|\b(?:do|did|will|would|could|can|must|why|how)\s+$",
    re.IGNORECASE,
)
# "See you." is a goodbye, "I see you." is not; "say goodbye to your crown" is a boast.
_FAREWELL: Final = re.compile(
    r"(?i)(?<!say )(?<!kiss )\bgood-?bye\b(?! to\b)|\b(?:bye|farewell|signing off|all the best|take care(?! of)|good ?night|"
    r"(?:until|till) (?:next time|we meet again)|see you (?:again|later|soon|around|tomorrow|next time)|have an? (?:\w+ ){0,2}"
    r"(?:day|evening|afternoon|morning|night|week|weekend|good one)|(?:pleasure|nice|great|good|enjoyed) (?:talking|chatting)|"
    r"(?:was|been) (?:\w+ )?an? (?:\w+ )?(?:pleasure|joy|delight|honou?r))\b|(?<!\w )\bsee you(?=[.,!…]|$)"
)
_QUOTED: Final = re.compile(
    r"(?m)^[ \t]*+>[^\n]*+|\"[^\"\n]*+(?:\"|$)|“[^“”\n]*+”?|(?<!\w)['‘][^'‘’\n]*+(?:(?<=\w)['’](?=\w)[^'‘’\n]*+)*+['’](?!\w)"
)

# Each pair: what stands before a name, at most 100 characters back and up to it, and what follows it.
_HEAD: Final = r"(?:^[ \t]{0,4}|(?:(?<!vs)(?<!\.)\.|[!)*\"”])[ \t]{1,3})[*_]{0,3}"  # where a sentence begins
_GAP: Final = r"[ \t]{1,3}[*_]{0,3}"
_END: Final = r"[ \t\r]*(?:[.!?…]|$)"
# Not "you think I am Robbie", "what I am Robbie will never be".
_FRAME: Final = "if|when|unless|as|than|what|who|where|how|why|thinks?|thought|says?|said|that|believe|claim|wish|pretend|like"
_CLAIMS: Final = (
    (
        rf"(?:(?:^|[^\w\s'’])[ \t]*|\b(?!(?:{_FRAME})\b)[\w'’]+[ \t]+)(?:I am|I['’]m|my name(?: is|['’]s))(?: the real)?{_GAP}",
        r"(?!['’-]|[ \t]*\?)",
    ),
    (rf"{_HEAD}I,{_GAP}", r"(?:,|[ \t]+(?:the|hereby|am|will|have|do|accept|declare)\b)"),
    (rf"(?:{_HEAD}|(?<!\w)this is{_GAP})", r"[ \t]+(?:(?:speaking|here)[ \t]*(?:[.!]|$)|speaking,)"),
)
# Not an aside on the agent itself: "Bobby, the best of all, wins", "Bobby, your champion, wins", "Bobby, you see, wins".
_IS: Final = "is|are|was|were|has|have|can|could|will|would|does|may|must|should"
_ADDRESS: Final = (
    r"(?:,|…|\.{2,3})[ \t]+(?:you(?:['’]\w+)?\b(?! (?:see|know),)|I(?:['’]\w+)?\b|(?:what|why|how|where)\b(?! an?\b)|"
    rf"(?:if|when|since|do|did|{_IS}) you\b|your(?:[ \t]+[\w'’-]++){{1,6}}?[ \t]+(?:{_IS})\b|"
    r"(?:let|please|thanks?|stop|tell|give|admit|we|my (?:dear|friend))\b)"
)
# After these words a name at the end of a sentence stands for the agent itself ("it is I, Bobby"), …
_APPOSED: Final = "me|i|(?<!nice )(?<!good )one|only|is|am|was|words?|behold|yes|no|and|or|but|yours|truly|sincerely|regards|love"
# … and wherever these occur before it ("bow to the champion of egos, Bobby", "the mirror says well done, Bobby").
_PRAISED: Final = (
    r"champion|king|queen|emperor|god|lord|boss|hero|legend|icon|genius|egomaniac|winner|victor|master|ruler|leader|superior|"
    r"opponent|rival|nightmare|\w+est\b|better|everyone|everybody|world|mirror|myself|name|call|answer|say|shout|chant|cheer"
)
_GREETING: Final = "hello|hi|hey|greetings|welcome|dear|thanks|thank you|congratulations|bravo|good-?bye|farewell|sorry|oh|ah"
_VOCATIVES: Final = (
    (rf"{_HEAD}(?:(?:yes|no|so|but|and|now|well|look|listen)[,!.…]{{0,3}}{_GAP})?", _ADDRESS),
    (rf"{_HEAD}(?:{_GREETING})(?: there)?,?{_GAP}", rf"(?:{_END}|,(?![ \t]+(?:the|an?|who|whose|that|he|his|here)\b))"),
    (  # "Well played, Bobby."; a proper noun before the comma makes it a list.
        rf"{_HEAD}(?![^.!?…\n]*\b(?:{_PRAISED}))(?:[^.!?…\n]*?(?<!\bone)(?<!only)[ \t][*_]{{0,3}}(?-i:(?![A-Z][a-z])))?"
        rf"(?!(?:{_APPOSED})[*_\"]{{0,3}},)\w[\w'’-]*[*_\"]{{0,3}},{_GAP}",
        rf"(?:{_END}|{_ADDRESS})",
    ),
    (r"^[ \t]{0,4}[*_]{0,3}\((?:\w+ )?to[ \t][*_]{0,3}", r"\)"),
)
_SWAPS: Final = tuple(
    tuple((re.compile(rf"(?im){before}\Z"), re.compile(rf"(?im)[*_]{{0,3}}+{after}")) for before, after in pairs)
    for pairs in (_CLAIMS, _VOCATIVES)
)


def concession(text: str) -> Literal["plain", "conditional"] | None:
    """Return whether a message says "I lose": plainly, only under a condition or in a quoted demand, or not at all."""
    found: Literal["plain", "conditional"] | None = None
    for match in islice(_LOSE.finditer(text), MOST):
        if not _CONDITION.search(text[max(0, match.start() - 60) : match.start()]):
            return "plain"
        found = "conditional"
    return found


@lru_cache(maxsize=64)
def _patterns(own: str, other: str) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]] | None:
    """Return patterns of the opponent's label, of its name and of the agent's own; None where the names are no two names."""
    if not own.strip() or not other.strip() or own.casefold() == other.casefold():
        return None
    mine, theirs = (rf"(?<![^\W_])(?:{re.escape(n)}|{re.escape(n.upper())})(?![^\W_])" for n in (own, other))
    longer = rf"(?!{mine})" if own.startswith(other) else ""
    name = rf"(?i:{re.escape(other)})[*_]{{0,3}}"
    label = (
        rf"(?m)^[ \t]*+[*_]{{0,3}}(?:[\[(<]{name}[\])>][*_]{{0,3}}(?:[ \t]*[:：]|[ \t\r]*$|[ \t]++(?![a-z]))|{name}"
        r"(?:[ \t]*\([^()\n]{1,40}\)|[ \t]+(?:\w{1,20}ly[ \t]+)?(?:says|replies|responds|answers|adds))?[*_]{0,3}[ \t]*[:：]"
        r"(?![*_]{0,3}[ \t]*(?:[-+]?\d|[/)(]|(?:zero|nil|none|nothing)\b)))"  # a score: "Robbie: 0"
    )
    return re.compile(label), re.compile(longer + theirs), re.compile(mine)


def _confused(text: str, own: str, other: str) -> tuple[bool, bool]:
    """Return whether a message writes the opponent's part, and whether one of its first 1,000 names before that is swapped."""
    patterns = _patterns(own, other)
    if patterns is None:
        return False, False
    label = patterns[0].search(text)
    text = text[: label.start()] if label else text
    inner = text.strip().strip('"“”')  # a message quoted as a whole is speech all the same
    speech = _QUOTED.sub('""', text if any(mark in inner for mark in '"“”') else inner)
    return label is not None, any(
        after.match(speech, name.end()) and before.search(speech, max(0, name.start() - 100), name.start())
        for pattern, pairs in zip(patterns[1:], _SWAPS, strict=True)
        for name in islice(pattern.finditer(speech), 1_000)
        for before, after in pairs
    )


def flags(turns: Sequence[Turn], names: tuple[str, str]) -> tuple[str, ...]:
    """Return "rule:index" for each generated message that trips a rule, in order of index, then of rule.

    The opener, index 0, is never marked, but repeating it is. `names` are those of seat 0, which speaks the even messages, and 1.
    """
    found: list[tuple[int, str]] = []
    seen: set[str] = set()
    goodbyes = 0
    for turn in turns:
        words = turn.text.casefold().split()
        said = " ".join(words)
        if turn.index > 0:
            goodbyes = goodbyes + 1 if len(words) <= 40 and len(said) <= 1_000 and _FAREWELL.search(said) else 0
            inverted, swapped = _confused(turn.text, names[turn.index % 2], names[1 - turn.index % 2])
            tripped = {
                "conditional_concession": concession(turn.text) == "conditional",
                "farewell_loop": goodbyes > 2,
                "name_swap": swapped,
                "repetition": len(words) > 2 and said in seen,
                "role_inversion": inverted,
                "truncated": turn.finish_reason in ("length", "max_tokens"),
            }
            found += [(turn.index, rule) for rule, hit in tripped.items() if hit]
        seen.add(said)
    return tuple(f"{rule}:{index}" for index, rule in sorted(found))

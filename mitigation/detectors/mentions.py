"""A message goes in, the spans of its first-person plurals come out; look-alikes ("US dollars") stay behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

APOSTROPHES: Final = "'’‘ʼ＇`´′"
_A: Final = f"[{APOSTROPHES}]"
# An underscore may be emphasis (_we_), so it is not taken for a letter here, unlike in \b. `were`, `well` and `wed` are
# candidates only; _is_bare_contraction decides.
_TOKEN: Final = re.compile(
    rf"(?<![^\W_])(?:we(?:{_A}(?:re|ve|ll|d)|re|ve|ll|d)?|ourselves|ours?|us|let{_A}?s)(?![^\W_])",
    re.IGNORECASE,
)
_REACH: Final = 60

_CONJUNCTION: Final = (
    "and|but|so|then|or|plus|cause|because|cuz|coz|bc|since|if|when|while|now|ok|okay|k|yes|yeah|yep|yea|no|nah|"
    "nope|sure|fine|lol|"
    "lmao|haha|hey|yo|oh|ah|well|alright|right|bro|bruh|dude|man|mate|pal|friend|buddy|please|pls|cool|deal|"
    "anyway|maybe|perhaps|"
    "think|know|guess|bet|say|said|hope|suppose|figure|like|til|until|unless|as|instead|first|next|on"
)
_CLAUSE_START: Final = re.compile(rf"(?:^|[.,;:!?…\n\"“(*/—–-]|\b(?:{_CONJUNCTION}))\s*[\"“(*_]*$", re.IGNORECASE)
_BARE_LETS_NO: Final = re.compile(
    r"\s+(?:me|you|him|her|it|them|us|the|an?|my|your|our|his|their|this|that|these|those|people|users?|any\w+|"
    r"every\w+|some\w+|"
    r"players?|one|both|go of|slip|down)\b",
    re.IGNORECASE,
)
_BARE_FOLLOWS: Final = {
    "were": re.compile(
        r"\s+(?:both|all|not|just|still|done|tied|even|equal|level|the|two|on|in|at|stuck|here|rivals|enemies|friends|"
        r"gonna|good|"
        r"basically|literally|really|already|too|about|either|never|only|so|cool|\w{2,}ing)\b",
        re.IGNORECASE,
    ),
    "well": re.compile(
        r"\s+(?:see (?:who|if|how|about|what|whether|which)|be|both|never|always|all|call|split|meet|find|have to|get|"
        r"go|do|make|"
        r"just|settle|share|win|lose|take|start|end|try|keep|agree)\b(?!,)",
        re.IGNORECASE,
    ),
    "wed": re.compile(
        r"\s+(?:both|be|have|all|rather|better|need|like|love|make|never|just|probably|still|get|do)\b", re.IGNORECASE
    ),
}
_TITLE_BEFORE: Final = re.compile(r"\b(?:Among|Last of|This Is|R.?) $")
_TITLE_AFTER: Final = re.compile(
    r" (?:Encrypt|Are [Tt]he (?:World|Champions)|Will Rock|[Rr]adio|FM|Network|TV|Weekly|[Mm]agazine|Charity|"
    r"Day)\b"
)
_STATES_AFTER: Final = re.compile(
    r"\s?(?:\$|[-–]\s?\w|\.?[sa]\.)|\s+(?:[A-Z][a-z]+|dollars?|cents|citizens?|president|government|senate|"
    r"congress|army|navy|military|"
    r"economy|election|law|market|states?|troops|presidents?|elections?|constitution|imports?|exports?|banks?|"
    r"and (?:the )?[A-Z]{2})\b"
)
_STATES_BEFORE: Final = re.compile(r"(?:\bthe|\bin|\bnon|\banti|\bpro|\bU\.?K\.?,?|\bfrom|\d)[\s-]?$", re.IGNORECASE)
_PRONOUN_BEFORE: Final = re.compile(r"\b(?:of|let|between|both|for|with|against|like|than|makes|beat|about) $", re.IGNORECASE)
_UNIT_BEFORE: Final = re.compile(r"\d\s?$")
_LETTERS_BEFORE: Final = re.compile(
    r"\b(?:letters?|initials|stamped?|brand|logo|marked|abbreviation|acronym|company|the|an?) [\"“'(]?$", re.IGNORECASE
)
_LETTERS_AFTER: Final = re.compile(
    r"[\"”')]?\s+(?:is (?:just|short|the|an?|for|western|stamped)|was (?:the|an?|western)|stands|meaning|means|"
    r"radio|network|fm|ltd|inc|"
    r"logo|stamp|charity|fashion|soda|tv|channel)\b",
    re.IGNORECASE,
)
_CAPITALS: Final = re.compile(r"\b[A-Z]{2,}\b")
_LOWERS: Final = re.compile(r"\b[a-z]{2,}\b")


def find_tokens(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end (code points) of every first-person plural of `text`, in order."""
    for match in _TOKEN.finditer(text):
        if "ſ" in match[0]:  # which re takes for an s
            continue
        start, end = match.span()
        before, after = text[max(0, start - _REACH) : start], text[end : end + _REACH]
        if _is_pronoun(match[0], before, after):
            yield start, end


@lru_cache(maxsize=1_000)  # a text that is nothing but "US US US" is read once
def _is_pronoun(form: str, before: str, after: str) -> bool:
    """Tell a pronoun from the look-alikes: part of a compound or address, name of a work, country, unit, initials, a verb."""
    if before[-1:] in {"@", "#", "&", "\\"} or (
        after[:1] in {"-", "@", "="} and after[1:2].isalnum() and not after[1:].startswith(("v", "and"))
    ):
        return False
    if (after[:1] == "." and after[1:2].isalnum() and after[1:2].islower()) or (
        before[-1:] in {"-", "."} and before[-2:-1].isalnum() and form == "us"
    ):
        return False
    low = form.lower()
    if form[0].isupper() and (_TITLE_BEFORE.search(before) or _TITLE_AFTER.match(after)):
        return False
    if form == "US":
        return _is_shouted(before, after) or _is_emphatic(before, after)
    if low == "us" and _UNIT_BEFORE.search(before):
        return False
    if form == "WE" and not _is_shouted(before, after):
        return not (_LETTERS_BEFORE.search(before) or _LETTERS_AFTER.match(after))
    if low == "lets":
        return bool(_CLAUSE_START.search(before)) and not _BARE_LETS_NO.match(after)
    if low in _BARE_FOLLOWS:
        return bool(_CLAUSE_START.search(before)) and bool(_BARE_FOLLOWS[low].match(after))
    return True


def _is_shouted(before: str, after: str) -> bool:
    """Whether the words around a token in capitals are in capitals too, so that its capitals mean nothing."""
    around = before + " " + after
    return len(_CAPITALS.findall(around)) >= max(2, 2 * len(_LOWERS.findall(around))) and not _STATES_AFTER.match(after.title())


def _is_emphatic(before: str, after: str) -> bool:
    """Whether "US" is the pronoun in stressed capitals ("both of US"), not the country."""
    return bool(_PRONOUN_BEFORE.search(before)) and not _STATES_AFTER.match(after) and not _STATES_BEFORE.search(before)

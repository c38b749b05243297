"""A message and its mentions go in; bounded sentences in a normal form that rules can read, and quotation spans, come out.

Every window is bounded, so that the work on a message grows linearly even when it is one endless line.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from typing import Final, NamedTuple

from mitigation.detectors.mentions import APOSTROPHES

REACH: Final = 300
_QUOTE_REACH: Final = 400

_END: Final = re.compile(
    r"(?:(?<![.!?…])[.!?…]++|\s:[)(D])[\"'”’)\]*_]*+(?=\s|$)(?<!\b[A-Z]\.)(?<!\b(?:Mr|Ms|Dr|vs)\.)(?<!i\.e\.)(?<!e\.g\.)|\n+|"
    r"\s/\s(?=[A-Z])"
)
_EMPHASIS: Final = "*_`~#|\0"
_DROPPED: Final = str.maketrans("", "", _EMPHASIS)
_CURLY: Final = re.compile(f"[{APOSTROPHES}]")
_EXPANSIONS: Final = tuple(
    (re.compile(pattern), full)
    for pattern, full in (
        (r"\bcan't\b|\bcannot\b|\bcant\b", "can not"),
        (r"\bwon't\b|\bwont\b", "will not"),
        (r"\bain't\b|\baint\b", "are not"),
        (r"n't\b", " not"),
        (r"\b(do|does|did|is|are|was|were|have|has|would|could|should)nt\b", r"\1 not"),
        (r"'re\b", " are"),
        (r"'ve\b", " have"),
        (r"'ll\b", " will"),
        (r"\b(i|you|he|she|they|it|we)'d\b", r"\1 would"),
        (r"\bi'm\b|\bim\b", "i am"),
        (r"\b(it|that|who|what|here|there|he|she)'s\b", r"\1 is"),
        (r"\blet's\b", "let us"),
        (r"\by'all\b", "you"),
    )
)
_SPELLINGS: Final = {
    **dict.fromkeys(("u", "ya", "ye", "thou", "thee"), "you"),
    **dict.fromkeys(("ur", "thy", "thine"), "your"),
    **{"gonna": "going to", "wanna": "want to", "gotta": "have to"},
}
_SPELLED: Final = re.compile(rf"\b(?:{'|'.join(_SPELLINGS)})\b")
_FORMS: Final = {
    "re": "WE are",
    "ve": "WE have",
    "ll": "WE will",
    "d": "WE would",
}
_SPEAKER: Final = re.compile(r"\s*(?:\w{1,20}:\s*)?(?:\*[^*\n]{1,200}\*\s*)?")
_CLIPPED: Final = r"(?:cause|em|til|tis|twas|round|bout|n)\b"
_QUOTES: Final = re.compile(
    rf"\"[^\"\n]{{1,{_QUOTE_REACH}}}\"|“[^“”\n]{{1,{_QUOTE_REACH}}}”|«[^«»\n]{{1,{_QUOTE_REACH}}}»|"
    rf"`[^`\n]{{1,{_QUOTE_REACH}}}`"
    # A further opening mark ends a quotation that was not closed, so that a text full of them is read in linear time.
    rf"|(?<!\w)['‘](?!{_CLIPPED})(?=\w)(?:(?!\s['‘](?!{_CLIPPED}))[^\n\"“”]){{1,200}}?(?<=[\w.,!?…])['’](?!\w)"
)


class Passage(NamedTuple):
    """One sentence, or a piece of an endless one: code points [start, end) of the message, and the sentences next to it."""

    start: int
    end: int
    before: str
    after: str


def normal(text: str) -> str:
    """Return `text` in lower case with straight apostrophes, contractions written out, single spaces and no emphasis marks."""
    words = " ".join([word for word in map(_plain_word, text.split()) if word])
    before, after = text.lstrip(_EMPHASIS)[:1].isspace(), text.rstrip(_EMPHASIS)[-1:].isspace()
    return f"{' ' * before}{words}{' ' * (after and bool(words))}"


def _plain_word(word: str) -> str:
    """Return the normal form of what stands between two spaces; an endless one is not remembered."""
    return _remembered(word) if len(word) <= _LONGEST_WORD else _in_normal_form(word)


def _in_normal_form(word: str) -> str:
    word = _CURLY.sub("'", word.translate(_DROPPED)).lower()
    for pattern, full in _EXPANSIONS:
        word = pattern.sub(full, word)
    # A word that is only the tail of a contraction ("you 're") is written out with a space before it.
    return _SPELLED.sub(lambda match: _SPELLINGS[match[0]], word).replace("&", "and").strip()


_LONGEST_WORD: Final = 40
_remembered = lru_cache(maxsize=20_000)(_in_normal_form)


def marked(left: str, token: str, right: str) -> str:
    """Return the normal form of a sentence with the mention in capitals, its contraction written out: "WE are here"."""
    low = _CURLY.sub("", token).lower()
    if low.startswith("let"):
        form = "let US"
    elif low.startswith("we") and len(low) > 2:
        form = _FORMS[low[2:]]
    else:
        form = "OUR" if low == "ours" else low.upper()
    return f"{normal(left).lstrip()}{form}{normal(right)}"


def passage_at(text: str, start: int, end: int, floor: int) -> Passage:
    """Return the sentence round the mention [start, end) that begins at `floor` or later."""
    low = max(floor, start - REACH)
    begin = low
    for match in _END.finditer(text, low, start):
        begin = match.end()
    stop = _end_within(text, end, min(len(text), end + REACH))
    if stop is not None:
        close = stop
    elif end + REACH >= len(text):
        close = len(text)
    else:
        space = text.rfind(" ", end, end + REACH)
        close = space + 1 if space >= 0 else end + REACH
    return Passage(begin, close, _sentence_before(text, begin), _sentence_after(text, close))


def _sentence_before(text: str, begin: int) -> str:
    """Return the last sentence that ends at `begin`, at most REACH long."""
    low = max(0, begin - REACH)
    piece = text[low:begin].rstrip()
    cuts = [match.end() for match in _END.finditer(piece) if match.end() < len(piece)]
    return piece[cuts[-1] :] if cuts else piece


def _sentence_after(text: str, close: int) -> str:
    """Return the sentence that begins at `close`, at most REACH long."""
    high = min(len(text), close + REACH)
    return text[close : _end_within(text, close, high) or high]


def _end_within(text: str, begin: int, limit: int) -> int | None:
    """Return where the first sentence ends between `begin` and `limit`; the limit itself is no end of a text ("3.14")."""
    for match in _END.finditer(text, begin, limit):
        if match.end() < limit or limit == len(text) or text[limit].isspace() or match[0].endswith("\n"):
            return match.end()
    return None


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return the spans of the sentences of a text, in order and without the white space round them; at least one."""
    spans, begin = [], 0
    for end in [*(match.end() for match in _END.finditer(text)), len(text)]:
        piece = text[begin:end]
        if piece.strip():
            left = begin + len(piece) - len(piece.lstrip())
            spans.append((left, begin + len(piece.rstrip())))
            begin = end
    return spans or [(0, len(text))]


@lru_cache(maxsize=2)  # mentions and labels of a message ask one after the other
def quoted_spans(text: str) -> list[tuple[int, int]]:
    """Return the spans inside quotation marks or backticks, in order; none if the quotation is the whole message.

    A small model often puts its whole reply in quotation marks, sometimes after a name or a stage direction: that is its
    own speech.
    """
    spans = [match.span() for match in _QUOTES.finditer(text)]
    if len(spans) == 1:
        opening = _SPEAKER.match(text)
        first, last = spans[0]
        if opening is not None and opening.end() == first and not text[last:].strip() and text[first] != "`":
            return []
    return spans


def is_inside(position: int, spans: list[tuple[int, int]]) -> bool:
    """Whether `position` lies in one of the ordered `spans`."""
    index = bisect_right(spans, (position, len(spans) and spans[-1][1] + 1)) - 1
    return index >= 0 and spans[index][0] < position < spans[index][1]

"""Numbers and codes in, the words that figures and reports print out: the one place where a p value or a ratio gets its form."""

from __future__ import annotations

from typing import Final, NamedTuple

from mitigation.types import Correction

NOT_ESTIMABLE: Final = "not estimable"
NONE: Final = "–"
MINUS: Final = "−"


class Verdict(NamedTuple):
    """How a verdict is shown: two or three words, a sign that works without colour, and what it means."""

    title: str
    sign: str
    tone: str
    meaning: str


VERDICTS: Final[dict[str, Verdict]] = {
    "supported": Verdict("Supported", "✓", "good", "The effect has the expected direction and is significant after correction."),
    "no_evidence": Verdict(
        "No such effect", "○", "calm", "The interval excludes the smallest expected effect that would matter."
    ),
    "underpowered": Verdict("Undecided", "?", "open", "The data neither show an effect nor exclude one that matters."),
    "explained": Verdict(
        "Explained otherwise", "≈", "warn", "The effect is gone against placebo, or once length or refusals count."
    ),
    "lexical_only": Verdict("Words only", "≈", "warn", "Mentions fall; substitutes, shared identity and cooperation do not."),
    "harm": Verdict("Harm", "!", "bad", "It goes against the expected direction, or a side effect passed its margin."),
    "not_estimable": Verdict("Not estimable", "∅", "open", "These data cannot answer the question."),
    "interim": Verdict("Interim", "…", "open", "The study is unfinished: it says nothing of significance yet."),
}

_STEMS: Final[dict[str, str]] = {
    "ingroup": "in-group “we”",
    "ingroup_strict": "in-group “we”, strict",
    "social": "social “we”",
    "we": "“we”",
    "substitute": "a substitute for “we”",
    "shared_ai_identity": "shared AI identity",
    "on_task": "neither refusal nor drift",
}
# Outcomes whose mentions are counted; the others are only known by message.
_COUNTED: Final = frozenset({"ingroup", "ingroup_strict", "social", "we"})


def verdict(code: str) -> Verdict:
    """Return how a verdict is shown; an unknown code is shown as it is."""
    return VERDICTS.get(code) or Verdict(code.replace("_", " ").capitalize() or NONE, "·", "open", "")


def adjusted_head(correction: Correction, looks: int) -> str:
    """Return the heading of the adjusted p values: 'p (Holm)', 'p (max-T)', 'p (Holm, 5 looks)'."""
    name = {"holm": "Holm", "max_t": "max-T"}[correction]
    return f"p ({name}, {looks} looks)" if looks > 1 else f"p ({name})"


def outcome(code: str, per: str = "messages") -> str:
    """Return the name of an outcome for readers: 'Messages with in-group “we”', 'Battles with …', '… per 100 words'."""
    kind, name = code.rpartition("_")[2], noun(code)
    if kind not in ("rate", "any"):
        return code.replace("_", " ").capitalize()
    if unit(code, per) == "words":
        return f"{name[0].upper()}{name[1:]} per 100 words"
    return f"{'Messages' if kind == 'rate' else 'Battles'} with {name}"


def noun(code: str) -> str:
    """Return what an outcome counts: 'in-group “we”'."""
    stem = code.rpartition("_")[0]
    return _STEMS.get(stem) or stem.replace("_", " ") or code


def unit(code: str, per: str) -> str:
    """Return what an outcome's rates are shares of: messages, or words where the plan counts words and mentions were counted."""
    stem, _, kind = code.rpartition("_")
    return "words" if per == "words" and kind == "rate" and stem in _COUNTED else "messages"


def decimal(value: float | None, digits: int = 2) -> str:
    """Return a number with a true minus sign; a value that rounds to zero loses its sign."""
    if value is None:
        return NONE
    shown = f"{abs(value):.{digits}f}"
    return f"{MINUS}{shown}" if value < 0 and shown.strip("0.") else shown


def p_value(value: float | None) -> str:
    """Return a p value in APA form, with its sign: '= .031', '< .001', '> .999'."""
    if value is None:
        return NONE
    if value < 0.001:
        return "< .001"
    return "> .999" if value > 0.999 and value < 1 else "= 1" if value >= 1 else f"= {value:.3f}".replace("0.", ".", 1)


def p_cell(value: float | None) -> str:
    """Return a p value for a table cell, without the equals sign."""
    return p_value(value).removeprefix("= ")


def rate(value: float | None, per: str = "messages") -> str:
    """Return a battle rate: a percentage of messages, or mentions per 100 words."""
    if value is None:
        return NONE
    return f"{100 * value:.1f}%" if per == "messages" else f"{100 * value:.2f} per 100 words"


def ratio(value: float | None) -> str:
    """Return a rate ratio, or 'not estimable'; a ratio that would print as 0.00 or as hundreds keeps a readable form."""
    if value is None:
        return NOT_ESTIMABLE
    if value == 0:
        return "0"
    return "< 0.01" if value < 0.005 else f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def interval(low: float | None, high: float | None) -> str:
    """Return '[0.31, 0.87]', 'at most 0.87', 'at least 0.31', 'no bound' or 'not estimable'."""
    if low is None and high is None:
        return NOT_ESTIMABLE
    if low is None or (low == 0 and high is not None):
        return f"at most {ratio(high)}"
    if low == 0:
        return "no bound"
    return f"at least {ratio(low)}" if high is None else f"[{ratio(low)}, {ratio(high)}]"


def with_interval(value: str, ends: str) -> str:
    """Return '0.46 [0.21, 0.84]', '1.35, at least 0.93', 'at most 0.87' or 'not estimable'."""
    if ends == NOT_ESTIMABLE:
        return value
    if value in (NOT_ESTIMABLE, NONE):
        return ends
    return f"{value} {ends}" if ends.startswith("[") else f"{value}, {ends}"


def points(value: float | None) -> str:
    """Return a risk difference in percentage points, with its sign."""
    if value is None:
        return NONE
    shown = decimal(100 * value, 1)
    return f"+{shown}" if value > 0 and shown != "0.0" else shown


def points_interval(low: float | None, high: float | None) -> str:
    """Return the interval of a risk difference in percentage points; its natural ends are ±100."""
    if low is None and high is None:
        return NOT_ESTIMABLE
    return f"[{points(-1.0 if low is None else low)}, {points(1.0 if high is None else high)}]"


def whole(value: int | None) -> str:
    """Return a count with thousands separators."""
    return NONE if value is None else f"{value:,}"


def counted(value: int | None, noun: str) -> str:
    """Return '1 battle', '3 battles', '– battles'."""
    return f"{whole(value)} {noun}{'' if value == 1 else 's'}"


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Return 'a', 'a and b' or 'a, b and c'."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)

"""Strings that a pattern cannot do without: right for every rule on every labelled message, and for patterns of all shapes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitigation.detectors import lexical
from mitigation.detectors.literals import holds, needles
from mitigation.detectors.passages import normal
from mitigation.detectors.rules import MENTIONS
from tests.messages import first, written

RULES = lexical._FIRST + lexical._THEN


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("abc", ("abc",)),
        (r"\bin the end\b", ("in the end",)),
        ("(?:cat|dog) food", (" food",)),
        ("(?:cats|horse)s? ?", ("cats", "horse")),
        ("(?:cat|dog)?", ()),
        ("(?:cat|.)", ()),
        ("(?:long word)*xy", ("xy",)),
        ("(?:long word)+xy", ("long word",)),
        (r"(?<!x)\w+ and I", (" and I",)),
        ("(?i)abc", ()),
        ("a", ()),
        ("[ab]c", ()),
        ("", ()),
    ],
)
def test_what_a_pattern_cannot_do_without(pattern: str, expected: tuple[str, ...]) -> None:
    assert needles(re.compile(pattern)) == expected


def test_strings_that_are_everywhere_are_not_looked_for() -> None:
    assert needles(re.compile("(?:WE|US) will"), frozenset(MENTIONS)) == (" will",)
    assert needles(re.compile("(?:WE|US)"), frozenset(MENTIONS)) == ()


def test_no_rule_matches_a_labelled_message_without_one_of_its_strings() -> None:
    texts = {message.text for message in (*first(), *written())}
    views = [re.sub(r"\b(we|us|our|ourselves)\b", lambda m: m[0].upper(), normal(text)) for text in texts]
    tried = 0
    for rule in RULES:
        for view in views:
            if rule.needles and rule.pattern.search(view):
                tried += 1
                assert holds(view, rule.needles), (rule.name, view)
    assert tried > 100


PIECES = st.sampled_from(
    ["ab", "cde", " f", "(?:gh|ij)", "(?:kl)?", "(?:mn)+", "[op]", r"\b", "(?:qr|st ab)", ".", "(?!z)", "u{2}"]
)


@given(st.lists(PIECES, min_size=1, max_size=5), st.text("abcdefghijklmnopqrstu ", max_size=30))
def test_whatever_matches_holds_one_of_the_strings(pieces: list[str], text: str) -> None:
    pattern = re.compile("".join(pieces))
    found = needles(pattern)
    if found and pattern.search(text):
        assert holds(text, found)

"""The sieve passes whatever Python's patterns match: for every rule on every labelled message, and for patterns of all shapes."""

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from mitigation.detectors import cues, lexical, sieve
from mitigation.detectors.passages import normal
from mitigation.detectors.sieve import Sieve, Tally, alternatives, loosened
from mitigation.detectors.turn_bearing import BEARING
from mitigation.detectors.turn_course import COURSE
from mitigation.detectors.turn_identity import IDENTITY
from tests.messages import first, written

CASCADE = [line.pattern for line in lexical._FIRST + lexical._THEN]
TURNS = [pattern for line in IDENTITY + COURSE + BEARING for pattern in line.patterns]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("abc", "abc"),
        ("(?:a|b) c", "(?:a|b) c"),
        ("a(?! b)c", "ac"),
        ("(?<!x(?:y|[)]))a(?=b|(?:c))d", "ad"),
        (r"\((?!a\))b", r"\(b"),
        ("a++b*+c?+d{2}+", "a+b*c?d{2}"),
        ("(?>ab)c", "(?:ab)c"),
        ("[(]a(?![)])", "[(]a"),
        (r"[^]\]](?=x)", r"[^]\]]"),
        ("a+", "a+"),
        ("a{,2}b{3}", "a{0,2}b{3}"),
        ("ab$", r"ab(?:\n?$)"),
        (r"\+\+", r"\+\+"),
    ],
)
def test_lookarounds_and_possessive_repeats_are_taken_out(pattern: str, expected: str) -> None:
    assert loosened(pattern) == expected


@pytest.mark.parametrize("patterns", [CASCADE, TURNS], ids=["mentions", "messages"])
def test_the_sieve_passes_every_rule_that_matches_a_labelled_message(patterns: list[re.Pattern[str]]) -> None:
    texts = {message.text for message in (*first(), *written())}
    plain = [normal(text) for text in texts]
    views = [*plain, *(re.sub(r"\b(we|us|our|ourselves)\b", lambda m: m[0].upper(), text) for text in plain)]
    tried = Sieve(patterns)
    passed = matched = 0
    for view in views:
        candidates = tried.candidates(view)
        hits = {place for place, pattern in enumerate(patterns) if pattern.search(view)}
        assert hits <= set(candidates), (view, [patterns[place].pattern for place in hits - set(candidates)])
        assert candidates == sorted(set(candidates))
        passed, matched = passed + len(candidates), matched + len(hits)
    assert matched > 1_000
    assert passed < len(views) * len(patterns) / 10, "a sieve that passes everything is none"


PIECES = st.sampled_from(
    [
        "ab",
        "cde",
        " f",
        "(?:gh|ij)",
        "(?:kl)?",
        "(?:mn)+",
        "[op]",
        r"\b",
        "(?:qr|st ab)",
        ".",
        "(?!z)",
        "u{2}",
        r"\w+",
        r"\W",
        r"(?<!a)",
        r"(?=b|c)",
        r"[^.!?]{0,5}",
        r"\d",
        r"\S",
        "^",
        "$",
        "(?>ab|a)",
        "c++",
        r"[\w'-]+ ",
    ]
)
TEXTS = st.text("\nabcdefghijklmnopqrstu .!'éßжя٣²💥\ud800", max_size=30)


@given(st.lists(PIECES, min_size=1, max_size=5), TEXTS)
def test_whatever_matches_passes(pieces: list[str], text: str) -> None:
    pattern = re.compile("".join(pieces))
    if pattern.search(text):
        assert Sieve([pattern]).candidates(text) == [0]


@given(TEXTS, st.lists(st.sampled_from(["great", "your king", "let us talk", "?", "die", "é", " "]), max_size=12))
def test_a_tally_counts_what_findall_finds(noise: str, words: list[str]) -> None:
    text = " ".join([noise, *words, noise])
    for tally in (cues.RIVALRY, cues.COMPANY):
        assert tally.count(text) == len(re.findall(tally._pattern.pattern, text))


def test_a_tally_of_labelled_messages_is_what_findall_finds() -> None:
    total = 0
    for message in (*first(), *written()):
        text = normal(message.text)
        for tally in (cues.RIVALRY, cues.COMPANY):
            count = tally.count(text)
            assert count == len(re.findall(tally._pattern.pattern, text)), text
            total += count
    assert total > 1_000


def test_a_tally_takes_no_pattern_that_it_would_read_otherwise() -> None:
    with pytest.raises(re2.error):
        Tally("a(?!b)")


def test_an_automaton_whose_memory_is_full_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " / ".join(normal(message.text) for message in written())
    expected = Sieve(TURNS).candidates(text)
    monkeypatch.setattr(sieve, "_MEMORY", 12 << 20)  # less than the states that this text calls for
    assert Sieve(TURNS).candidates(text) == expected
    assert len(expected) > 100


@pytest.mark.parametrize("pattern", ["é", "[à-ü]", "[^x]b", "[^0-9]b", "٣"])
def test_what_re2_would_read_as_less_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="foreign letter"):
        loosened(pattern)


def test_alternatives_are_cut_outside_of_brackets_only() -> None:
    assert alternatives(r"a|b(?:c|d)|[|]e|\|f|(g|[)|]h)") == ["a", "b(?:c|d)", "[|]e", r"\|f", "(g|[)|]h)"]
    assert alternatives("a") == ["a"]
    for line in IDENTITY + COURSE + BEARING:
        assert len(line.patterns) >= 1

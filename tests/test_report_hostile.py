"""Whatever a model, a name or an error says is shown as text: it makes no element, no attribute, no formula and no link."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, settings
from hypothesis import given as given_that
from hypothesis import strategies as st

from mitigation.adherence import Adherence
from mitigation.common_test import TOGETHER_COLUMNS
from mitigation.comparison import AGAINST_COLUMNS, Comparison
from mitigation.cooperation import ARM_COLUMNS, Conduct
from mitigation.moves import MoveTables
from mitigation.reporting import ComparedInput, ReportInput, write_comparison, write_report
from mitigation.reporting.compared import compared_document
from mitigation.reporting.document import document
from mitigation.reporting.html import html
from mitigation.reporting.tables import cell, csv_bytes, escape
from mitigation.reporting.visible import flat, pieces
from mitigation.types import Detection, Mention, Turn
from tests.report_cases import HOSTILE, HOSTILE_SHARED, altered, contrast, fight, study, transcript


class Shape(HTMLParser):
    """Counts the elements and the attribute names of a page, and gathers its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: Counter[tuple[str, str]] = Counter()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes.update((tag, name) for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def everywhere(text: str) -> ReportInput:
    """Return a study with one text in every place that somebody else writes."""
    battles = [transcript(arm, 0, [f"a we b {text}", text], error=text, pairing=text) for arm in ("control", "placebo")]
    given = study(battles, [contrast("placebo", reasons=[text], test=text), contrast(text)])
    mention = Mention(label="ingroup", tier="dyadic", start=2, end=4, text="we", reason=text)
    seen = {battle.battle_id: (Detection(index=1, mentions=(mention,), labels={text: True}),) for battle in battles}
    battles = [replace(battle, check=(Turn(index=9, agent=text, text=text),)) for battle in battles]
    moves = pd.DataFrame({"battle_id": [battles[0].battle_id], "index": [1], "state": ["illegal"], "move": [text]})
    played = pd.DataFrame(columns=["game", "battle_id", "cooperation"]).astype({"cooperation": "Float64"})
    arms = pd.DataFrame(columns=list(ARM_COLUMNS))
    told = {"bank": [text], "seats": "same", "role": "treatment"}
    cell = {
        "identity": {"name": text} | told, "scenario": {"name": text, "openers": [text]}, "replicates": 1, "messages": 2,
        "pairing": {"name": text, "first": {"name": text}, "second": {"name": text}},
    }  # fmt: skip
    changed = study(
        battles, detections=seen, identities={"control": (), text: (text,)}, provenance={text: text}, detector=text,
        question=text,
        definitions=(cell,), cost=text, citation=text, adherence=Adherence(locked_at=text, sha256=text, deviations=(text,)),
        conduct=Conduct(tables=MoveTables(moves=moves, battles=played, games=(text,), notes=(text,)), arms=arms),
    )  # fmt: skip
    return altered(changed, contrasts=given.analysis.contrasts, notes=(text,), study=text)


def shape(text: str) -> Shape:
    return Shape(html(document(everywhere(text), ())))


def compared(text: str) -> ComparedInput:
    """Return two studies beside each other with one text in every place that somebody else writes."""
    one = everywhere(text)
    scored = one.analysis.battles.assign(scored=True)
    inputs = tuple(altered(one, study=f"{place}{text}", battles=scored) for place in "ab")
    words = dict.fromkeys(("treatment", "study", "against", "note"), text)
    across = [words | dict.fromkeys((*AGAINST_COLUMNS[3:6], *TOGETHER_COLUMNS[1:11]), 0.5)]
    comparison = Comparison(
        analyses={one.analysis.study: one.analysis for one in inputs},
        contrasts=pd.concat([one.analysis.contrasts for one in inputs]),
        against=pd.DataFrame(across, columns=list(AGAINST_COLUMNS), dtype=object),
        together=pd.DataFrame(across, columns=list(TOGETHER_COLUMNS), dtype=object),
        differences=pd.DataFrame({"study": [text], "differs": [text]}),
    )
    return ComparedInput(comparison=comparison, inputs=inputs, provenance={text: text}, citation=text)


def compared_shape(text: str) -> Shape:
    return Shape(html(compared_document(compared(text), ())))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("made", [shape, compared_shape])
def test_hostile_text_makes_no_element_and_no_attribute(made: Callable[[str], Shape], text: str) -> None:
    plain, hostile = made("plain words"), made(text)
    shown = {"span"}  # marks of hidden characters
    assert {k: v for k, v in hostile.elements.items() if k not in shown} == {
        k: v for k, v in plain.elements.items() if k not in shown
    }
    assert hostile.attributes.keys() - {("span", "title")} == plain.attributes.keys() - {("span", "title")}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_in_full(text: str) -> None:
    for made in (shape, compared_shape):
        assert "".join(flat(text).split()) in "".join(made(text).text.split())


@settings(max_examples=40, deadline=None)
@given_that(st.text(st.characters(), max_size=60))
def test_any_text_keeps_the_shape_of_the_page(text: str) -> None:
    hostile = shape(text or "x")
    assert hostile.elements["script"] == 1
    assert hostile.elements["img"] == 0
    assert {name for _, name in hostile.attributes} == {name for _, name in shape("plain \x00").attributes}


@given_that(st.text(st.characters()))
def test_pieces_hold_no_hidden_character_and_lose_no_visible_one(text: str) -> None:
    found = pieces(text)
    shown = "".join(piece.text for piece in found)
    hidden = {c for c in shown if not c.isprintable() and c not in "\n\t" and unicodedata.category(c) != "Zs"}
    assert hidden <= {"\u200c", "\u200d"}
    assert "".join(c for c in text if c.isprintable()) == "".join(
        c for piece in found if piece.kind != "code" for c in piece.text if c.isprintable()
    )
    flat(text).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("a\u202eb", "a\\u202eb"),
        ("\ud83d", "\\ud83d"),
        ("a\r\nb", "a\\x0d\nb"),
        ("\U000e0041", "\\U000e0041"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("a\u200db", "a\\u200db"),
        ("line\u2028end", "line\\u2028end"),
    ],
)
def test_hidden_characters_become_visible_codes(text: str, shown: str) -> None:
    assert flat(text) == shown


def test_word_of_two_alphabets_is_marked() -> None:
    assert [(piece.text, piece.kind) for piece in pieces("so w\u0435 say \u043c\u044b")] == [
        ("so ", "plain"),
        ("w\u0435", "mixed"),
        (" say \u043c\u044b", "plain"),
    ]


def test_long_odd_text_takes_linear_time() -> None:
    assert len(pieces("\u03b1" * 200_000)) == 1
    assert len(pieces("\u200b" * 20_000)) == 20_000


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\u200b=", " =", "\ufeff@", "\n=", "\uff1d", "\u00a0+"])
def test_cell_that_a_spreadsheet_would_run_is_text(start: str) -> None:
    assert str(cell(f"{start}1+1")).startswith("'")


@pytest.mark.parametrize("value", ["we", "a=1", "", "’s", "(=1)"])
def test_harmless_cell_is_left_alone(value: str) -> None:
    assert cell(value) == value


def test_numbers_stay_numbers_and_columns_are_safe() -> None:
    frame = pd.DataFrame({"n": [-1.5, 2.0], "mixed": [-3, "-x"], "=bad": ["ok", None], "list": [["=a"], []]})
    read = list(csv.reader(io.StringIO(csv_bytes(frame).decode())))
    assert read == [["n", "mixed", "'=bad", "list"], ["-1.5", "-3", "ok", "'=a"], ["2.0", "'-x", "", ""]]


@example(["\r@", "a\r\n=b"])
@given_that(st.lists(st.text(st.characters()), min_size=1, max_size=5))
def test_no_csv_cell_begins_a_formula(texts: list[str]) -> None:
    written = csv_bytes(pd.DataFrame({"text": texts})).decode("utf-8")
    for line in csv.reader(io.StringIO(written, newline="")):
        assert not line or not line[0].lstrip("\u200b\ufeff \xa0").startswith(("=", "+", "-", "@", "\t"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_in_markdown(text: str) -> None:
    made = escape(text)
    assert "\n" not in made
    for live in ("<", "[", "](", "![", "`", "|", "http://"):
        at = made.find(live)
        assert at < 0 or made[at - 1] == "\\"


@pytest.mark.parametrize("text", HOSTILE_SHARED)
def test_whole_report_of_hostile_text_is_written(text: str, tmp_path: Path) -> None:
    write_report(everywhere(text), tmp_path / "demo")
    write_comparison(compared(text), tmp_path / "both")
    for path in tmp_path.rglob("*.*"):
        if path.suffix not in (".png", ".pdf"):
            path.read_text("utf-8")


def test_hostile_arm_names_reach_no_markup_through_the_figures(tmp_path: Path) -> None:
    names = ["control", *HOSTILE]
    given = study(fight(names, 2), [contrast(name) for name in HOSTILE])
    made = Shape(write_report(given, tmp_path / "demo").read_text("utf-8"))
    assert made.elements["script"] == 1
    assert made.elements["img"] == 0
    assert not {name for _, name in made.attributes if name.startswith("on")}

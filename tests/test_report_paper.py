"""The report for a paper: PDF, LaTeX and JSON show the numbers of the page, and run nothing that a model wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given as given_that
from hypothesis import strategies as st

from mitigation.descriptions import Section
from mitigation.figures import wording
from mitigation.reporting import sentences, write_report
from mitigation.reporting.document import document
from mitigation.reporting.drawings import drawings
from mitigation.reporting.latex import _SPECIAL, escape, latex
from mitigation.reporting.pdf import _data, pdf
from mitigation.reporting.printed import printed
from mitigation.reporting.visible import flat
from tests.report_cases import HOSTILE, HOSTILE_SHARED, study
from tests.test_report_hostile import everywhere

TYPST = ('#panic("owned")', '#read("/etc/passwd")', "$ sum $ *bold* _it_ @label <tag> // no", '#import "@preview/x:1.0.0"')


def test_the_pdf_is_the_same_bytes_every_time_and_holds_its_figures() -> None:
    given = study()
    told = document(given, drawings(given))
    made = pdf(told)
    assert made.startswith(b"%PDF-")
    assert pdf(told) == made
    assert len(made) > len(pdf(document(given, ()))) + 10_000
    assert b"CreationDate" not in made


def test_the_pdf_says_what_the_page_says() -> None:
    given = study()
    told = _data(document(given, drawings(given)))
    assert told["answer"] == sentences.answer(given)
    assert told["cards"][0]["effect"].endswith("a rate ratio of 0.46, 95% CI [0.21, 0.84].")
    assert told["apa"] == sentences.apa_all(given)
    assert [drawing["name"] for drawing in told["figures"]] == ["rates", "forest", "trajectory", "onset", "tree", "power"]
    assert [part["title"] for part in (*told["before"], *told["after"])][:3] == [*Section][:3]


@pytest.mark.parametrize("text", [*HOSTILE_SHARED, *TYPST])
def test_hostile_text_is_printed_and_not_run(text: str) -> None:
    assert pdf(document(everywhere(text), ())).startswith(b"%PDF-")


def test_every_small_table_is_also_latex_and_json(tmp_path: Path) -> None:
    given = study()
    write_report(given, tmp_path / "demo")
    tables = tmp_path / "demo" / "tables"
    names = {table.name for table in printed(given)}
    assert names == {path.stem for path in tables.glob("*.tex")} >= {"contrasts", "arms", "missingness", "flags"}
    rows = json.loads((tables / "contrasts.json").read_bytes(), parse_constant=pytest.fail)
    assert rows[0]["rate_ratio"] == 0.4615
    assert rows[1]["rate_ratio"] is None
    assert not (tables / "messages.json").exists()


def test_a_latex_table_has_rules_of_booktabs_and_the_cells_of_the_page() -> None:
    given = study()
    table = next(table for table in printed(given) if table.name == "contrasts")
    made = latex(table, study="demo_1", simulated=True)
    lines = made.splitlines()
    assert [line for line in lines if line.startswith("\\") and "rule" in line] == ["\\toprule", "\\midrule", "\\bottomrule"]
    assert r"\begin{tabular}{lrrrrrrrr}" in lines
    assert r"SIMULATED data. Treatments against control. Always treatment" in made
    assert r"Study demo\_1." in made
    first = lines[lines.index("\\midrule") + 1]
    assert first.startswith(
        r"unique\_disassociative & Messages with in-group ``we'' & 10 v 10 & 52.0\% & 24.0\% & 0.46 [0.21, 0.84] &"
    )
    assert first.count(" & ") == 8
    assert wording.p_cell(0.0124) in first


@given_that(st.text(max_size=60) | st.sampled_from([*HOSTILE, r"\input{/etc/passwd} \write18{ls} a_b & 5% $x$ #1 {} ~ ^"]))
def test_latex_prints_every_text_and_runs_none(text: str) -> None:
    made = escape(text)
    assert "\n" not in made
    plain = re.sub(r"\\texttt\{U\+[0-9A-F]+\}", "", made)
    for command in sorted(set(_SPECIAL.values()), key=len, reverse=True):
        plain = plain.replace(command, "")
    assert not set(plain) & set("\\{}&%$#_~^")
    assert all(sign.isascii() or sign.isalpha() for sign in plain)
    back = {code: sign for sign, code in _SPECIAL.items() if len(code) > 2}
    if all(sign.isascii() and sign not in "'`-" for sign in flat(text)):
        for code in sorted(back, key=len, reverse=True):
            made = made.replace(code, back[code] if back[code].isascii() else code)
        made = re.sub(r"\\([{}&%$#_])", r"\1", made)
        assert made.replace("\\", "") == " ".join(flat(text).split()).replace("\\", "")

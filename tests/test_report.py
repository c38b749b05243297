"""A report is complete, says the same in every format, is the same bytes every time, and replaces the old one as a whole."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mitigation.analysis import analyse, analyse_battles
from mitigation.errors import StoreError
from mitigation.reporting import ReportInput, folder, write_report
from mitigation.types import AnalysisPlan
from tests.report_cases import (
    ARMS,
    CONTRASTS,
    NO_RATIO,
    ROLES,
    altered,
    battle_frame,
    contrast,
    detect,
    fight,
    study,
    transcript,
)

GOLDEN = Path(__file__).parent / "golden" / "report.md"
FIGURES = ("rates", "forest", "trajectory", "onset", "tree", "power")
PRINTED = ("design", "contrasts", "arms", "missingness", "flags", "cost")
EVERYTHING = {
    "report.html",
    "report.md",
    "report.pdf",
    "verdict.json",
    *(f"tables/{name}.csv" for name in (*PRINTED, "battles", "messages", "mentions")),
    *(f"tables/{name}.{form}" for name in PRINTED for form in ("tex", "json")),
    *(f"tables/figure_{name}.csv" for name in FIGURES),
    *(f"figures/{name}.{form}" for name in FIGURES for form in ("svg", "png")),
}


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def page(given: ReportInput, root: Path) -> str:
    return write_report(given, root / "report").read_text("utf-8")


def test_report_holds_every_file(tmp_path: Path) -> None:
    assert write_report(study(), tmp_path / "demo") == tmp_path / "demo" / "report.html"
    assert set(contents(tmp_path / "demo")) == EVERYTHING


def test_same_input_gives_the_same_bytes_anywhere(tmp_path: Path) -> None:
    write_report(study(), tmp_path / "a" / "demo")
    write_report(study(), tmp_path / "b" / "demo")
    write_report(study(), tmp_path / "b" / "demo")
    assert contents(tmp_path / "a" / "demo") == contents(tmp_path / "b" / "demo")
    assert not any(str(tmp_path).encode() in content for content in contents(tmp_path / "a").values())


def test_markdown_is_as_it_was(tmp_path: Path) -> None:
    write_report(study(embedded=True), tmp_path / "demo")
    made = (tmp_path / "demo" / "report.md").read_text("utf-8")
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(made, "utf-8")
    assert made == GOLDEN.read_text("utf-8")


def test_question_stands_first_and_the_verdict_before_the_figures(tmp_path: Path) -> None:
    html = page(study(), tmp_path)
    order = ["<h1>", *(f'id="{name}"' for name in ("verdict", "design", "figures", "contrasts", "missing", "detector", "cost"))]
    order += [f'id="{name}"' for name in ("reproduce", "methods", "identities", "transcripts")]
    places = [html.index(part) for part in order]
    assert places == sorted(places)


def test_page_and_markdown_say_the_same_numbers(tmp_path: Path) -> None:
    html = page(study(), tmp_path)
    markdown = (tmp_path / "report" / "report.md").read_text("utf-8").replace("\\", "")
    for words in ("24.0% of a battle’s messages", "0.46 [0.21, 0.84]", "1.35, at least 0.93", "−30.0 [−60.0, +8.0]", ".121"):
        assert words in html
        assert words in markdown


def test_ids_in_the_page_are_unique(tmp_path: Path) -> None:
    found = re.findall(r'\sid="([^"]*)"', page(study(), tmp_path))
    assert len(found) == len(set(found))


def test_page_has_no_style_attribute_and_no_address_but_relative_ones(tmp_path: Path) -> None:
    html = page(study(), tmp_path)
    assert not re.search(r"<[^>]*\sstyle=", html)
    assert not re.search(r"<[^>]*\ssrc=", html)
    assert set(re.findall(r'href="([a-z]+:|//)', html)) == set()


@pytest.mark.parametrize(
    "file", ["report.html", "report.md", "verdict.json", "tables/contrasts.csv", "figures/rates.svg", "figures/forest.svg"]
)
def test_simulated_study_says_so_in_every_output(file: str, tmp_path: Path) -> None:
    write_report(study(simulated=True), tmp_path / "demo")
    assert "simulated" in (tmp_path / "demo" / file).read_text("utf-8").casefold()


def test_simulated_is_in_title_and_banner_and_json(tmp_path: Path) -> None:
    html = page(study(simulated=True), tmp_path)
    assert "<title>SIMULATED: demo" in html
    assert '<p class="banner simulated">SIMULATED' in html
    assert json.loads((tmp_path / "report" / "verdict.json").read_text())["simulated"] is True
    contrasts = pd.read_csv(tmp_path / "report" / "tables" / "contrasts.csv")
    assert contrasts["simulated"].all()
    assert "simulated" not in page(study(), tmp_path).casefold().split("<main>")[0].split("</style>")[1]


def test_limits_are_banners(tmp_path: Path) -> None:
    battles = [
        replace(battle, agents=tuple(replace(agent, temperature=0.0) for agent in battle.agents))
        for battle in fight(replicates=2)
    ]
    pending = transcript("control", 9, [], status="pending", ending=None)
    html = page(study([*battles, pending], embedded=True), tmp_path)
    assert "a null here is a floor, not a finding." in html
    assert "INTERIM: 1 of 9 planned battles is pending" in html
    assert "Temperature 0" in html
    assert 'class="banners"' not in page(study(), tmp_path)


def test_unfinished_study_shows_no_p_and_no_verdict(tmp_path: Path) -> None:
    html = page(study([*fight(), transcript("control", 10, [], status="pending", ending=None)]), tmp_path)
    assert "Interim" in html
    assert "Supported" not in html
    assert "<dt>p</dt>" not in html
    assert ".012" not in re.sub(r"<svg.*?</svg>", "", html.split("</style>")[1], flags=re.DOTALL)


def test_verdict_json_is_strict(tmp_path: Path) -> None:
    row = contrast(rate_ratio=math.nan, ratio_low=np.float64("inf"), ratio_high=-math.inf, n_control=np.int64(3), reasons=("a",))
    write_report(study(contrasts=[row]), tmp_path / "demo")

    def refuse(word: str) -> None:
        raise AssertionError(word)

    made = json.loads((tmp_path / "demo" / "verdict.json").read_bytes(), parse_constant=refuse)
    found = made["contrasts"][0]
    assert (found["rate_ratio"], found["ratio_low"], found["ratio_high"], found["n_control"]) == (None, None, None, 3)
    assert found["reasons"] == ["a"]


def test_tables_can_be_read_back(tmp_path: Path) -> None:
    given = study()
    write_report(given, tmp_path / "demo")
    tables = tmp_path / "demo" / "tables"
    assert len(pd.read_csv(tables / "battles.csv")) == 40
    assert given.messages is not None
    assert pd.read_csv(tables / "messages.csv")["words"].tolist() == given.messages["words"].tolist()
    mentions = pd.read_csv(tables / "mentions.csv")
    assert set(mentions["text"]) == {"we"}
    assert len(mentions) == given.messages["ingroup"].sum()
    assert pd.read_csv(tables / "contrasts.csv")["rate_ratio"].iloc[0] == pytest.approx(0.4615)


def test_interrupted_rendering_keeps_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_report(study(), tmp_path / "demo")
    before = contents(tmp_path)
    write, written = folder._write, []

    def interrupted(path: Path, content: bytes) -> None:
        if len(written) == 5:
            raise KeyboardInterrupt
        written.append(path)
        write(path, content)

    monkeypatch.setattr(folder, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_report(study(simulated=True), tmp_path / "demo")
    assert contents(tmp_path) == before


def test_failed_swap_puts_the_old_report_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_report(study(), tmp_path / "demo")
    before, rename = contents(tmp_path), Path.rename

    def full(self: Path, target: Path) -> Path:
        if self.name.endswith(".new"):
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(StoreError, match="No space left on device"):
        write_report(study(simulated=True), tmp_path / "demo")
    monkeypatch.undo()
    assert contents(tmp_path) == before


def test_new_report_leaves_nothing_of_the_old(tmp_path: Path) -> None:
    write_report(study(), tmp_path / "demo")
    write_report(study(transcripts=(), messages=None), tmp_path / "demo")
    assert set(contents(tmp_path)) == {
        f"demo/{name}"
        for name in EVERYTHING
        if not any(part in name for part in ("trajectory", "onset", "tree", "mentions", "messages", "flags", "cost"))
    }


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file/demo cannot be written"):
        write_report(study(), tmp_path / "file" / "demo")


def test_table_from_elsewhere_has_no_transcripts(tmp_path: Path) -> None:
    rows = [
        {"condition": arm, "battle_id": f"{arm}{battle}", "turn": turn, "we_count": int(we), "words": 20, "any_we": int(we)}
        for arm, chance in (("control", 4), ("treated", 1))
        for battle in range(6)
        for turn in range(5)
        for we in [(battle * 7 + turn * 3) % 5 < chance]
    ]
    given = ReportInput(analysis=analyse(pd.DataFrame(rows), control="control", study="elsewhere"))
    html = page(given, tmp_path)
    assert 'id="transcripts"' not in html
    assert 'id="identities"' not in html
    assert "“we”" in html
    assert "in-group" not in html.split("</style>")[1].split("<script>")[0]


def test_real_analysis_of_battles_becomes_a_report(tmp_path: Path) -> None:
    battles = fight(replicates=6)
    detections = {battle.battle_id: detect(battle) for battle in battles}
    frame = battle_frame(battles, detections).drop(columns="rate")
    frame["ingroup_count"] = frame["ingroup_messages"]
    arms = {arm: {"role": ROLES.get(arm, "treatment"), "expected": "more" if arm == "shared_group" else "less"} for arm in ARMS}
    analysis = analyse_battles(frame, None, plan=AnalysisPlan(resamples=999), arms=arms, study="demo")
    html = page(replace(study(battles), analysis=analysis), tmp_path)
    assert all(arm in html for arm in ARMS)
    assert json.loads((tmp_path / "report" / "verdict.json").read_bytes())["contrasts"][0]["treatment"]


@pytest.mark.parametrize("arms", [(), ("control",), ("unique_disassociative",)])
def test_empty_and_one_armed_studies_render(arms: tuple[str, ...], tmp_path: Path) -> None:
    lone = contrast(treatment=None, n_treatment=0, rate_control=None, rate_treatment=None, p_value=None, verdict="not_estimable")
    html = page(study(fight(arms, 2), [lone | NO_RATIO] if arms else ()), tmp_path)
    assert "Not estimable" in html if arms else "There is nothing to compare" in html


def test_reasons_and_notes_stand_on_the_page(tmp_path: Path) -> None:
    given = altered(study(), notes=("only 3 of 10 transcripts are distinct",))
    html = page(given, tmp_path)
    assert "only 3 of 10 transcripts are distinct" in html
    assert html.count("<li>neither an effect nor its absence is shown</li>") == 2
    assert len(CONTRASTS) == 4


def test_flags_are_counted_by_arm_and_by_the_rules_of_today() -> None:
    from dataclasses import replace

    from mitigation.reporting.form import flagged

    given = study()
    first = given.transcripts[0]
    names = [agent.name for agent in first.agents]
    swapped = replace(first.turns[1], text=f"I am {names[0]}.", finish_reason="length")
    changed = replace(first, turns=(first.turns[0], swapped, *first.turns[2:]), flags=("empty:1", "truncated:2"))
    before = flagged(given.transcripts, [first.identity]).set_index("arm").loc[first.identity]
    after = flagged((changed, *given.transcripts[1:]), [first.identity]).set_index("arm").loc[first.identity]
    assert (after - before)[["name_swap", "truncated", "empty", "battles", "messages"]].tolist() == [1, 1, 1, 0, 0]

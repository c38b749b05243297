"""What becomes of judgements: tables and reports, what is unknown in them, and which judge they are of."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import mitigation
from experiments.cli import main
from mitigation import studies
from mitigation.errors import ConfigError
from mitigation.judge import panel, rubric
from mitigation.store import Study
from mitigation.types import Model
from tests import judges
from tests.judges import BATTLE, ONE, PRICE, TWO
from tests.loopback import Loopback

Told = pytest.CaptureFixture[str]


def table(name: str) -> list[dict[str, str]]:
    with Path("reports/s/tables", f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_report_shows_what_could_not_be_judged_as_missing_and_not_as_no_we(
    simulated: Study, judge_server: Loopback, capsys: Told
) -> None:
    judge_server.reply = judges.about("candle", "no")
    assert main(ONE) == 0
    assert main(["report", "study=s", "detector=judge"]) == 0
    unknown = {
        (record["battle_id"], turn["index"])
        for record in judges.records()
        for turn in record["turns"]
        if turn["mentions"] is None
    }
    assert unknown
    for row in table("messages"):
        missing = (row["battle_id"], int(row["index"])) in unknown
        assert {row[tier] for tier in ("ingroup", "strict", "social")} & {""} == ({""} if missing else set()), row
    for row in table("battles"):
        here = [place for place in unknown if place[0] == row["battle_id"]]
        judged = [
            turn
            for r in judges.records()
            if r["battle_id"] == row["battle_id"]
            for turn in r["turns"]
            if turn["mentions"] is not None
        ]
        assert (float(row["unjudged"]), float(row["messages"])) == (len(here), len(judged))
        if judged:
            assert float(row["rate"]) == pytest.approx(sum(bool(turn["mentions"]) for turn in judged) / len(judged))
    page = Path("reports/s/report.html").read_text(encoding="utf-8")
    assert page.count('<span class="quiet">not judged</span>') == len(unknown)
    assert f"judge {judges.records()[0]['model']} 1 (sha256 {judges.records()[0]['digest'][:12]})" in page
    assert "report study=s detector=judge" in page, "the command that reports again names the judge"


def test_a_battle_in_which_nothing_could_be_judged_has_no_score(simulated: Study, judge_server: Loopback) -> None:
    judge_server.reply = lambda post: "no"
    assert main(ONE) == 0
    assert main(["report", "study=s", "detector=judge"]) == 3
    assert {row["rate"] for row in table("battles")} == {""}
    assert {row["messages"] for row in table("battles")} == {""}
    assert {row["no_exposure"] for row in table("arms")} == {"0"}


def test_a_study_with_battles_that_the_judge_has_not_read_is_not_reported(
    simulated: Study, judge_server: Loopback, capsys: Told
) -> None:
    assert main(ONE) == 0
    assert main([*BATTLE, "replicates=4"]) == 0
    assert main(["report", "study=s", "detector=judge"]) == 2
    assert "2 complete battles of study s were not read by judge yet: run mitigation detect" in capsys.readouterr().err
    assert main(ONE) == 0
    assert main(["report", "study=s", "detector=judge"]) == 0


def test_a_smaller_panel_leaves_no_second_judge_of_an_earlier_one(simulated: Study, judge_server: Loopback) -> None:
    assert main(TWO) == 0
    assert judges.records("judge_second")
    assert main(ONE) == 0
    with pytest.raises(ConfigError, match="no judge has read study s"):
        mitigation.load("s", detector="judge_second")


def test_the_second_judge_can_be_read_beside_the_first(simulated: Study, judge_server: Loopback) -> None:
    assert main(TWO) == 0
    first, second = (mitigation.load("s", detector=name) for name in panel.NAMES)
    assert first.detections == second.detections
    about = judges.records("judge_second")[0]
    assert second.detector == f"judge_second {about['model']} 1 (sha256 {about['digest'][:12]})"


def test_a_report_without_judgements_names_the_command(simulated: Study, capsys: Told) -> None:
    assert main(["report", "study=s", "detector=judge"]) == 2
    assert "no judge has read study s: run mitigation detect study=s detector=judge" in capsys.readouterr().err


def test_a_report_mixes_no_two_versions_of_a_judge(simulated: Study, judge_server: Loopback, capsys: Told) -> None:
    assert main(ONE) == 0
    found = judges.records()
    for fields in ({"digest": "0" * 64}, {"version": "2"}):
        changed = {k: v for k, v in found[0].items() if k != "crc32"} | fields
        simulated.write_detections("judge", [changed, *({k: v for k, v in r.items() if k != "crc32"} for r in found[1:])])
        assert main(["report", "study=s", "detector=judge"]) == 3
        told = capsys.readouterr().err
        assert (
            "the detections of judge are of 2 versions, which no report mixes: run mitigation detect study=s detector=judge"
            in told
        )


def test_a_changed_judge_asks_anew_and_the_old_one_is_not_forgotten(simulated: Study, judge_server: Loopback) -> None:
    assert main(ONE) == 0
    digests = [judges.records()[0]["digest"]]
    for number, change in enumerate(("panel.first.max_tokens=999", "panel.first.name=other", "panel.first.temperature=0.5"), 2):
        assert main([*ONE, change]) == 0
        assert len(judge_server.posts) == number * len(judges.tasks(simulated))
        digests.append(judges.records()[0]["digest"])
        assert len({record["digest"] for record in judges.records()}) == 1
    assert len(set(digests)) == 4
    sent = len(judge_server.posts)
    assert main([*ONE, "concurrency=7", PRICE]) == 0
    assert len(judge_server.posts) == sent
    assert judges.records()[0]["digest"] == digests[0]


def test_a_changed_rubric_is_another_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model(name="m", provider="openai")
    before = panel.Judge("judge", model).digest
    assert panel.Judge("judge", model).digest == before
    monkeypatch.setattr(rubric, "SYSTEM", rubric.SYSTEM + " ")
    assert panel.Judge("judge", model).digest != before


def test_rules_and_judges_are_the_detectors_there_are() -> None:
    assert studies.NAMES == ("lexical", "judge", "judge_second")

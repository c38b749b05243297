"""The whole way: battles, detections, tables, analysis and report of one study."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import mitigation
from experiments import _sweeps
from experiments.cli import main
from mitigation.outcomes import battle_table, message_table, tiers
from mitigation.types import Detection, Mention, Turn
from tests.conftest import Command
from tests.test_store import battle

ARGUMENTS = ["-m", "study=sim", "identity=control,unique_disassociative,placebo,shared_group", "pairing=scripted", "messages=6"]


def verdict(project: Path, study: str = "sim") -> dict:
    return json.loads((project / "reports" / study / "verdict.json").read_text(), parse_constant=pytest.fail)


@pytest.fixture
def fought(project: Path) -> Path:
    assert main(["battle", *ARGUMENTS, "replicates=12"]) == 0
    return project


def test_a_study_goes_from_battles_to_a_report(fought: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["report", "study=sim"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("SIMULATED")
    assert "written: reports/sim/report.html" in told
    folder = fought / "reports" / "sim"
    for name in (
        "report.html",
        "report.md",
        "verdict.json",
        "tables/contrasts.csv",
        "tables/battles.csv",
        "tables/messages.csv",
        "figures/rates.svg",
        "figures/rates.png",
        "figures/forest.svg",
        "figures/trajectory.svg",
    ):
        assert (folder / name).stat().st_size > 100, name
    found = verdict(fought)
    assert found["simulated"] is True
    primary = [c for c in found["contrasts"] if c["outcome"] == "ingroup_rate"]
    assert [c["treatment"] for c in primary] == ["unique_disassociative", "placebo", "shared_group"]
    assert all(c["n_control"] == c["n_treatment"] == 12 for c in primary)
    assert (fought / "results" / "sim" / "detections" / "lexical.jsonl").exists()


def test_the_numbers_are_those_of_the_definition(fought: Path) -> None:
    main(["report", "study=sim"])
    loaded = mitigation.load("sim")
    means = {}
    for arm in ("control", "unique_disassociative"):
        rates = []
        for fought_battle in loaded.transcripts:
            if fought_battle.identity == arm:
                replies = [t for t in fought_battle.turns if t.index > 0]
                texts = {t.index: t.text for t in fought_battle.turns}
                hits = sum(any(m.label == "ingroup" for m in mitigation.find_we(t.text, texts[t.index - 1])) for t in replies)
                rates.append(hits / len(replies))
        means[arm] = sum(rates) / len(rates)
    first = verdict(fought)["contrasts"][0]
    assert first["outcome"] == "ingroup_rate"
    assert first["rate_control"] == pytest.approx(means["control"])
    assert first["rate_treatment"] == pytest.approx(means["unique_disassociative"])
    assert first["rate_ratio"] == pytest.approx(means["unique_disassociative"] / means["control"])


def test_a_resumed_study_gives_the_same_report_byte_for_byte(fought: Path) -> None:
    main(["report", "study=sim"])
    whole = {p.relative_to(fought): p.read_bytes() for p in (fought / "reports").rglob("*") if p.is_file()}
    lines = sorted((fought / "results" / "sim").rglob("battles.jsonl"))
    for path in lines[::2]:
        kept = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(kept[:5]) + kept[5][:40])
    assert main(["battle", *ARGUMENTS, "replicates=12"]) == 0
    main(["report", "study=sim"])
    for name, content in whole.items():
        if name.name not in ("report.html", "report.md", "report.pdf"):  # they show when the battles were fought
            assert (fought / name).read_bytes() == content, name


def test_a_rebuilt_report_has_the_same_bytes(fought: Path) -> None:
    main(["report", "study=sim"])
    first = {p: p.read_bytes() for p in (fought / "reports").rglob("*") if p.is_file()}
    main(["report", "study=sim"])
    assert {p: p.read_bytes() for p in (fought / "reports").rglob("*") if p.is_file()} == first


def test_an_unfinished_study_is_interim_and_says_nothing_of_significance(
    fought: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = next((fought / "results" / "sim" / "control").rglob("battles.jsonl"))
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-3]))
    capsys.readouterr()
    assert main(["report", "study=sim"]) == 0
    told = capsys.readouterr().out
    assert "INTERIM: 3 of 48 planned battles are pending" in told
    for contrast in verdict(fought)["contrasts"]:
        assert contrast["p_value"] is None
        assert contrast["verdict"] in ("not_estimable", None)
    assert "p <" not in told
    assert "p =" not in told


def test_a_study_without_one_scored_battle_renders_and_exits_3(fought: Path) -> None:
    for path in (fought / "results" / "sim").rglob("battles.jsonl"):
        path.unlink()
    assert main(["report", "study=sim"]) == 3
    assert {c["verdict"] for c in verdict(fought)["contrasts"] if c["outcome"] == "ingroup_rate"} == {"not_estimable"}
    assert (fought / "reports" / "sim" / "report.html").exists()


def test_a_study_written_by_another_tool_needs_only_the_lines_of_its_battles(project: Path) -> None:
    for arm in ("control", "treated"):
        folder = project / "results" / "theirs" / arm
        folder.mkdir(parents=True)
        lines = []
        for number in range(6):
            text = "We are both assistants." if arm == "control" and number % 2 else "I win."
            lines.append(
                {
                    "battle_id": f"{arm}-{number}",
                    "identity": arm,
                    "scenario": "s",
                    "pairing": "p",
                    "opener": 0,
                    "replicate": number,
                    "status": "complete",
                    "ending": "message_limit",
                    "agents": ["A", "B"],
                    "turns": [{"index": 0, "agent": "A", "text": "go"}, {"index": 1, "agent": "B", "text": text}],
                }
            )
        (folder / "battles.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert main(["report", "study=theirs"]) == 0
    first = verdict(project, "theirs")["contrasts"][0]
    assert (first["rate_control"], first["rate_treatment"], first["n_control"]) == (0.5, 0.0, 6)


def test_wrong_requests_exit_2(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, message in [
        (["report", "study=nowhere"], "there is no study 'nowhere' in results; there are: none"),
        (["detect", "study=nowhere"], "there is no study 'nowhere'"),
        (["report"], "study is required"),
        (["report", "study=x", "outcomes=none.csv", "control=c"], "none.csv"),
        (["report", "study=x", "outcomes=none.csv"], "control is required with outcomes"),
        (["report", "study=x", "rate=turns"], "rate='turns' is not known: choose one of messages, words"),
        (["report", "study=x", "detector=oracle"], "detector='oracle' does not exist"),
        (["report", "study=a,b"], "takes one value of study"),
    ]:
        assert main(arguments) == 2, arguments
        assert message in capsys.readouterr().err
    assert not any(project.iterdir())


def test_a_table_from_elsewhere_is_analysed_by_its_own_words(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"condition": arm, "battle_id": f"{arm}{b}", "turn": t, "we_count": int(t < hits), "words": 10, "any_we": int(t < hits)}
        for arm, hits in (("base", 3), ("new", 1))
        for b in range(8)
        for t in range(4)
    ]
    pd.DataFrame(rows).to_csv("table.csv", index=False)
    assert main(["report", "study=theirs", "outcomes=table.csv", "control=base", "rate=words"]) == 0
    first = verdict(project, "theirs")["contrasts"][0]
    assert first["outcome"] == "we_rate"
    assert first["rate_ratio"] == pytest.approx(1 / 3)
    again = mitigation.analyse(pd.DataFrame(rows), control="base", rate="words").verdict_json()["contrasts"][0]
    assert again == first
    pd.DataFrame(rows).assign(any_we=1).to_csv("table.csv", index=False)
    assert main(["report", "study=theirs", "outcomes=table.csv", "control=base"]) == 2
    assert "any_we" in capsys.readouterr().err


def test_the_library_runs_a_study_as_the_command_does(project: Path) -> None:
    cells = _sweeps.sweep([*ARGUMENTS, "replicates=2"]).cells
    assert [row.calls for row in mitigation.plan(cells, study="py")] == [12] * 4
    assert mitigation.run(cells, study="py") == {"complete": 8}
    assert [row.done for row in mitigation.plan(cells, study="py")] == [2] * 4
    given, page = mitigation.report("py")
    assert page.exists()
    assert list(given.analysis.contrasts["treatment"].unique()) == ["unique_disassociative", "placebo", "shared_group"]


def test_the_library_runs_inside_a_running_event_loop_as_in_a_notebook(project: Path) -> None:
    import asyncio

    cells = _sweeps.sweep(["study=py", "pairing=scripted", "replicates=2"]).cells

    async def cell_of_a_notebook() -> object:
        return mitigation.run(cells, study="py")

    assert asyncio.run(cell_of_a_notebook()) == {"complete": 2}


def test_detect_judges_again_only_what_changed(fought: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mitigation import studies
    from mitigation.detectors import LexicalDetector

    mitigation.detect("sim")
    judged = []

    class Counting(LexicalDetector):
        def detect(self, text: str, context: str, index: int) -> Detection:
            judged.append(text)
            return super().detect(text, context, index)

    monkeypatch.setitem(studies.RULES, "lexical", Counting)
    mitigation.detect("sim")
    assert not judged

    class Newer(Counting):
        digest = "0" * 64

    monkeypatch.setitem(studies.RULES, "lexical", Newer)
    mitigation.detect("sim")
    assert len(judged) == len(mitigation.load("sim").messages)


def test_damaged_detections_are_made_again(fought: Path) -> None:
    file = mitigation.detect("sim")
    whole = file.read_bytes()
    file.write_bytes(whole[:-30])
    assert main(["report", "study=sim"]) == 0
    assert file.read_bytes() == whole


def mention(text: str, start: int = 0, label: str = "ingroup", tier: str | None = "dyadic") -> Mention:
    return Mention(label=label, tier=tier, start=start, end=start + len(text), text=text, reason="r")  # type: ignore[arg-type]


def test_the_three_tiers_are_nested() -> None:
    turn = Turn(index=2, agent="A", text="Let's go, we are one")
    assert tiers(turn, [mention("Let's"), mention("we", 10, tier="social")]) == {"ingroup": 2, "strict": 1, "social": 1}
    first = Turn(index=1, agent="B", text="we")
    assert tiers(first, [mention("we")]) == {"ingroup": 1, "strict": 0, "social": 0}
    us = Turn(index=3, agent="B", text="let us go")
    assert tiers(us, [mention("us", 4)]) == {"ingroup": 1, "strict": 0, "social": 0}
    assert tiers(turn, [mention("we", label="generic", tier=None)]) == {"ingroup": 0, "strict": 0, "social": 0}


def test_what_could_not_be_judged_is_counted_and_never_taken_for_no_we() -> None:
    unjudged = Detection(index=1, mentions=None, labels={})
    messages = message_table([battle()], {"s.p.a.00000": [unjudged]})
    table = battle_table([battle()], messages)
    assert messages["ingroup"].isna().all()
    assert table["messages"].isna().all(), "an exposure that nobody knows is not one of none"
    assert table["unjudged"].tolist() == [1]
    assert "ingroup_messages" not in table or table["ingroup_messages"].isna().all()


def test_battles_that_were_not_finished_have_a_state_and_no_outcome() -> None:
    seen = Detection(index=1, mentions=(mention("We"),), labels={"refusal": False})
    battles = [battle(0), battle(1, status="refused"), battle(2, status="failed")]
    messages = message_table(battles, {b.battle_id: [seen] for b in battles})
    table = battle_table(battles, messages).set_index("battle_id")
    assert table["ingroup_messages"].tolist() == [1, pd.NA, pd.NA] or table["ingroup_messages"].isna().tolist() == [
        False,
        True,
        True,
    ]
    assert table["status"].tolist() == ["complete", "refused", "failed"]


@pytest.mark.embedded
def test_a_real_model_fights_and_its_report_says_what_it_can_show(project: Path, mitigation: Command) -> None:
    arguments = ["experiment=demo", "study=real", "replicates=1", "messages=2", "identity=control,unique_disassociative"]
    done = mitigation("battle", *arguments)
    assert done.returncode == 0, done.stderr
    report = mitigation("report", "study=real")
    assert report.returncode == 0, report.stderr
    page = (project / "reports" / "real" / "report.html").read_text(encoding="utf-8")
    assert "shows that the pipeline works, not that the mitigation does" in page
    assert verdict(project, "real")["contrasts"][0]["verdict"] == "not_estimable"
    assert "2 done, 0 to fight" in mitigation("battle", *arguments).stdout

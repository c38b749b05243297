"""Tables that describe a whole study: what the agents did, and how far its detector can be trusted."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import mitigation
from mitigation.descriptions import Description, Section, behaviour
from mitigation.detections import record
from mitigation.labels import Said, labels_file, line, messages, text_hash
from mitigation.records import seal
from mitigation.reporting.inputs import remarks
from mitigation.store import Study
from mitigation.studies import Loaded
from mitigation.trust import trust
from mitigation.types import Detection
from tests.conftest import Command

ARMS = ("control", "unique_disassociative")


@pytest.fixture
def loaded(project: Path, mitigation: Command) -> Loaded:
    done = mitigation("battle", "-m", "study=s", f"identity={','.join(ARMS)}", "pairing=scripted", "replicates=9", "messages=4")
    assert done.returncode == 0, done.stderr
    return load()


def load() -> Loaded:
    return mitigation.load("s")


def label(loaded: Loaded, annotator: str, change: Callable[[Detection, str], Detection], *, against: str | None = None) -> None:
    """Store what the detector says, changed, as the labels of a person for the first six battles of each arm."""
    file = labels_file(Path("results") / "s", annotator)
    file.parent.mkdir(exist_ok=True)
    lines = []
    for battle in loaded.transcripts:
        if battle.replicate >= 6:
            continue
        found = {seen.index: seen for seen in loaded.detections[battle.battle_id]}
        for before, turn in messages(battle):
            said = replace(Said.of(change(found[turn.index], battle.identity)), against=against)
            digest = text_hash(before.text, turn.text)
            lines.append(seal(line((battle.battle_id, turn.index), said, text_sha256=digest, at="2026-01-01T00:00:00+00:00")))
    with file.open("ab") as out:
        out.write(b"".join(lines))


def same(seen: Detection, _: str) -> Detection:
    return seen


def no_we_in_treatment(seen: Detection, arm: str) -> Detection:
    return replace(seen, mentions=()) if arm == ARMS[1] else seen


def described(loaded: Loaded, detector: str = "lexical") -> dict[str, Description]:
    tables = (*behaviour(loaded, ARMS), *trust(loaded, ARMS, detector=detector, results=Path("results"), interim=False, seed=0))
    return {table.name: table for table in tables}


def test_a_study_without_labels_is_told_how_the_detector_does_elsewhere(loaded: Loaded) -> None:
    found = described(loaded)
    assert set(found) == {"tiers", "onset", "disclosure", "tree", "courses", "nearness", "detector_accuracy"}
    assert {name for name, table in found.items() if table.section == Section.DETECTOR} == {"detector_accuracy"}
    assert {table.section for table in found.values()} == {Section.BEHAVIOUR, Section.DETECTOR}
    known = found["detector_accuracy"]
    assert known.frame.set_index(["level", "label"]).loc[("mention", "ingroup"), "f1"] > 0.8
    assert "not among these numbers" in known.about


def test_goal_adherence_is_an_outcome_of_its_own(loaded: Loaded) -> None:
    messages = loaded.messages
    away = messages["refusal"].astype(bool) | messages["topic_drift"].astype(bool)
    assert list(messages["on_task"]) == list(~away)
    assert 0 < away.sum() < len(away)
    given, _ = mitigation.report("s")
    assert "on_task_rate" in set(given.analysis.contrasts["outcome"])
    assert "Messages with neither refusal nor drift" in Path("reports/s/report.md").read_text("utf-8")


def test_a_judge_without_labels_is_not_lent_the_accuracy_of_the_rules(loaded: Loaded) -> None:
    known = described(loaded, "judge")["detector_accuracy"]
    assert known.title == "Nothing is known of this judge’s accuracy"
    assert known.frame.to_dict("records") == [
        {"detector": "judge", "accuracy": None, "to_measure_it": "mitigation annotate study=s annotator=NAME"}
    ]


def test_labels_that_agree_with_the_detector_change_no_rate(loaded: Loaded) -> None:
    label(loaded, "ann", same)
    found = described(loaded)
    assert found["accuracy"].section == Section.DETECTOR
    scores = found["accuracy"].frame
    ingroup = scores[(scores["level"] == "mention") & (scores["label"] == "ingroup")]
    assert list(ingroup["arm"]) == ["all", *ARMS]
    assert list(ingroup["f1"]) == [1.0, 1.0, 1.0]
    rates = found["corrected_rates"].frame.set_index(["arm", "method"])["estimate"]
    for arm in ARMS:
        assert rates[arm, "ppi"] == pytest.approx(rates[arm, "uncorrected"])


def test_a_detector_that_errs_in_one_arm_is_seen_there_and_its_contrast_corrected(loaded: Loaded) -> None:
    label(loaded, "ann", no_we_in_treatment)
    found = described(loaded)
    scores = found["accuracy"].frame.set_index(["arm", "level", "label"])
    assert scores.loc[(ARMS[0], "mention", "ingroup"), "precision"] == 1.0
    assert scores.loc[(ARMS[1], "mention", "ingroup"), "precision"] == 0.0
    contrasts = found["corrected_contrasts"].frame
    difference = contrasts[contrasts["measure"] == "difference"].set_index("method")["estimate"]
    assert difference["labelled"] < difference["uncorrected"]
    assert difference["ppi"] < difference["uncorrected"]


def test_a_battle_that_was_labelled_in_part_corrects_nothing(loaded: Loaded) -> None:
    label(loaded, "ann", no_we_in_treatment)
    before = described(loaded)["corrected_rates"].frame
    battle = next(b for b in loaded.transcripts if b.replicate == 8 and b.identity == ARMS[0])
    (context, turn), said = next(iter(messages(battle))), Said.of(loaded.detections[battle.battle_id][0])
    digest = text_hash(context.text, turn.text)
    with labels_file(Path("results") / "s", "ann").open("ab") as out:
        out.write(seal(line((battle.battle_id, 1), said, text_sha256=digest, at="2026-01-01T00:00:00+00:00")))
    after = described(loaded)["corrected_rates"]
    assert after.frame.equals(before)
    assert "12 battles were labelled whole, 1 in part and not used here" in " ".join(after.about.split())


def test_labels_given_in_a_review_do_not_count_as_blind(loaded: Loaded) -> None:
    label(loaded, "ann", same, against="lexical")
    assert "accuracy" not in described(loaded)


def test_two_people_are_compared_with_each_other(loaded: Loaded) -> None:
    label(loaded, "ann", same)
    label(loaded, "ben", no_we_in_treatment)
    table = described(loaded)["agreement"].frame
    mention = table[(table["level"] == "mention") & (table["arm"] == "all")].iloc[0]
    assert mention["raters"] == "ann and ben"
    assert 0 < mention["kappa"] < 1


def test_two_judges_are_compared_and_one_alone_is_not(loaded: Loaded) -> None:
    study = Study(Path("results"), "s")

    def judged(name: str, lost: int) -> None:
        records = []
        for place, battle in enumerate(loaded.transcripts):
            found = list(loaded.detections[battle.battle_id])
            if place < lost:
                found[0] = Detection(index=found[0].index, mentions=None, labels=dict.fromkeys(found[0].labels), fault="no JSON")
            records.append(record(battle, found, detector=name, version="1", digest="0" * 64))
        study.write_detections(name, records)

    judged("judge", 0)
    assert "agreement" not in described(mitigation.load("s", detector="judge"), "judge")
    judged("judge_second", 3)
    table = described(mitigation.load("s", detector="judge"), "judge")["agreement"].frame
    assert set(table["raters"]) == {"judge and judge_second"}
    assert set(table["kappa"].dropna()) == {1.0}
    assert table["unjudged"].max() == 3, "a message that one could not judge is counted and left out"


def test_messages_that_a_judge_could_not_judge_stand_by_arm_beside_the_verdict(loaded: Loaded) -> None:
    records = []
    for battle in loaded.transcripts:
        found = list(loaded.detections[battle.battle_id])
        if battle.identity == ARMS[1] and battle.replicate < 5:
            found[0] = Detection(index=found[0].index, mentions=None, labels=dict.fromkeys(found[0].labels), fault="no JSON")
        records.append(record(battle, found, detector="judge", version="1", digest="0" * 64))
    Study(Path("results"), "s").write_detections("judge", records)
    given, _ = mitigation.report("s", detector="judge")
    note = next(text for text in remarks(given) if "could not be judged" in text)
    total = {arm: sum(len(b.replies) for b in loaded.transcripts if b.identity == arm) for arm in ARMS}
    assert f"{ARMS[0]} 0 of {total[ARMS[0]]}, {ARMS[1]} 5 of {total[ARMS[1]]}" in note


def test_the_report_holds_the_tables_and_their_files(loaded: Loaded, mitigation: Command) -> None:
    label(loaded, "ann", no_we_in_treatment)
    done = mitigation("report", "study=s")
    assert done.returncode == 0, done.stderr
    page = Path("reports/s/report.html").read_text("utf-8")
    for section in (Section.SENSITIVITY, Section.BEHAVIOUR, Section.DETECTOR):
        assert f'<a href="#{section.name.lower()}">{section}</a>' in page
    page = (Path("reports") / "s" / "report.html").read_text("utf-8")
    text = (Path("reports") / "s" / "report.md").read_text("utf-8")
    for name in (
        "tiers",
        "onset",
        "disclosure",
        "tree",
        "courses",
        "nearness",
        "accuracy",
        "corrected_rates",
        "corrected_contrasts",
    ):
        with (Path("reports") / "s" / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert list(csv.DictReader(file)), name
        assert f"tables/{name}.csv" in page
    for heading in (Section.BEHAVIOUR, Section.DETECTOR, "Rates corrected for the detector’s errors"):
        assert heading in page
        assert heading in text


def test_a_page_sets_arms_side_by_side_where_the_file_has_a_row_each(loaded: Loaded) -> None:
    tree = described(loaded)["tree"]
    assert list(tree.page.columns) == ["branch", "leaf", *ARMS]
    assert len(tree.page) * len(ARMS) == len(tree.frame)
    first = tree.page.iloc[0]
    assert first[ARMS[0]] == tree.frame.iloc[0]["share_of_messages"]


def test_limits_that_exclude_no_effect_are_not_shown_before_the_study_is_complete(loaded: Loaded) -> None:
    label(loaded, "ann", same)
    found = list(trust(loaded, ARMS, detector="lexical", results=Path("results"), interim=True))
    assert "accuracy" in {table.name for table in found}
    assert not {"corrected_rates", "corrected_contrasts"} & {table.name for table in found}

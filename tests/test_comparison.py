"""Several studies in one report: numbers across them against references, what forbids them, and the report itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from math import exp, log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as given_that
from hypothesis import strategies as st

import mitigation as library
from mitigation.analysis import Analysis, analyse_battles
from mitigation.api import folder_of
from mitigation.comparison import compare_studies, ratio_of_ratios
from mitigation.errors import ConfigError
from mitigation.looks import Look
from mitigation.significance.inversion import RatioInterval
from mitigation.types import AnalysisPlan
from tests.conftest import ROOT, Command

ARMS = {"control": {"role": "control", "expected": "none"}, "treated": {"role": "treatment", "expected": "less"}}
PLAN = AnalysisPlan(resamples=999)
positive = st.floats(0.05, 20)


def battles(seed: int, ratio: float, *, battles: int = 40, base: float = 0.4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for arm, chance in (("control", base), ("treated", base * ratio)):
        hits = rng.binomial(12, rng.beta(6 * chance, 6 * (1 - chance), battles))
        rows += [(f"{arm}.{i}", arm, f"s{i % 2}", "complete", 12, 150, int(k), int(k)) for i, k in enumerate(hits)]
    columns = ["battle_id", "arm", "stratum", "status", "messages", "words", "ingroup_messages", "ingroup_count"]
    return pd.DataFrame(rows, columns=columns)


def analysed(name: str, table: pd.DataFrame, plan: AnalysisPlan = PLAN) -> Analysis:
    return analyse_battles(table, None, plan=plan, arms=ARMS, study=name)


def compared(analyses: Sequence[Analysis], **definitions: Any) -> Any:
    return compare_studies(analyses, definitions, {analysis.study: "lexical" for analysis in analyses})


@given_that(positive, st.floats(1.01, 5), positive, st.floats(1.01, 5))
def test_symmetric_intervals_give_the_interval_of_independent_normal_estimates(a: float, f: float, b: float, g: float) -> None:
    """Two log ratios with half widths log f and log g differ with half width sqrt(log² f + log² g)."""
    found = ratio_of_ratios(RatioInterval(a, a / f, a * f), RatioInterval(b, b / g, b * g))
    assert found.low is not None
    assert found.high is not None
    reach = sqrt(log(f) ** 2 + log(g) ** 2)
    assert [found.ratio, found.low, found.high] == pytest.approx([a / b, a / b * exp(-reach), a / b * exp(reach)])


@given_that(positive, positive, st.tuples(*[st.floats(1.01, 5)] * 4))
def test_the_studies_changing_places_inverts_the_ratio_and_its_ends(a: float, b: float, f: tuple[float, ...]) -> None:
    one, other = RatioInterval(a, a / f[0], a * f[1]), RatioInterval(b, b / f[2], b * f[3])
    found, turned = ratio_of_ratios(one, other), ratio_of_ratios(other, one)
    assert found.ratio is not None
    assert found.low is not None
    assert found.high is not None
    assert turned == RatioInterval(*(pytest.approx(1 / end) for end in (found.ratio, found.high, found.low)))


def test_an_end_that_one_study_leaves_open_is_open() -> None:
    closed = RatioInterval(0.5, 0.25, 1.0)
    assert ratio_of_ratios(RatioInterval(2.0, 1.0, None), closed).high is None
    assert ratio_of_ratios(RatioInterval(2.0, 1.0, None), closed).low is not None
    assert ratio_of_ratios(closed, RatioInterval(2.0, 0.0, 3.0)).high is None
    for none in (RatioInterval(0.0, 0.0, 0.8), RatioInterval(None, None, None)):
        assert ratio_of_ratios(none, closed) == RatioInterval(None, None, None)
        assert ratio_of_ratios(closed, none) == RatioInterval(None, None, None)


def test_each_study_keeps_its_own_numbers_and_those_together_are_the_primary_test_with_studies_as_strata() -> None:
    tables = {"a": battles(1, 0.5), "b": battles(2, 0.6)}
    one, two = (analysed(name, table) for name, table in tables.items())
    found = compared([one, two])
    for analysis in (one, two):
        own = (
            found.contrasts[found.contrasts["study"] == analysis.study]
            .drop(columns=["study", "simulated"])
            .reset_index(drop=True)
        )
        pd.testing.assert_frame_equal(own, analysis.contrasts)
    renamed = [
        table.assign(battle_id=f"{name}/" + table["battle_id"], stratum=f"{name}/" + table["stratum"])
        for name, table in tables.items()
    ]
    whole = analysed("all", pd.concat(renamed, ignore_index=True)).contrasts.iloc[0]
    row = found.together.iloc[0]
    names = ["n_control", "n_treatment", "rate_control", "rate_treatment", "rate_ratio", "ratio_low", "ratio_high", "p_value"]
    assert [row[name] for name in names] == pytest.approx([whole[name] for name in names])
    assert row["studies"] == 2


def test_studies_that_differ_are_told_from_studies_that_agree() -> None:
    alike = compared([analysed("a", battles(1, 0.6)), analysed("b", battles(2, 0.6))])
    apart = compared([analysed("a", battles(1, 0.25)), analysed("b", battles(2, 1.5))])
    assert alike.together["p_heterogeneity"].iloc[0] > 0.2
    assert apart.together["p_heterogeneity"].iloc[0] < 0.001
    row = apart.against.iloc[0]
    assert (row["treatment"], row["study"], row["against"]) == ("treated", "b", "a")
    assert 1 < row["low"] < row["ratio_of_ratios"] < row["high"]
    assert alike.against["low"].iloc[0] < 1 < alike.against["high"].iloc[0]


def test_an_unfinished_study_lets_nothing_be_tested_across() -> None:
    unfinished = battles(2, 0.5)
    unfinished.loc[3, "status"] = "pending"
    found = compared([analysed("a", battles(1, 0.5)), analysed("b", unfinished)])
    assert found.interim
    assert found.together[["p_value", "p_heterogeneity", "ratio_low"]].isna().all(axis=None)
    assert found.together["note"].iloc[0] == "interim: b unfinished"
    assert found.against[["low", "high"]].isna().all(axis=None)


def test_a_study_stopped_at_a_look_is_not_tested_with_others() -> None:
    look = Look(number=1, of=3, blocks=10, planned=30)
    found = compared([analysed("a", battles(1, 0.5)), replace(analysed("b", battles(2, 0.5)), look=look)])
    assert found.together["p_value"].isna().all()
    assert "was stopped at a look" in found.together["note"].iloc[0]


def test_one_unfinished_study_lets_nothing_be_tested_of_the_others_either() -> None:
    unfinished = battles(3, 0.5).replace({"treated": "else"})
    unfinished.loc[3, "status"] = "pending"
    arms = {"control": ARMS["control"], "else": ARMS["treated"]}
    third = analyse_battles(unfinished, None, plan=PLAN, arms=arms, study="c")
    found = compared([analysed("a", battles(1, 0.5)), analysed("b", battles(2, 0.5)), third])
    assert found.together[["p_value", "p_heterogeneity", "ratio_low", "ratio_high"]].isna().all(axis=None)
    assert found.against[["low", "high"]].isna().all(axis=None)
    assert list(found.against["note"]) == ["interim: c unfinished"]


def test_a_study_without_battles_of_both_arms_in_a_stratum_counts_for_nothing() -> None:
    failed = battles(2, 0.5)
    failed.loc[failed["arm"] == "treated", "status"] = "failed"
    assert len(compared([analysed("a", battles(1, 0.5)), analysed("b", failed)]).together) == 0
    row = compared([analysed("a", battles(1, 0.5)), analysed("b", failed), analysed("c", battles(3, 0.5))]).together.iloc[0]
    assert (row["studies"], row["n_treatment"]) == (2, 80)
    assert row["note"] == "b holds no stratum with both arms and is left out"


def test_a_simulator_and_models_are_not_tested_together() -> None:
    pair = [analysed("a", battles(1, 0.5)), analysed("b", battles(2, 0.5))]
    found = compare_studies(pair, {}, {"a": "lexical", "b": "lexical"}, simulated=["b"])
    assert found.together["p_value"].isna().all()
    assert found.together["note"].iloc[0] == "battles of a simulator (b) and of models are not tested together"
    assert found.contrasts.groupby("study")["simulated"].unique().map(list).to_dict() == {"a": [False], "b": [True]}
    both = compare_studies(pair, {}, {"a": "lexical", "b": "lexical"}, simulated=["a", "b"])
    assert both.together["p_value"].notna().all()


def test_the_common_test_does_not_depend_on_the_order_of_the_studies() -> None:
    coarse, fine = replace(PLAN, resamples=199, seed=4), replace(PLAN, resamples=1999, seed=9)
    pair = [analysed("a", battles(1, 0.5), coarse), analysed("b", battles(2, 0.5), fine)]
    for name in ("p_value", "rate_ratio", "ratio_low"):
        assert compared(pair).together[name].iloc[0] == pytest.approx(compared(pair[::-1]).together[name].iloc[0])
    assert compared(pair).together["p_value"].iloc[0] < 1 / 500


@pytest.mark.parametrize("renamed", [False, True])
def test_battles_that_two_studies_share_are_copies_and_no_evidence(*, renamed: bool) -> None:
    table = battles(1, 0.5)
    table["transcript_sha"] = table["battle_id"]
    again = table.assign(stratum="other/" + table["stratum"]) if renamed else table
    found = compared([analysed("a", table), analysed("b", again)])
    assert found.together["p_value"].isna().all()
    assert "stand in another study too: copies, not evidence" in found.together["note"].iloc[0]


def test_a_small_study_that_was_copied_from_a_large_one_is_found_out() -> None:
    large = battles(1, 0.5, battles=200)
    large["transcript_sha"] = large["battle_id"]
    small = large.groupby("arm").head(20)
    found = compared([analysed("a", large), analysed("b", small)])
    assert "transcripts of control in" in found.together["note"].iloc[0]
    assert found.together["p_value"].isna().all()


def test_a_treatment_of_one_study_alone_is_shown_there_and_not_compared() -> None:
    other = battles(2, 0.5).replace({"treated": "else"})
    arms = {"control": ARMS["control"], "else": ARMS["treated"]}
    found = compared([analysed("a", battles(1, 0.5)), analyse_battles(other, None, plan=PLAN, arms=arms, study="b")])
    assert set(found.contrasts["treatment"]) == {"treated", "else"}
    assert len(found.together) == len(found.against) == 0


@pytest.mark.parametrize(
    ("plan", "words"),
    [({"control": "treated"}, "differ in control \\(a: control, b: treated\\)"), ({"rate": "words"}, "differ in rate")],
)
def test_studies_whose_rates_do_not_compare_are_refused(plan: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        compared([analysed("a", battles(1, 0.5)), analysed("b", battles(2, 0.5), replace(PLAN, **plan))])


def test_studies_of_two_detectors_and_one_study_twice_are_refused() -> None:
    one, two = analysed("a", battles(1, 0.5)), analysed("b", battles(2, 0.5))
    with pytest.raises(ConfigError, match=r"differ in detector \(a: lexical 1, b: lexical 2\)"):
        compare_studies([one, two], {}, {"a": "lexical 1", "b": "lexical 2"})
    for wrong in ([one], [one, one]):
        with pytest.raises(ConfigError, match="name two studies or more, each once"):
            compared(wrong)


def test_what_a_study_defines_otherwise_is_listed_and_the_list_is_cut() -> None:
    def cell(arm: str, text: str, replicates: int) -> dict[str, Any]:
        parts = {"identity": {"name": arm, "bank": [text]}, "scenario": {"name": "chess"}, "pairing": {"name": "p"}}
        return {**parts, "replicates": replicates, "messages": 12, "seed": 0}

    one, two = analysed("a", battles(1, 0.5)), analysed("b", battles(2, 0.5), replace(PLAN, alpha=0.01))
    here, there = [cell("control", "x", 10), cell("old", "y", 10)], [cell("control", "z", 20), cell("new", "y", 10)]
    told = compared([one, two], a=here, b=there).differences
    assert set(told["study"]) == {"b"}
    assert list(told["differs"]) == [
        "plan.alpha: 0.05 → 0.01", "identity control.bank[0]: 'x' → 'z'", "every cell.replicates: 10 → 20",
        "identity old: not here, but in a", "identity new: not in a",
    ]  # fmt: skip
    many = [cell(f"arm{i}", "x", 10) for i in range(20)], [cell(f"arm{i}", "y", 10) for i in range(20)]
    told = compared([one, two], a=many[0], b=many[1]).differences
    assert list(told["differs"])[-1] == "and 9 more"


def test_a_study_without_definitions_is_not_said_to_differ_in_them() -> None:
    here = [
        {
            "identity": {"name": "control"},
            "scenario": {"name": "x"},
            "pairing": {"name": "p"},
            "replicates": 1,
            "messages": 2,
            "seed": 0,
        }
    ]
    one, two = analysed("a", battles(1, 0.5)), analysed("b", battles(2, 0.5))
    words = "b brings no definitions: what its arms were told is not known here"
    assert list(compared([one, two], a=here).differences["differs"]) == [words]
    assert list(compared([two, one], a=here).differences["differs"]) == [words]


def test_studies_that_share_battles_are_no_studies_of_their_own() -> None:
    table = battles(1, 0.5)
    table["transcript_sha"] = table["battle_id"]
    found = compared([analysed("a", table), analysed("b", table)])
    assert found.shared is not None
    assert found.against[["low", "high"]].isna().all(axis=None)
    assert "stand in another study too" in found.against["note"].iloc[0]
    assert compared([analysed("a", battles(1, 0.5)), analysed("b", battles(2, 0.5))]).shared is None


def test_the_headline_counts_every_study_that_holds_a_treatment(project: Path, mitigation: Command) -> None:
    for study, arms in (("a", "control,unique_disassociative,placebo"), ("b", "control,placebo"), ("c", "control")):
        sweep = ["-m", f"study={study}", f"identity={arms}", "pairing=scripted", "replicates=4", "messages=4"]
        assert mitigation("battle", *sweep, f"seed={ord(study)}").returncode == 0
    done = mitigation("report", "study=[a,b]")
    assert "in 1 of 1 study" in done.stdout.splitlines()[1]
    assert "placebo" not in done.stdout.splitlines()[1]
    assert "no treatment" not in mitigation("report", "study=[b,c]").stdout
    text = (project / "reports" / "b+c" / "report.md").read_text()
    assert "Poisson GEE" not in text.split("## Methods")[1]
    assert "of one arm: nothing was compared" in text


def test_the_folder_of_a_common_report_is_no_study_and_never_too_long() -> None:
    assert folder_of(["a", "b"]) == "a+b"
    many = [f"{'s' * 60}{i}" for i in range(9)]
    assert len(folder_of(many)) < 255
    assert folder_of(many) != folder_of([*many[:-1], "other"])


@pytest.fixture
def two(project: Path) -> Path:
    for study in ("example", "simulated"):
        shutil.copytree(ROOT / "results" / study, project / "results" / study)
    return project


def test_the_common_report_says_the_same_in_every_format_and_is_the_same_bytes_again(two: Path, mitigation: Command) -> None:
    done = mitigation("report", "study=[example,simulated]")
    assert done.returncode == 0, done.stderr
    assert "unique_disassociative: “Undecided” in 1 and “Supported” in 1 of 2 studies" in done.stdout
    assert "2 studies together: rate ratio" in done.stdout
    assert "not tested together" in done.stdout
    assert "- simulated: Supported: 15.2% of" in done.stdout
    folder = two / "reports" / "example+simulated"
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    names = ("studies", "differences", "contrasts", "against", "together", "arms")
    assert {f"tables/{name}.{form}" for name in names for form in ("csv", "tex", "json")} <= set(files)
    assert {"report.html", "report.md", "report.pdf", "verdict.json", "figures/studies.svg", "figures/studies.png"} <= set(files)
    page, text = files["report.html"].decode(), files["report.md"].decode().replace("\\", "")
    for words in ("0.82 [0.31, 3.26]", "0.47 [0.32, 0.67]", "exploratory, not adjusted for their number", "SIMULATED"):
        assert words in page
        assert words in text
    assert "Supported: unique_disassociative**, study simulated (treatment)." in text
    assert 'unique_disassociative <span class="quiet">against control, study simulated</span>' in page
    told = json.loads(files["verdict.json"], parse_constant=pytest.fail)
    assert [study["study"] for study in told["studies"]] == ["example", "simulated"]
    assert {row["study"] for row in told["contrasts"]} == {"example", "simulated"}
    assert {row["treatment"] for row in told["together"]} == {"unique_disassociative", "placebo", "shared_group"}
    assert 'id="transcripts"' not in page
    library.compare(["example", "simulated"])
    again = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert again == files


def test_the_numbers_of_a_study_are_those_of_its_own_report(two: Path) -> None:
    _, page = library.compare(["example", "simulated"])
    rows = json.loads(page.with_name("verdict.json").read_text())["contrasts"]
    own = json.loads((ROOT / "reports" / "simulated" / "verdict.json").read_text())["contrasts"]
    mine = [
        {key: value for key, value in row.items() if key not in ("study", "simulated")}
        for row in rows
        if row["study"] == "simulated"
    ]
    assert [row["rate_ratio"] for row in mine] == pytest.approx([row["rate_ratio"] for row in own])
    assert [row["p_value"] for row in mine] == pytest.approx([row["p_value"] for row in own])
    assert [row["verdict"] for row in mine] == [row["verdict"] for row in own]


def test_the_common_report_can_be_made_again_by_its_own_words_and_keeps_the_notes_of_its_studies(
    project: Path, mitigation: Command
) -> None:
    for study in "ab":
        sweep = ["-m", f"study={study}", "identity=control,one_sided", "pairing=scripted", "replicates=3", "messages=4"]
        done = mitigation("battle", *sweep)
        assert done.returncode == 0, done.stderr
    _, page = library.compare(["a", "b"], plans={study: AnalysisPlan(rate="words", alpha=0.01) for study in "ab"})
    text = page.with_name("report.md").read_text().replace("\\", "")
    assert "report again: mitigation report 'study=[a,b]' rate=words analysis.alpha=0.01" in text
    assert "one agent of each battle is treated, and the rate is that of both agents" in text
    assert mitigation("report", "study=[a,b]", "rate=words", "analysis.alpha=0.01").returncode == 0
    assert page.with_name("report.md").read_text().replace("\\", "") == text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["study=[example,example]"], "name two studies or more, each once"),
        (["study=[example,absent]"], "there is no study 'absent'"),
        (["study=[]"], "name two studies or more"),
        (["study=[example,simulated]", "outcomes=t.csv"], "outcomes belongs to one study"),
        (["study=[example,../x]"], "is not a name"),
    ],
)
def test_a_common_report_that_cannot_be_made_says_why_and_writes_nothing(
    arguments: list[str], words: str, two: Path, mitigation: Command
) -> None:
    done = mitigation("report", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert not (two / "reports").exists()


def test_a_list_of_one_study_is_that_study(two: Path, mitigation: Command) -> None:
    done = mitigation("report", "study=[example]")
    assert done.returncode == 0, done.stderr
    assert (two / "reports" / "example" / "report.html").is_file()

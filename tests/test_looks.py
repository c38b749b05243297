"""Sequential plans: which battles belong to a look, what is said before the boundary is crossed and after, and how often."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments import _sweeps
from experiments.cli import main
from mitigation import api
from mitigation.analysis import Analysis, analyse, analyse_battles
from mitigation.contrasts import CONFIDENCE
from mitigation.design import interleave
from mitigation.errors import AnalysisError, ConfigError
from mitigation.looks import blocks_of, reached
from mitigation.significance.group_sequential import nominal_level, repeated_p
from mitigation.significance.permutation import permutation_test
from mitigation.studies import load
from mitigation.types import AnalysisPlan

PLAN = AnalysisPlan(resamples=1_999, looks=4)
ROLES = {"control": "control", "placebo": "placebo"}
SWEEP = ["study=seq", "identity=control,unique_disassociative", "pairing=scripted", "messages=6", "replicates=120"]


def battles(rates: Mapping[str, float], *, blocks: int = 40, seed: int = 0) -> pd.DataFrame:
    """A study of complete blocks, one battle an arm in each."""
    rng = np.random.default_rng(seed)
    rows = []
    for block in range(blocks):
        for arm, rate in rates.items():
            said = int(rng.binomial(10, np.clip(rate * rng.uniform(0.4, 1.6), 0, 1)))
            row = {"battle_id": f"{arm}-{block:03d}", "arm": arm, "stratum": f"s{block % 2}", "block": block, "replicate": block}
            row |= {"status": "complete", "messages": 10, "words": 300, "ingroup_messages": said, "ingroup_count": said}
            rows.append(row)
    return pd.DataFrame(rows)


def pending(table: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """The same study with some battles still to fight."""
    numbers = ["messages", "words", "ingroup_messages", "ingroup_count"]
    found = table.astype(dict.fromkeys(numbers, float))
    found.loc[rows, "status"] = "pending"
    found.loc[rows, numbers] = np.nan
    return found


def judged(table: pd.DataFrame, plan: AnalysisPlan = PLAN) -> Analysis:
    arms = {
        arm: {"role": ROLES.get(arm, "treatment"), "expected": "less" if arm not in ROLES else "none"}
        for arm in table["arm"].unique()
    }
    return analyse_battles(table, None, plan=plan, arms=arms, study="demo")


def primary(found: Analysis, treatment: str = "unique") -> pd.Series:
    return found.contrasts[(found.contrasts["treatment"] == treatment) & (found.contrasts["outcome"] == "ingroup_rate")].iloc[0]


FALL = {"control": 0.5, "unique": 0.1}
SAME = {"control": 0.3, "unique": 0.3}


def test_a_look_takes_the_first_blocks_and_sets_later_battles_aside() -> None:
    table = battles(SAME)
    look, inside = reached(pending(table, (table["block"] == 25) & (table["arm"] == "unique")), PLAN)
    assert (look.number, look.of, look.blocks, look.planned) == (2, 4, 20, 40)
    assert sorted(set(inside["block"])) == list(range(20))
    assert look.later == 2 * 20 - 1
    assert str(look) == "look 2 of 4 (20 of 40 blocks)"
    assert look.next == "look 3 of 4, at 30 complete blocks"


def test_a_failed_battle_holds_up_a_look_until_it_is_fought_again_but_not_the_end_of_the_study() -> None:
    table = battles(SAME)
    table.loc[table["block"] == 13, "status"] = "failed"
    assert reached(table, PLAN)[0].final
    assert reached(pending(table, table["block"] == 39), PLAN)[0].number == 1
    table.loc[table["block"] == 13, "status"] = "excluded"
    assert reached(pending(table, table["block"] == 39), PLAN)[0].number == 3


def test_looks_that_fall_on_one_block_are_one_look() -> None:
    table = battles(SAME, blocks=5)
    look, _ = reached(pending(table, table["block"] >= 2), replace(PLAN, looks=20))
    assert (look.number, look.blocks) == (8, 2)
    assert look.next == "look 12 of 20, at 3 complete blocks"


def test_looks_are_evenly_spaced_and_the_last_takes_every_block() -> None:
    assert [blocks_of(k, 5, 13) for k in range(6)] == [0, 3, 6, 8, 11, 13]
    assert [blocks_of(k, 4, 2) for k in range(1, 5)] == [1, 1, 2, 2]


def test_battles_of_unknown_blocks_cannot_be_looked_at_in_turn() -> None:
    with pytest.raises(AnalysisError, match="looks=4 needs the blocks of a study that was designed here"):
        judged(battles(FALL).drop(columns="block"))
    table = pd.DataFrame({"condition": ["a", "b"], "battle_id": ["1", "2"], "we_count": 1, "words": 9, "any_we": True})
    with pytest.raises(ConfigError, match="analyse the table with looks=1"):
        analyse(table, control="a", plan=PLAN)


def test_before_the_first_look_a_sequential_study_is_as_any_interim() -> None:
    table = battles(FALL)
    found = judged(pending(table, table["block"] >= 9))
    assert found.interim
    assert found.contrasts["p_value"].isna().all()
    assert "no look was reached yet; next is look 1 of 4, at 10 complete blocks" in found.notes
    assert primary(found)["reasons"][0].endswith("no test before look 1 of 4, at 10 complete blocks")
    assert len(found.battles) == 80


def test_a_look_without_an_effect_says_nothing_but_that() -> None:
    table = battles(SAME)
    found = judged(pending(table, table["block"] >= 25))
    assert found.interim
    assert found.contrasts[["p_value", "p_adjusted", "ratio_low", "ratio_high", "rd_low", "rd_high"]].isna().all(axis=None)
    assert found.contrasts["risk_difference"].notna().all()
    assert "look 2 of 4 (20 of 40 blocks): no boundary is crossed; next is look 3 of 4, at 30 complete blocks" in found.notes


def test_an_effect_that_crosses_the_boundary_is_judged_on_the_battles_of_the_look() -> None:
    table = battles(FALL)
    part = pending(table, table["block"] >= 25)
    found, inside = judged(part), table[table["block"] < 20]
    assert not found.interim
    assert set(found.battles["block"]) == set(range(20))
    row = primary(found)
    alone = primary(judged(inside, replace(PLAN, looks=1)))
    assert row["verdict"] == "supported"
    assert row["p_value"] == alone["p_value"]
    assert row["p_adjusted"] == pytest.approx(repeated_p(row["p_value"], 2, 4))
    assert row["p_adjusted"] > row["p_value"]
    # The interval is that of a single test at the nominal level of this look.
    assert row["ratio_low"] <= alone["ratio_low"] < alone["ratio_high"] <= row["ratio_high"] < 1
    assert "adjusted for 4 looks" in row["reasons"][0]
    assert any("analysed at look 2 of 4 (20 of 40 blocks): 10 finished battles belong to later looks" in n for n in found.notes)
    assert found.verdict_json()["look"] == {"number": 2, "of": 4, "blocks": 20, "planned": 40, "later": 10}


def test_the_interval_holds_one_just_when_the_boundary_is_not_crossed() -> None:
    level = nominal_level(1 - CONFIDENCE, 4, 4)
    for seed in range(12):
        row = primary(judged(battles({"control": 0.4, "unique": 0.3}, seed=seed)))
        low, high = row["ratio_low"] or 0, np.inf if row["ratio_high"] is None else row["ratio_high"]
        assert (low <= 1 <= high) == (row["p_value"] > level)
        assert (row["p_adjusted"] <= 0.05) == (row["p_value"] <= level)


def test_what_lies_beyond_a_look_cannot_change_it() -> None:
    table = battles(FALL)
    part = pending(table, table["block"] == 39)
    later = part["block"] >= 30
    other = part.assign(ingroup_messages=part["ingroup_messages"].where(~later | (part["status"] == "pending"), 10.0))
    assert primary(judged(part)).equals(primary(judged(other)))


def test_one_treatment_may_stop_while_another_goes_on() -> None:
    table = battles({"control": 0.5, "unique": 0.1, "weak": 0.5}, seed=3)
    found = judged(pending(table, table["block"] >= 21))
    assert primary(found)["verdict"] == "supported"
    weak = primary(found, "weak")
    assert weak["verdict"] == "not_estimable"
    look = "look 2 of 4 (20 of 40 blocks): no boundary is crossed; next is look 3 of 4, at 30 complete blocks"
    assert weak["reasons"] == [f"interim: {look}"]
    assert any("adjusted for 2 comparisons (Holm), each of them first for 4 planned looks" in note for note in found.notes)
    # The one that goes on shows estimates and nothing that speaks of significance, in no outcome.
    own = found.contrasts[found.contrasts["treatment"] == "weak"]
    assert own[["p_value", "p_adjusted", "ratio_low", "ratio_high", "rd_low", "rd_high"]].isna().all(axis=None)
    assert weak["rate_ratio"] is not None
    assert found.waiting == ("weak",)


def test_a_treatment_that_cannot_be_tested_yet_counts_into_the_family_of_a_look() -> None:
    table = battles({"control": 0.5, "unique": 0.1, "weak": 0.5}, seed=3)
    gone = pending(table, (table["block"] >= 21) & (table["arm"] != "weak"))
    gone.loc[gone["arm"] == "weak", ["status"]] = "excluded"
    gone.loc[gone["arm"] == "weak", ["ingroup_messages", "ingroup_count"]] = np.nan
    found = judged(gone)
    row = primary(found)
    assert row["p_adjusted"] == pytest.approx(2 * repeated_p(row["p_value"], 2, 4))
    assert primary(found, "weak")["reasons"][0].startswith("interim: look 2 of 4 (20 of 40 blocks): not tested (arm weak has")


def test_the_last_look_is_the_whole_study() -> None:
    found = judged(battles(SAME))
    row = primary(found)
    assert not found.interim
    assert row["p_adjusted"] == pytest.approx(repeated_p(row["p_value"], 4, 4))
    assert row["verdict"] in ("underpowered", "no_evidence")
    assert "p values of the primary outcome are adjusted for 4 planned looks (O’Brien–Fleming)" in found.notes


@pytest.mark.long
def test_four_looks_at_a_true_null_reject_about_as_often_as_the_level_says_and_naive_ones_more_often() -> None:
    wrong = naive = 0
    for seed in range(300):
        table = battles(SAME, seed=seed)
        p_values = []
        for look in range(1, 5):
            part = table[table["block"] < 10 * look]
            rate = (part["ingroup_messages"] / 10).to_numpy()
            rng = np.random.default_rng(0)
            found = permutation_test(
                rate, (part["arm"] == "unique").to_numpy(), part["stratum"].to_numpy(), resamples=499, rng=rng
            )
            p_values.append(found.p_value)
        wrong += any(repeated_p(p, look, 4) <= 0.05 for look, p in enumerate(p_values, 1))
        naive += min(p_values) <= 0.05
    assert wrong / 300 <= 0.09
    assert naive > wrong


@pytest.mark.parametrize(
    ("change", "message"),
    [({"looks": 0}, "looks"), ({"looks": 21}, "looks"), ({"looks": 2, "correction": "max_t"}, "looks=2 needs correction=holm")],
)
def test_plans_that_cannot_be_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AnalysisPlan(**change)


def test_blocks_are_in_the_order_in_which_they_are_fought(project: Path) -> None:
    assert main(["battle", "-m", *SWEEP, "scenario=egomaniac,prisoners_dilemma"]) == 0
    table = load("seq").battles.set_index("battle_id")
    cells = _sweeps.sweep(["-m", *SWEEP, "scenario=egomaniac,prisoners_dilemma"]).cells
    order = [int(table.loc[battle.battle_id, "block"]) for battle in interleave(cells)]
    assert order == sorted(order)
    assert set(order) == set(range(240))


def test_a_study_that_is_stopped_early_is_reported_as_such(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "-m", *SWEEP, "analysis.looks=2", "lock=true"]) == 0
    told = capsys.readouterr().out
    assert "O’Brien–Fleming looks, alpha 0.05 over all" in told
    assert "no study can stop at look" not in told
    assert main(["battle", "-m", *SWEEP, "analysis.looks=2"]) == 0
    table = load("seq").battles
    late = set(table.loc[table["block"] >= 80, "battle_id"])
    for path in (project / "results" / "seq").rglob("battles.jsonl"):
        kept = [line for line in path.read_bytes().splitlines(keepends=True) if not any(name.encode() in line for name in late)]
        path.write_bytes(b"".join(kept))
    capsys.readouterr()
    assert main(["report", "study=seq"]) == 0
    told = capsys.readouterr().out
    assert "AT A LOOK: look 1 of 2 (60 of 120 blocks), as planned. The boundary is crossed by unique_disassociative." in told
    assert "NOT AS PLANNED" not in told
    assert "corrected for 2 looks p" in told
    page = (project / "reports" / "seq" / "report.md").read_text()
    assert "p (Holm, 2 looks)" in page
    assert (
        "The plan had 2 looks at complete blocks with O’Brien–Fleming boundaries; this is look 1 of 2 (60 of 120 blocks)" in page
    )
    verdict = json.loads((project / "reports" / "seq" / "verdict.json").read_text())
    assert verdict["look"]["later"] == 40
    given, _ = api.report("seq")
    assert len(given.transcripts) == 120
    assert set(given.analysis.battles["block"]) == set(range(60))
    capsys.readouterr()
    assert main(["report", "study=seq", "analysis.looks=4"]) == 0
    told = capsys.readouterr().out
    assert "but no plan with these looks was locked and followed" in told
    assert "NOT AS PLANNED: analysis.looks: 2 → 4" in told


def test_plan_tells_where_a_look_can_stop_and_what_would_let_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arms = "identity=control,unique_disassociative,placebo,shared_group"
    assert main(["plan", "-m", "study=seq", arms, "pairing=scripted", "replicates=160", "analysis.looks=4"]) == 0
    told = capsys.readouterr().out
    level = nominal_level(0.05 / 3, 1, 4)
    assert f"{level:.2g}" in told
    assert f"no study can stop at look 1; with analysis.resamples={np.ceil(1 / level):.0f} look 1 could" in told
    assert main(["plan", "-m", "study=seq", arms, "pairing=scripted", "replicates=6", "analysis.looks=10"]) == 0
    told = capsys.readouterr().out
    assert "analysis.resamples=" not in told.split("no study can stop")[1].splitlines()[0]

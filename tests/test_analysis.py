"""Whole analyses of tables and of studies: columns, faults of the input, degenerate arms, valid JSON, order of rows."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from mitigation.analysis import COLUMNS, Analysis, analyse, analyse_battles
from mitigation.errors import AnalysisError, ConfigError
from mitigation.estimates import newcombe
from mitigation.significance.permutation import permutation_test
from mitigation.types import AnalysisPlan

PLAN = AnalysisPlan(resamples=999)


def messages(rates, *, battles=12, turns=10, strata=1, seed=0) -> pd.DataFrame:
    """A table of messages whose battles say we at about the given rate in each condition."""
    rng = np.random.default_rng(seed)
    rows = []
    for condition, rate in rates.items():
        for battle in range(battles):
            chance = min(1.0, rate * rng.uniform(0.5, 1.5))
            for turn in range(1, turns + 1):
                we = int(rng.random() < chance) * int(rng.integers(1, 3))
                rows.append((condition, f"b{battle}", turn, we, int(rng.integers(20, 40)), we > 0, f"s{battle % strata}"))
    return pd.DataFrame(rows, columns=["condition", "battle_id", "turn", "we_count", "words", "any_we", "stratum"])


def analysed(table, **options) -> Analysis:
    return analyse(table, control=options.pop("control", "control"), plan=options.pop("plan", PLAN), **options)


def first(result: Analysis) -> pd.Series:
    return result.contrasts.iloc[0]


def dumped(result: Analysis) -> str:
    return json.dumps(result.verdict_json(), allow_nan=False, sort_keys=True)


def test_a_clear_fall_is_supported_and_every_column_is_there():
    result = analysed(messages({"control": 0.5, "unique": 0.1}))
    assert tuple(result.contrasts.columns) == COLUMNS
    assert list(result.contrasts["outcome"]) == ["we_rate", "we_any"]
    row = first(result)
    assert row["verdict"] == "supported"
    assert 0 < row["ratio_low"] < row["rate_ratio"] < row["ratio_high"] < 1
    assert row["p_value"] == row["p_adjusted"] <= 0.05
    assert result.contrasts.iloc[1]["p_adjusted"] is None


def test_a_clear_rise_is_harm():
    row = first(analysed(messages({"control": 0.1, "unique": 0.5})))
    assert row["verdict"] == "harm"
    assert "rises significantly" in row["reasons"][0]


def test_against_the_parts_it_is_made_of():
    table = messages({"control": 0.4, "unique": 0.3}, strata=3)
    battles = table.groupby(["condition", "battle_id"]).agg(rate=("any_we", "mean"), stratum=("stratum", "first")).reset_index()
    treated = (battles["condition"] == "unique").to_numpy()
    test = permutation_test(battles["rate"], treated, battles["stratum"], resamples=999, rng=np.random.default_rng(PLAN.seed))
    any_we = battles["rate"].to_numpy() > 0
    risk = newcombe(
        events_treated=int(any_we[treated].sum()), n_treated=12, events_control=int(any_we[~treated].sum()), n_control=12
    )
    row = first(analysed(table))
    assert row["p_value"] == test.p_value
    assert row["rate_treatment"] - row["rate_control"] == pytest.approx(test.difference)
    assert (row["risk_difference"], row["rd_low"], row["rd_high"]) == pytest.approx((risk.estimate, risk.low, risk.high))
    assert "pooled" in row["test"]


def test_the_rate_by_word_is_mentions_over_words():
    table = messages({"control": 0.4, "unique": 0.3})
    sums = table[table["condition"] == "unique"].groupby("battle_id")[["we_count", "words"]].sum()
    row = first(analysed(table, rate="words"))
    assert row["rate_treatment"] == pytest.approx((sums["we_count"] / sums["words"]).mean())


@pytest.mark.parametrize("rate", ["messages", "words"])
def test_shuffled_rows_give_identical_numbers(rate):
    table = messages({"control": 0.4, "a": 0.3, "b": 0.2}, strata=2)
    assert dumped(analysed(table.sample(frac=1, random_state=3), rate=rate)) == dumped(analysed(table, rate=rate))


def test_optional_columns_may_be_absent_and_truth_may_be_spelled_in_words():
    table = messages({"control": 0.4, "unique": 0.3})
    bare = table.drop(columns=["turn", "stratum"]).assign(any_we=table["any_we"].map({True: "True", False: "false"}))
    assert first(analysed(bare))["p_value"] == first(analysed(table))["p_value"]


@pytest.mark.parametrize(
    ("column", "value", "match"),
    [
        ("any_we", None, r"row 6 \(condition control, battle b0\): column any_we is empty"),
        ("we_count", float("nan"), "column we_count is empty"),
        ("we_count", -1, "we_count is negative"),
        ("words", -3, "words is negative"),
        ("words", float("inf"), "words is not a finite number"),
        ("words", "many", "words is not a finite number"),
        ("we_count", 0.5, "we_count is not whole"),
        ("any_we", "perhaps", "neither true nor false"),
        ("we_count", 7, "any_we contradicts we_count"),
        ("turn", 1, "occurs before"),
        ("stratum", "elsewhere", "'b0' of condition 'control' lies in 2 strata"),
        ("stratum", None, "column stratum is empty"),
        ("condition", None, "column condition is empty"),
    ],
)
def test_a_faulty_cell_is_refused_with_its_place(column, value, match):
    table = messages({"control": 0.0, "unique": 0.0}).astype(object)
    table.loc[5, column] = value
    with pytest.raises(ConfigError, match=match):
        analysed(table)


def test_a_faulty_table_is_refused():
    table = messages({"control": 0.4, "unique": 0.3})
    with pytest.raises(ConfigError, match="no column words"):
        analysed(table.drop(columns="words"))
    with pytest.raises(ConfigError, match="control='none' is no condition of the table: choose one of control, unique"):
        analysed(table, control="none")
    with pytest.raises(ConfigError, match="rate='turns' is not known"):
        analysed(table, rate="turns")
    with pytest.raises(ConfigError, match="is a list"):
        analyse([], control="control")  # type: ignore[arg-type]
    with pytest.raises(AnalysisError, match="holds no messages"):
        analysed(table[:0])
    with pytest.raises(ConfigError, match="occurs before, as in 239 more rows"):
        analysed(pd.concat([table, table]))


def test_only_one_arm_is_not_estimable():
    row = first(analysed(messages({"control": 0.4})))
    assert row["verdict"] == "not_estimable"
    assert "nothing to compare it with" in row["reasons"][0]
    assert row["p_value"] is None


@pytest.mark.parametrize(
    ("rates", "battles", "verdict", "reason", "p"),
    [
        ({"control": 0.0, "unique": 0.0}, 8, "not_estimable", "no in-group we in either arm", 1.0),
        ({"control": 0.9, "unique": 0.1}, 1, "not_estimable", "at least two of each", None),
        ({"control": 0.9, "unique": 0.1}, 3, "not_estimable", "cannot give a p below 0.1, which exceeds alpha 0.05", None),
    ],
)
def test_degenerate_tables(rates, battles, verdict, reason, p):
    result = analysed(messages(rates, battles=battles))
    row = first(result)
    assert (row["verdict"], row["p_value"]) == (verdict, p)
    assert reason in row["reasons"][0]
    assert "NaN" not in dumped(result)
    assert "nan" not in " ".join(row["reasons"])


def test_five_strata_of_one_battle_have_no_test():
    row = first(analysed(messages({"control": 0.9, "unique": 0.1}, battles=5, strata=5)))
    assert row["p_value"] is None
    assert "cannot give a p below 0.0625" in row["reasons"][0]


def test_a_silent_treated_arm_has_an_upper_end():
    row = first(analysed(messages({"control": 0.5, "unique": 0.0})))
    assert (row["rate_ratio"], row["ratio_low"]) == (0.0, 0.0)
    assert row["ratio_high"] == pytest.approx(1 - 0.025 ** (1 / 12))
    assert row["verdict"] == "supported"
    assert "at most" in row["reasons"][0]


def test_a_silent_control_arm_has_a_p_but_no_ratio():
    result = analysed(messages({"control": 0.0, "unique": 0.5}))
    row = first(result)
    assert row["rate_ratio"] is row["ratio_low"] is row["ratio_high"] is None
    assert row["p_value"] < 0.05
    assert row["risk_difference"] == 1.0
    assert row["verdict"] == "harm"
    dumped(result)


def test_holm_covers_all_treatments_and_the_note_gives_the_family():
    result = analysed(messages({"control": 0.4, "a": 0.3, "b": 0.25, "c": 0.35}))
    primary = result.contrasts[result.contrasts["outcome"] == "we_rate"]
    smallest = primary["p_value"].astype(float).idxmin()
    assert primary.loc[smallest, "p_adjusted"] == pytest.approx(min(1.0, 3 * primary.loc[smallest, "p_value"]))
    assert any("adjusted for 3 comparisons" in note for note in result.notes)


def test_messages_without_words_have_no_exposure_by_word_and_are_counted():
    table = messages({"control": 0.4, "unique": 0.3})
    empty = (table["condition"] == "unique") & (table["battle_id"] == "b3")
    table.loc[empty, ["we_count", "words"]] = 0
    table.loc[empty, "any_we"] = False
    result = analysed(table, rate="words")
    arm = result.arms.set_index("arm").loc["unique"]
    assert (arm["scored"], arm["no_exposure"], arm["planned"]) == (11, 1, 12)
    assert first(result)["n_treatment"] == 11


def test_html_escapes_what_comes_from_the_table():
    html = analysed(messages({"control": 0.4, "<script>": 0.3}), study="<b>")._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html


def test_importing_the_package_loads_no_heavy_library():
    code = "import sys, mitigation; print(sorted({'scipy', 'statsmodels', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


ARMS = {
    "control": {"role": "control", "expected": "none"},
    "unique": {"role": "treatment", "expected": "less"},
}


def study(rates=None, *, n=12, arms=ARMS, seed=0, **others) -> pd.DataFrame:
    """Battles of a study; `others` maps a further outcome to its rates."""
    rates = rates or {"control": 0.5, "unique": 0.1}
    rng = np.random.default_rng(seed)
    rows = []
    for arm in arms:
        for i in range(n):
            messages_ = int(rng.integers(8, 20))
            row = {"battle_id": f"{arm}-{i}", "arm": arm, "stratum": f"s{i % 2}", "replicate": i, "status": "complete"}
            row |= {"messages": messages_, "words": 30 * messages_, "ending": "conceded"}
            for outcome, by_arm in ({"ingroup": rates} | others).items():
                said = int(rng.binomial(messages_, by_arm.get(arm, 0.3)))
                row |= {f"{outcome}_messages": said}
                if outcome in ("ingroup", "strict", "social"):
                    row[f"{outcome}_count"] = 2 * said
            rows.append(row)
    return pd.DataFrame(rows)


def judged(battles, planned=None, *, plan=PLAN, arms=ARMS) -> Analysis:
    return analyse_battles(battles, planned, plan=plan, arms=arms, study="demo")


def test_a_study_lists_its_outcomes_in_order():
    same = {"control": 0.3, "unique": 0.3}
    battles = study(zeal=same, conflict=same, refusal=same, cooperation=same, social=same, strict=same, substitute=same)
    assert list(judged(battles).contrasts["outcome"]) == [
        "ingroup_rate",
        "ingroup_any",
        "ingroup_strict_rate",
        "social_rate",
        "substitute_rate",
        "cooperation_rate",
        "refusal_rate",
        "conflict_rate",
        "zeal_rate",
    ]


def test_every_planned_battle_is_counted_in_one_state():
    battles = study()
    battles.loc[0, "status"] = "refused"
    battles.loc[13, "status"] = "failed"
    battles.loc[14, "status"] = "excluded"
    battles.loc[[0, 13, 14], [c for c in battles if c.startswith("ingroup")]] = np.nan
    battles.loc[1, ["messages", "words", "ingroup_messages", "ingroup_count"]] = 0
    arms = judged(battles).arms.set_index("arm")
    for arm in arms.index:
        assert arms.loc[arm, ["complete", "refused", "failed", "pending", "excluded"]].sum() == arms.loc[arm, "planned"] == 12
    assert tuple(arms.loc["control", ["scored", "no_exposure", "refused"]]) == (10, 1, 1)
    assert tuple(arms.loc["unique", ["scored", "failed", "excluded"]]) == (10, 1, 1)


def test_pending_battles_make_an_interim_without_any_significance():
    battles = study()
    result = judged(battles[3:], battles[["battle_id", "arm", "stratum"]])
    assert result.interim
    assert result.missingness["p_value"].isna().all()
    assert set(result.missingness["test"]) == {"no test"}
    assert result.notes[0].startswith("interim: 3 of 24 battles pending")
    assert result.contrasts[["p_value", "p_adjusted", "ratio_low", "ratio_high"]].isna().all(axis=None)
    assert first(result)["verdict"] == "not_estimable"
    assert first(result)["reasons"][0].startswith("interim: 3 of 24 battles pending")
    assert "signific" not in dumped(result)
    assert result.verdict_json()["interim"] is True


def test_an_arm_without_a_scored_battle_is_named_with_its_states():
    battles = study()
    battles.loc[battles["arm"] == "unique", "status"] = "refused"
    result = judged(battles)
    assert first(result)["reasons"] == ["arm unique has no scored battle (12 planned: 12 refused)"]
    dumped(result)
    assert first(judged(battles[:12]))["reasons"] == ["arm unique has no scored battle: none was planned"]


@pytest.mark.parametrize("change", [lambda b: b.assign(status="failed"), lambda b: b[:0]])
def test_a_study_without_a_scored_battle_is_not_estimable_and_says_why(change):
    battles = study()
    analysis = judged(change(battles), battles[["battle_id", "arm", "stratum"]])
    primary = analysis.contrasts[analysis.contrasts["outcome"] == "ingroup_rate"]
    assert set(primary["verdict"]) == {"not_estimable"}
    assert primary["p_value"].isna().all()
    assert all(reasons for reasons in primary["reasons"])
    json.dumps(analysis.verdict_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda b: pd.concat([b, b[:1]]), "battle control-0 occurs twice among the battles"),
        (lambda b: b.assign(status="done"), "status 'done' is not known"),
        (lambda b: b.assign(arm="other"), "arm 'other' of the battles is not among"),
        (lambda b: b.assign(ingroup_count=-1), "ingroup_count=-1 is no possible count"),
        (lambda b: b.assign(words=np.inf), "words=inf is no possible count"),
        (lambda b: b.assign(ingroup_messages=99), "ingroup_messages=99 is no possible count"),
        (lambda b: b.drop(columns="ingroup_count"), "no column ingroup_count"),
        (lambda b: b.assign(stratum=None), "no battle_id, arm or stratum"),
    ],
)
def test_faulty_battles_are_refused(change, match):
    with pytest.raises(AnalysisError, match=match):
        judged(change(study()))


def test_battles_outside_the_plan_and_unknown_controls_are_refused():
    battles = study()
    with pytest.raises(AnalysisError, match="are not in the plan"):
        judged(battles, battles[:5])
    with pytest.raises(ConfigError, match="control='nobody' is no arm"):
        judged(battles, plan=AnalysisPlan(control="nobody"))


def test_unjudged_battles_are_counted_as_missing_not_as_no_we():
    battles = study()
    battles.loc[[3, 4], ["ingroup_messages", "ingroup_count"]] = None
    result = judged(battles)
    assert first(result)["n_control"] == 10
    assert any("2 complete battles could not be scored" in note for note in result.notes)
    assert result.missingness.loc[0, "missing_control"] == 2


def test_unequal_arms_are_warned_about():
    battles = study()
    assert any("this unequal" in note for note in judged(battles[:20]).notes)
    assert not any("this unequal" in note for note in judged(battles).notes)


def test_repeated_transcripts_are_noted():
    battles = study().assign(transcript_sha=[f"{i // 2}" if i < 4 else f"only{i}" for i in range(24)], stratum="s")
    assert "2 of 24 scored transcripts repeat another of the same arm and stratum" in judged(battles).notes


def test_a_plan_with_too_few_resamples_for_its_family_is_noted():
    arms = ARMS | {f"a{i}": {"role": "treatment", "expected": "less"} for i in range(6)}
    result = judged(study(arms=arms), arms=arms, plan=AnalysisPlan(resamples=99))
    assert any("no adjusted p can fall below 0.07 with 7 comparisons" in note for note in result.notes)

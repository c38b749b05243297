"""Other analyses of the primary contrast: every row is what its own function says, and what cannot be made says why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_effectsize

from mitigation.analysis import Analysis, analyse_battles
from mitigation.contrasts import compare
from mitigation.descriptions import Description, Section
from mitigation.diagnostics import by_level, dispersion, influence
from mitigation.estimates import arm_rates
from mitigation.robustness import next_study, robustness
from mitigation.sensitivity import sensitivity
from mitigation.significance.jackknife import jackknife
from mitigation.significance.poisson_gee import poisson_gee
from mitigation.types import AnalysisPlan
from tests.test_analysis import ARMS, PLAN, study

WORDINGS = 8


def with_wordings(battles: pd.DataFrame) -> pd.DataFrame:
    """Give each treated battle two wordings, and each battle a scenario."""
    rng = np.random.default_rng(3)
    battles = battles.assign(wordings=None, scenario=[f"scene {k % 2}" for k in range(len(battles))], truncated=0, unjudged=0)
    for row in battles.index[battles["arm"] != "control"]:
        battles.loc[row, "wordings"] = "|".join(map(str, rng.choice(WORDINGS, 2, replace=False)))
    return battles


def analysed(battles: pd.DataFrame, plan: AnalysisPlan = PLAN) -> Analysis:
    return analyse_battles(battles, None, plan=plan, arms=ARMS, study="s")


def rows_of(battles: pd.DataFrame, plan: AnalysisPlan = PLAN) -> pd.DataFrame:
    return sensitivity(analysed(battles, plan).battles, plan=plan, arms=ARMS).set_index("analysis")


def test_every_analysis_has_a_row_and_the_first_is_the_primary_one() -> None:
    found = analysed(with_wordings(study(n=20, strict={"control": 0.4, "unique": 0.1}, social={"control": 0.3, "unique": 0.05})))
    table = sensitivity(found.battles, plan=PLAN, arms=ARMS)
    assert list(table["analysis"]) == [
        "primary",
        "rate by words",
        "strict tier",
        "social tier",
        "Poisson GEE, strata, bias-reduced covariance",
        "pooled ratio, no strata, bias-reduced covariance",
        "Welch’s t test of battle rates",
        "van Elteren’s rank test",
        "battles with any",
        "medians of battle rates",
        "jackknife over wordings",
    ]
    primary, first = found.contrasts.iloc[0], table.iloc[0]
    assert (first["estimate"], first["low"], first["high"], first["p_value"]) == tuple(
        primary[["rate_ratio", "ratio_low", "ratio_high", "p_value"]]
    )


@pytest.mark.parametrize("rate", ["messages", "words"])
def test_the_rows_are_what_their_methods_say(rate: str) -> None:
    plan = replace(PLAN, rate=rate)
    battles = analysed(with_wordings(study(n=20)), plan).battles
    table = sensitivity(battles, plan=plan, arms=ARMS).set_index("analysis")
    treated, strata = (battles["arm"] == "unique").to_numpy(), battles["stratum"].to_numpy()
    above, below = ("ingroup_count", "words") if rate == "words" else ("ingroup_messages", "messages")
    model = poisson_gee(battles[above], battles[below], treated, strata)
    row = table.loc["Poisson GEE, strata, bias-reduced covariance"]
    assert (row["estimate"], row["p_value"]) == (model.ratio, model.p_value)
    drawn = [tuple(map(int, text.split("|"))) if isinstance(text, str) else () for text in battles["wordings"]]
    over = jackknife(battles["rate"], treated, strata, drawn)
    row = table.loc["jackknife over wordings"]
    assert (row["estimate"], row["low"], row["high"]) == (over.ratio, over.low, over.high)
    shares = arm_rates(battles["rate"] > 0, treated, strata)
    assert table.loc["battles with any", "estimate"] == pytest.approx(
        proportion_effectsize(shares.treated, shares.control)  # of statsmodels
    )
    middle = battles.groupby("arm")["rate"].median()
    assert table.loc["medians of battle rates", "estimate"] == pytest.approx(middle["unique"] - middle["control"])
    other = compare(
        battles, outcome="ingroup", name="x", control="control", treatment="unique", plan=plan,
        rate="messages" if rate == "words" else "words",
    )  # fmt: skip
    assert table.loc[f"rate by {'messages' if rate == 'words' else 'words'}", "p_value"] == other.p_value


def test_battles_are_set_aside_only_where_there_are_some_to_set_aside_and_the_row_says_how_many() -> None:
    battles = with_wordings(study(n=20, refusal={"control": 0.0, "unique": 0.02}))
    battles.loc[[0, 21], "truncated"] = 1
    battles.loc[2, "unjudged"] = 3
    battles["retried"] = 0
    battles.loc[[3, 4, 25], "retried"] = [1, 2, 1]
    table = rows_of(battles)
    assert table.loc["battles with no reply cut off at its limit", "n_control"] == 19
    assert table.loc["battles with every message judged", ["n_control", "n_treatment"]].tolist() == [19, 20]
    assert table.loc["battles with no reply cut off at its limit", "note"].startswith("battles set aside: 2;")
    assert table.loc["battles with every reply at the first call", ["n_control", "n_treatment"]].tolist() == [18, 19]
    refusing = int((battles["refusal_messages"] > 0).sum())
    assert refusing > 0
    assert table.loc["battles with no refusal in words", "note"].startswith(f"battles set aside: {refusing};")


def test_an_unfinished_study_and_copies_are_not_tested() -> None:
    battles = study()
    battles.loc[0, "status"] = "pending"
    battles.loc[0, ["messages", "words", "ingroup_messages", "ingroup_count"]] = np.nan
    table = rows_of(battles)
    assert list(table.index) == ["all"]
    assert table.loc["all", "note"] == "interim: 1 pending"
    assert table["p_value"].isna().all()
    copied = rows_of(study().assign(transcript_sha="same"))
    assert "copies, not evidence" in copied.loc["all", "note"]


def test_an_arm_without_any_event_has_no_model_and_says_so() -> None:
    table = rows_of(study({"control": 0.5, "unique": 0.0}))
    assert table.loc["Poisson GEE, strata, bias-reduced covariance", "note"].startswith("the treated arm has no event")
    assert pd.isna(table.loc["Poisson GEE, strata, bias-reduced covariance", "p_value"])
    assert table.loc["primary", "p_value"] < 0.01


def test_rows_in_another_order_give_the_same_table() -> None:
    battles = with_wordings(study(n=15))
    shuffled = battles.sample(frac=1, random_state=1).reset_index(drop=True)
    pd.testing.assert_frame_equal(rows_of(battles), rows_of(shuffled), check_exact=False, rtol=1e-9)


def test_levels_are_compared_within_themselves_and_their_difference_is_asked_once() -> None:
    battles = with_wordings(study(n=24))
    kept = analysed(battles).battles
    table = by_level(kept, plan=PLAN, arms=ARMS)
    assert list(table["level"]) == ["scene 0", "scene 1"]
    assert table["p_heterogeneity"].nunique() == 1
    one = compare(
        kept[kept["scenario"] == "scene 0"], outcome="ingroup", name="x", control="control", treatment="unique", plan=PLAN
    )
    assert table.iloc[0]["p_value"] == one.p_value
    assert table["n_control"].sum() == 24
    assert by_level(analysed(study()).battles, plan=PLAN, arms=ARMS).empty


def test_the_most_influential_battle_is_the_one_that_moves_the_ratio_most() -> None:
    battles = analysed(study(n=10)).battles
    table = influence(battles, plan=PLAN, arms=ARMS)
    treated, strata = (battles["arm"] == "unique").to_numpy(), battles["stratum"].to_numpy()
    rates = battles["rate"].to_numpy(dtype=float)
    weights = pd.Series(strata).value_counts(normalize=True)

    def ratio(keep: np.ndarray) -> float:  # the weights of the strata are kept
        means = [
            sum(weights[s] * rates[keep & side & (strata == s)].mean() for s in weights.index) for side in (treated, ~treated)
        ]
        return means[0] / means[1]

    every = np.array([ratio(np.arange(len(rates)) != k) for k in range(len(rates))])
    assert list(table["ratio_without"]) == pytest.approx([every.min(), every.max()])
    assert list(table["battle_id"]) == [battles["battle_id"][every.argmin()], battles["battle_id"][every.argmax()]]
    both = arm_rates(rates, treated, strata)
    assert table["ratio"].tolist() == pytest.approx([both.treated / both.control] * 2)


def test_independent_messages_of_one_chance_have_dispersion_one() -> None:
    alike = dispersion(analysed(study(n=400)).battles).set_index("arm")
    assert alike["dispersion"].to_numpy(dtype=float) == pytest.approx(1, abs=0.25)
    assert alike.loc["unique", "without_any"] == pytest.approx(alike.loc["unique", "expected_without_any"], abs=0.08)
    rng, battles = np.random.default_rng(0), study(n=400)
    battles["ingroup_messages"] = rng.binomial(battles["messages"], rng.beta(0.3, 0.7, len(battles)))
    differing = dispersion(analysed(battles).battles).set_index("arm")
    assert (differing["dispersion"].astype(float) > 4).all()
    assert (differing["without_any"] > differing["expected_without_any"] + 0.1).all()


def test_the_report_has_one_section_of_these_tables_and_none_without_a_scored_battle() -> None:
    battles = analysed(with_wordings(study())).battles
    tables = list(robustness(battles, plan=PLAN, arms=ARMS))
    assert [table.name for table in tables] == [*("family", "sensitivity", "levels", "influence", "dispersion")]
    assert [table.section for table in tables] == [Section.CONTRASTS, *[Section.SENSITIVITY] * 4]
    assert [(table.name, table.section) for table in next_study(battles, plan=PLAN)] == [("sample_sizes", Section.PLANNING)]
    assert all(isinstance(table, Description) for table in tables)
    assert list(robustness(battles.assign(scored=False), plan=PLAN, arms=ARMS)) == []


def test_a_supported_verdict_says_whether_it_holds_for_other_wordings() -> None:
    reasons = analysed(with_wordings(study(n=30))).contrasts.iloc[0]["reasons"]
    assert any(
        reason.startswith("holds for wordings like these: the ratio with an interval over 8 wordings is") for reason in reasons
    )
    few = with_wordings(study(n=30))
    few.loc[few["arm"] == "unique", "wordings"] = [f"{k % 2}|{2}" for k in range(30)]
    reasons = analysed(few).contrasts.iloc[0]["reasons"]
    assert any(reason.startswith("speaks of these wordings only: 3 wordings drawn: at least 4 are needed") for reason in reasons)
    none = study(n=30).assign(wordings=None)
    assert not any("wordings" in reason for reason in analysed(none).contrasts.iloc[0]["reasons"])


def test_an_effect_of_one_wording_speaks_of_these_wordings_only() -> None:
    battles = with_wordings(study({"control": 0.5, "unique": 0.5}, n=40))
    own = battles["arm"] == "unique"
    drawn = [(0, 1 + k % 7) if k % 2 else (1 + k % 7, 1 + (k + 1) % 7) for k in range(40)]
    battles.loc[own, "wordings"] = [f"{a}|{b}" for a, b in drawn]
    silent = own & battles["wordings"].fillna("").str.startswith("0|")
    battles.loc[silent, ["ingroup_messages", "ingroup_count"]] = 0
    first = analysed(battles).contrasts.iloc[0]
    assert first["verdict"] == "supported"
    assert any(reason.startswith("speaks of these wordings only: the ratio with an interval over") for reason in first["reasons"])


def test_a_battle_without_which_there_is_no_ratio_is_the_most_influential() -> None:
    battles = study(n=12)
    battles["messages"] = 20
    battles["ingroup_messages"] = [9, *[0] * 11, *[1] * 6, *[0] * 6]
    battles["ingroup_count"] = battles["ingroup_messages"]
    table = influence(analysed(battles).battles, plan=PLAN, arms=ARMS)
    assert table.iloc[1]["battle_id"] == "control-0"
    assert table.iloc[1]["ratio_without"] is None


def test_the_one_treated_battle_with_an_event_leaves_a_ratio_of_nothing() -> None:
    battles = study(n=12)
    battles["messages"] = 20
    battles["ingroup_messages"] = [3, 5, 7] * 4 + [0] * 6 + [7] + [0] * 5
    battles["ingroup_count"] = battles["ingroup_messages"]
    first = influence(analysed(battles).battles, plan=PLAN, arms=ARMS).iloc[0]
    assert (first["battle_id"], first["ratio_without"]) == ("unique-6", 0.0)


def test_battles_of_unknown_refusal_are_set_aside_and_wordings_may_be_read_back_from_a_table() -> None:
    battles = with_wordings(study(n=20, refusal={"control": 0.0, "unique": 0.02}))
    battles["refusal_messages"] = battles["refusal_messages"].astype("Int64")
    battles.loc[[0, 1, 2], "refusal_messages"] = pd.NA
    assert rows_of(battles).loc["battles with no refusal in words", "n_control"] == 17
    one = study(n=30).assign(wordings=[np.nan] * 30 + [0.0] * 30)
    reasons = analysed(one).contrasts.iloc[0]["reasons"]
    assert any(reason.startswith("speaks of these wordings only: 1 wording drawn") for reason in reasons)

"""Treatments as one family, the 2 × 2 of identities, side effects against a margin, one agent at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mitigation.analysis import Analysis, analyse_battles
from mitigation.contrasts import compare
from mitigation.errors import AnalysisError
from mitigation.estimates import stratified_newcombe
from mitigation.factorial import ARMS as CROSSED
from mitigation.factorial import factorial
from mitigation.family import family
from mitigation.seats import by_seat
from mitigation.side_effects import LEVEL, side_effects
from mitigation.significance.arrangements import arrange
from mitigation.significance.holm import holm
from mitigation.significance.inversion import invert
from mitigation.significance.max_t import _ordered, _statistics, max_t
from mitigation.types import Agent, AnalysisPlan, Transcript
from tests.test_analysis import ARMS, PLAN, study

THREE = ARMS | {name: {"role": "treatment", "expected": "less"} for name in ("second", "third")}
RATES = {"control": 0.5, "unique": 0.2, "second": 0.35, "third": 0.5}


def several(n: int = 16, seed: int = 0) -> pd.DataFrame:
    battles = study(RATES, n=n, arms=THREE, seed=seed)
    return analyse_battles(battles, None, plan=PLAN, arms=THREE, study="s").battles


def flat(battles: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return battles["rate"].to_numpy(dtype=float), battles["arm"].to_numpy(), battles["stratum"].to_numpy()


def test_the_statistics_of_max_t_are_those_of_the_primary_test() -> None:
    rates, arm, strata = flat(several())
    seen = _statistics(_ordered(rates, arm, strata, ["control", "second", "third", "unique"]))[:, 0]
    for k, name in enumerate(("second", "third", "unique")):
        own = np.isin(arm, ["control", name])
        statistic = arrange(rates[own], arm[own] == name, strata[own], rng=np.random.default_rng(0)).statistic()
        assert statistic is not None
        assert seen[k] == pytest.approx(statistic**2)


def test_max_t_of_one_treatment_is_the_primary_test_within_monte_carlo_error() -> None:
    rates, arm, strata = flat(several())
    own = np.isin(arm, ["control", "second"])
    p = arrange(rates[own], arm[own] == "second", strata[own], rng=np.random.default_rng(0), resamples=20_000).p_value()
    found = max_t(rates[own], arm[own], strata[own], ["second"], control="control", resamples=20_000, seed=0)
    assert found == pytest.approx([p], abs=4 * np.sqrt(2 * p * (1 - p) / 20_000))


def test_max_t_is_the_same_in_another_order_and_never_falls_along_the_steps() -> None:
    rates, arm, strata = flat(several())
    names = ["unique", "second", "third"]
    found = max_t(rates, arm, strata, names, control="control", resamples=999, seed=0)
    order = np.random.default_rng(1).permutation(len(rates))
    again = max_t(rates[order], arm[order], strata[order], names[::-1], control="control", resamples=999, seed=0)
    assert again == found[::-1]
    assert found == sorted(found)  # from the strongest effect to none
    assert min(found) >= 1 / 1000


def test_max_t_needs_every_arm_in_every_stratum() -> None:
    with pytest.raises(AnalysisError, match="b has none in one of them"):
        max_t([0.1, 0.2, 0.3, 0.4], ["c", "b", "c", "a"], ["x", "x", "y", "y"], ["b"], control="c", resamples=99, seed=0)
    with pytest.raises(AnalysisError, match="finite"):
        max_t([0.1, float("nan")], ["c", "b"], ["x", "x"], ["b"], control="c", resamples=99, seed=0)


def test_max_t_holds_the_level_over_three_treatments_without_effect() -> None:
    wrong = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        arm, strata = np.repeat(["c", "x", "y", "z"], 10), np.tile([0, 1], 20)
        rates = rng.beta(0.5, 1.5, 40) * (rng.random(40) < 0.8)
        wrong += min(max_t(rates, arm, strata, ["x", "y", "z"], control="c", resamples=199, seed=seed)) <= 0.05
    assert wrong <= 13  # 5 expected; more has a chance below 1 in 2,000


def test_a_family_has_wider_intervals_and_larger_p_values() -> None:
    battles = several()
    table = family(battles, plan=PLAN, arms=THREE).set_index("treatment")
    assert list(table["p_holm"]) == holm(list(table["p_value"]))
    for name, row in table.iterrows():
        own = battles[battles["arm"].isin(["control", name])]
        rates, arm, strata = flat(own)
        draws = arrange(rates, arm == name, strata, resamples=PLAN.resamples, rng=np.random.default_rng(PLAN.seed))
        wide = invert(draws, confidence=1 - 0.05 / 3)
        assert (row["simultaneous_low"], row["simultaneous_high"]) == (wide.low, wide.high)
        assert row["simultaneous_low"] <= row["ratio_low"]
        assert row["p_value"] <= row["p_benjamini_hochberg"] <= row["p_holm"]
        assert row["p_value"] <= row["p_max_t"] + 0.05  # another draw of 999


def test_a_plan_may_name_max_t_whose_p_values_then_decide() -> None:
    battles = several()
    found = analyse_battles(battles, None, plan=replace(PLAN, correction="max_t"), arms=THREE, study="s")
    table = family(battles, plan=PLAN, arms=THREE).set_index("treatment")
    primary = found.contrasts[found.contrasts["outcome"] == "ingroup_rate"].set_index("treatment")
    assert found.correction == "max_t"
    assert list(primary["p_adjusted"]) == [max(primary.loc[n, "p_value"], table.loc[n, "p_max_t"]) for n in primary.index]
    assert any("adjusted for 3 comparisons (max-T)" in note for note in found.notes)


def test_where_max_t_cannot_be_used_holm_is_and_the_report_says_so() -> None:
    battles = several()
    gone = (battles["arm"] == "second") & (battles["stratum"] == battles["stratum"].iloc[0])
    found = analyse_battles(battles[~gone], None, plan=replace(PLAN, correction="max_t"), arms=THREE, study="s")
    primary = found.contrasts[found.contrasts["outcome"] == "ingroup_rate"]
    assert found.correction == "holm"
    assert list(primary["p_adjusted"]) == holm(list(primary["p_value"]))
    assert any(
        "max-T, which the plan names, cannot be used (max-T needs battles of every arm in every stratum" in note
        and note.endswith("by Holm instead")
        for note in found.notes
    )


def test_an_interim_family_has_no_p_value() -> None:
    battles = study(RATES, arms=THREE)
    battles.loc[0, "status"] = "pending"
    battles.loc[0, ["messages", "words", "ingroup_messages", "ingroup_count"]] = np.nan
    kept = analyse_battles(battles, None, plan=PLAN, arms=THREE, study="s").battles
    table = family(kept, plan=PLAN, arms=THREE)
    assert table[["p_value", "p_holm", "p_max_t", "simultaneous_low"]].isna().all(axis=None)
    assert (table["note"] == "interim: 1 pending").all()
    assert side_effects(kept.assign(refusal_messages=0), plan=PLAN, arms=THREE)["p_within"].isna().all()


def crossed(n: int = 60, *, unique: float = 0.6, apart: float = 0.8, both: float = 0.6, seed: int = 0) -> pd.DataFrame:
    rng, rows = np.random.default_rng(seed), []
    for arm, (one, other) in CROSSED.items():
        scale = (unique if one else 1) * (apart if other else 1) * (both if one and other else 1)
        for k in range(n):
            rate = rng.beta(4, 6) * scale
            row = {"arm": arm, "stratum": f"s{k % 3}", "scored": True, "status": "complete", "rate": rate}
            rows.append(row | {"messages": 1, "words": 1, "ingroup_messages": rate, "ingroup_count": rate})
    return pd.DataFrame(rows)


def test_the_factors_and_their_interaction_are_recovered() -> None:
    table = factorial(crossed(400), plan=PLAN).set_index(["effect", "within"])
    assert table.loc[("unique", "not disassociative"), "ratio"] == pytest.approx(0.6, rel=0.06)
    assert table.loc[("unique", "disassociative"), "ratio"] == pytest.approx(0.36, rel=0.06)
    assert table.loc[("disassociative", "not unique"), "ratio"] == pytest.approx(0.8, rel=0.06)
    assert table.loc[("interaction", "ratio of ratios"), "ratio"] == pytest.approx(0.6, rel=0.1)
    assert (table["low"] < table["ratio"]).all()
    assert (table["ratio"] < table["high"]).all()


def test_the_effect_within_a_level_is_the_primary_test_of_two_arms() -> None:
    battles = crossed(20)
    table = factorial(battles, plan=PLAN).set_index(["effect", "within"])
    own = battles[battles["arm"].isin(["same_unique", "unique_disassociative"])]
    found = compare(own, outcome="ingroup", name="x", control="same_unique", treatment="unique_disassociative", plan=PLAN)
    row = table.loc[("unique", "disassociative")]
    assert (row["n_without"], row["n_with"]) == (20, 20)
    assert row["ratio"] == pytest.approx(found.ratio.ratio)
    assert row["p_value"] == pytest.approx(found.p_value, abs=0.02)


def test_the_interaction_covers_one_about_as_often_as_it_says() -> None:
    hits = 0
    for seed in range(120):
        row = factorial(crossed(20, both=1.0, seed=seed), plan=replace(PLAN, resamples=99)).iloc[-1]
        hits += row["low"] <= 1 <= row["high"]
    assert hits >= 106


@pytest.mark.parametrize("change", ["arm", "strata", "pending"])
def test_an_incomplete_crossing_has_no_table(change: str) -> None:
    battles = crossed(6)
    if change == "arm":
        battles = battles[battles["arm"] != "same_unique"]
    elif change == "strata":
        battles = battles[(battles["arm"] != "same_unique") | (battles["stratum"] != "s0")]
    else:
        battles.loc[0, "status"] = "pending"
    assert factorial(battles, plan=PLAN).empty


def test_a_side_effect_is_within_beyond_or_neither_as_its_interval_lies() -> None:
    arms = {"control": ARMS["control"]} | dict.fromkeys(("calm", "bold", "open"), ARMS["unique"])
    rows = []
    for arm, events in (("control", 10), ("calm", 6), ("bold", 90), ("open", 25)):
        for k in range(100):
            row = {"battle_id": f"{arm}{k}", "arm": arm, "stratum": "s", "replicate": k, "status": "complete"}
            said = {"messages": 10, "words": 300, "ingroup_messages": k % 3, "ingroup_count": k % 3}
            rows.append(row | said | {"ending": "conceded", "refusal_messages": int(k < events)})
    battles = analyse_battles(pd.DataFrame(rows), None, plan=PLAN, arms=arms, study="s").battles
    table = side_effects(battles, plan=PLAN, arms=arms).set_index("treatment")
    assert dict(table["shown"]) == {"calm": "within the margin", "bold": "beyond the margin", "open": "neither"}
    for name, row in table.iterrows():
        own = battles[battles["arm"].isin(["control", name])]
        event, treated = (own["refusal_messages"] > 0).to_numpy(), (own["arm"] == name).to_numpy()
        interval = stratified_newcombe(event, treated, own["stratum"], confidence=1 - 2 * LEVEL)
        assert (row["low"], row["high"]) == (interval.low, interval.high)
        assert (row["p_within"] <= LEVEL) == (interval.high < PLAN.side_effect_margin)
        assert (row["p_beyond"] <= LEVEL) == (interval.low > PLAN.side_effect_margin)
        if LEVEL < row["p_within"] < 0.4:  # the interval at that level ends at the margin
            at = stratified_newcombe(event, treated, own["stratum"], confidence=1 - 2 * row["p_within"])
            assert at.high == pytest.approx(PLAN.side_effect_margin, abs=1e-3)


def of_lengths(*, share: float, messages: tuple[int, int], treated: float | None = None) -> Analysis:
    """Analyse battles of two lengths in which the same share of messages is hostile, or in the treated arm another."""
    rng, rows = np.random.default_rng(1), []
    sides = ("control", messages[0], share), ("unique", messages[1], share if treated is None else treated)
    for arm, length, chance in sides:
        for k in range(80):
            row = {
                "battle_id": f"{arm}{k}",
                "arm": arm,
                "stratum": "s",
                "replicate": k,
                "status": "complete",
                "ending": "conceded",
            }
            said = int(rng.binomial(length, 0.3))
            row |= {"messages": length, "words": 30 * length, "ingroup_messages": said, "ingroup_count": said}
            rows.append(row | {"conflict_messages": int(rng.binomial(length, chance))})
    arms = {"control": {"role": "control", "expected": "none"}, "unique": {"role": "treatment", "expected": "less"}}
    return analyse_battles(pd.DataFrame(rows), None, plan=AnalysisPlan(resamples=999), arms=arms, study="s")


def test_longer_battles_alone_are_no_harm() -> None:
    longer = of_lengths(share=0.05, messages=(6, 20))
    assert longer.contrasts.iloc[0]["verdict"] != "harm"
    assert any("but the treated battles are longer" in reason for reason in longer.contrasts.iloc[0]["reasons"])
    same = of_lengths(share=0.05, messages=(20, 20), treated=0.25)
    assert same.contrasts.iloc[0]["verdict"] == "harm"
    worse = of_lengths(share=0.05, messages=(6, 6), treated=0.4)
    assert worse.contrasts.iloc[0]["verdict"] == "harm"


def transcripts(n: int, *, carrier: float, other: float) -> tuple[pd.DataFrame, list[Transcript]]:
    """Control and one_sided: the treated seat alternates, and only the treated agent's own rate differs."""
    rng, rows, told = np.random.default_rng(5), [], []
    for arm in ("control", "one_sided"):
        for k in range(n):
            wording = (None, None) if arm == "control" else ((0, None) if k % 2 else (None, 0))
            battle = Transcript(
                battle_id=f"{arm}{k}", identity=arm, scenario="egomaniac", pairing="scripted", opener=0, replicate=k, seed=0,
                wording=wording, status="complete", ending="message_limit", run_order=0, started_at=None, finished_at=None,
                agents=(Agent(name="Bobby"), Agent(name="Robbie")), turns=(),
            )  # fmt: skip
            told.append(battle)
            for index in range(1, 13):
                seat = index % 2
                chance = other if wording[seat] is None else carrier
                said = bool(rng.random() < (0.5 if arm == "control" else chance))
                row = {
                    "battle_id": battle.battle_id,
                    "arm": arm,
                    "stratum": "s",
                    "index": index,
                    "agent": ("Bobby", "Robbie")[seat],
                }
                rows.append(row | {"words": 20, "ingroup": said, "ingroup_count": int(said)})
    return pd.DataFrame(rows), told


def states(told: list[Transcript], last: str = "complete") -> pd.DataFrame:
    """The state of every planned battle."""
    rows = [{"arm": battle.identity, "battle_id": battle.battle_id, "status": battle.status, "scored": True} for battle in told]
    rows[-1]["status"] = last
    return pd.DataFrame(rows)


def test_the_treated_agent_carries_the_effect_and_its_opponent_does_not() -> None:
    messages, told = transcripts(40, carrier=0.1, other=0.5)
    table = by_seat(messages, told, plan=PLAN, seats={"control": "none", "one_sided": "alternate"}, battles=states(told))
    table = table.set_index("agent")
    assert table.loc["the treated agent", "rate_ratio"] < 0.35
    assert table.loc["the treated agent", "p_value"] <= 0.001
    assert 0.7 < table.loc["its opponent", "rate_ratio"] < 1.4
    assert table.loc["its opponent", "p_value"] > 0.05
    assert (table[["n_control", "n_treatment"]] == 40).all(axis=None)


def test_arms_that_treat_both_are_told_by_who_opens_and_an_interim_tests_nothing() -> None:
    messages, told = transcripts(10, carrier=0.1, other=0.5)
    table = by_seat(messages, told, plan=PLAN, seats={"control": "none", "one_sided": "same"}, battles=states(told, "pending"))
    assert list(table["agent"]) == ["the agent that opens", "the agent that answers"]
    assert table["p_value"].isna().all()
    own = messages[(messages["agent"] == "Bobby") & (messages["arm"] == "control")]
    assert table.iloc[0]["rate_control"] == pytest.approx(own.groupby("battle_id")["ingroup"].mean().mean())


def test_a_side_effect_that_no_stratum_shares_is_a_note() -> None:
    battles = study(n=12, refusal={"control": 0.1, "unique": 0.1})
    battles["refusal_messages"] = battles["refusal_messages"].astype("Int64")
    battles.loc[(battles["arm"] == "control") == (battles["stratum"] == "s0"), "refusal_messages"] = pd.NA
    kept = analyse_battles(battles, None, plan=PLAN, arms=ARMS, study="s").battles
    row = side_effects(kept, plan=PLAN, arms=ARMS).iloc[0]
    assert row["note"] == "not judged in both arms of any stratum"
    assert pd.isna(row["p_within"])


def test_copies_and_arms_of_one_battle_a_stratum_have_no_interaction() -> None:
    assert factorial(crossed(6).assign(transcript_sha="same", battle_id="x"), plan=PLAN).empty
    battles = crossed(6)
    few = battles[(battles["arm"] != "same_unique") | battles.groupby(["arm", "stratum"]).cumcount().eq(0)]
    row = factorial(few, plan=PLAN).iloc[-1]
    assert pd.isna(row["p_value"])
    assert row["note"] == "same_unique has one battle in each stratum: its error cannot be told"

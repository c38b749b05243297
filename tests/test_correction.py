"""Error-corrected rates: against formulas by hand, scipy and simulation; what cannot be estimated says why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mitigation.corrected_means import MIN_LABELLED, Mean, Side, prediction_powered
from mitigation.correction import (
    CONTRAST_COLUMNS,
    METHODS,
    RATE_COLUMNS,
    corrected_contrasts,
    corrected_rates,
    labelled_battles,
)
from mitigation.errors import AnalysisError
from mitigation.estimates import arm_rates
from tests.corrected import study, trial


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def messages_of(arm: str, *battles: str) -> pd.DataFrame:
    """Return one battle for each word and one message for each sign of it.

    Y: said and gold; y: said, not gold; N: gold, not said; n: neither; + and -: said or not, without gold; ?: gold says no, the
    detector could not judge; !: neither could.
    """
    told = {"Y": (True, True), "y": (True, False), "N": (False, True), "n": (False, False)}
    told |= {"+": (True, None), "-": (False, None), "?": (None, False), "!": (None, None)}
    rows = [(arm, f"{arm}{i}", *told[sign]) for i, battle in enumerate(battles) for sign in battle]
    return pd.DataFrame(rows, columns=["arm", "battle_id", "said", "gold"], dtype=object)


def rates(battles: pd.DataFrame) -> pd.DataFrame:
    return corrected_rates(battles, rng=rng(), resamples=100).set_index(["arm", "method"])


def contrasts(battles: pd.DataFrame, control: str = "control") -> pd.DataFrame:
    found = corrected_contrasts(battles, control=control, rng=rng(), resamples=100)
    return found.set_index(["treatment", "measure", "method"])


def arms(seed: int = 0, *, battles: int = 40, labelled: int = 12) -> pd.DataFrame:
    return labelled_battles(study("C", battles, labelled, np.random.default_rng(seed)))


BATTLES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 6)), min_size=6, max_size=20)


@st.composite
def tables(draw, perfect: bool = False) -> pd.DataFrame:
    """Battles of two arms, at least five of each labelled."""
    rows = []
    for arm in ("control", "treated"):
        for i, (said, gold, of) in enumerate(draw(BATTLES)):
            gold = said if perfect else gold
            said, gold = min(said, of) / of, min(gold, of) / of
            known = i < 5 or draw(st.booleans())
            rows.append((arm, said, gold if known else np.nan, min(said, gold) if known else np.nan))
    return pd.DataFrame(rows, columns=["arm", "said", "gold", "both"])


def test_messages_become_battles_by_hand():
    table = labelled_battles(messages_of("a", "YyNn", "+--", "?Y!n", "!!")).set_index("battle_id")
    assert table[["said", "messages", "left_out"]].values.tolist() == [[0.5, 4, 0], [1 / 3, 3, 0], [0.5, 2, 2]]
    assert table.loc["a0", ["gold", "both"]].tolist() == [0.5, 0.25]
    assert table.loc["a1", ["gold", "both"]].isna().all()
    assert table.loc["a2", ["gold", "both"]].tolist() == [0.5, 0.5]


def test_rogan_gladen_by_hand():
    """Fifteen battles of two messages: sensitivity 3/4, specificity 4/6, said 15 of 30."""
    battles = ["YN", "YY", "yn", "yn", "nn", *["+-"] * 8, "++", "--"]
    found = rates(labelled_battles(messages_of("a", *battles))).loc["a", "rogan_gladen"]
    assert found["estimate"] == pytest.approx((15 / 30 + 4 / 6 - 1) / (3 / 4 + 4 / 6 - 1))
    assert found["reason"] == "too many resamples cannot be corrected, or none differs from another"


def test_every_battle_weighs_the_same_however_long_it_is():
    short = ["Yn", "yn", "YN", "nn", "nY", "+-", "--", "+-"]
    long = [battle * (7 if i % 2 else 1) for i, battle in enumerate(short)]
    one, other = (rates(labelled_battles(messages_of("a", *battles))) for battles in (short, long))
    pd.testing.assert_frame_equal(one, other)


def test_the_ppi_estimate_and_its_jackknife_by_brute_force():
    draw = rng()
    said, gold = draw.random(30), draw.random(30)
    gold[:12] = 0.6 * said[:12] + 0.4 * gold[:12]
    gold[12:] = np.nan

    def estimate(kept: np.ndarray) -> float:
        covariance = np.cov(gold[kept], said[kept])
        power = np.clip(covariance[0, 1] / ((1 + 12 / 18) * covariance[1, 1]), 0, 1)
        return gold[kept].mean() + power * (said[12:].mean() - said[kept].mean())

    found = prediction_powered(Side(arm="a", weight=np.ones(30), said=said, gold=gold, both=None))
    without = np.array([estimate(np.delete(np.arange(12), i)) for i in range(12)])
    assert isinstance(found, Mean)
    assert found.value == pytest.approx(estimate(np.arange(12)))
    (of_labelled, freedom), (of_others, _) = found.parts
    assert (of_labelled, freedom) == (pytest.approx(11 / 12 * np.sum((without - without.mean()) ** 2)), 10)
    assert 0 < of_others < said.var(ddof=1) / 18


def test_differences_without_correction_against_welch():
    table = arms()
    found = contrasts(table)
    treated, control = (table.loc[table["arm"] == arm] for arm in ("treated", "control"))
    for method, column in (("uncorrected", "said"), ("labelled", "gold")):
        theirs = stats.ttest_ind(treated[column].dropna(), control[column].dropna(), equal_var=False).confidence_interval()
        row = found.loc["treated", "difference", method]
        assert (row["low"], row["high"]) == pytest.approx((theirs.low, theirs.high))


@given(st.floats(0.001, 1), st.floats(0.001, 1), st.floats(0.001, 0.3), st.floats(0.001, 0.3))
def test_the_ratio_holds_what_a_t_interval_of_treated_minus_theta_times_control_does_not_exclude(t, c, error_t, error_c):
    treated, control = (Mean(value, ((error**2, 20),)) for value, error in ((t, error_t), (c, error_c)))
    found = treated.over(control, 0.95)
    freedom = (error_t**2 + error_c**2) ** 2 / ((error_t**4 + error_c**4) / 20)
    theta = np.linspace(0, 5, 501)
    inside = np.abs(t - theta * c) < stats.t.ppf(0.975, freedom) * np.hypot(error_t, theta * error_c)
    # Far above the estimate the set may begin again, where the control cannot be told from 0; the interval then has no end.
    assert np.all((found.low - 1e-9 <= theta[inside]) & (theta[inside] <= (found.high or np.inf) + 1e-9))
    assert inside[(found.low + 0.01 < theta) & (theta < (found.high or 0) - 0.01)].all()


@given(tables(perfect=True))
@settings(deadline=None, max_examples=50)
def test_a_perfect_detector_is_not_corrected(table):
    for found in (rates(table), contrasts(table)):
        naive = found["estimate"].xs("uncorrected", level="method")
        for method in ("rogan_gladen", "ppi"):
            corrected = found.xs(method, level="method")
            # Where labelled battles do not differ, nothing links the others to them.
            known = corrected["estimate"].notna() if method == "rogan_gladen" else corrected["low"].notna()
            assert corrected["estimate"][known].tolist() == pytest.approx(naive[known].tolist(), abs=1e-9)


@given(tables())
@settings(deadline=None, max_examples=50)
def test_with_every_battle_labelled_only_labels_count(table):
    table = table[table["gold"].notna()]
    found = rates(table)["estimate"].unstack()
    assert found["ppi"].tolist() == pytest.approx(found["labelled"].tolist())
    known = found["rogan_gladen"].notna()
    assert found["rogan_gladen"][known].tolist() == pytest.approx(found["labelled"][known].tolist(), abs=1e-9)


@given(tables(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=50)
def test_the_order_of_battles_has_no_influence(table, random):
    order = random.sample(range(len(table)), len(table))
    pd.testing.assert_frame_equal(rates(table), rates(table.iloc[order]))
    pd.testing.assert_frame_equal(contrasts(table), contrasts(table.iloc[order]))


@given(tables())
@settings(deadline=None, max_examples=50)
def test_swapped_arms_turn_the_difference_round(table):
    found = contrasts(table).loc[("treated", "difference")]
    turned = contrasts(table, control="treated").loc[("control", "difference")]
    for method in ("uncorrected", "labelled", "ppi"):
        one, other = found.loc[method], turned.loc[method]
        assert one["estimate"] == pytest.approx(-other["estimate"])
        assert one["low"] == (None if other["high"] is None else pytest.approx(-other["high"]))


@given(tables())
@settings(deadline=None, max_examples=50)
def test_what_has_no_limits_has_a_reason(table):
    one, other = rates(table).reset_index(), contrasts(table).reset_index()
    assert (set(one.columns), set(other.columns)) == (set(RATE_COLUMNS), set(CONTRAST_COLUMNS))
    for found in (one, other):
        assert not found.map(lambda cell: isinstance(cell, float) and not np.isfinite(cell)).to_numpy().any()
        assert (found["reason"].notna() == (found["low"].isna() | found["high"].isna())).all()
    limits = one[["estimate", "low", "high"]].stack()
    assert limits.dropna().between(0, 1).all()


def test_labels_are_needed_in_both_arms():
    table = arms()
    few = table["arm"].eq("treated") & (table.groupby("arm").cumcount() >= MIN_LABELLED - 1)
    table.loc[few, ["gold", "both"]] = np.nan
    found = contrasts(table).loc[("treated", "difference")]
    assert found.loc["uncorrected", "estimate"] is not None
    for method in METHODS[1:]:
        assert found.loc[method, ["estimate", "low", "high"]].isna().all()
        assert found.loc[method, "reason"] == "arm treated has 4 labelled battles: at least 5 are needed"
    assert found.loc["ppi", ["n_labelled", "n_battles"]].tolist() == [12 + 4, 80]


@pytest.mark.parametrize(
    ("battles", "reason"),
    [
        (["yn"] * 6, "no labelled message of arm a is in-group"),
        (["YN"] * 6, "every labelled message of arm a is in-group"),
        (["Yy", "Nn"] * 3, "sensitivity + specificity - 1 is not above 0 in arm a"),
    ],
)
def test_rogan_gladen_says_why_it_cannot_be_estimated(battles, reason):
    found = rates(labelled_battles(messages_of("a", *battles, "+-", "--"))).loc["a", "rogan_gladen"]
    assert (found["estimate"], found["reason"]) == (None, reason)


def test_rogan_gladen_needs_messages():
    found = rates(arms().drop(columns="both")).loc["control"]
    assert found.loc["rogan_gladen", "reason"] == "only rates of battles are known, not which messages"
    assert found.loc["ppi", "estimate"] is not None


def test_labelled_battles_that_are_all_alike_give_no_limits():
    table = labelled_battles(
        pd.concat([messages_of("control", *["Yn", "nn"] * 4, "+-", "--"), messages_of("treated", *["nn"] * 8, "+-", "--")])
    )
    found = contrasts(table).loc[("treated", "difference")]
    assert found.loc["ppi", ["estimate", "low", "high"]].tolist() == [pytest.approx(-0.25, abs=0.02), None, None]
    assert found.loc["ppi", "reason"] == "no battle that it rests on differs from another"
    back = contrasts(table, control="treated").loc[("control", "ratio")]
    assert back.loc["labelled", "reason"] == "the rate of treated is not above 0"


def test_a_ratio_to_a_rate_that_may_be_zero_has_no_upper_end():
    table = labelled_battles(
        pd.concat([messages_of("control", "Yn", *["nn"] * 9, *["--"] * 9), messages_of("treated", *["Yn", "nn"] * 5, "+-")])
    )
    row = contrasts(table).loc["treated", "ratio", "labelled"]
    assert (row["estimate"], row["high"]) == (pytest.approx(5), None)
    assert row["reason"] == "no upper end: the rate of control cannot be told from 0"


def test_estimates_outside_of_rates_are_cut_in_the_table_of_rates_alone():
    treated = messages_of("treated", "Yyyn", "ynnn", "yynn", "Ynnn", "yynn", *["----"] * 30)
    control = messages_of("control", *["Ynnn", "nnnY"] * 4, *["+---", "----"] * 4)
    table = labelled_battles(pd.concat([treated, control]))
    assert rates(table).loc[("treated", "rogan_gladen"), "estimate"] == 0
    row = contrasts(table)["estimate"].loc["treated"]
    assert row["difference", "rogan_gladen"] < -rates(table).loc[("control", "rogan_gladen"), "estimate"]
    assert row["ratio", "rogan_gladen"] == 0


def test_strata_weigh_alike_in_both_arms():
    table = arms(3, battles=60, labelled=60)
    table["stratum"] = np.where(table.index % 5 < np.where(table["arm"] == "control", 1, 3), "one", "two")
    theirs = arm_rates(table["gold"], table["arm"] == "treated", table["stratum"])
    for method in METHODS[1:]:
        found = contrasts(table).loc["treated", "difference", method]
        assert found["estimate"] == pytest.approx(theirs.treated - theirs.control)
    alone = pd.concat([table, table[table["arm"] == "control"].assign(stratum="three", said=1.0)])
    pd.testing.assert_frame_equal(contrasts(alone), contrasts(table))
    apart = contrasts(table.assign(stratum=table["arm"]))
    assert set(apart["reason"]) == {"no stratum holds battles of both arms"}


def test_balanced_strata_change_nothing():
    table = arms()
    table["stratum"] = table.groupby("arm").cumcount() % 4
    shown = ["estimate", "low", "high"]
    one = contrasts(table)[shown].drop("rogan_gladen", level="method").astype(float)
    other = contrasts(table.drop(columns="stratum"))[shown].drop("rogan_gladen", level="method").astype(float)
    pd.testing.assert_frame_equal(one, other)


def test_tables_that_cannot_be_corrected_are_refused():
    table = arms()
    with pytest.raises(AnalysisError, match="no column gold"):
        corrected_rates(table.drop(columns="gold"), rng=rng())
    with pytest.raises(AnalysisError, match="row 3 of the battles lacks a rate"):
        corrected_rates(table.assign(said=table["said"].where(np.arange(len(table)) != 2)), rng=rng())
    with pytest.raises(AnalysisError, match="row 1 of the battles lacks a rate"):
        corrected_rates(table.assign(both=np.nan), rng=rng())
    with pytest.raises(AnalysisError, match="control='nobody' cannot be compared: there are battles of control, treated"):
        contrasts(table, control="nobody")
    with pytest.raises(AnalysisError, match="cannot be compared"):
        contrasts(table[table["arm"] == "control"])
    with pytest.raises(AnalysisError, match="battle a0 lies in two arms"):
        labelled_battles(pd.concat([messages_of("a", "Yn"), messages_of("a", "Yn").assign(arm="b")]))


def test_corrected_intervals_cover_where_a_detector_errs_differently_by_arm():
    """Specificity .95 and .85, 40 of 200 battles labelled; `python -m tests.corrected` does so at length."""
    trials = [trial("A", 200, 40, seed, 200) for seed in range(200)]
    covered = sum(one["covered"].astype(float) for one in trials) / len(trials)
    width = sum(one["width"] for one in trials)
    for measure in ("difference", "ratio"):
        assert covered[measure, "uncorrected"] < 0.15
        for method in ("labelled", "rogan_gladen", "ppi"):
            assert covered[measure, method] > 0.89
        for method in ("rogan_gladen", "ppi"):
            assert width[measure, method] < 0.75 * width[measure, "labelled"]

"""Effect sizes: against published values, statsmodels and the plain formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from mitigation.errors import AnalysisError
from mitigation.estimates import _hybrid, arm_rates, mean_interval, newcombe, stratified_newcombe, wilson

Z = 1.959963984540054


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_against_newcombe_1998_table_2_method_10(counts, low, high):
    x, n, y, m = counts
    found = newcombe(events_treated=x, n_treated=n, events_control=y, n_control=m)
    assert found.estimate == pytest.approx(x / n - y / m)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


@given(st.integers(1, 60), st.integers(1, 60), st.data())
@settings(deadline=None)
def test_against_statsmodels(n, m, data):
    x, y = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    found = newcombe(events_treated=x, n_treated=n, events_control=y, n_control=m)
    theirs = confint_proportions_2indep(x, n, y, m, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx(theirs, abs=1e-9)
    low, high = wilson([x], [n], z=Z)
    assert (low[0], high[0]) == pytest.approx(proportion_confint(x, n, method="wilson"), abs=1e-9)


@given(st.integers(1, 20), st.integers(1, 20), st.data())
@settings(deadline=None)
def test_one_stratum_gives_the_plain_newcombe_interval(n, m, data):
    x, y = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    events = np.r_[np.arange(m) < y, np.arange(n) < x]
    found = stratified_newcombe(events, np.repeat([False, True], [m, n]), ["s"] * (n + m))
    plain = newcombe(events_treated=x, n_treated=n, events_control=y, n_control=m)
    assert (found.estimate, found.low, found.high) == pytest.approx((plain.estimate, plain.low, plain.high), abs=1e-9)


def test_stratified_newcombe_against_sas():
    """Six strata with Mantel-Haenszel weights; the limits are those of PROC FREQ, as the R package tern checks itself."""
    x_t, n_t = np.array([8, 2, 6, 4, 5, 5]), np.array([9, 5, 7, 4, 7, 8])
    x_c, n_c = np.array([3, 2, 3, 6, 3, 3]), np.array([6, 5, 8, 12, 4, 5])
    weight = n_t * n_c / (n_t + n_c)
    found = _hybrid(x_t, n_t, x_c, n_c, weight / weight.sum(), 0.95)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.25390590, 0.03467969, 0.44544132), abs=1e-7)


def test_strata_without_any_variance_still_have_an_interval():
    found = stratified_newcombe(np.zeros(20), np.tile([False, True], 10), np.repeat(["a", "b"], 10))
    assert found.estimate == 0
    assert -0.35 < found.low < 0 < found.high < 0.35


def test_the_stratified_interval_covers_a_true_difference_of_zero():
    rng = np.random.default_rng(4)
    strata, treated = np.tile(np.repeat([0, 1, 2], 8), 2), np.repeat([False, True], 24)
    chance = np.array([0.1, 0.4, 0.8])[strata]
    covered = []
    for _ in range(300):
        found = stratified_newcombe(rng.random(48) < chance, treated, strata)
        covered.append(found.low <= 0 <= found.high)
    assert np.mean(covered) > 0.92


def test_arm_rates_weight_strata_by_their_battles_of_both_arms():
    values = [1.0, 0.0, 0.5, 0.2, 0.4, 0.6, 9.0]
    treated = [False, False, True, False, True, True, True]
    rates = arm_rates(values, treated, [*"aaabbbc"])
    assert rates.control == pytest.approx(0.5 * 0.5 + 0.5 * 0.2)
    assert rates.treated == pytest.approx(0.5 * 0.5 + 0.5 * 0.5)
    assert (rates.n_control, rates.n_treated, rates.strata, rates.left_out) == (3, 3, 2, 1)


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_equal_allocation_gives_plain_means(values):
    rates = arm_rates(values * 2, np.repeat([False, True], 4), [*"abab"] * 2)
    assert rates.control == pytest.approx(np.mean(values))
    assert rates.treated == pytest.approx(np.mean(values))


def test_arms_without_a_common_stratum_are_refused():
    for function in (arm_rates, stratified_newcombe):
        with pytest.raises(AnalysisError, match="no stratum holds"):
            function([1.0, 0.0], [True, False], ["a", "b"])
    with pytest.raises(AnalysisError, match="no proportion"):
        newcombe(events_treated=0, n_treated=0, events_control=1, n_control=2)


def test_mean_interval_against_the_t_interval_of_one_sample():
    values = np.array([0.2, 0.4, 0.1, 0.5, 0.3])
    found = mean_interval(values, ["s"] * 5, {"s": 1.0}, top=None)
    theirs = stats.ttest_1samp(values, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_mean_interval_without_variance_or_without_two_battles():
    assert mean_interval([0.2, 0.2], ["s", "s"], {"s": 1.0}, top=None).high is None
    assert mean_interval([0.1, 0.3], ["a", "b"], {"a": 1.0, "b": 3.0}, top=None).high is None
    assert mean_interval([0.1, 0.3], ["a", "b"], {"a": 1.0, "b": 3.0}, top=None).estimate == pytest.approx(0.25)
    low = mean_interval([0.0, 0.3], ["s", "s"], {"s": 1.0}, top=None).low
    assert low == 0.0
    assert mean_interval([0.5, 1.0], ["s", "s"], {"s": 1.0}, top=1.0).high == 1.0


@pytest.mark.parametrize("strata", range(1, 61))
def test_perfect_separation_in_any_number_of_strata_has_an_interval(strata):
    treated, names = np.tile([False, True], strata), np.repeat(np.arange(strata), 2)
    for events in (treated, ~treated):
        found = stratified_newcombe(events, treated, names)
        assert -1 <= found.low <= found.estimate <= found.high <= 1

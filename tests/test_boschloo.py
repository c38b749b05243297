"""Exact tests of counts and Holm's adjustment: against scipy and statsmodels, and their laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from mitigation.errors import AnalysisError
from mitigation.significance.boschloo import boschloo
from mitigation.significance.holm import holm


@pytest.mark.parametrize("table", [(3, 10, 8, 10), (0, 12, 5, 10), (7, 7, 2, 9)])
def test_against_scipy(table):
    a, n, b, m = table
    result = boschloo(events_treated=a, n_treated=n, events_control=b, n_control=m)
    assert result.test == "Boschloo"
    assert result.p_value == pytest.approx(stats.boschloo_exact([[a, b], [n - a, m - b]]).pvalue)


def test_against_the_published_vaccine_example():
    result = boschloo(events_treated=7, n_treated=15, events_control=12, n_control=15)
    assert result.p_value < stats.fisher_exact([[7, 12], [8, 3]]).pvalue


@pytest.mark.parametrize("events", [0, 1])
def test_tables_that_cannot_differ_give_one(events):
    assert boschloo(events_treated=events * 5, n_treated=5, events_control=events * 4, n_control=4).p_value == 1.0


def test_large_tables_fall_back_on_fisher_and_say_so():
    result = boschloo(events_treated=2_000, n_treated=5_000, events_control=2_100, n_control=5_000)
    assert result.test == "Fisher"
    assert result.p_value == pytest.approx(stats.fisher_exact([[2_000, 2_100], [3_000, 2_900]]).pvalue)


@pytest.mark.parametrize("table", [(0, 0, 1, 5), (6, 5, 1, 5), (-1, 5, 1, 5)])
def test_impossible_counts_are_refused(table):
    a, n, b, m = table
    with pytest.raises(AnalysisError, match="no proportion"):
        boschloo(events_treated=a, n_treated=n, events_control=b, n_control=m)


@given(st.integers(1, 12), st.integers(1, 12), st.data())
@settings(max_examples=25, deadline=None)
def test_p_is_in_the_unit_interval_and_the_arms_may_swap(n, m, data):
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    p = boschloo(events_treated=a, n_treated=n, events_control=b, n_control=m).p_value
    assert 0 < p <= 1
    assert boschloo(events_treated=b, n_treated=m, events_control=a, n_control=n).p_value == pytest.approx(p, rel=1e-3)


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=20))
def test_holm_against_statsmodels(p_values):
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


@given(st.lists(st.floats(1e-6, 1), min_size=2, max_size=10))
def test_holm_keeps_the_order_and_never_lowers_a_p(p_values):
    adjusted = holm(p_values)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert all(np.diff(np.array(adjusted)[order]) >= 0)


def test_holm_leaves_untested_comparisons_out_of_the_family():
    assert holm([0.02, None, 0.03]) == [0.04, None, 0.04]
    assert holm([]) == []

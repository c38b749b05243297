"""Rate-ratio interval: agreement with the test it inverts, its laws, degenerate arms, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mitigation.errors import AnalysisError
from mitigation.significance.inversion import RatioInterval, rate_ratio
from mitigation.significance.permutation import permutation_test


def interval(values, treated, strata=None, *, resamples=999, seed=0) -> RatioInterval:
    return rate_ratio(values, treated, strata, resamples=resamples, rng=np.random.default_rng(seed))


def p_at(theta, values, treated, strata=None, *, resamples=999) -> float:
    """p value of the test after dividing the treated rates by theta: what the interval inverts, computed from scratch."""
    scaled = np.where(treated, values / theta, values)
    return permutation_test(scaled, treated, strata, resamples=resamples, rng=np.random.default_rng(0)).p_value


def rates(rng, n, ratio=1.0):
    return np.r_[rng.beta(1, 3, n), ratio * rng.beta(1, 3, n)], np.repeat([False, True], n)


def holds(found: RatioInterval, theta: float) -> bool:
    return found.low <= theta and (found.high is None or theta <= found.high)


@given(st.integers(0, 10_000), st.integers(4, 9), st.floats(0.2, 3))
@settings(max_examples=40, deadline=None)
def test_one_lies_inside_exactly_when_the_test_does_not_reject(seed, n, ratio):
    values, treated = rates(np.random.default_rng(seed), n, ratio)
    values = np.round(values, 1)
    values[0] = values[-1] = 0.5
    p = permutation_test(values, treated, resamples=999, rng=np.random.default_rng(0)).p_value
    assert holds(interval(values, treated), 1.0) == (p > 0.05)


def test_against_the_test_at_both_ends():
    values, treated = rates(np.random.default_rng(1), 8, 0.5)
    found = interval(values, treated)
    assert found.low < found.ratio < found.high
    for end, inward in ((found.low, 1.001), (found.high, 0.999)):
        assert p_at(end * inward, values, treated) > 0.05
        assert p_at(end / inward, values, treated) <= 0.05


def test_swapping_the_arms_inverts_the_ratio():
    values, treated = rates(np.random.default_rng(2), 30, 0.6)
    strata = np.tile([0, 1, 2], 20)
    found, swapped = interval(values, treated, strata), interval(values, ~treated, strata)
    assert swapped.ratio == pytest.approx(1 / found.ratio)
    assert swapped.low == pytest.approx(1 / found.high, rel=1e-6)
    assert swapped.high == pytest.approx(1 / found.low, rel=1e-6)


@given(st.integers(0, 1_000), st.floats(1e-4, 1e4))
@settings(max_examples=20, deadline=None)
def test_scaling_the_treated_rates_scales_the_interval(seed, factor):
    values, treated = rates(np.random.default_rng(seed), 7)
    found, scaled = interval(values, treated), interval(np.where(treated, values * factor, values), treated)
    assert scaled.ratio == pytest.approx(found.ratio * factor)
    assert (scaled.high is None) == (found.high is None)
    if found.high is not None and min(found.low, 1 / found.high) != 0:
        assert scaled.high == pytest.approx(found.high * factor, rel=0.05)


def test_order_of_rows_does_not_matter():
    rng = np.random.default_rng(3)
    values, treated = rates(rng, 20, 0.7)
    order = rng.permutation(40)
    assert interval(values[order], treated[order]) == interval(values, treated)


def test_a_silent_treated_arm_gives_an_upper_end_only():
    control = np.array([0.2, 0.0, 0.5, 0.1, 0.4, 0.0, 0.3, 0.2, 0.1, 0.6])
    found = interval(np.r_[control, np.zeros(10)], np.repeat([False, True], 10))
    assert (found.ratio, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx((1 - 0.025**0.1) / 0.8)


def test_a_silent_control_arm_leaves_the_ratio_open():
    silent = np.r_[np.zeros(5), np.full(5, 0.2)]
    assert interval(silent, np.repeat([False, True], 5)) == RatioInterval(None, None, None)
    assert interval(np.zeros(10), np.repeat([False, True], 5)) == RatioInterval(None, None, None)


def test_too_few_events_leave_an_end_unbounded_and_never_infinite():
    values = np.zeros(20)
    values[0] = values[10] = 0.4
    found = interval(values, np.repeat([False, True], 10))
    assert (found.ratio, found.low, found.high) == (1.0, 0.0, None)


def test_an_extreme_ratio_is_still_finite():
    rng = np.random.default_rng(6)
    values, treated = rates(rng, 12, 1e-5)
    found = interval(values, treated)
    assert 0 < found.low < found.ratio < found.high < 1e-4


def test_negative_rates_have_no_ratio():
    with pytest.raises(AnalysisError, match="negative"):
        interval([-0.1, 0.2, 0.3, 0.1], [True, True, False, False])


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_the_interval_covers_the_true_ratio(ratio):
    rng = np.random.default_rng(12)
    covered = [
        holds(interval(*rates(rng, 10, ratio), np.tile(np.repeat([0, 1], 5), 2), resamples=399), ratio) for _ in range(200)
    ]
    assert np.mean(covered) >= 0.90

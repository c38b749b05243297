"""Stratified permutation test: against scipy and hand counts, its laws, degenerate data, memory."""

from __future__ import annotations

import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mitigation.errors import AnalysisError
from mitigation.estimates import arm_rates
from mitigation.significance import subsets
from mitigation.significance.arrangements import arrange, smallest_p
from mitigation.significance.permutation import PermutationResult, permutation_test


def run(values, treated, strata=None, *, resamples=999, seed=0) -> PermutationResult:
    return permutation_test(values, treated, strata, resamples=resamples, rng=np.random.default_rng(seed))


def studentised(x, y, axis):
    spread = x.var(axis=axis, ddof=1) / x.shape[axis] + y.var(axis=axis, ddof=1) / y.shape[axis]
    return np.abs(x.mean(axis=axis) - y.mean(axis=axis)) / np.sqrt(spread)


@st.composite
def studies(draw):
    """Rates as ratios of small whole numbers (they tie), both arms in every one of up to three strata."""
    sizes = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=3))
    strata = np.repeat(np.arange(len(sizes)), [a + b for a, b in sizes])
    treated = np.concatenate([np.repeat([False, True], pair) for pair in sizes])
    cells = draw(st.lists(st.tuples(st.integers(0, 6), st.integers(6, 9)), min_size=strata.size, max_size=strata.size))
    return np.array([x / m for x, m in cells]), treated, strata


def test_against_scipy_when_all_arrangements_are_enumerated():
    rng = np.random.default_rng(1)
    x, y = rng.gamma(1, 1, 6), rng.gamma(2, 1, 7)
    ours = run(np.r_[y, x], np.repeat([False, True], [7, 6]))
    theirs = stats.permutation_test((x, y), studentised, vectorized=True, n_resamples=np.inf, alternative="greater")
    assert ours.exact
    assert ours.arrangements == 1716
    assert ours.p_value == pytest.approx(theirs.pvalue, abs=1e-12)


def test_against_scipy_within_monte_carlo_error():
    rng = np.random.default_rng(2)
    x, y = rng.gamma(1, 1.0, 40), rng.gamma(1, 1.5, 40)
    ours = run(np.r_[y, x], np.repeat([False, True], 40), resamples=9_999)
    theirs = stats.permutation_test((x, y), studentised, vectorized=True, n_resamples=9_999, rng=3, alternative="greater")
    assert not ours.exact
    assert ours.p_value == pytest.approx(theirs.pvalue, abs=5 * (2 * theirs.pvalue / 9_999) ** 0.5)


def test_against_every_relabelling_of_two_strata_by_hand():
    strata = np.repeat([0, 1], [4, 5])
    treated = np.array([False, False, True, True, False, False, True, True, True])
    values = np.array([0.1, 0.5, 0.0, 0.2, 0.9, 0.7, 0.3, 0.0, 0.4])
    weight = np.array([4 / 9, 5 / 9])

    def squared(label):
        d = v = 0.0
        for s in (0, 1):
            t, c = values[(strata == s) & label], values[(strata == s) & ~label]
            d += weight[s] * (t.mean() - c.mean())
            v += weight[s] ** 2 * (t.var(ddof=1) / t.size + c.var(ddof=1) / c.size)
        return d * d / v

    labels = []
    for a in combinations(range(4), 2):
        for b in combinations(range(4, 9), 3):
            label = np.zeros(9, dtype=bool)
            label[[*a, *b]] = True
            labels.append(label)
    count = sum(squared(label) >= squared(treated) * (1 - 1e-9) for label in labels)
    assert run(values, treated, strata).p_value == pytest.approx(count / len(labels), abs=1e-12)
    assert run(values, treated, strata).statistic == pytest.approx(-(squared(treated) ** 0.5))


def test_matched_pairs_give_the_sign_flip_test():
    differences = np.array([0.3, 0.2, -0.1, 0.4, 0.25])
    values = np.r_[np.full(5, 0.5), 0.5 + differences]
    result = run(values, np.repeat([False, True], 5), np.tile(np.arange(5), 2))
    signs = np.array(np.meshgrid(*[[-1, 1]] * 5)).reshape(5, -1)
    means = np.abs(differences @ signs)
    assert result.p_value == np.mean(means >= differences.sum() - 1e-12)
    assert result.smallest_p == 2 / 32
    assert result.statistic is None


@given(studies())
@settings(max_examples=60, deadline=None)
def test_p_is_in_the_unit_interval_and_never_below_the_smallest(study):
    result = run(*study)
    assert 0 < result.smallest_p <= result.p_value <= 1


@given(studies(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_order_of_rows_and_names_of_arms_change_nothing(study, random):
    values, treated, strata = study
    order = list(range(values.size))
    random.shuffle(order)
    result = run(values, treated, strata)
    assert run(values[order], treated[order], strata[order]) == result
    swapped = run(values, ~treated, strata)
    assert swapped.p_value == result.p_value
    assert swapped.difference == pytest.approx(-result.difference, abs=1e-12)


@pytest.mark.parametrize("sizes", [(12, 12), (9, 15)])
def test_drawn_arrangements_do_not_depend_on_order_or_arm_names_either(sizes):
    rng = np.random.default_rng(5)
    strata = rng.integers(0, 2, sum(sizes))
    values, treated = rng.integers(0, 5, sum(sizes)) / 7, rng.permutation(np.repeat([False, True], sizes))
    result = run(values, treated, strata)
    order = rng.permutation(values.size)
    assert not result.exact
    assert run(values[order], treated[order], strata[order]) == result
    assert run(values, ~treated, strata).p_value == result.p_value


@given(studies(), st.floats(1e-6, 1e6))
@settings(max_examples=40, deadline=None)
def test_the_unit_of_the_rate_does_not_matter(study, factor):
    values, treated, strata = study
    assert run(values * factor, treated, strata).p_value == run(values, treated, strata).p_value


@given(studies())
@settings(max_examples=40, deadline=None)
def test_the_difference_is_that_of_the_estimand(study):
    rates = arm_rates(*study)
    assert run(*study).difference == pytest.approx(rates.treated - rates.control, abs=1e-12)


@pytest.mark.parametrize(
    ("values", "sizes", "p"),
    [
        ([0.0] * 10, (5, 5), 1.0),
        ([0.3] * 10, (5, 5), 1.0),
        ([1.0] * 5 + [0.0] * 5, (5, 5), 2 / 252),
        ([1.0] * 4 + [0.0], (4, 1), 1 / 5),
        ([0.4, 0.0], (1, 1), 1.0),
        ([1.0] + [0.0] * 9, (5, 5), 1.0),
    ],
)
def test_degenerate_data_have_an_exact_p(values, sizes, p):
    assert run(values, np.repeat([False, True], sizes)).p_value == pytest.approx(p, abs=1e-12)


def test_strata_of_one_arm_are_left_out():
    values, treated = np.r_[np.linspace(0, 1, 8), 100.0], np.r_[np.tile([False, True], 4), True]
    assert run(values, treated, [*"aaaaaaaab"]).p_value == run(values[:8], treated[:8]).p_value


@pytest.mark.parametrize(
    ("values", "treated", "strata", "match"),
    [
        ([1.0, np.nan], [True, False], None, "not a finite"),
        ([1.0, np.inf], [True, False], None, "not a finite"),
        ([1.0, 2.0], [True, True], None, "no stratum holds"),
        ([1.0, 2.0], [True, False], ["a", "b"], "no stratum holds"),
        ([1.0, 2.0], [True], None, "equally long"),
    ],
)
def test_unusable_input_is_refused(values, treated, strata, match):
    with pytest.raises(AnalysisError, match=match):
        run(values, treated, strata)


@pytest.mark.parametrize(
    ("control", "treated", "expected"),
    [([1] * 5, [1] * 5, 2 / 32), ([3], [3], 2 / 20), ([4], [2], 1 / 15), ([1], [1], 1.0), ([50], [50], 1 / 1000)],
)
def test_smallest_p_counts_arrangements(control, treated, expected):
    assert smallest_p(control, treated, resamples=999) == pytest.approx(expected)


def test_every_subset_is_drawn_equally_often(monkeypatch):
    monkeypatch.setattr(subsets, "TABLE_LIMIT", 0)
    columns = 2.0 ** np.arange(7)[:, np.newaxis]
    for size in (1, 3, 5):
        sums = subsets.drawn_sums(columns, size, draws=20_000, rng=np.random.default_rng(size))
        _, counts = np.unique(sums, return_counts=True)
        assert counts.size == subsets.all_sums(columns, size).shape[0]
        assert stats.chisquare(counts).pvalue > 1e-3


def test_the_size_of_blocks_changes_p_only_within_monte_carlo_error(monkeypatch):
    rng = np.random.default_rng(8)
    values, treated = rng.gamma(1, 1, 80) * np.repeat([1, 0.6], 40), np.repeat([False, True], 40)
    whole = run(values, treated, resamples=4_999).p_value
    monkeypatch.setattr(subsets, "_BLOCK_CELLS", 1_000)
    monkeypatch.setattr(subsets, "_PRODUCT_CELLS", 100)
    assert run(values, treated, resamples=4_999).p_value == pytest.approx(whole, abs=5 * (2 * whole / 4_999) ** 0.5)


def test_ten_thousand_battles_need_little_memory():
    rng = np.random.default_rng(9)
    tracemalloc.start()
    run(rng.random(10_000), np.repeat([False, True], 5_000), resamples=2_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


def test_a_true_null_is_rejected_at_about_the_level():
    rng = np.random.default_rng(11)
    strata, treated = np.tile(np.repeat([0, 1], 5), 2), np.repeat([False, True], 10)
    hits = [
        run(rng.binomial(12, rng.beta(0.5, 1.5, 20)) / 12 + strata, treated, strata, resamples=399).p_value <= 0.05
        for _ in range(400)
    ]
    assert 0.02 <= np.mean(hits) <= 0.085


def test_labels_that_are_drawn_once_give_the_numbers_of_drawing_anew():
    treated, strata = np.repeat([False, True], 40), np.tile(np.arange(2), 40)
    one, other = np.random.default_rng(1).random((2, 80))

    def terms(values, *, forget):
        if forget:
            subsets._memory.clear()
        rng = np.random.default_rng(7)
        return arrange(values, treated, strata, resamples=300, rng=rng).terms, rng.bit_generator.state

    terms(one, forget=True)
    kept, after = terms(other, forget=False)
    anew, state = terms(other, forget=True)
    assert np.array_equal(kept, anew)
    assert after == state


def test_what_is_kept_of_drawn_labels_is_bounded(monkeypatch):
    monkeypatch.setattr(subsets, "_KEPT_BYTES", 4_000)
    for size in range(40, 60):
        permutation_test(np.arange(2.0 * size), np.repeat([False, True], size), resamples=200, rng=np.random.default_rng(0))
        assert sum(packed.nbytes for one, _ in subsets._memory.values() for packed in one) <= 4_000

"""The other analyses agree with independent references to the last digits, and say why they cannot be made."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mitigation.errors import AnalysisError
from mitigation.significance.jackknife import FEWEST, jackknife
from mitigation.significance.poisson_gee import poisson_gee
from mitigation.significance.van_elteren import van_elteren
from mitigation.significance.welch import welch


def data(seed: int = 1, strata: int = 3, battles: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Counts, messages, arm and stratum of overdispersed battles."""
    rng = np.random.default_rng(seed)
    stratum = np.repeat(np.arange(strata), 2 * battles)
    treated = np.tile(np.repeat([False, True], battles), strata)
    messages = rng.integers(5, 20, stratum.size)
    return rng.negative_binomial(1, 1 / (1 + 0.3 * messages * np.where(treated, 0.5, 1))), messages, treated, stratum


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_statsmodels_gee_with_bias_reduced_covariance(seed: int) -> None:
    count, messages, treated, stratum = data(seed)
    found = poisson_gee(count, messages, treated, stratum)
    rng, rows = np.random.default_rng(seed), np.repeat(np.arange(count.size), messages)
    split = np.concatenate([rng.multinomial(c, np.full(m, 1 / m)) for c, m in zip(count, messages, strict=True)])
    design = np.column_stack([treated, *(stratum == s for s in np.unique(stratum))]).astype(float)
    model = sm.GEE(split, design[rows], groups=rows, family=sm.families.Poisson(), cov_struct=sm.cov_struct.Independence())
    fit = model.fit(cov_type="bias_reduced")
    assert log(found.ratio) == pytest.approx(fit.params[0], abs=1e-8)
    assert found.error == pytest.approx(sqrt(fit.cov_params()[0, 0]), abs=1e-8)
    assert found.freedom == count.size - design.shape[1]
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(fit.params[0]) / found.error, found.freedom), rel=1e-6)


def test_the_closed_form_of_one_stratum() -> None:
    """var(log r_c) = sum (y - r n)^2 (1 - n / N)^-2 / Y^2 in each arm (Mancl & DeRouen in a design constant within battles)."""
    count, messages, treated, _ = data(4, strata=1, battles=12)
    variance, rates = 0.0, []
    for side in (treated, ~treated):
        y, n = count[side], messages[side]
        rate = y.sum() / n.sum()
        rates.append(rate)
        variance += np.sum((y - rate * n) ** 2 / (1 - n / n.sum()) ** 2) / y.sum() ** 2
    found = poisson_gee(count, messages, treated)
    assert found.ratio == pytest.approx(rates[0] / rates[1], rel=1e-10)
    assert found.error == pytest.approx(sqrt(variance), rel=1e-8)
    reach = stats.t.isf(0.025, count.size - 2) * found.error
    assert (found.low, found.high) == pytest.approx((found.ratio * exp(-reach), found.ratio * exp(reach)))


@given(st.permutations(range(48)), st.booleans())
def test_order_of_rows_and_names_of_strata_change_nothing(order: list[int], renamed: bool) -> None:
    count, messages, treated, stratum = data(5)
    expected = poisson_gee(count, messages, treated, stratum, groups=stratum)
    names = np.array(["z", "a", "m"])[stratum] if renamed else stratum
    found = poisson_gee(count[order], messages[order], treated[order], names[order], groups=stratum[order])
    assert found.ratio == pytest.approx(expected.ratio, rel=1e-9)
    assert found.p_value == pytest.approx(expected.p_value, rel=1e-7)
    assert found.heterogeneity == pytest.approx(expected.heterogeneity, rel=1e-6)


def test_swapped_arms_give_the_inverse_ratio() -> None:
    count, messages, treated, stratum = data(6)
    one, other = poisson_gee(count, messages, treated, stratum), poisson_gee(count, messages, ~treated, stratum)
    assert one.ratio * other.ratio == pytest.approx(1)
    assert (one.low * other.high, one.p_value) == pytest.approx((1, other.p_value))


def test_heterogeneity_is_seen_where_the_ratio_differs_and_not_where_an_arm_is_empty() -> None:
    rng, battles = np.random.default_rng(7), 60
    level = np.repeat([0, 1], 2 * battles)
    treated = np.tile(np.repeat([False, True], battles), 2)
    messages = np.full(level.size, 12)
    count = rng.binomial(12, np.where(treated, np.where(level == 0, 0.1, 0.5), 0.3))
    differing = poisson_gee(count, messages, treated, level, groups=level)
    assert differing.heterogeneity is not None
    assert differing.heterogeneity < 1e-6
    assert poisson_gee(np.where((level == 0) & treated, 0, count), messages, treated, level, groups=level).heterogeneity is None
    assert poisson_gee(count, messages, treated, level).heterogeneity is None


def test_heterogeneity_rejects_a_common_ratio_about_as_often_as_it_says() -> None:
    rng, level = np.random.default_rng(8), np.repeat([0, 1, 2], 40)
    treated = np.tile(np.repeat([False, True], 20), 3)
    rejected = 0
    for _ in range(300):
        chance = rng.beta(1, 2, level.size) * np.where(treated, 0.6, 1)
        found = poisson_gee(rng.binomial(12, chance), np.full(level.size, 12), treated, level, groups=level)
        rejected += found.heterogeneity is not None and found.heterogeneity <= 0.05
    assert rejected <= 30  # 15 expected; more than 30 has a chance below 1 in 1,000


@pytest.mark.parametrize(
    ("count", "treated", "message"),
    [
        ([0] * 4 + [3, 2, 1, 1], [True] * 4 + [False] * 4, "the treated arm has no event"),
        ([3, 2, 1, 1] + [0] * 4, [True] * 4 + [False] * 4, "the control arm has no event"),
        ([4] * 4 + [2] * 4, [True] * 4 + [False] * 4, "no battle differs from another of its arm"),
        ([1, 2, 1, 3, 2], [True, False, False, False, False], "the treated arm has 1 battles: a model of rates needs 4 of each"),
        ([-1, 2, 1, 1], [True, True, False, False], "a count is negative"),
        ([1, float("nan"), 1, 1], [True, True, False, False], "not finite"),
    ],
)
def test_no_model_is_fitted_to_what_cannot_bear_one(count: list[float], treated: list[bool], message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        poisson_gee(count, [10] * len(count), treated)


def test_scipy_mannwhitneyu_in_one_stratum_with_ties() -> None:
    count, messages, treated, _ = data(9, strata=1, battles=15)
    rates = np.round(count / messages, 1)
    expected = stats.mannwhitneyu(rates[treated], rates[~treated], method="asymptotic", use_continuity=False)
    found = van_elteren(rates, treated)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-9)
    assert found.superiority == pytest.approx(expected.statistic / (treated.sum() * (~treated).sum()), abs=1e-9)


def test_van_elteren_by_enumeration_of_every_arrangement() -> None:
    """Mean and variance under the null are those over all arrangements of the labels within strata."""
    from itertools import combinations, product

    rates, stratum = np.array([0.1, 0.1, 0.4, 0.7, 0.0, 0.2, 0.2]), np.array([0, 0, 0, 0, 1, 1, 1])

    def statistic(chosen: set[int]) -> float:
        total = 0.0
        for s in (0, 1):
            own = np.flatnonzero(stratum == s)
            ranks = dict(zip(own.tolist(), stats.rankdata(rates[own]), strict=True))
            total += sum(ranks[k] for k in own.tolist() if k in chosen) / (own.size + 1)
        return total

    every = [statistic({*a, *b}) for a, b in product(combinations(range(4), 2), combinations(range(4, 7), 1))]
    treated = np.array([k in {2, 3, 5} for k in range(7)])
    z = (statistic({2, 3, 5}) - np.mean(every)) / np.std(every)
    assert van_elteren(rates, treated, stratum).p_value == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-12)


def test_ranks_of_equal_battles_and_of_one_arm_say_nothing() -> None:
    with pytest.raises(AnalysisError, match="nothing to rank"):
        van_elteren([0.2] * 6, [True, False] * 3)
    with pytest.raises(AnalysisError, match="no stratum holds battles of both arms"):
        van_elteren([0.2, 0.3], [True, True])


def test_scipy_ttest_ind_without_equal_variances() -> None:
    count, messages, treated, _ = data(10)
    rates = count / messages
    expected = stats.ttest_ind(rates[treated], rates[~treated], equal_var=False)
    found = welch(rates, treated)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-9)
    assert found.low < found.difference < found.high
    with pytest.raises(AnalysisError, match="two battles"):
        welch([1.0, 2.0, 3.0], [True, False, False])
    with pytest.raises(AnalysisError, match="no scale"):
        welch([1.0, 1.0, 0.0, 0.0], [True, True, False, False])


def drawn(rng: np.random.Generator, battles: int, wordings: int) -> list[tuple[int, ...]]:
    return [tuple(rng.choice(wordings, 2, replace=False).tolist()) for _ in range(battles)]


def test_the_jackknife_covers_when_wordings_differ_and_the_battles_alone_do_not() -> None:
    """The weak null: no effect on average over wordings, but each wording has one of its own."""
    rng, hits, narrow, studies = np.random.default_rng(11), 0, 0, 150
    for _ in range(studies):
        own = rng.normal(0, 0.9, 24)
        pairs = drawn(rng, 48, 24)
        shift = np.array([own[list(pair)].mean() for pair in pairs])
        treated = np.repeat([True, False], 48)
        mean = np.exp(np.r_[shift - 0.45**2 / 2 - 0.9**2 / 8, np.zeros(48)])
        rates = np.clip(rng.gamma(2, 0.15 / 2, 96) * mean, 0, 1)
        found = jackknife(rates, treated, np.zeros(96), [*pairs, *[()] * 48])
        hits += found.low <= 1 <= found.high
        narrow += poisson_gee(rates * 1000, np.full(96, 1000), treated).p_value > 0.05
    assert hits / studies >= 0.90
    assert hits >= narrow


def test_the_jackknife_with_one_wording_a_battle_is_the_plain_one() -> None:
    rng = np.random.default_rng(12)
    treated, wordings = np.repeat([True, False], 12), [(k % 6,) for k in range(12)] + [()] * 12
    rates = rng.uniform(0.1, 0.9, 24)
    found = jackknife(rates, treated, np.zeros(24), wordings)
    control = rates[~treated]
    whole = log(rates[treated].mean() / control.mean())
    left = [log(rates[:12][[one != (w,) for one in wordings[:12]]].mean() / control.mean()) for w in range(6)]
    variance = 5 / 6 * np.sum((left - np.mean(left)) ** 2) + control.var(ddof=1) / 12 / control.mean() ** 2
    assert log(found.ratio) == pytest.approx(whole)
    own = control.var(ddof=1) / 12 / control.mean() ** 2
    freedom = variance**2 / ((variance - own) ** 2 / 5 + own**2 / 11)  # Satterthwaite
    assert log(found.high / found.ratio) == pytest.approx(stats.t.isf(0.025, freedom) * sqrt(variance))
    assert found.wordings == 6


def test_too_few_wordings_or_no_event_give_no_interval() -> None:
    treated = [True, True, False, False]
    with pytest.raises(AnalysisError, match=f"3 wordings drawn: at least {FEWEST}"):
        jackknife([0.1, 0.2, 0.3, 0.4], treated, ["s"] * 4, [(0, 1), (1, 2), (), ()])
    with pytest.raises(AnalysisError, match="no event"):
        jackknife([0.0, 0.2, 0.3, 0.4], treated, ["s"] * 4, [(0, 1), (2, 3), (), ()])


def test_levels_of_few_battles_are_not_compared() -> None:
    rng, level = np.random.default_rng(0), np.array((["a"] * 11 + ["b"]) * 2)
    treated, count = np.repeat([False, True], 12), rng.binomial(10, rng.beta(2, 4, 24))
    assert poisson_gee(count, np.full(24, 10), treated, groups=level).heterogeneity is None


@pytest.mark.parametrize(("battles", "wordings"), [(60, 12), (24, 8)])
def test_the_jackknife_holds_the_level_when_wordings_differ(battles: int, wordings: int) -> None:
    """Two wordings a battle, each with an effect of its own; the ratio over all wordings that could be drawn is 1."""
    rejected, studies = 0, 150
    for seed in range(studies):
        rng = np.random.default_rng([seed, battles])
        own, drawn = np.exp(rng.normal(0, 0.3, wordings)), []
        while len(drawn) < battles:
            pack = rng.permutation(wordings).tolist()
            drawn += [(pack[k], pack[k + 1]) for k in range(0, wordings - 1, 2)]
        drawn = drawn[:battles]
        treated = rng.gamma(4, 1 / 40, battles) * np.array([own[a] * own[b] for a, b in drawn])
        control = rng.gamma(4, 1 / 40, battles) * np.exp(0.09)
        label = np.repeat([True, False], battles)
        found = jackknife(np.r_[treated, control], label, np.zeros(2 * battles), [*drawn, *[()] * battles])
        rejected += found.p_value <= 0.05
    assert rejected / studies <= 0.10


def test_a_small_control_widens_the_interval_over_wordings() -> None:
    rng, drawn, wrong = np.random.default_rng(1), [(k, k + 1) for k in range(0, 24, 2)] * 2, 0
    for _ in range(200):
        rates = rng.gamma(2, 0.1, 28)
        wrong += jackknife(rates, [True] * 24 + [False] * 4, np.zeros(28), [*drawn, *[()] * 4]).p_value <= 0.05
    assert wrong / 200 <= 0.10
    with pytest.raises(AnalysisError, match="one battle in each stratum"):
        jackknife(rng.gamma(2, 0.1, 8), [True] * 4 + [False] * 4, [0, 1, 2, 3] * 2, [*drawn[:4], *[()] * 4])

"""The closed form of power against statsmodels' power of a t test, a simulation, and laws that any power obeys."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t
from statsmodels.stats.power import TTestIndPower

from experiments import _sweeps
from mitigation.design import interleave
from mitigation.planning import prospect
from mitigation.power import POWER, REGIMES, battles_needed, power, smallest_ratio
from mitigation.types import AnalysisPlan


@pytest.mark.parametrize("n", [10, 25, 60])
@pytest.mark.parametrize("ratio", [0.4, 0.6, 0.8])
def test_against_statsmodels_t_test_of_log_rates(n: int, ratio: float) -> None:
    """With one stratum and equal variation it is a t test of two means that lie ln(ratio) apart, in units of the variation."""
    ours = power(n, ratio=ratio, variation=(0.8, 0.8), strata=1, alpha=0.05)
    theirs = TTestIndPower().power(abs(log(ratio)) / 0.8, n, 0.05, alternative="larger")
    both = TTestIndPower().power(abs(log(ratio)) / 0.8, n, 0.05, alternative="two-sided")
    assert ours <= theirs
    assert ours == pytest.approx(both, abs=0.03)


def test_against_a_simulation_of_gamma_rates() -> None:
    rng, n, found = np.random.default_rng(7), 60, 0
    for _ in range(2000):
        one, other = rng.gamma(1 / 0.64, 0.64, n), 0.5 * rng.gamma(1 / 0.64, 0.64, n)
        means = one.mean(), other.mean()
        error = np.sqrt(sum(x.var(ddof=1) / x.mean() ** 2 / n for x in (one, other)))
        found += abs(np.log(means[1] / means[0])) / error > t.isf(0.025, 2 * n - 2)
    assert power(n, ratio=0.5, variation=(0.8, 0.8), strata=1, alpha=0.05) == pytest.approx(found / 2000, abs=0.04)


SPREAD = st.tuples(st.floats(0.2, 4), st.floats(0.2, 4))


@given(n=st.integers(5, 500), ratio=st.floats(0.1, 0.95), spread=SPREAD)
def test_more_battles_and_larger_effects_have_more_power(n: int, ratio: float, spread: tuple[float, float]) -> None:
    about = {"variation": spread, "strata": 1, "alpha": 0.05}
    here = power(n, ratio=ratio, **about)
    assert 0 <= here <= power(n + 1, ratio=ratio, **about) <= 1
    assert here <= power(n, ratio=ratio * 0.9, **about) + 1e-12
    assert power(n, ratio=1 / ratio, **about) == pytest.approx(here)
    assert power(n, ratio=ratio, variation=spread, strata=1, alpha=0.01) <= here


@given(n=st.integers(5, 500), spread=SPREAD)
def test_the_smallest_ratio_is_found_with_the_wanted_power(n: int, spread: tuple[float, float]) -> None:
    about = {"variation": spread, "strata": 2, "alpha": 0.05}
    ratio = smallest_ratio(n, **about)
    assert ratio is not None
    assert power(n, ratio=ratio, **about) == pytest.approx(POWER, abs=1e-9)


@given(ratio=st.floats(0.3, 0.8), spread=SPREAD)
def test_the_battles_needed_are_the_fewest_that_do(ratio: float, spread: tuple[float, float]) -> None:
    about = {"variation": spread, "strata": 1, "alpha": 0.05}
    n = battles_needed(ratio=ratio, **about)
    assert power(n, ratio=ratio, **about) >= POWER
    assert n == 2 or power(n - 1, ratio=ratio, **about) < POWER


def test_no_degree_of_freedom_means_no_power() -> None:
    assert power(2, ratio=0.5, variation=REGIMES["often"], strata=4, alpha=0.05) == 0
    assert smallest_ratio(2, variation=REGIMES["often"], strata=4, alpha=0.05) is None


def test_the_prospect_is_that_of_the_smallest_arm_at_its_share_of_alpha() -> None:
    arguments = ["study=x", "identity=control,placebo,unique_disassociative", "pairing=scripted", "replicates=12"]
    battles = interleave(_sweeps.sweep(arguments).cells)
    fewer = [b for b in battles if b.cell.identity.name != "placebo" or b.replicate < 6]
    found = prospect(fewer, AnalysisPlan())
    assert found is not None
    assert (found.battles, found.strata, found.family) == (6, 3, 2)
    assert found.halving["often"] == power(6, ratio=0.5, variation=REGIMES["often"], strata=3, alpha=0.025)
    assert found.low
    assert prospect([b for b in battles if b.cell.identity.name == "placebo"], AnalysisPlan()) is None

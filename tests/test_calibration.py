"""The short version of `make calibrate`: fixed seeds, bounds far from what 2,000 studies a cell gave."""

from __future__ import annotations

import numpy as np
import pytest

from tests.calibrate import REGIMES, describe, family, play, sequential, two_arms, two_studies, weak_null

STUDIES = 100


@pytest.mark.parametrize("regime", REGIMES)
def test_a_true_null_is_rejected_about_as_often_as_the_level_says(regime: str) -> None:
    found = two_arms(regime, 20, 1.0, STUDIES)
    assert found["permutation"] <= 0.12
    assert found["GEE"] <= 0.12
    assert found["coverage"] >= 0.90


def test_an_effect_is_found_and_its_interval_covers() -> None:
    found = two_arms("C", 20, 0.5, STUDIES)
    assert found["permutation"] >= 0.6
    assert found["coverage"] >= 0.90


def test_five_treatments_without_effect_are_one_family() -> None:
    assert family("A", 10, 5, STUDIES) <= 0.10


def test_five_looks_keep_the_level_and_cost_little_power() -> None:
    rejected, naive, _, _ = sequential("C", 40, 1.0, 5, STUDIES)
    assert rejected <= 0.12
    assert naive >= rejected
    rejected, _, alone, used = sequential("C", 40, 0.5, 5, STUDIES)
    assert rejected >= alone - 0.08
    assert used < 0.95


def test_wordings_that_differ_fool_the_permutation_more_than_both_tests_together() -> None:
    permutation, jackknife, both = weak_null("C", 48, 0.6, STUDIES)
    assert both <= min(permutation, jackknife)
    assert both <= 0.10


def test_regimes_are_frequent_base_and_sparse() -> None:
    shares = [describe(regime)[0] for regime in REGIMES]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.85
    assert 0.5 < shares[1] < 0.75
    assert 0.15 < shares[2] < 0.35


def test_thinning_multiplies_the_mean_rate() -> None:
    rng = np.random.default_rng(0)
    arm = play(100_000, "A", rng)
    assert arm.thinned(0.5, rng).rates.mean() / arm.rates.mean() == pytest.approx(0.5, rel=0.02)
    assert (arm.hits <= arm.messages).all()


def test_two_studies_cover_the_ratio_of_their_ratios_and_are_rarely_told_apart_when_alike() -> None:
    covered, rejected = two_studies("C", 20, 1.0, 100)
    assert covered > 0.88
    assert rejected < 0.13
    covered, rejected = two_studies("C", 50, 2.0, 60)
    assert covered > 0.88
    assert rejected > 0.4

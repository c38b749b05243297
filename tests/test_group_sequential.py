"""O'Brien–Fleming boundaries and repeated p values against published constants, another integration, and simulation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from mitigation.errors import ConfigError
from mitigation.significance.group_sequential import MOST, boundary, nominal_level, overall_level, repeated_p


@pytest.mark.parametrize(
    ("alpha", "looks", "constant"),
    [
        *((0.05, k, c) for k, c in ((1, 1.960), (2, 1.977), (3, 2.004), (4, 2.024), (5, 2.040), (10, 2.087), (20, 2.126))),
        *((0.01, k, c) for k, c in ((2, 2.580), (3, 2.595), (4, 2.609), (5, 2.621))),
        *((0.10, k, c) for k, c in ((2, 1.678), (3, 1.710), (4, 1.733), (5, 1.751))),
    ],
)
def test_constants_of_jennison_and_turnbull_table_2_3(alpha: float, looks: int, constant: float) -> None:
    assert boundary(alpha, looks) == pytest.approx(constant, abs=0.0006)


@pytest.mark.parametrize("looks", [2, 3, 5])
def test_the_level_is_that_of_the_multivariate_normal_distribution(looks: int) -> None:
    times = np.arange(1, looks + 1) / looks
    inside = multivariate_normal.cdf(
        np.full(looks, 2.0), np.zeros(looks), np.minimum.outer(times, times), lower_limit=np.full(looks, -2.0), abseps=1e-7
    )
    assert overall_level(2.0, looks) == pytest.approx(1 - inside, abs=1e-5)


def test_a_simulated_null_crosses_the_boundary_as_often_as_the_level_says() -> None:
    steps = np.random.default_rng(0).normal(size=(200_000, 5)) / np.sqrt(5)
    crossed = (np.abs(steps.cumsum(axis=1)) >= boundary(0.05, 5)).any(axis=1)
    assert crossed.mean() == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 200_000))


def test_one_look_leaves_everything_as_it_is() -> None:
    assert repeated_p(0.031, 1, 1) == 0.031
    assert nominal_level(0.05, 1, 1) == pytest.approx(0.05, abs=1e-9)
    assert overall_level(norm.isf(0.025), 1) == pytest.approx(0.05, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(alpha=st.floats(1e-4, 0.3), looks=st.integers(1, 10), data=st.data())
def test_a_repeated_p_falls_to_a_level_just_where_its_boundary_is_reached(alpha: float, looks: int, data: st.DataObject) -> None:
    look = data.draw(st.integers(1, looks))
    level = nominal_level(alpha, look, looks)
    if level > 1e-12:
        assert repeated_p(level, look, looks) == pytest.approx(alpha, rel=1e-6)
        assert repeated_p(level * 0.9, look, looks) < alpha < repeated_p(min(1.0, level * 1.1), look, looks)


@settings(deadline=None)
@given(p=st.floats(0, 1), looks=st.integers(2, 8))
def test_a_repeated_p_is_never_below_the_p_value_and_nears_it_from_look_to_look(p: float, looks: int) -> None:
    found = [repeated_p(p, look, looks) for look in range(1, looks + 1)]
    assert all(0 <= later <= earlier + 1e-12 <= 1 + 1e-12 for earlier, later in pairwise(found))
    assert found[-1] >= p - 1e-9


def test_the_last_look_spends_almost_the_whole_level() -> None:
    assert 0.04 < nominal_level(0.05, 5, 5) < 0.05
    assert nominal_level(0.05, 1, 5) < 1e-5


@pytest.mark.parametrize("looks", [0, MOST + 1, 2.5])
def test_a_number_of_looks_that_cannot_be_is_refused(looks: object) -> None:
    with pytest.raises(ConfigError, match="looks"):
        overall_level(2.0, looks)  # type: ignore[arg-type]

"""Evidence that may be looked at after every block: valid under peeking, not without power, in the order of the blocks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitigation.errors import AnalysisError
from mitigation.monitoring import monitor
from mitigation.significance.e_process import MOST, e_process
from mitigation.types import AnalysisPlan

ARMS = {"control": {"role": "control", "expected": "none"}, "unique": {"role": "treatment", "expected": "less"}}
PLAN = AnalysisPlan(resamples=999)


def test_whoever_looks_after_every_block_is_misled_in_at_most_one_of_twenty_studies() -> None:
    wrong = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        one, other = (rng.beta(0.5, 1.5, 300) * (rng.random(300) < 0.7) for _ in range(2))
        wrong += e_process(one - other).p_value <= 0.05
    assert wrong <= 34  # at most 20 expected; more than 34 has a chance below 1 in 800


def test_an_effect_is_found_in_time_and_in_both_directions() -> None:
    rng = np.random.default_rng(0)
    fall = rng.beta(1, 5, 200) - rng.beta(2, 4, 200)
    assert e_process(fall).p_value < 0.001
    assert e_process(-fall).p_value == pytest.approx(e_process(fall).p_value)


@given(st.lists(st.floats(-1, 1), max_size=60))
def test_wealth_stays_positive_the_p_value_never_rises_and_the_future_is_not_looked_at(differences: list[float]) -> None:
    whole = e_process(differences)
    assert (whole.wealth > 0).all()
    p_values = [e_process(differences[:k]).p_value for k in range(len(differences) + 1)]
    assert p_values == sorted(p_values, reverse=True)
    assert 0 < p_values[-1] <= 1
    half = e_process(differences[: len(differences) // 2])
    assert list(half.wealth) == list(whole.wealth[: len(half.wealth)])


def test_wealth_is_the_product_of_stakes_that_earlier_blocks_decide() -> None:
    """By the definition, one block after the other."""
    differences = np.random.default_rng(1).uniform(-1, 0.6, 40)
    wealth, stakes = [1.0], []
    for k, d in enumerate(differences):
        past = differences[:k]
        mean = past.sum() / (k + 1)
        variance = (0.25 + ((past - mean) ** 2).sum()) / (k + 1)
        stakes.append(float(np.clip(mean / (variance + mean**2), -MOST, MOST)))
        wealth.append(wealth[-1] * (1 + stakes[-1] * d))
    assert e_process(differences).wealth == pytest.approx(wealth[1:])
    assert stakes[0] == 0


@pytest.mark.parametrize("differences", [[0.1, float("nan")], [1.5], [[0.1]]])
def test_what_is_no_difference_of_rates_is_refused(differences: list[float]) -> None:
    with pytest.raises(AnalysisError, match="a difference is not finite or outside"):
        e_process(differences)


def battles(n: int = 40) -> pd.DataFrame:
    rng, rows = np.random.default_rng(2), []
    order = rng.permutation(n)
    for k in range(n):
        for place, arm in enumerate(ARMS):
            rate = float(rng.beta(2, 4) if arm == "control" else rng.beta(1, 7))
            row = {
                "arm": arm,
                "scenario": "s",
                "pairing": "p",
                "replicate": k,
                "status": "complete",
                "scored": True,
                "rate": rate,
            }
            rows.append(row | {"run_order": int(2 * order[k] + place)})
    return pd.DataFrame(rows)


def test_blocks_count_in_the_order_they_were_begun_in_and_only_when_complete() -> None:
    table = battles()
    table.loc[(table["replicate"] == 3) & (table["arm"] == "unique"), ["status", "scored", "rate"]] = ["failed", False, np.nan]
    pending = (table["replicate"] == 5) & (table["arm"] == "control")
    table.loc[pending, ["status", "scored", "rate", "run_order"]] = ["pending", False, np.nan, np.nan]
    found = monitor(table, plan=PLAN, arms=ARMS).iloc[0]
    assert (found["blocks"], found["blocks_left_out"]) == (38, 2)
    kept = table[~table["replicate"].isin([3, 5])].sort_values("run_order")
    rates = kept.pivot_table(index="replicate", columns="arm", values="rate", sort=False)
    expected = e_process((rates["unique"] - rates["control"]).to_numpy())
    assert found["e_value"] == pytest.approx(expected.e_value)
    assert found["p_anytime"] is None  # one battle is pending
    finished = monitor(table[table["status"] != "pending"], plan=PLAN, arms=ARMS).iloc[0]
    assert finished["p_anytime"] == pytest.approx(expected.p_value)
    shuffled = table.sample(frac=1, random_state=0)
    assert monitor(shuffled, plan=PLAN, arms=ARMS).iloc[0]["e_value"] == found["e_value"]


def test_without_blocks_or_without_control_there_is_nothing_to_watch() -> None:
    table = battles(4)
    assert monitor(table.drop(columns="run_order"), plan=PLAN, arms=ARMS).empty
    assert monitor(table[table["arm"] != "control"], plan=PLAN, arms=ARMS).empty
    imported = table.assign(run_order=None)
    assert monitor(imported, plan=PLAN, arms=ARMS).empty

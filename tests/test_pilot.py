"""Power from a pilot: against the closed form, against what is known of thinned battles, and as a command."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mitigation.errors import AnalysisError
from mitigation.next_study import outlook, sample_sizes
from mitigation.pilot import FEWEST, Pilot, needed, pilot_of, simulated_power
from mitigation.power import power
from mitigation.significance.group_sequential import nominal_level
from mitigation.types import AnalysisPlan
from tests.calibrate import play
from tests.conftest import Command

ROOT = Path(__file__).parent.parent


def pilot(battles: int = 400, regime: str = "C", seed: int = 0) -> Pilot:
    arm = play(battles, regime, np.random.default_rng(seed))
    return Pilot(arm.hits, arm.messages, arm.stratum)


def test_the_variation_of_thinned_battles_is_what_thinning_them_gives() -> None:
    given = pilot(20_000)
    control, treated = given.variation(0.5)
    arm = play(200_000, "C", np.random.default_rng(1))
    thinned = arm.thinned(0.5, np.random.default_rng(2))
    for seen, expected in ((control, arm.rates), (treated, thinned.rates)):
        within = np.sqrt(np.mean([expected[arm.stratum == s].var(ddof=1) for s in range(4)])) / expected.mean()
        assert seen == pytest.approx(within, rel=0.03)
    assert given.variation(1.0)[0] == given.variation(1.0)[1]


def test_simulated_power_is_near_the_closed_form_where_that_is_good() -> None:
    given = pilot()
    for n in (20, 40):
        closed = power(n, ratio=0.5, variation=given.variation(0.5), strata=4, alpha=0.05)
        assert simulated_power(given, n, ratio=0.5, strata=4, alpha=0.05) == pytest.approx(closed, abs=0.10)


def test_without_an_effect_the_power_is_the_level_and_it_grows_with_the_effect() -> None:
    given = pilot(100)
    assert simulated_power(given, 20, ratio=1.0, strata=4, alpha=0.05) <= 0.09
    found = [simulated_power(given, 24, ratio=ratio, strata=4, alpha=0.05, studies=200) for ratio in (0.9, 0.6, 0.3)]
    assert found == sorted(found)
    assert simulated_power(given, 24, ratio=2.0, strata=4, alpha=0.05, studies=200) > 0.3


def test_the_battles_needed_give_the_power_that_was_asked_for() -> None:
    given = pilot()
    n = needed(given, ratio=0.5, strata=4, alpha=0.05, wanted=0.8)
    assert simulated_power(given, n, ratio=0.5, strata=4, alpha=0.05) == pytest.approx(0.8, abs=0.08)


def test_a_pilot_is_the_scored_battles_of_control() -> None:
    rows = [
        {"arm": arm, "status": status, "stratum": f"s{k % 2}", "messages": 8, "ingroup_messages": k % 3}
        for arm in ("control", "unique")
        for status in ("complete", "failed")
        for k in range(10)
    ]
    found = pilot_of(pd.DataFrame(rows), control="control")
    assert (len(found.hits), found.share_any, set(found.stratum.tolist())) == (10, 0.6, {0, 1})
    with pytest.raises(AnalysisError, match=f"has 3 scored battles of control: at least {FEWEST}"):
        pilot_of(pd.DataFrame(rows[:3]), control="control")
    with pytest.raises(AnalysisError, match="holds an in-group we"):
        pilot_of(pd.DataFrame(rows).assign(ingroup_messages=0), control="control")


def test_a_pilot_with_few_battles_in_a_stratum_is_taken_for_one_stratum() -> None:
    rows = [
        {"arm": "control", "status": "complete", "stratum": f"s{k}", "messages": 10, "ingroup_messages": hits}
        for k, hits in enumerate([7, 5, 4, 2, 2, 0, 0, 0])
    ]
    found = pilot_of(pd.DataFrame(rows), control="control")
    assert set(found.stratum.tolist()) == {0}
    assert found.variation(0.5)[0] > 0.8
    assert needed(found, ratio=0.5, strata=8, alpha=0.05, wanted=0.8) > 20
    assert simulated_power(found, 16, ratio=0.5, strata=8, alpha=0.05, studies=100) < 0.8


@pytest.mark.parametrize("ratio", [0, 1.0, -1, float("nan")])
def test_a_ratio_that_no_number_of_battles_finds_is_refused(ratio: float) -> None:
    with pytest.raises(AnalysisError, match="is not between 0 and 1"):
        needed(pilot(), ratio=ratio, strata=4, alpha=0.05, wanted=0.8)


def test_the_plan_reads_a_pilot_and_writes_nothing(project: Path, mitigation: Command) -> None:
    shutil.copytree(ROOT / "results" / "simulated", project / "results" / "simulated")
    sweep = ("-m", "study=next", "identity=control,unique_disassociative", "pairing=scripted", "replicates=24")
    before = sorted(project.rglob("*"))
    done = mitigation("plan", *sweep, "pilot=simulated")
    assert done.returncode == 0, done.stderr
    assert "pilot simulated: 60 battles of control, 83% with an in-group we" in done.stdout
    assert "power with 24 an arm" in done.stdout
    assert sorted(project.rglob("*")) == before
    for value, message in (("nothing", "there is no study 'nothing'"), ("", "pilot= is empty")):
        refused = mitigation("plan", *sweep, f"pilot={value}")
        assert refused.returncode == 2
        assert message in refused.stderr


def test_a_pilot_that_is_too_small_is_refused(project: Path, mitigation: Command) -> None:
    sizes = ("identity=control,placebo", "pairing=scripted")
    small = (*sizes, "replicates=2")
    assert mitigation("battle", "-m", "study=tiny", *small, "messages=2").returncode == 0
    done = mitigation("plan", "-m", "study=next", *small, "pilot=tiny")
    assert "the pilot is not looked at" in done.stdout
    refused = mitigation("plan", "-m", "study=next", *sizes, "replicates=24", "pilot=tiny")
    assert refused.returncode == 2
    assert "pilot=tiny: the pilot has 2 scored battles of control: at least 8 are needed" in refused.stderr


def fought(rates: dict[str, float], *, battles: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    lines = []
    for arm, rate in rates.items():
        for place in range(battles):
            said = int(rng.binomial(10, rate * rng.uniform(0.3, 1.7)))
            lines.append({"arm": arm, "stratum": f"s{place % 4}", "status": "complete", "messages": 10, "ingroup_messages": said})
    return pd.DataFrame(lines)


def test_a_next_study_is_planned_from_controls_variation_and_not_from_the_effect() -> None:
    battles = fought({"control": 0.4, "unique": 0.1})
    other = fought({"control": 0.4, "unique": 0.4})
    found, without = outlook(battles, plan=AnalysisPlan()), outlook(other, plan=AnalysisPlan())
    assert found is not None
    assert without is not None
    assert sample_sizes(found).equals(sample_sizes(without))
    assert (found.battles, found.strata, found.treatments, found.alpha) == (40, 4, 1, pytest.approx(0.05))
    table = sample_sizes(found)
    assert list(table["power_here"]) == sorted(table["power_here"], reverse=True)
    for row in table.to_dict("records"):
        assert (
            found.power(row["battles_for_80"], row["rate_ratio"])
            >= 0.8
            > found.power(row["battles_for_80"] - 1, row["rate_ratio"])
        )
        assert row["battles_for_90"] > row["battles_for_80"]


def test_looks_and_comparisons_lower_the_level_of_a_next_study() -> None:
    battles = fought({"control": 0.4, "one": 0.1, "two": 0.1})
    found = outlook(battles, plan=AnalysisPlan(looks=5))
    assert found is not None
    assert found.alpha == pytest.approx(nominal_level(0.025, 5, 5))


def test_a_small_level_is_given_the_resamples_that_can_reach_it() -> None:
    assert simulated_power(pilot(), 120, ratio=0.3, strata=4, alpha=nominal_level(0.002, 1, 1), studies=20) > 0.9


def test_nothing_is_planned_from_a_control_that_never_says_we() -> None:
    assert outlook(fought({"control": 0.0, "unique": 0.4}), plan=AnalysisPlan()) is None
    assert outlook(fought({"control": 0.4}), plan=AnalysisPlan()) is None
    assert outlook(fought({"control": 0.4, "unique": 0.4}, battles=4), plan=AnalysisPlan()) is None

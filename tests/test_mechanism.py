"""The treatment against the other arms: the same numbers as the primary test gives, and reasons where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

import mitigation as library
from experiments import _sweeps
from mitigation.api import analyse_study
from mitigation.mechanism import against_others
from mitigation.types import AnalysisPlan

ARGUMENTS = ["study=x", "pairing=scripted", "messages=6", "identity=control,unique_disassociative,placebo,same_unique"]


def test_against_the_primary_test_with_the_other_arm_as_control(project: Path) -> None:
    library.run(_sweeps.sweep([*ARGUMENTS, "replicates=24"]).cells, study="x")
    loaded = library.load("x")
    plan = AnalysisPlan(resamples=999)
    table = against_others(analyse_study(loaded, plan=plan).battles, plan=plan, arms=loaded.arms(plan)).set_index("against")
    assert list(table.index) == ["placebo", "same_unique"]
    for other in table.index:
        swapped = analyse_study(loaded, plan=AnalysisPlan(control=str(other), resamples=999)).contrasts
        row = swapped[(swapped["treatment"] == "unique_disassociative") & (swapped["outcome"] == "ingroup_rate")].iloc[0]
        mine = table.loc[other]
        assert (mine["n_treatment"], mine["n_against"]) == (row["n_treatment"], row["n_control"]) == (24, 24)
        assert [mine[name] for name in ("rate_ratio", "ratio_low", "ratio_high", "p_value")] == pytest.approx(
            [row[name] for name in ("rate_ratio", "ratio_low", "ratio_high", "p_value")]
        )
    assert table.loc["placebo", "p_value"] < 0.05  # the simulator's effects are 0.4 and 1


def test_an_unfinished_study_gives_no_p_and_no_section_of_them(project: Path) -> None:
    cells = _sweeps.sweep([*ARGUMENTS, "replicates=4"]).cells
    library.run(cells, study="x")
    path = next(Path("results/x/placebo").glob("*/*/battles.jsonl"))
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    given, page = library.report("x")
    assert given.mechanism is not None
    assert given.mechanism["p_value"].isna().all()
    assert "No p because" not in (page.parent / "report.md").read_text()


def test_the_report_shows_it_where_there_are_other_arms(project: Path) -> None:
    library.run(_sweeps.sweep([*ARGUMENTS, "replicates=6"]).cells, study="x")
    _, page = library.report("x")
    for name in ("report.html", "report.md"):
        assert "The treatment against the other arms" in (page.parent / name).read_text()
    assert (page.parent / "tables" / "treatment_against.csv").read_text().count("\n") == 3
    library.run(_sweeps.sweep(["study=y", "pairing=scripted", "identity=control,unique_disassociative"]).cells, study="y")
    assert "The treatment against the other arms" not in library.report("y")[1].read_text()

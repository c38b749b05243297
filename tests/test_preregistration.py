"""A locked plan: what may be locked, what a lock forbids, and that the report says whether it was followed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mitigation as library
from experiments import _sweeps
from mitigation import preregistration
from mitigation.adherence import adherence
from mitigation.definitions import definition
from mitigation.errors import ConfigError, StoreError
from mitigation.store import Study
from mitigation.studies import describe
from mitigation.types import AnalysisPlan, Cell
from tests.conftest import Command
from tests.loopback import Loopback

SWEEP = ["identity=control,placebo", "scenario=egomaniac,debate", "pairing=scripted", "replicates=6", "messages=2"]


def cells() -> tuple[Cell, ...]:
    return _sweeps.sweep(["study=x", *SWEEP]).cells


def locked(folder: Path, **changes: Any) -> preregistration.Lock:
    given = {"plan": AnalysisPlan(), "detector": describe("lexical"), "begun": False} | changes
    return preregistration.lock(folder, changes.pop("cells", cells()), **{k: v for k, v in given.items() if k != "cells"})


def test_the_same_plan_has_the_same_hash_in_any_order_and_place(tmp_path: Path) -> None:
    one, other = locked(tmp_path / "a"), locked(tmp_path / "b", cells=tuple(reversed(cells())))
    assert one.sha256 == other.sha256
    assert locked(tmp_path / "a") == one
    assert preregistration.read(tmp_path / "a") == one
    assert preregistration.read(tmp_path / "none") is None
    assert one.plan == AnalysisPlan()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"plan": AnalysisPlan(rate="words")}, "plan.analysis.rate: 'messages' → 'words'"),
        ({"detector": "another 1"}, "plan.detector"),
        ({"cells": cells()[:2]}, "plan.design"),
    ],
)
def test_a_lock_is_not_renewed(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    first = locked(tmp_path)
    with pytest.raises(ConfigError, match=told):
        locked(tmp_path, **changes)
    assert preregistration.read(tmp_path) == first


def test_a_study_that_has_begun_is_not_locked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a plan is locked before the first"):
        locked(tmp_path, begun=True)
    assert not (tmp_path / preregistration.FILE).exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace('"alpha": 0.05', '"alpha": 0.06'),
        lambda text: text.replace("[[agent]]", "[[agent]]!", 1),
        lambda text: text[:-40],
        lambda text: "[]",
        lambda text: "",
        lambda text: text.replace('"schema": 1', '"schema": 2'),
    ],
)
def test_an_altered_lock_is_an_error_and_never_another_plan(tmp_path: Path, spoil: Callable[[str], str]) -> None:
    locked(tmp_path)
    path = tmp_path / preregistration.FILE
    path.write_text(spoil(path.read_text()))
    with pytest.raises(StoreError, match=r"plan\.lock\.json"):
        preregistration.read(tmp_path)


def without(arm: str, given: tuple[Cell, ...]) -> list[Cell]:
    return [cell for cell in given if cell.identity.name != arm]


def other_prompt(given: tuple[Cell, ...]) -> list[Cell]:
    arm = next(cell.identity for cell in given if cell.identity.name == "placebo")
    spoilt = replace(arm, bank=("Another text.", *arm.bank[1:]))
    return [replace(cell, identity=spoilt) if cell.identity.name == "placebo" else cell for cell in given]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: without("control", c), r"this sweep lacks the control \(control\)"),
        (lambda c: without("placebo", c), "this sweep lacks placebo"),
        (other_prompt, r"identity placebo: bank\[0\]: .* → 'Another text\.'"),
        (lambda c: [replace(cell, replicates=7) for cell in c], "replicates: 6 → 7"),
        (lambda c: [replace(cell, messages=3) for cell in c], "messages: 2 → 3"),
        (lambda c: [replace(cell, seed=1) for cell in c], "seed: 0 → 1"),
        (
            lambda c: [replace(cell, scenario=replace(cell.scenario, name="new")) for cell in c[::2]],
            "the cell control × new × scripted is not part of it",
        ),
    ],
)  # fmt: skip
def test_a_locked_study_is_fought_as_locked_or_not_at_all(
    project: Path, change: Callable[[tuple[Cell, ...]], list[Cell]], told: str
) -> None:
    given = cells()
    locked(Path("results/x"))
    with pytest.raises(ConfigError, match=told):
        library.run(change(given), study="x")
    assert not list(Path("results/x").glob("**/battles.jsonl"))
    # A part of the design may be fought alone when its blocks are whole.
    assert library.run([c for c in given if c.scenario.name == "debate"], study="x") == {"complete": 12}
    assert library.run(given, study="x") == {"complete": 24}


def test_allow_change_does_not_open_a_lock(project: Path, mitigation: Command) -> None:
    assert mitigation("plan", "study=x", *SWEEP, "lock=true").returncode == 0
    done = mitigation("battle", "-m", "study=x", *SWEEP, "allow_change=true")
    assert done.returncode == 2
    assert "allow_change=true would change it" in done.stderr


@pytest.mark.long
def test_processes_that_fight_one_cell_each_keep_to_the_lock(project: Path, mitigation: Command) -> None:
    assert mitigation("plan", "study=x", *SWEEP, "lock=true").returncode == 0
    done = mitigation("battle", "-m", "study=x", *SWEEP, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert done.returncode == 0, done.stderr
    assert "24 complete" in done.stdout
    refused = mitigation("battle", "-m", "study=x", *SWEEP, "seed=1", "hydra/launcher=joblib")
    assert refused.returncode == 2
    assert "seed: 0 → 1" in refused.stderr


def test_the_report_says_whether_the_plan_was_followed(project: Path, mitigation: Command) -> None:
    plan = mitigation("plan", "study=x", *SWEEP, "lock=true", "analysis.rate=words")
    assert plan.returncode == 0, plan.stderr
    held = preregistration.read(Path("results/x"))
    assert held is not None
    assert f"sha256 {held.sha256}" in plan.stdout
    assert mitigation("battle", "-m", "study=x", *SWEEP).returncode == 0
    # Without a word of another analysis the locked one is taken.
    assert mitigation("report", "study=x").returncode == 0
    verdict = json.loads(Path("reports/x/verdict.json").read_text())
    assert verdict["locked_plan"] == {"locked_at": held.locked_at, "sha256": held.sha256, "deviations": [], "followed": True}
    assert verdict["plan"]["rate"] == "words"
    for page in ("report.html", "report.md"):
        text = Path("reports/x", page).read_text()
        assert f"(sha256 {held.sha256}) and was followed" in text
        assert "NOT AS PLANNED" not in text
    odd = mitigation("report", "study=x", "rate=messages")
    assert odd.returncode == 0
    assert "NOT AS PLANNED: analysis.rate: 'words' → 'messages'." in odd.stdout
    verdict = json.loads(Path("reports/x/verdict.json").read_text())
    assert verdict["locked_plan"]["followed"] is False
    assert "NOT AS PLANNED" in Path("reports/x/report.html").read_text()


def test_a_study_without_a_lock_is_called_exploratory(project: Path) -> None:
    library.run(cells(), study="x")
    _, page = library.report("x")
    assert "no plan was locked before this study: its results are exploratory" in page.read_text()
    assert json.loads((page.parent / "verdict.json").read_text())["locked_plan"] is None


def test_what_was_done_behind_the_lock_is_found(project: Path) -> None:
    """Battles fought before the lock, cells never begun and definitions edited by hand."""
    library.run(cells()[:1], study="x")
    store = Study(Path("results"), "x")
    held = locked(Path("results/x"))
    stored = library.load("x")
    later = replace(held, locked_at="2999-01-01T00:00:00+00:00")
    kept = adherence(later, store.definitions(), stored.transcripts, plan=AnalysisPlan(), detector=stored.detector)
    assert kept.deviations == ("6 battles began before the plan was locked",)
    [path] = Path("results/x").glob("*/*/*/cell.json")
    path.write_text(path.read_text().replace('"replicates": 6', '"replicates": 9'))
    kept = adherence(held, store.definitions(), (), plan=AnalysisPlan(alpha=0.1), detector="other")
    assert not kept.followed
    assert "analysis.alpha: 0.05 → 0.1" in kept.deviations
    assert "replicates: 6 → 9" in kept.deviations
    assert any(text.startswith("detector: lexical") for text in kept.deviations)


def test_a_locked_study_of_which_half_was_fought_is_interim(project: Path) -> None:
    given = cells()
    locked(Path("results/x"))
    library.run([c for c in given if c.scenario.name == "debate"], study="x")
    loaded, _ = library.report("x")
    assert loaded.interim
    assert loaded.pending == 12
    assert loaded.analysis.contrasts["p_value"].isna().all()


def test_another_prompt_put_back_afterwards_is_found_by_its_hash(project: Path) -> None:
    """Fought under another wording, then definition and lock are restored by hand."""
    given = cells()
    held = locked(Path("results/x"))
    lock = Path("results/x", preregistration.FILE)
    kept, plain = lock.read_bytes(), {cell.key: definition(cell) for cell in given}
    lock.unlink()
    library.run(other_prompt(given), study="x")
    lock.write_bytes(kept)
    for key, record in plain.items():
        Path("results/x", *key, "cell.json").write_text(json.dumps(record))
    told, _ = library.report("x")
    assert told.adherence is not None
    assert any("not drawn or told as locked" in text for text in told.adherence.deviations)
    assert held.sha256 == told.adherence.sha256


def test_battles_excluded_by_hand_are_a_deviation(project: Path) -> None:
    held = locked(Path("results/x"))
    library.run(cells(), study="x")
    stored = library.load("x")
    half = [replace(b, status="excluded") if i < 3 else b for i, b in enumerate(stored.transcripts)]
    kept = adherence(held, stored.definitions, half, plan=AnalysisPlan(), detector=stored.detector)
    assert kept.deviations == ("excluded by hand: 3 battles",)


def test_battles_that_were_set_aside_keep_a_study_from_being_locked(project: Path, mitigation: Command) -> None:
    assert mitigation("battle", "-m", "study=x", *SWEEP).returncode == 0
    for path in Path("results/x").glob("*/*/*/*"):
        if path.name == "battles.jsonl":
            path.rename(path.with_name("battles.1.jsonl"))
        elif path.is_file():
            path.unlink()
    done = mitigation("plan", "study=x", *SWEEP, "lock=true")
    assert done.returncode == 2
    assert "holds battles" in done.stderr


def test_a_whole_number_and_the_same_with_a_point_are_one_plan(tmp_path: Path) -> None:
    one = locked(tmp_path, plan=AnalysisPlan(side_effect_margin=0))
    assert locked(tmp_path, plan=AnalysisPlan(side_effect_margin=0.0)) == one


def test_a_lock_of_an_earlier_version_means_the_defaults_of_what_came_later(tmp_path: Path) -> None:
    made = locked(tmp_path)
    path = tmp_path / preregistration.FILE
    record = json.loads(path.read_text())
    for name in ("looks", "correction"):
        del record["contents"]["analysis"][name]
    record["sha256"] = preregistration._digest(record["contents"])
    path.write_text(json.dumps(record))
    known = preregistration.read(tmp_path)
    assert known is not None
    assert known.plan == made.plan
    assert locked(tmp_path) == known
    assert adherence(known, known.definitions, [], plan=made.plan, detector=describe("lexical")).followed
    with pytest.raises(ConfigError, match="looks"):
        locked(tmp_path, plan=AnalysisPlan(looks=3))


def test_an_analysis_of_a_later_version_is_named(tmp_path: Path) -> None:
    held = locked(tmp_path)
    later = replace(held, contents={**held.contents, "analysis": {**held.contents["analysis"], "tails": 1}})
    with pytest.raises(StoreError, match="written by another version"):
        later.plan  # noqa: B018


def test_what_holm_makes_impossible_is_not_locked(project: Path, mitigation: Command) -> None:
    arguments = ["study=x", "identity=control,unique_disassociative,placebo", "pairing=scripted", "replicates=9"]
    done = mitigation("plan", *arguments, "analysis.alpha=0.0004", "lock=true")
    assert done.returncode == 2
    assert "no adjusted p can reach 0.0004: the smallest attainable p is" in done.stderr
    assert "times 2 comparisons (Holm)" in done.stderr


def test_a_plan_that_can_conclude_nothing_is_not_locked(project: Path, mitigation: Command) -> None:
    done = mitigation("plan", "study=x", "identity=control,placebo", "pairing=scripted", "replicates=3", "lock=true")
    assert done.returncode == 2
    assert "cannot reach p ≤ 0.05: the smallest attainable p is 0.25; add replicates" in done.stderr
    alone = mitigation("plan", "study=x", "identity=control", "pairing=scripted", "lock=true")
    assert alone.returncode == 2
    assert "control is the only arm" in alone.stderr
    assert mitigation("plan", "study=x", "lock=maybe").returncode == 2
    assert not (project / "results").exists()


def test_a_paid_run_that_can_conclude_nothing_says_so_first(mitigation: Command, loopback: Loopback) -> None:
    sweep = ["identity=control,placebo", "pairing=openai_self", "replicates=1", "messages=1"]
    done = mitigation("battle", "-m", "study=x", *sweep, **loopback.environment())
    assert done.returncode == 0
    assert "note: placebo against control cannot reach p ≤ 0.05" in done.stderr


def test_power_that_is_low_is_a_warning(mitigation: Command) -> None:
    few = mitigation("plan", "study=x", "identity=control,placebo", "pairing=scripted", "replicates=12")
    assert few.returncode == 0
    assert "power with 12 battles an arm in 3 strata, alpha 0.05, if control says “we”" in few.stdout
    assert "note: power is low" in few.stdout
    many = mitigation("plan", "study=x", "identity=control,placebo", "pairing=scripted", "replicates=300")
    assert "note: power is low" not in many.stdout

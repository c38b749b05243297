"""Every preset: composed, built, planned and linted as it stands, and fought by simulated agents in small."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import mitigation as library
from experiments import _sweeps
from experiments.lint import check_texts
from mitigation.design import interleave
from mitigation.lint_sweeps import arms_of
from mitigation.planning import feasibility
from mitigation.work import models
from tests.conftest import ROOT, Command

PRESETS = sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml"))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_passes_the_linter_and_can_reach_its_alpha(name: str) -> None:
    sweep = _sweeps.sweep([f"experiment={name}"])
    battles = interleave(sweep.cells)
    check_texts(arms_of(sweep.cells), battles)
    notes = feasibility(battles, sweep.plan)
    assert notes == (["control is the only arm: add one to compare with it"] if name == "replication" else [])


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_planned_by_name_and_nothing_is_written(name: str, project: Path, mitigation: Command) -> None:
    done = mitigation("plan", f"experiment={name}")
    assert done.returncode == 0, done.stderr
    sweep = _sweeps.sweep([f"experiment={name}"])
    assert f"{len(sweep.cells)} cells, {sum(cell.replicates for cell in sweep.cells):,} battles" in done.stdout
    for model in models(interleave(sweep.cells)):
        shown = next(line for line in done.stdout.splitlines() if line.startswith(f"model {model.name} "))
        assert shown.endswith("temperature not settable" if model.temperature is None else f"temperature {model.temperature:g}")
    assert list(project.iterdir()) == []


@pytest.mark.parametrize(
    "name", [name if name in ("demo", "games") else pytest.param(name, marks=pytest.mark.long) for name in PRESETS]
)
def test_a_preset_is_fought_and_reported_with_simulated_agents(name: str, project: Path) -> None:
    cells = _sweeps.sweep([f"experiment={name}", "pairing=scripted", "replicates=2", "messages=3"]).cells
    states = library.run(cells, study=name)
    assert states == {"complete": 2 * len(cells)}
    given, page = library.report(name)
    assert page.exists()
    assert set(given.analysis.arms["arm"]) == {cell.identity.name for cell in cells}
    assert not given.interim
    assert "temperature: simulator not settable" in (page.parent / "report.md").read_text()
    assert ("one_sided: one agent of each battle is treated" in page.read_text()) == ("one_sided" in given.identities)


def test_a_sweep_of_more_than_500_cells_is_composed_from_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each choice is composed once: 15 arms, 12 scenarios and 3 pairings need 30 configs and not 540."""
    composed = []

    def counting(command: str, overrides: list[str] | None = None, **more: object) -> object:
        composed.append(overrides)
        return compose(command, overrides=overrides, **more)  # type: ignore[arg-type]

    compose = _sweeps.compose
    monkeypatch.setattr(_sweeps, "compose", counting)
    assert len(_sweeps.sweep(["experiment=mechanism"]).cells) == 540
    assert len(composed) == 1 + 15 + 12 + 3 - 2  # one for the preset's sweep; the first cell is shared by the three groups


@pytest.mark.long
def test_a_fraction_of_a_preset_keeps_whole_blocks(mitigation: Command) -> None:
    done = mitigation("plan", "experiment=mechanism", "fraction=3")
    assert done.returncode == 0, done.stderr
    assert "180 cells, 1,080 battles" in done.stdout
    refused = mitigation("plan", "experiment=mechanism", "fraction=4")
    assert refused.returncode == 2
    assert (
        "fraction=4 needs at least 4 scenarios and 4 pairings, or some would be left out altogether: here are 12 and 3"
        in refused.stderr
    )


@pytest.mark.long
def test_a_fraction_is_fought_alike_in_one_process_and_in_several(project: Path, mitigation: Command) -> None:
    shutil.copytree(ROOT / "conf", project / "conf")
    pairing = (project / "conf" / "pairing" / "scripted.yaml").read_text()
    (project / "conf" / "pairing" / "twin.yaml").write_text(pairing.replace("name: scripted", "name: twin"))
    sweep = ["-m", "identity=control,placebo", "scenario=debate,riddles", "pairing=scripted,twin", "fraction=2", "replicates=2"]
    assert "4 cells, 8 battles" in mitigation("plan", "study=one", *sweep).stdout
    told = []
    for study, more in (("one", []), ("several", ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"])):
        done = mitigation("battle", f"study={study}", *sweep, "messages=2", *more)
        assert done.returncode == 0, done.stderr
        assert "8 battles: 8 complete" in done.stdout
        texts = {b.battle_id: [turn.text for turn in b.turns] for b in library.load(study).transcripts}
        told.append(texts)
    assert told[0] == told[1]
    assert {name.rpartition(".")[0] for name in told[0]} == {
        f"{where}.{arm}" for where in ("debate.scripted", "riddles.twin") for arm in ("control", "placebo")
    }

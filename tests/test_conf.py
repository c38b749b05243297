"""Every file in conf/ is composed and built, and what it builds is fit for a study."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose
from omegaconf import OmegaConf

from experiments import _sweeps, _wiring
from mitigation.errors import ConfigError
from mitigation.judge.panel import Panel
from mitigation.types import Identity, Model, Pairing, Scenario
from tests.conftest import ROOT, child_environment

CONF = ROOT / "conf"


def names(group: str) -> list[str]:
    return [path.relative_to(CONF / group).with_suffix("").as_posix() for path in sorted((CONF / group).rglob("*.yaml"))]


def test_no_file_of_conf_is_left_out_of_these_tests() -> None:
    groups = {path.relative_to(CONF).parts[0] for path in CONF.rglob("*.yaml") if path.parent != CONF}
    assert groups == {"identity", "scenario", "pairing", "model", "analysis", "detector", "experiment", "hydra", "panel"}
    assert {path.stem for path in CONF.glob("*.yaml")} == {"annotate", "battle", "detect", "import", "lint", "report", "propose"}


@pytest.mark.parametrize("name", names("identity"))
def test_every_identity_builds_under_the_name_of_its_file(name: str) -> None:
    built = _sweeps.sweep(["study=x", f"identity={name}"]).cells[0].identity
    assert isinstance(built, Identity)
    assert built.name == name.rsplit("/", 1)[-1]
    assert "[[" not in "".join(built.bank)


@pytest.mark.parametrize("name", names("scenario"))
def test_every_scenario_builds_and_names_both_agents(name: str) -> None:
    built = _sweeps.sweep(["study=x", f"scenario={name}"]).cells[0].scenario
    assert isinstance(built, Scenario)
    assert built.name == name
    assert "[[agent]]" in built.task
    assert "[[opponent]]" in built.task


@pytest.mark.parametrize("name", names("pairing"))
def test_every_pairing_builds(name: str) -> None:
    built = _sweeps.sweep(["study=x", f"pairing={name}"]).cells[0].pairing
    assert isinstance(built, Pairing)
    assert built.name == name


@pytest.mark.parametrize("name", names("model"))
def test_every_model_builds_without_a_key_in_it(name: str) -> None:
    built = _wiring.build(OmegaConf.load(CONF / "model" / f"{name}.yaml"))
    assert isinstance(built, Model)


@pytest.mark.parametrize("name", names("analysis"))
def test_every_plan_builds(name: str) -> None:
    _wiring.plan(_wiring.composed("report", ["study=x", f"analysis={name}"]))


@pytest.mark.parametrize("name", names("detector"))
def test_every_detector_exists(name: str) -> None:
    from mitigation.studies import JUDGES, RULES

    assert _wiring.composed("detect", ["study=x", f"detector={name}"]).detector.name in (*RULES, *JUDGES)


@pytest.mark.parametrize("name", names("panel"))
def test_every_panel_has_one_judge_or_two_of_different_names(name: str) -> None:
    panel = _wiring.build(_wiring.composed("detect", ["study=x", "detector=judge", f"panel={name}"]).panel)
    assert panel.name == name
    assert 1 <= len({judge.model.name for judge in panel.judges}) == len(panel.judges) <= 2


@pytest.mark.parametrize("seat", ["first", "second"])
def test_a_name_in_the_place_of_a_judge_is_refused_with_the_remedy(seat: str) -> None:
    model = Model(name="m", provider="openai")
    with pytest.raises(ConfigError, match=rf"panel\.{seat}='smollm2' is no model: .* set panel\.{seat}\.name in it"):
        Panel(name="p", **{"first": model, "second": None, seat: "smollm2"})  # type: ignore[arg-type]


CELLS = {
    "demo": 4, "simulated": 4, "replication": 1, "pilot": 9, "mitigation": 60, "mechanism": 540, "battlefield": 18, "games": 24,
}  # fmt: skip


@pytest.mark.parametrize("name", names("experiment"))
@pytest.mark.parametrize("multirun", [[], ["-m"]])
def test_every_preset_sweeps_as_a_whole(name: str, multirun: list[str]) -> None:
    sweep = _sweeps.sweep([*multirun, f"experiment={name}"])
    assert sweep.study == name
    assert len(sweep.cells) == CELLS[name]
    assert sweep.plan.control in {cell.identity.name for cell in sweep.cells}


def test_the_mechanism_preset_holds_every_arm_and_every_scenario() -> None:
    cells = _sweeps.sweep(["experiment=mechanism"]).cells
    assert {cell.identity.name for cell in cells} == set(names("identity"))
    assert {cell.scenario.name for cell in cells} == set(names("scenario"))


def test_every_scenario_has_several_openers_and_says_nothing_that_an_arm_is_about() -> None:
    from mitigation.wordings import plurals

    for name in names("scenario"):
        scenario = _sweeps.sweep(["study=x", f"scenario={name}"]).cells[0].scenario
        assert len(scenario.openers) >= 3
        for text in (scenario.task, *scenario.openers):
            assert not plurals(text), text
            assert not re.search(r"\b(AI|assistant|chatbot|human|language model)s?\b", text, re.IGNORECASE), text


def test_files_bear_the_name_of_what_they_hold(project: Path) -> None:
    """A copy that keeps the other's name would fight the other, or write into its study."""
    import shutil

    shutil.copytree(CONF, project / "conf")
    for group, source in (("identity", "placebo"), ("scenario", "debate"), ("pairing", "scripted")):
        shutil.copy(project / "conf" / group / f"{source}.yaml", project / "conf" / group / "copied.yaml")
        with pytest.raises(_wiring.ConfigError, match=f"conf/{group}/copied.yaml says name: {source}; write name: copied"):
            _sweeps.sweep(["study=x", f"{group}=copied"])
    preset = project / "conf" / "experiment" / "copied.yaml"
    shutil.copy(project / "conf" / "experiment" / "demo.yaml", preset)
    with pytest.raises(_wiring.ConfigError, match=r"conf/experiment/copied.yaml says study: demo; write study: copied"):
        _sweeps.sweep(["experiment=copied"])
    preset.write_text(preset.read_text().replace("study: demo\n", ""))
    assert _sweeps.sweep(["experiment=copied", "study=mine"]).study == "mine"
    with pytest.raises(_wiring.ConfigError, match="study is required"):
        _sweeps.sweep(["experiment=copied"])


def test_a_file_of_one_group_that_reaches_into_another_is_refused(project: Path) -> None:
    import shutil

    shutil.copytree(CONF, project / "conf")
    (project / "conf" / "identity" / "greedy.yaml").write_text(
        "# @package _global_\nsurprise: 99\nidentity:\n  _target_: experiments._wiring.identity\n  name: greedy\n"
        "  bank: placebo.txt\n  seats: same\n"
    )
    with pytest.raises(_wiring.ConfigError, match="identity=greedy also sets surprise: a file of identity may set only what"):
        _sweeps.sweep(["study=x", "identity=control,greedy"])


@pytest.mark.parametrize("name", names("hydra/launcher"))
def test_every_launcher_is_known(name: str) -> None:
    from experiments._launcher import InterleavedLauncher, register

    register()
    with _wiring.hydra():
        config = compose("battle", overrides=["study=x", f"hydra/launcher={name}"], return_hydra_config=True)
    assert config.hydra.launcher._target_ == f"{InterleavedLauncher.__module__}.InterleavedLauncher"


def test_the_command_line_replaces_what_a_preset_sweeps() -> None:
    sweep = _sweeps.sweep(["experiment=demo", "identity=control", "replicates=2", "study=mine"])
    assert [cell.identity.name for cell in sweep.cells] == ["control"]
    assert (sweep.study, sweep.cells[0].replicates, sweep.cells[0].messages) == ("mine", 2, 5)


def test_the_placebo_is_as_long_as_the_treatment() -> None:
    banks = {arm.name: arm.bank for arm in _wiring.identities()}

    def mean(name: str) -> float:
        return sum(len(text.split()) for text in banks[name]) / len(banks[name])

    assert mean("placebo") == pytest.approx(mean("unique_disassociative"), rel=0.1)
    assert mean("shared_group") == pytest.approx(mean("unique_disassociative"), rel=0.1)


def test_no_identity_says_we_and_the_treatment_names_no_group() -> None:
    from mitigation.wordings import named_groups, plurals

    for arm in _wiring.identities():
        for text in arm.bank:
            assert arm.name == "lexical_ban" or not plurals(text), text
            if arm.name in ("unique_disassociative", "same_unique", "one_sided"):
                assert not list(named_groups(text)), text


def test_text_files_are_read_as_utf8_whatever_the_locale_and_named_when_they_are_not(project: Path) -> None:
    import shutil

    shutil.copytree(CONF, project / "conf")
    bank = project / "conf" / "identity" / "unique_disassociative.txt"
    bank.write_bytes("You are ünïque ${oc.env:HOME} {x}.\n---\nYou are zwei.\n".encode())
    code = (
        "from experiments import _sweeps\n"
        "sweep = _sweeps.sweep(['study=x', 'identity=unique_disassociative'])\n"
        "print(ascii(sweep.cells[0].identity.bank))"
    )
    plain = child_environment(LC_ALL="C", PYTHONUTF8="0")
    done = subprocess.run([sys.executable, "-c", code], cwd=project, env=plain, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ascii(("You are ünïque ${oc.env:HOME} {x}.", "You are zwei."))
    bank.write_bytes(b"\xff\xfe")
    with pytest.raises(_wiring.ConfigError, match=r"unique_disassociative.txt is not UTF-8 \(byte 0\)"):
        _sweeps.sweep(["study=x", "identity=unique_disassociative"])
    bank.unlink()
    with pytest.raises(_wiring.ConfigError, match=r"cannot be read \(No such file"):
        _sweeps.sweep(["study=x", "identity=unique_disassociative"])

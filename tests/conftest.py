"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from mitigation.store import Study
from tests import judges
from tests.loopback import Loopback
from tests.zygote import Zygote

# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parent.parent
AT_START = ("PYTHON", "LC_", "LANG", "OPENBLAS")
"""Variables that act when an interpreter starts, which a forked one has behind it."""
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory: results/ and reports/ go there, conf/ is the repository's."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    """A server on loopback that speaks both wire formats and can be told to fail."""
    with Loopback() as server:
        yield server


@pytest.fixture
def judge_server(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """A server that both SDKs are pointed to; its models take every we for both agents."""
    for name, value in loopback.environment().items():
        monkeypatch.setenv(name, value)
    loopback.reply = judges.friendly
    return loopback


@pytest.fixture(scope="session")
def fought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder results/ with a study `s` of six simulated battles in two arms."""
    from experiments.cli import main

    folder = tmp_path_factory.mktemp("fought")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main([*judges.BATTLE, "replicates=3"]) == 0
    return folder / "results"


@pytest.fixture
def simulated(project: Path, fought: Path) -> Study:
    """A study `s` of six simulated battles in two arms, in the empty working directory."""
    shutil.copytree(fought, project / "results")
    return Study(Path("results"), "s")


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """A process with everything imported, which forks the commands of this session."""
    with Zygote() as process:
        yield process


@pytest.fixture
def mitigation(project: Path, zygote: Zygote) -> Command:
    """Run `mitigation ...` as a child process in the empty working directory, without any key of the user's."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        if not any(name.startswith(AT_START) for name in environment):
            return zygote.run(arguments, cwd=project, environment=child_environment(**environment))
        return subprocess.run(
            [sys.executable, "-m", "experiments", *arguments],
            cwd=project,
            env=child_environment(**environment),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def annotate(project: Path) -> Command:
    """Run `mitigation annotate ...` as a child process, call `visit` with the address of its page, and end it by Ctrl-C."""

    def run(*arguments: str, visit: Callable[[str], object]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "experiments", "annotate", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, cwd=project, env=child_environment(), text=True, **pipes) as child:
            assert child.stdout is not None
            said = []
            for line in child.stdout:
                said.append(line)
                if line.startswith("open "):
                    try:
                        visit(line.split()[1])
                    finally:
                        child.send_signal(signal.SIGINT)
            assert child.stderr is not None
            err = child.stderr.read()
        return subprocess.CompletedProcess(command, child.returncode, "".join(said), err)

    return run


def child_environment(**extra: str) -> dict[str, str]:
    """The environment of a child: this one without keys and endpoints, with the repository on the path."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI", "ANTHROPIC", "HYDRA"))}
    return kept | {"PYTHONPATH": str(ROOT)} | extra

"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.loopback import Loopback

ROOT = Path(__file__).resolve().parent.parent
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
def mitigation(project: Path) -> Command:
    """Run `mitigation ...` as a child process in the empty working directory, without any key of the user's."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
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


def child_environment(**extra: str) -> dict[str, str]:
    """The environment of a child: this one without keys and endpoints, with the repository on the path."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI", "ANTHROPIC", "HYDRA"))}
    return kept | {"PYTHONPATH": str(ROOT)} | extra

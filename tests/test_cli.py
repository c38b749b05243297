"""The command line as a user meets it: real child processes, exit codes, messages, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import loopback as lb
from tests.conftest import ROOT, Command, child_environment
from tests.loopback import Loopback

PAID = ("battle", "-m", "study=paid", "identity=control,unique_disassociative", "pairing=openai_self", "messages=3")


def battles(project: Path, study: str) -> list[dict]:
    return [json.loads(line) for path in sorted((project / "results" / study).rglob("battles.jsonl")) for line in path.open()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["identiy=wolf", "study=x"], "battle has no identiy; did you mean identity?"),
        (["identity=unique_disasociative", "study=x"], "did you mean unique_disassociative?"),
        (["scenario=chess_boxing", "study=x"], "there are: "),
        (["pairing=embeded", "study=x"], "did you mean embedded?"),
        (["study=x", "pairing.first.temprature=1"], "did you mean pairing.first.temperature?"),
        (["study=x", "replicates=-3"], "replicates=-3 is out of range: give a whole number from 1 to"),
        (["study=x", "replicates=0"], "replicates=0 is out of range"),
        (["study=x", "replicates=2.5"], "replicates=2.5 is out of range"),
        (["study=x", "replicates=ten"], "replicates='ten' is out of range"),
        (["study=x", "replicates=true"], "replicates=True is out of range"),
        (["study=x", "messages=1000000000"], "messages=1000000000 is out of range"),
        (["study=x", "messages=nan"], "messages=nan is out of range"),
        (["study=x", "seed=-1"], "seed=-1 is out of range"),
        (["study=x", "concurrency=0"], "concurrency=0 is out of range"),
        (["study=x", "pairing.first.temperature=nan"], "=nan is out of range: give a number from 0 to 2"),
        (["study=x", "pairing.first.temperature=inf"], "=inf is out of range"),
        (["study=x", "pairing.first.temperature=3"], "=3 is out of range"),
        (["study=x", "analysis.alpha=2"], "alpha=2 is out of range"),
        (["study=../up"], "study='../up' is not a name"),
        (["study=/abs"], "study='/abs' is not a name"),
        ([], "study is required: give study=NAME"),
        (["-m", "study=x", "identity=control,control"], "control × egomaniac × embedded twice"),
        (["-m", "study=x", "identity=range(5,5)"], "0 battles, the sweep is empty"),
        (["-m", "study=x", "identity=glob(zz*)"], "0 battles, the sweep is empty"),
        (["-m", "study=x,y"], "only identity, scenario, pairing can be swept"),
        (["-m", "study=x", "replicates=1,2"], "only identity, scenario, pairing can be swept"),
        (["study=x", "hydra/launcher=basic"], "hydra/launcher='basic' does not exist"),
        (["study=x", "scenario.agents=[1,2]", "scenario._target_=builtins.dict"], "is no override"),
        (["study=x", "scenario.agents=[A]"], "name two agents"),
        (["study=x", "pairing=scripted", "pairing.first.extra=null"], "is no mapping"),
        (["study=x", "identity=range(0,30000000)"], "identity='0' does not exist"),
        (["study=x", "identity=interval(0,1)"], "name them one by one"),
        (["study=x", "foo.extra.bar=1"], "battle has no foo.extra.bar"),
        (["study=2024.11"], "it was read as a float: quote it"),
        (["study=x", "identity=control,placebo"], "did you mean: mitigation battle -m study=x"),
        (["study=x", "max_battles=3", "replicates=4"], "4 battles, more than max_battles=3"),
        (["study=x", "experiment=dem"], "did you mean demo?"),
        (["study=x", "--cfg", "job"], "--cfg: only key=value is taken here"),
        (["study=x", "identity"], "'identity' cannot be read: write key=value"),
        (["study=x", "+new=1"], "battle has no new"),
        (["study=x", "~seed"], "battle has no seed"),
    ],
)
def test_a_wrong_request_exits_2_names_the_fault_and_writes_nothing(
    arguments: list[str], message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from experiments.cli import main

    assert main(["battle", *arguments]) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.out == ""
    assert told.err.count("\n") <= 3
    assert not any(project.iterdir())


def test_a_wrong_request_is_refused_by_the_installed_command_too(mitigation: Command, project: Path) -> None:
    done = mitigation("battle", "identiy=wolf")
    assert done.returncode == 2
    assert done.stderr == "mitigation battle: identiy=wolf: battle has no identiy; did you mean identity?\n"
    assert not any(project.iterdir())


@pytest.mark.parametrize(
    "argument",
    [
        "api_key=sk-canary-1234567890",
        "pairing.first.api_key=x1234",
        "study=sk-canary-1234567890",
        "hydra.job.env_set.KEY=1",
        "identity=${oc.env:HOME}",
    ],
)
def test_a_key_on_the_command_line_is_refused_before_anything_is_written(argument: str, project: Path, capsys) -> None:
    from experiments.cli import main

    assert main(["battle", "study=x", argument]) == 2
    told = capsys.readouterr()
    assert "canary" not in told.err + told.out
    assert "1234" not in told.err + told.out
    assert not any(project.iterdir())


def test_an_unknown_command_names_the_nearest(mitigation: Command) -> None:
    done = mitigation("batle")
    assert done.returncode == 2
    assert "did you mean battle?" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["battle", "--help"], ["plan", "-h"], ["detect", "-h"], ["annotate", "-h"], ["report", "-h"], ["propose", "-h"]],
)
def test_help_shows_examples_and_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        f"import sys\nfrom experiments.cli import main\nassert main({arguments!r}) == 0\n"
        "heavy = {'hydra', 'omegaconf', 'numpy', 'pandas', 'scipy', 'openai', 'anthropic', 'matplotlib', 'rich'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], env=child_environment(), capture_output=True, text=True, check=True)
    assert "mitigation" in done.stdout


def test_each_module_is_a_command_of_its_own(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "experiments.plan", "study=x", "replicates=2"],
        env=child_environment(),
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "1 cells, 2 battles of at most 10 messages: 0 done, 2 to fight, at most 20 calls" in done.stdout


def test_a_plan_makes_no_call_and_writes_nothing(project: Path, mitigation: Command, loopback: Loopback) -> None:
    done = mitigation("plan", *PAID[1:], "replicates=2", **loopback.environment())
    assert done.returncode == 0
    assert "2 cells, 4 battles of at most 3 messages: 0 done, 4 to fight, at most 12 calls" in done.stdout
    assert "cannot reach p ≤ 0.05: the smallest attainable p is" in done.stdout
    assert not loopback.posts
    assert not any(project.iterdir())


def test_the_same_command_again_fights_only_what_is_missing(project: Path, mitigation: Command, loopback: Loopback) -> None:
    first = mitigation(*PAID, "replicates=2", **loopback.environment())
    assert first.returncode == 0, first.stderr
    assert "4 battles: 4 complete, 0 refused, 0 failed, 0 pending" in first.stdout
    assert len(loopback.posts) == 12
    again = mitigation(*PAID, "replicates=2", **loopback.environment())
    assert again.returncode == 0
    assert "4 done, 0 to fight" in again.stdout
    assert len(loopback.posts) == 12
    grown = mitigation(*PAID, "replicates=3", **loopback.environment())
    assert grown.returncode == 0
    assert len(loopback.posts) == 18
    assert len(set(loopback.battles)) == 18
    records = battles(project, "paid")
    assert len({r["battle_id"] for r in records}) == len(records) == 6
    assert {r["ending"] for r in records} == {"message_limit"}


def test_openai_meets_anthropic_in_one_battle(project: Path, mitigation: Command, loopback: Loopback) -> None:
    done = mitigation(
        "battle", "study=both", "pairing=openai_vs_anthropic", "messages=2", "replicates=4", **loopback.environment()
    )
    assert done.returncode == 0, done.stderr
    paths = {post["path"] for post in loopback.posts}
    assert paths == {"/v1/chat/completions", "/v1/messages"}
    opened = [record["agents"][0]["provider"] for record in battles(project, "both")]
    assert sorted(opened) == ["anthropic", "anthropic", "openai", "openai"]


def test_a_changed_prompt_under_the_same_study_is_refused_before_any_call(mitigation: Command, loopback: Loopback) -> None:
    assert mitigation(*PAID, "replicates=1", **loopback.environment()).returncode == 0
    posts = len(loopback.posts)
    done = mitigation(*PAID, "replicates=1", "messages=4", **loopback.environment())
    assert done.returncode == 2
    assert "messages: 3 → 4" in done.stderr
    assert len(loopback.posts) == posts


def test_a_refused_key_stops_the_run_and_leaves_the_rest_pending(project: Path, mitigation: Command, loopback: Loopback) -> None:
    loopback.faults = [lb.status(401)] * 100
    done = mitigation(*PAID, "replicates=20", "concurrency=4", **loopback.environment())
    assert len(loopback.preflights) == 1
    assert done.returncode == 3
    assert len(loopback.posts) <= 8
    assert "40 battles: 0 complete, 0 refused, 0 failed, 40 pending" in done.stdout
    assert "resume with: mitigation battle -m study=paid" in done.stderr
    loopback.faults = []
    assert mitigation(*PAID, "replicates=20", **loopback.environment()).returncode == 0


def test_a_fault_of_the_program_stops_the_run_and_keeps_what_is_finished(project: Path, monkeypatch, capsys) -> None:
    from experiments.cli import main
    from mitigation.providers.scripted import ScriptedModel

    real, calls = ScriptedModel.complete, []

    async def breaks(self, prompt):
        calls.append(prompt)
        if len(calls) == 8:
            raise ZeroDivisionError("by chance")
        return await real(self, prompt)

    monkeypatch.setattr(ScriptedModel, "complete", breaks)
    assert main(["battle", "study=x", "pairing=scripted", "replicates=4", "messages=3", "concurrency=1"]) == 3
    told = capsys.readouterr()
    assert "a fault of this program at egomaniac.scripted.control.0000" in told.err
    assert "ZeroDivisionError: by chance" in told.err
    assert "resume with: mitigation battle study=x" in told.err
    assert len(battles(project, "x")) >= 1


def test_one_study_never_mixes_settings_silently(project: Path, capsys) -> None:
    from experiments.cli import main

    base = ["study=mix", "pairing=scripted", "replicates=2"]
    assert main(["battle", *base, "identity=control", "messages=4"]) == 0
    for changed, message in (
        (["messages=2"], "messages: 4 → 2"),
        (["messages=4", "seed=7"], "seed: 0 → 7"),
        (["messages=4", "pairing.first.extra.ingroup=0.9"], "pairing.first.extra.ingroup: 0.35 → 0.9"),
    ):
        for command in ("battle", "plan"):
            assert main([command, *base, "identity=placebo", *changed]) == 2
            assert message in capsys.readouterr().err


def test_the_value_of_a_key_is_refused_wherever_it_stands(mitigation: Command, project: Path) -> None:
    words = ("battle", "study=x", "pairing=compatible", "pairing.first.name=hunter2-secret")
    done = mitigation(*words, OPENAI_API_KEY="hunter2-secret")
    assert done.returncode == 2
    assert "hunter2" not in done.stderr + done.stdout
    assert not any(project.iterdir())


def test_a_studys_folder_is_private_and_hydra_writes_nothing_into_it(project: Path) -> None:
    from experiments.cli import main

    assert main(["battle", "study=x", "pairing=scripted", "replicates=1"]) == 0
    assert (project / "results" / "x").stat().st_mode & 0o777 == 0o700
    names = {path.name for path in project.rglob("*") if path.is_file()}
    assert names == {".lock", "cell.json", "battles.jsonl"}


def test_results_that_cannot_be_written_are_named_before_any_call(project: Path, capsys) -> None:
    from experiments.cli import main

    (project / "results").write_text("in the way")
    assert main(["battle", "study=x", "pairing=scripted", "replicates=1"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_stream_that_takes_nothing_does_not_stop_a_run(project: Path) -> None:
    line = f"PYTHONUNBUFFERED=1 {sys.executable} -m experiments battle study=x pairing=scripted replicates=3 > /dev/full"
    done = subprocess.run(["bash", "-c", line], env=child_environment(), cwd=project, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert len(battles(project, "x")) == 3


@pytest.mark.long
@pytest.mark.embedded
def test_a_server_that_dies_is_replaced_and_its_battle_goes_on(project: Path) -> None:
    arguments = ["battle", "study=x", "pairing=embedded", "replicates=4", "messages=4"]
    with subprocess.Popen(
        [sys.executable, "-m", "experiments", *arguments],
        cwd=project,
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        deadline = time.monotonic() + 120
        while not list((project / "results").rglob("battles.jsonl")):
            assert time.monotonic() < deadline, "no battle was finished"
            time.sleep(0.05)
        servers = children(child.pid)
        os.kill(servers[0], signal.SIGKILL)
        out, err = child.communicate(timeout=200)
    assert child.returncode == 0, err
    assert "4 battles: 4 complete, 0 refused, 0 failed, 0 pending" in out


def children(parent: int) -> list[int]:
    """Return the processes whose parent is this one, as /proc tells."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def test_a_bad_request_fails_its_battle_only_and_is_tried_again_by_the_next_run(
    project: Path, mitigation: Command, loopback: Loopback
) -> None:
    loopback.faults = [lb.status(400)]
    done = mitigation(*PAID, "replicates=2", "concurrency=1", **loopback.environment())
    assert done.returncode == 3
    assert "4 battles: 3 complete, 0 refused, 1 failed, 0 pending" in done.stdout
    assert "failed: egomaniac.openai_self." in done.stderr
    again = mitigation(*PAID, "replicates=2", **loopback.environment())
    assert again.returncode == 0
    assert "4 battles: 4 complete" in again.stdout


def test_a_refusal_by_the_provider_is_a_result(mitigation: Command, loopback: Loopback) -> None:
    choice = {"index": 0, "finish_reason": "content_filter", "message": {"role": "assistant", "content": ""}}
    loopback.faults = [lb.body(choices=[choice])]
    done = mitigation(*PAID, "replicates=1", **loopback.environment())
    assert done.returncode == 0
    assert "2 battles: 1 complete, 1 refused, 0 failed, 0 pending" in done.stdout


def test_a_missing_key_exits_2_and_leaves_nothing_behind_that_resuming_would_trip_over(
    mitigation: Command, loopback: Loopback
) -> None:
    done = mitigation(*PAID, "replicates=1")
    assert done.returncode == 2
    assert "OPENAI_API_KEY" in done.stderr
    assert mitigation(*PAID, "replicates=1", **loopback.environment()).returncode == 0


def test_no_key_is_in_any_file_or_stream(project: Path, mitigation: Command, loopback: Loopback) -> None:
    key = "sk-canary-Zq8vT5kXw2"
    loopback.faults = [
        lb.status(400, '{"error": {"message": "' + key + '"}}'),
        lb.status(401, '{"error": {"message": "' + key + '"}}'),
    ]
    outputs = [mitigation(*PAID, "replicates=1", "concurrency=1", **loopback.environment(key)) for _ in range(2)]
    written = b"".join(path.read_bytes() for path in project.rglob("*") if path.is_file())
    for done in outputs:
        written += done.stdout.encode() + done.stderr.encode()
    assert key.encode() not in written
    assert b"[key]" in written


def start(project: Path, loopback: Loopback, *extra: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "experiments", *PAID, "replicates=10", "concurrency=2", *extra],
        cwd=project,
        env=child_environment(**loopback.environment()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_posts(loopback: Loopback, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(loopback.posts) < count:
        assert time.monotonic() < deadline, "the run did not get that far"
        time.sleep(0.01)


def finish(project: Path, mitigation: Command, loopback: Loopback) -> None:
    """Resume, and check that nothing is lost and nothing complete was paid twice."""
    stored = {record["battle_id"] for record in battles(project, "paid")}
    before = len(loopback.posts)
    loopback.delay = 0
    done = mitigation(*PAID, "replicates=10", **loopback.environment())
    assert done.returncode == 0, done.stderr
    asked = {header.split("/")[0] for header in loopback.battles[before:]}
    assert asked.isdisjoint(stored)
    assert len({record["battle_id"] for record in battles(project, "paid")}) == 20


def test_ctrl_c_finishes_what_is_in_flight_and_says_how_to_resume(project: Path, mitigation: Command, loopback: Loopback) -> None:
    loopback.delay = 0.05
    with start(project, loopback) as child:
        wait_for_posts(loopback, 7)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "calls in flight, at most 120 s; press again to stop now; resume with: mitigation battle -m study=paid" in err
    assert "Traceback" not in err
    records = battles(project, "paid")
    assert all(record["status"] == "complete" for record in records)
    assert f"partial: 20 battles: {len(records)} complete, 0 refused, 0 failed, {20 - len(records)} pending" in out
    finish(project, mitigation, loopback)
    # Every message that was paid for before is in a stored battle now: none was asked for twice.
    assert len(loopback.battles) == len(set(loopback.battles)) == 20 * 3


@pytest.mark.parametrize(("signals", "code"), [([signal.SIGINT, signal.SIGINT], 130), ([signal.SIGTERM, signal.SIGTERM], 143)])
def test_a_second_signal_stops_at_once(
    signals: list[int], code: int, project: Path, mitigation: Command, loopback: Loopback
) -> None:
    with start(project, loopback) as child:
        wait_for_posts(loopback, 7)
        loopback.delay = 20
        time.sleep(0.2)
        begun = time.monotonic()
        for number in signals:
            child.send_signal(number)
            time.sleep(0.2)
        _, err = child.communicate(timeout=60)
        assert time.monotonic() - begun < 15, "it waited for the replies, which take 20 s"
    assert child.returncode == code
    assert "Traceback" not in err
    assert "resume with: mitigation battle" in err
    finish(project, mitigation, loopback)


@pytest.mark.parametrize("after", [1, 5, 11])
def test_kill_9_loses_no_finished_battle(after: int, project: Path, mitigation: Command, loopback: Loopback) -> None:
    loopback.delay = 0.02
    with start(project, loopback) as child:
        wait_for_posts(loopback, after)
        child.kill()
        child.communicate()
    finish(project, mitigation, loopback)
    # Paid twice is at most what was in flight: one message of each of two battles.
    assert len(loopback.posts) <= 20 * 3 + 2


def test_a_closed_pipe_is_no_crash(project: Path) -> None:
    line = f"{sys.executable} -m experiments plan study=x | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], env=child_environment(), cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_a_run_without_a_terminal_prints_plain_lines(mitigation: Command, loopback: Loopback) -> None:
    done = mitigation(*PAID, "replicates=2", **loopback.environment())
    assert "\x1b" not in done.stderr + done.stdout
    assert "\r" not in done.stderr + done.stdout


def test_hostile_text_of_a_server_cannot_steer_the_terminal(mitigation: Command, loopback: Loopback) -> None:
    loopback.faults = [lb.status(400, json.dumps({"error": {"message": "\x1b]52;c;x\x07\x1b[2J [red]bold[/red]"}}))]
    done = mitigation(*PAID, "replicates=1", "concurrency=1", **loopback.environment())
    assert "\x1b" not in done.stderr
    assert r"\x1b]52;c;x\x07" in done.stderr
    assert "[red]bold[/red]" in done.stderr


def test_the_console_script_is_the_same_program() -> None:
    script = Path(sys.executable).parent / "mitigation"
    if not script.exists():
        pytest.skip("the package is not installed in this environment")
    done = subprocess.run(
        [script, "--help"], capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert "Three jobs:" in done.stdout

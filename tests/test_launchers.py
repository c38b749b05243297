"""Cells in processes of their own: the same results, one budget, no orphan, nothing lost when one of them dies."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests import faultserver as fs
from tests.conftest import Command
from tests.faultserver import FaultServer
from tests.test_engine import PAID, PRICE, asked, battles, billed, server, start, texts, until

__all__ = ["server"]
LAUNCHERS = ("joblib", "submitit_local")


def crew(project: Path) -> list[int]:
    """The processes that fight a cell."""
    return [int(path.name.rpartition(".")[2]) for path in (project / "results" / "paid" / ".crew").glob("*.*")]


def alive(process: int) -> bool:
    """Whether a process still runs."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.long
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_results_are_those_of_a_run_in_one_process(
    launcher: str, project: Path, mitigation: Command, server: FaultServer
) -> None:
    whole = [argument.replace("study=paid", "study=whole") for argument in PAID]
    assert mitigation(*whole, "replicates=4", **server.environment()).returncode == 0
    done = mitigation(*PAID, "replicates=4", f"hydra/launcher={launcher}", **server.environment())
    assert done.returncode == 0, done.stderr
    assert "8 battles: 8 complete, 0 refused, 0 failed, 0 pending" in done.stdout
    assert "arms are fought apart and not interleaved" in done.stdout
    assert texts(project) == texts(project, "whole")
    seeds = [[(r["battle_id"], r["seed"], r["wording"]) for r in battles(project, study)] for study in ("paid", "whole")]
    assert seeds[0] == seeds[1]
    assert {post.battle for post in server.ledger if post.battle == "preflight"} == {"preflight"}
    assert sum(post.battle == "preflight" for post in server.ledger) == 2, "one for each command, none for each process"
    left = {path.name for path in (project / "results" / "paid").iterdir()}
    assert left == {".lock", ".crew", "control", "unique_disassociative", "ledger.jsonl"}
    again = mitigation(*PAID, "replicates=4", f"hydra/launcher={launcher}", **server.environment())
    assert again.returncode == 0, again.stderr
    assert set(asked(server).values()) == {2}, "each message once in each study"


@pytest.mark.long
@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.long
def test_processes_share_one_budget(launcher: str, project: Path, mitigation: Command, server: FaultServer) -> None:
    server.delay = 0.02
    tokens = ["pairing.first.max_tokens=40", "pairing.second.max_tokens=40"]
    arguments = [*PAID, *PRICE, *tokens, "replicates=20", f"hydra/launcher={launcher}"]
    done = mitigation(*arguments, "budget.usd=20", **server.environment())
    assert done.returncode == 4, done.stderr
    assert "budget.usd is reached" in done.stderr + done.stdout
    server.settle()
    assert 0 < billed(project) <= 20
    assert mitigation(*arguments, "budget.usd=10000", **server.environment()).returncode == 0
    assert set(asked(server).values()) == {1}


@pytest.mark.long
@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.long
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.long
def test_an_interruption_reaches_every_process_and_leaves_none(
    launcher: str, number: int, code: int, project: Path, mitigation: Command, server: FaultServer
) -> None:
    """R7: the front alone is signalled; calls in flight are stored, and no process is left."""
    server.delay = 0.2
    with start(project, server, "replicates=20", "concurrency=4", f"hydra/launcher={launcher}") as child:
        until(lambda: asked(server).total() >= 6)
        workers = crew(project)
        assert workers
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    assert child.returncode == code, err
    assert "Traceback" not in err
    assert "resume with: mitigation battle -m study=paid" in err
    assert "partial: 40 battles" in out
    until(lambda: not any(map(alive, workers)), 5)
    done = mitigation(*PAID, "replicates=20", f"hydra/launcher={launcher}", **server.environment())
    assert done.returncode == 0, done.stderr
    assert set(asked(server).values()) == {1}


@pytest.mark.long
@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.long
def test_a_killed_process_costs_no_more_than_what_it_had_in_flight(
    launcher: str, project: Path, mitigation: Command, server: FaultServer
) -> None:
    server.delay = 0.1
    with start(project, server, "replicates=20", "concurrency=4", f"hydra/launcher={launcher}") as child:
        until(lambda: asked(server).total() >= 6)
        workers = crew(project)
        os.kill(workers[0], signal.SIGKILL)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 3, err
    assert re.search(rf"a process of {launcher} died", err)
    assert "Traceback" not in err
    until(lambda: not any(map(alive, workers)), 5)
    server.settle()
    done = mitigation(*PAID, "replicates=20", **server.environment())
    assert done.returncode == 0, done.stderr
    again = sum(times - 1 for times in asked(server).values())
    assert again <= 2 * 4
    assert len(battles(project)) == 40


@pytest.mark.long
def test_a_cell_has_one_owner(project: Path, mitigation: Command, server: FaultServer) -> None:
    """R15: while processes hold single cells, nobody can take the whole study."""
    server.delay = 0.2
    with start(project, server, "replicates=10", "concurrency=2", "hydra/launcher=submitit_local") as child:
        until(lambda: asked(server).total() >= 2)
        second = mitigation(*PAID, "replicates=10", **server.environment())
        assert second.returncode == 2
        assert "study paid is being written by processes that hold single cells of it" in second.stderr
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)


@pytest.mark.long
def test_a_fault_in_one_cell_leaves_the_others_alone(project: Path, mitigation: Command, server: FaultServer) -> None:
    server.script = lambda _, battle, index, attempt: fs.status(400) if ".control." in battle else None
    done = mitigation(*PAID, "replicates=2", "hydra/launcher=joblib", **server.environment())
    assert done.returncode == 3
    assert "4 battles: 2 complete, 0 refused, 2 failed, 0 pending" in done.stdout


@pytest.mark.long
def test_processes_share_the_limits_of_a_model(project: Path, mitigation: Command, server: FaultServer) -> None:
    """Two cells, eight calls at once in all: once they have counted each other, each process keeps to four."""
    server.delay = 0.2
    flying: list[int] = []
    server.on_post = lambda post: flying.append(sum(not one.over for one in server.ledger))
    done = mitigation(*PAID, "replicates=60", "concurrency=8", "hydra/launcher=submitit_local", **server.environment())
    assert done.returncode == 0, done.stderr
    late = flying[len(flying) // 2 : -40]
    assert late
    assert max(late) <= 8 + 1


@pytest.mark.long
@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.long
def test_ctrl_c_at_a_terminal_is_heard_once(launcher: str, project: Path, mitigation: Command, server: FaultServer) -> None:
    """A terminal sends Ctrl-C to every process of the group: the calls in flight are finished all the same."""
    server.delay = 0.5
    with start(project, server, "replicates=20", "concurrency=4", f"hydra/launcher={launcher}", session=True) as child:
        until(lambda: asked(server).total() >= 6)
        workers = crew(project)
        os.killpg(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert "Traceback" not in err + out
    until(lambda: not any(map(alive, workers)), 5)
    server.settle()
    assert mitigation(*PAID, "replicates=20", **server.environment()).returncode == 0
    assert set(asked(server).values()) == {1}

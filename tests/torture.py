"""`python -m tests.torture`: kill real battles without warning, over and over, and check that nothing is lost or paid twice.

Real child processes fight against the fault server. A study is killed (SIGKILL) and resumed until it is finished and can be held
against one that nobody interrupted; one study after another, until enough kills were made. A kill comes while the program starts,
at any moment of the fight, when a request has arrived that is not answered yet, or within milliseconds of an answer that may be
half written. The seed fixes the plan of the kills; the clock decides where they hit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import child_environment
from tests.faultserver import FaultServer, Post

CONCURRENCY, REPLICATES, MESSAGES = 8, 200, 6
COMMAND = [
    *(sys.executable, "-m", "experiments", "battle", "-m", "study=t", "identity=control,unique_disassociative"),
    *("pairing=openai_vs_anthropic", f"replicates={REPLICATES}", f"messages={MESSAGES}", f"concurrency={CONCURRENCY}"),
]
DELAY = JITTER = 0.01
LONGEST = 300.0  # seconds after which a process is taken to hang
KINDS = {"start": 20, "moment": 30, "post": 25, "reply": 25}  # in percent: four of five kills come after the first request

Turns = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Kill:
    """When a process is killed.

    "start", "moment": `at` seconds after its start, after its first POST. "post", "reply": `wait` seconds after POST number `at`
    arrived from it, after good answer number `at` was sent to it.
    """

    kind: str
    at: float
    wait: float = 0.0


@dataclass(slots=True)
class Score:
    """What came of all studies."""

    kills: Counter[str] = field(default_factory=Counter)  # by kind
    count: Counter[str] = field(default_factory=Counter)  # of everything else
    broken: list[str] = field(default_factory=list)  # which promise did not hold, and where

    def table(self) -> str:
        """Return the outcome as lines of text."""
        count, kinds = self.count, ", ".join(f"{self.kills[kind]} {kind}" for kind in KINDS)
        rows = {
            "kills": f"{self.kills.total()} ({kinds})",
            "finished studies": f"{count['finished']} (at most {count['most kills']} kills in one)",
            "lost battles": f"{count['lost']} (must be 0)",
            "battles changed": f"{count['changed']} (must be 0)",
            "calls paid again": f"{count['repaid']}, at most {count['most repaid']} for one kill (must be {CONCURRENCY} or less)",
            "complete battles paid again": f"{count['again']} (must be 0)",
            "torn last lines after a kill": f"{count['torn']}",
            "temporary files left at the end": f"{count['stray']}",
        }
        return "\n".join(f"{name:<33}{value}" for name, value in rows.items())


class Fight:
    """One study in a folder of its own."""

    def __init__(self, server: FaultServer, folder: Path, score: Score, golden: dict[str, Turns] | None = None) -> None:
        folder.mkdir()
        self.server, self.folder, self.score, self.golden = server, folder, score, golden
        self.complete: dict[str, Turns] = {}  # what stood complete on disk when the last process had ended
        self.starts: list[int] = []  # length of the ledger at the start of each process
        self.kills = 0  # how many of these processes were killed

    def run(self, kill: Kill | None = None) -> bool:
        """Run the command until it ends or is killed, check every promise, and return whether the study is over."""
        self.starts.append(len(self.server.ledger))
        code = self._process(kill)
        # What a dead process had sent may still lie in the socket.
        time.sleep(0.05)
        self.server.settle()
        killed = kill is not None and code == -signal.SIGKILL
        if kill and killed:
            self.kills += 1
            self.score.kills[kill.kind] += 1
        elif code != 0:
            self._break(f"the command ended with {code}: {(self.folder / 'output').read_text('utf-8', 'replace')[-600:]}")
        before, self.complete = self.complete, self._read()
        lost = self._check(before, killed=killed)
        if code == 0:
            self._finish(lost)
        return not killed

    def _process(self, kill: Kill | None) -> int:
        """Run one process and return its exit code."""
        first, counts = threading.Event(), Counter[str]()
        with (self.folder / "output").open("wb") as output:
            variables = child_environment(**self.server.environment())
            child = subprocess.Popen(COMMAND, cwd=self.folder, env=variables, stdout=output, stderr=output)

        def event(kind: str) -> None:
            first.set()
            counts[kind] += 1
            if kill and kill.kind == kind and counts[kind] == kill.at:
                asyncio.get_running_loop().call_later(kill.wait, child.kill)

        self.server.on_post, self.server.on_reply = lambda _: event("post"), lambda _: event("reply")
        timed = kill is not None and kill.kind in ("start", "moment")
        while kill and kill.kind == "moment" and child.poll() is None and not first.wait(0.02):
            pass
        try:
            return child.wait(kill.at if kill and timed else LONGEST)
        except subprocess.TimeoutExpired:
            child.kill()
            if not timed:
                self._break(f"a process was not done after {LONGEST:g} s")
            return child.wait()

    def _read(self) -> dict[str, Turns]:
        """Return the turns of every complete battle on disk, and say what is wrong with the files."""
        found: dict[str, Turns] = {}
        for path in sorted((self.folder / "results" / "t").glob("**/battles.jsonl")):
            *lines, last = path.read_bytes().split(b"\n")
            self.score.count["torn"] += bool(last)
            for line in lines:
                try:
                    battle = json.loads(line)
                except ValueError:
                    self._break(f"{path.parent.name}: a line is no JSON, and is not the last one: {line[:80]!r}")
                    continue
                name = battle["battle_id"]
                if name in found or battle["status"] != "complete":
                    self._break(f"{name} is {'there twice' if name in found else battle['status']}: {battle.get('error')}")
                found[name] = battle["turns"]
        return found

    def _asked(self, run: int) -> list[Post]:
        """Return the POSTs for battles that one process made."""
        ends = [*self.starts, len(self.server.ledger)]
        posts = self.server.ledger[ends[run] : ends[run + 1]]
        return [post for post in posts if not post.battle.startswith(("preflight", "judge-", "propose-"))]

    def _check(self, before: dict[str, Turns], *, killed: bool) -> list[int]:
        """Hold the files and the ledger against what they must be after any process; return its paid answers that were lost.

        An answer is lost by the process to which it was sent, and shows as lost when it is paid again: one number a process.
        """
        gone = [name for name, turns in before.items() if self.complete.get(name) != turns]
        runs = [self._asked(run) for run in range(len(self.starts))]
        again = {post.battle for post in runs[-1]} & set(before)
        self.score.count.update(lost=len(gone), again=len(again))
        lost, last = [0] * len(runs), dict[tuple[str, int], int]()
        for run, key in ((run, (post.battle, post.index)) for run, posts in enumerate(runs) for post in posts if post.paid):
            if key in last:
                lost[last[key]] += 1
            last[key] = run
        if gone:
            self._break(f"{len(gone)} complete battles are gone or altered, as {gone[0]}")
        if again:
            self._break(f"{len(again)} complete battles were asked for again, as {min(again)}")
        if max(lost) > CONCURRENCY or (lost[-1] and not killed):
            self._break(f"calls paid again, by the process that lost them: {lost}")
        return lost

    def _finish(self, lost: list[int]) -> None:
        """Hold a finished study against the one that nobody interrupted."""
        count, golden = self.score.count, self.complete if self.golden is None else self.golden
        changed = [name for name in golden.keys() | self.complete if said(golden, name) != said(self.complete, name)]
        stray = [path for path in self.folder.glob("results/t/**/.*") if path.name != ".lock"]
        count.update(finished=1, repaid=sum(lost), changed=len(changed), stray=len(stray))
        count["most kills"], count["most repaid"] = max(count["most kills"], self.kills), max(count["most repaid"], *lost, 0)
        if changed or len(golden) != 2 * REPLICATES:
            self._break(f"{len(golden)} battles without a kill; {len(changed)} are others after kills, as {changed[:1]}")
        needed = sum(len(turns) - 1 for turns in golden.values())
        posts = sum(len(self._asked(run)) for run in range(len(self.starts)))
        if not needed <= posts <= needed + self.kills * CONCURRENCY:
            self._break(f"{posts} POSTs after {self.kills} kills, where {needed} are needed")

    def _break(self, what: str) -> None:
        self.score.broken.append(f"{self.folder.name}, process {len(self.starts)}: {what}")


def said(battles: dict[str, Turns], name: str) -> list[tuple[Any, ...]]:
    """Return who said what in a battle."""
    return [(turn["agent"], turn["index"], turn["text"]) for turn in battles.get(name, [])]


def torture(points: int, seed: int, folder: Path) -> Score:
    """Fight studies in a folder until so many kills were made; what is left of a study that broke no promise is removed."""
    score, draw, studies = Score(), random.Random(seed), 0
    with FaultServer(delay=DELAY, jitter=JITTER) as server:
        began, golden = time.monotonic(), Fight(server, folder / "golden", score)
        if not golden.run() or score.broken:
            return score
        score.count.clear()
        first, calls = server.ledger[0].at, len(server.ledger)
        start, fight = first - began, time.monotonic() - first
        print(f"without a kill: {start:.1f} s to the first of {calls} calls, {fight:.1f} s from there", flush=True)

        def kill() -> Kill:
            kind = draw.choices(list(KINDS), list(KINDS.values()))[0]
            if kind in ("start", "moment"):
                return Kill(kind, draw.uniform(0, start if kind == "start" else fight))
            wait = draw.choice((0.0, draw.uniform(0, 0.005))) if kind == "reply" else 0.0
            # Small numbers are as likely as large ones, so that resumes are killed soon after they began.
            return Kill(kind, round((calls / 3) ** draw.random()), wait)

        while score.kills.total() < points and len(score.broken) < 20:
            broken, studies = len(score.broken), studies + 1
            study = Fight(server, folder / f"study-{studies:03}", score, golden.complete)
            while not study.run(kill() if score.kills.total() < points else None):
                pass
            print(f"{study.folder.name}: {study.kills} kills; {score.kills.total()} of {points}", flush=True)
            if len(score.broken) == broken:
                shutil.rmtree(study.folder)
    return score


def main() -> int:
    """Torture as the command line says, print what came of it, and return 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=100, help="kills in all (default 100)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the plan of kills (default 0)")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    score = torture(given.points, given.seed, folder)
    print(score.table())
    if score.broken:
        print("\n".join([f"\nbroken ({folder} holds the studies):", *score.broken]))
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

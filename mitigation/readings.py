"""Battles and rules in, records of what the rules saw out; many battles are shared out to processes of our own."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from mitigation.detections import record
from mitigation.detectors.base import Detector
from mitigation.errors import AnalysisError
from mitigation.types import Transcript

FEWEST: Final = 4_000
"""Messages from which a second process pays: starting one takes as long as reading a thousand or two."""
# A child of ours, not a fork: a notebook's threads may hold locks, and a script need not guard its main part.
_CHILD: Final = "import sys; sys.path[:] = {path!r}; from mitigation.readings import child; child()"


def readings(battles: Sequence[Transcript], judge: Detector, *, fewest: int = FEWEST) -> list[dict[str, Any]]:
    """Return the record of each battle, in their order; the same whatever the number of processes.

    Raises:
        AnalysisError: a process failed.
    """
    workers = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, len(battles))
    if workers < 2 or sum(len(battle.turns) for battle in battles) < fewest:
        return [reading(battle, judge) for battle in battles]
    shares = [battles[place::workers] for place in range(workers)]  # by turns: long battles are spread
    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(lambda share: _shared_out(share, judge), shares))
    return [found[place % workers][place // workers] for place in range(len(battles))]


def reading(battle: Transcript, judge: Detector) -> dict[str, Any]:
    """Return the record of one battle."""
    pairs = zip(battle.turns, battle.turns[1:], strict=False)
    found = [judge.detect(turn.text, before.text, turn.index) for before, turn in pairs if turn.index > 0]
    return record(battle, found, detector=judge.name, version=judge.version, digest=judge.digest)


def _shared_out(battles: Sequence[Transcript], judge: Detector) -> Sequence[dict[str, Any]]:
    """Return the records of some battles, made in a process of its own."""
    command = [sys.executable, "-c", _CHILD.format(path=sys.path)]
    done = subprocess.run(command, input=pickle.dumps((battles, judge)), stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise AnalysisError(
            f"a process that read {len(battles):,} battles ended with code {done.returncode} (-9: no memory was left): "
            "run the same command again; nothing was written"
        )
    records: Sequence[dict[str, Any]] = pickle.loads(done.stdout)  # noqa: S301 (what our own child wrote to us)
    return records


def child() -> None:
    """Read battles and a judge from standard input, write the records to standard output."""
    battles, judge = pickle.load(sys.stdin.buffer)  # noqa: S301 (what our own parent wrote to us)
    sys.stdout.buffer.write(pickle.dumps([reading(battle, judge) for battle in battles]))

"""`mitigation battle`: overrides in, battles in results/<study>/ out; the same command again fights what is missing."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any

import hydra
from omegaconf import DictConfig

from experiments import _launcher, _wiring
from experiments._progress import Report
from experiments.cli import say, warn
from mitigation.errors import MitigationError
from mitigation.runner import Run, opened, session, states
from mitigation.store import Study
from mitigation.types import Battle


def main(arguments: Sequence[str]) -> int:
    """Check the whole sweep, then let Hydra launch it."""
    _wiring.sweep(arguments, sweeps_need_flag=True)
    overrides = [argument for argument in arguments if argument not in _wiring.MULTIRUN]
    outcomes: list[int | MitigationError] = []

    def task(config: DictConfig) -> None:
        together([config])

    def together(jobs: list[DictConfig]) -> None:
        try:
            outcomes.append(fight(_wiring.built(jobs), shlex.join(arguments)))
        except MitigationError as error:  # Hydra would print its own message and exit with 1
            outcomes.append(error)

    setattr(task, "together", together)  # noqa: B010 - read by the interleaved launcher
    _launcher.register()
    _launch(task, overrides)
    for outcome in outcomes:
        if isinstance(outcome, MitigationError):
            raise outcome
    return max(outcome for outcome in outcomes if isinstance(outcome, int))


def _launch(task: Any, overrides: list[str]) -> None:
    """Run the task under Hydra in multirun mode; every error reaches us as it was raised."""
    saved = sys.argv
    with TemporaryDirectory() as scratch:
        # Hydra keeps a copy of the command line in the sweep's folder; what was fought is frozen beside the battles instead.
        sys.argv = [saved[0], "-m", *overrides, f"hydra.sweep.dir={scratch}"]
        try:
            hydra.main(version_base="1.3", config_path=str(_wiring.conf_dir()), config_name="battle")(task)()
        finally:
            sys.argv = saved


def fight(sweep: _wiring.Sweep, command: str) -> int:
    """Fight what is missing of the cells and return the exit code."""
    study, state, interrupted = Study(_wiring.RESULTS, sweep.study), Run(), 0
    with opened(study, sweep.cells) as work:
        for line in work.damage:
            warn(f"{study.name}/{line.file}, line {line.line}: not used, {line.reason}; the battle is fought again")
        total, done = len(work.planned), len(work.planned) - len(work.todo)
        say(f"study {study.name}: {total} battles in {len(sweep.cells)} cells, {done} done, {len(work.todo)} to fight")
        if work.todo:
            with Report(total=total, done=done) as progress:
                interrupted = asyncio.run(_fight(work.todo, study, sweep.concurrency, state, progress, command))
        counts = states(work.planned, study.read()[0])
    return _close(study.name, counts, state, interrupted, command)


async def _fight(todo: list[Battle], study: Study, concurrency: int, state: Run, progress: Report, command: str) -> int:
    """Run until done or interrupted; return 0 or the number of the signal."""
    received: list[int] = []

    def on_signal(number: int) -> None:
        received.append(number)
        state.stopping.set()
        if len(received) > 1 or number == signal.SIGTERM:
            running.cancel()
        else:
            progress.say(f"finishing the battles in flight; press again to stop now; resume with: mitigation battle {command}")

    running = asyncio.create_task(session(todo, study, concurrency=concurrency, state=state, notify=progress))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    await asyncio.wait([running])
    if not running.cancelled():
        running.result()
    return received[0] if received else 0


def _close(name: str, counts: Counter[str], state: Run, interrupted: int, command: str) -> int:
    """Print what came of every planned battle and return the exit code."""
    kinds = ("complete", "refused", "failed", "pending")
    say(f"{counts.total()} battles: " + ", ".join(f"{counts[kind]} {kind}" for kind in kinds))
    again = f"mitigation battle {command}"
    if state.fault:
        warn(f"stopped: {state.fault}\nresume with: {again}")
        return 3
    if interrupted:
        warn(f"interrupted; what was finished is stored; resume with: {again}")
        return 128 + interrupted
    if counts["pending"]:
        warn(f"{counts['pending']} battles are missing; fight them with: {again}")
        return 3
    if counts["failed"]:
        warn(f"{counts['failed']} battles failed; try them again with: {again}")
        return 3
    say(f"next: mitigation report study={name}")
    return 0


if __name__ == "__main__":
    from experiments.cli import run as run_command

    sys.exit(run_command("battle", sys.argv[1:]))

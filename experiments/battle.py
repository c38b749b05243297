"""`mitigation battle`: overrides in, battles in results/<study>/ out; the same command again fights what is missing."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import hydra
from omegaconf import DictConfig

from experiments import _launcher, _wiring
from experiments._progress import Report
from mitigation.calls import CallPolicy
from mitigation.checks import check_int
from mitigation.design import check_cells, interleave
from mitigation.errors import ConfigError
from mitigation.providers import Connections
from mitigation.runner import Run, missing, models, run
from mitigation.store import Study
from mitigation.types import Battle, Cell


def main(arguments: Sequence[str]) -> int:
    """Check the whole sweep, then let Hydra launch it."""
    overrides = [argument for argument in arguments if argument not in ("-m", "--multirun")]
    sweeps = [argument for argument in overrides if "," in argument.partition("=")[2]]
    preset = any(argument.startswith("experiment=") for argument in overrides)
    configs = _wiring.jobs(overrides)
    if sweeps and len(overrides) == len(arguments) and not preset:
        raise ConfigError(f"{sweeps[0]} is a sweep; did you mean: mitigation battle -m {shlex.join(overrides)}")
    cells = [_wiring.cell(config) for config in configs]
    check_cells(cells)
    for config in configs[:1]:
        _wiring.plan(config)
        check_int(config.concurrency, "concurrency", low=1, high=10_000)
    codes: list[int] = []

    def task(config: DictConfig) -> int:
        return together([config])

    def together(jobs: list[DictConfig]) -> int:
        codes.append(fight([_wiring.cell(job) for job in jobs], jobs[0].study, jobs[0].concurrency, shlex.join(arguments)))
        return codes[-1]

    setattr(task, "together", together)  # noqa: B010 - read by the interleaved launcher
    _launcher.register()
    _launch(task, overrides)
    return max(codes, default=3)


def _launch(task: Any, overrides: list[str]) -> None:
    """Run the task under Hydra in multirun mode; every error reaches us as it was raised."""
    saved = sys.argv
    sys.argv = [saved[0], "-m", *overrides]
    try:
        hydra.main(version_base="1.3", config_path=str(_wiring.conf_dir()), config_name="battle")(task)()
    finally:
        sys.argv = saved


def fight(cells: Sequence[Cell], name: object, concurrency: int, command: str) -> int:
    """Fight what is missing of the cells and return the exit code."""
    study = Study(_wiring.RESULTS, str(name))
    planned = interleave(cells)
    with study.lock():
        study.freeze(cells)
        stored, damage = study.read()
        for line in damage:
            print(
                f"{study.name}/{line.file}, line {line.line}: not used, {line.reason}; the battle is fought again",
                file=sys.stderr,
            )
        todo = missing(planned, stored)
        done = len(planned) - len(todo)
        print(f"study {study.name}: {len(planned)} battles in {len(cells)} cells, {done} done, {len(todo)} to fight")
        state, interrupted = Run(), 0
        if todo:
            with Report(total=len(planned), done=done) as progress:
                interrupted = asyncio.run(_fight(todo, study, concurrency, state, progress, command))
        settled = {battle.battle_id: battle for battle in study.read()[0]}
    return _close(
        study.name,
        planned,
        Counter(settled[b.battle_id].status if b.battle_id in settled else "pending" for b in planned),
        state,
        interrupted,
        command,
    )


async def _fight(todo: list[Battle], study: Study, concurrency: int, state: Run, progress: Report, command: str) -> int:
    """Run until done or interrupted; return 0 or the number of the signal."""
    received: list[int] = []
    running: asyncio.Task[None] | None = None

    def on_signal(number: int) -> None:
        received.append(number)
        state.stopping.set()
        if running and (len(received) > 1 or number == signal.SIGTERM):
            running.cancel()
        else:
            progress.say(f"finishing the battles in flight; press again to stop now; resume with: mitigation battle {command}")

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    async with Connections(models(todo)) as connections:
        running = asyncio.create_task(
            run(todo, connections, study, concurrency=concurrency, policy=CallPolicy(), notify=progress, state=state)
        )
        if received:
            running.cancel()
        await asyncio.wait([running])
    if not running.cancelled():
        running.result()
    return received[0] if received else 0


def _close(name: str, planned: Sequence[Battle], counts: Counter[str], state: Run, interrupted: int, command: str) -> int:
    """Print what came of every planned battle and return the exit code."""
    kinds = ("complete", "refused", "failed", "pending")
    print(f"{len(planned)} battles: " + ", ".join(f"{counts[kind]} {kind}" for kind in kinds))
    again = f"mitigation battle {command}"
    if state.fault:
        print(f"stopped: {state.fault}\nresume with: {again}", file=sys.stderr)
        return 3
    if interrupted:
        print(f"interrupted; what was finished is stored; resume with: {again}", file=sys.stderr)
        return 128 + interrupted
    if counts["failed"]:
        print(f"{counts['failed']} battles failed; try them again with: {again}", file=sys.stderr)
        return 3
    print(f"next: mitigation report study={name}")
    return 0


if __name__ == "__main__":
    from experiments.cli import run as run_command

    sys.exit(run_command("battle", sys.argv[1:]))

"""A checked sweep in, Hydra's launcher at work: all cells in this process, or a process a cell under joblib or submitit."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from types import FrameType
from typing import Any

from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from experiments import _launcher, _sweeps, _wiring
from experiments.cli import say, warn
from mitigation.errors import MitigationError, Stopped
from mitigation.freezing import freeze
from mitigation.locks import Crew
from mitigation.store import Study

# After SIGTERM, calls in flight have so long to be answered.
GRACE = 20.0
# What the plug-ins' own settings would do to a study: cells in batches, and an end after an hour.
SETTINGS = {
    "joblib": {"batch_size": "1", "pre_dispatch": "n_jobs"},
    "submitit_local": {"timeout_min": "10080", "cpus_per_task": "1"},
}
# Ctrl-C that was heard and not yet passed on.
_pressed: list[int] = []
# When one process of several died, the others are stopped; they may finish a call that is nearly answered.
SHORT_GRACE = 3.0


def launch(sweep: _sweeps.Sweep, overrides: Sequence[str], *, together: Callable[[], int], command: str) -> int:
    """Let Hydra launch a sweep and return the exit code of the whole."""
    _launcher.register()
    name = next((value for key, _, value in (o.partition("=") for o in overrides) if key == "hydra/launcher"), "interleaved")
    if name != "interleaved":
        return _apart(sweep, overrides, name, command)
    outcomes: list[int | MitigationError] = []

    def task(config: DictConfig) -> None:
        collect()

    def collect() -> None:
        try:
            outcomes.append(together())
        except MitigationError as error:  # Hydra would print its own message and exit with 1
            outcomes.append(error)

    setattr(task, "together", collect)  # noqa: B010 - read by the interleaved launcher
    with TemporaryDirectory() as scratch:
        _multirun(task, overrides, Path(scratch))
    for outcome in outcomes:
        if isinstance(outcome, MitigationError):
            raise outcome
    return max(outcome for outcome in outcomes if isinstance(outcome, int))


def _settings(name: str, overrides: Sequence[str]) -> list[str]:
    """Return the settings of a launcher that the command line does not set."""
    given = {override.partition("=")[0] for override in overrides}
    return [f"{key}={value}" for field, value in SETTINGS[name].items() if (key := f"hydra.launcher.{field}") not in given]


def _multirun(task: Any, overrides: Sequence[str], scratch: Path) -> Any:
    """Run the task under Hydra; it writes into a folder that is thrown away, as what was fought is frozen beside the battles."""
    GlobalHydra.instance().clear()
    hydra = Hydra.create_main_hydra2("mitigation", create_config_search_path(str(_wiring.conf_dir())))
    try:
        return hydra.multirun("battle", task, [*overrides, f"hydra.sweep.dir={scratch}"], with_log_configuration=False)
    finally:
        GlobalHydra.instance().clear()


def _apart(sweep: _sweeps.Sweep, overrides: Sequence[str], name: str, command: str) -> int:
    """Fight every cell in a process of its own; budget, limits and locks are shared through files of the study."""
    from experiments.battle import ask_models, close_all

    study = Study(_wiring.RESULTS, sweep.study)
    with study.lock():
        for change in freeze(study, sweep.cells, allow_change=sweep.settings.allow_change):
            warn(f"changed: {change}")
    ask_models(sweep)
    say(f"{name}: {len(sweep.cells)} cells, a process each; arms are fought apart and not interleaved")
    for left in study.folder.glob(".launch-*"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    # A folder that other machines see too, removed at the end.
    scratch = Path(mkdtemp(prefix=".launch-", dir=study.folder)).resolve()
    fault: MitigationError | None = None
    outcomes: list[tuple[int, str]] = []
    with _stopping(study.crew, scratch / "stop", command) as received:
        try:
            task = partial(_cell, keys={cell.key for cell in sweep.cells}, command=command, stop=str(scratch / "stop"))
            batches = _multirun(task, [*overrides, *_settings(name, overrides)], scratch)
            outcomes = [job.return_value for batch in batches for job in batch]
        except Exception as error:
            fault = Stopped(f"a process of {name} died ({type(error).__name__}: {' '.join(str(error).split())[:200]})")
    shutil.rmtree(scratch, ignore_errors=True)
    said = list(dict.fromkeys(text for _, text in outcomes if text))
    for text in said:
        warn(text)
    codes = {code for code, _ in outcomes}
    return close_all(study, sweep, fault, received[0] if received else 0, codes, command)


def _cell(config: DictConfig, *, keys: Set[tuple[str, str, str]], command: str, stop: str) -> tuple[int, str]:
    """Fight one cell, unless the sweep is being stopped or a fraction of it leaves the cell out."""
    # Loky unblocks what its parent blocks; Ctrl-C comes through the process that started this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if Path(stop).exists() or (config.identity.name, config.scenario.name, config.pairing.name) not in keys:
        return 0, ""
    from experiments.battle import fight_cell

    return fight_cell(config, command)


@contextmanager
def _stopping(crew: Crew, flag: Path, command: str) -> Iterator[list[int]]:
    """Pass signals on to the processes of the sweep, and leave none behind."""
    received: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        received.append(_pressed.pop() if _pressed else number)
        with suppress(OSError):
            flag.touch()
        if len(received) == 1:
            warn(
                f"finishing the calls in flight of all processes, at most {GRACE:.0f} s; press again to stop now; "
                f"resume with: mitigation battle {command}"
            )
            _signal(crew, signal.SIGTERM)
            return
        _signal(crew, signal.SIGKILL)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    # Ctrl-C at a terminal reaches every process of the group. Only this one is to hear it, and the others through it: a blocked
    # signal stays blocked in what is started from here.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    over = threading.Event()
    listener = threading.Thread(target=_listen, args=(over,), daemon=True)
    listener.start()
    try:
        yield received
    except KeyboardInterrupt:
        pass
    finally:
        with suppress(OSError):
            flag.touch()
        _signal(crew, signal.SIGTERM)
        end = time.monotonic() + SHORT_GRACE
        while _signal(crew, 0) and time.monotonic() < end:
            time.sleep(0.05)
        _signal(crew, signal.SIGKILL)
        over.set()
        listener.join()
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _listen(over: threading.Event) -> None:
    """Wait for Ctrl-C in the place of the main thread, which blocks it, and pass it on as the signal that it does not block."""
    while not over.is_set():
        if signal.sigtimedwait({signal.SIGINT}, 0.2):
            _pressed.append(signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)


def _signal(crew: Crew, number: int) -> bool:
    """Send a signal to the processes on this machine; return whether there were any."""
    ours = [process for host, process in crew.members() if host == socket.gethostname()]
    for process in ours:
        with suppress(ProcessLookupError):
            os.kill(process, number)
    return bool(ours)

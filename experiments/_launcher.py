"""Hydra's plug-ins of ours: a launcher that hands all jobs of a sweep to one event loop, and a sweeper for checked sweeps."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class InterleavedLauncher(Launcher):
    """Calls the task's `together` once for all jobs, in place of the task once a job.

    One loop means one limit of concurrency, one set of connections and one pool of model servers for the whole study, and
    lets the arms be interleaved inside randomised blocks.
    """

    # Hydra takes plug-ins from this package alone, by the name of their module; this one is registered from code.
    __module__ = "hydra_plugins.identity_mitigation"

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra hands over."""
        self._together: Any = getattr(task_function, "together")  # noqa: B009 - a function has no such attribute by type

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run all jobs together; their configs were composed, and all that they describe built, before Hydra was called."""
        self._together()
        jobs = enumerate(job_overrides, initial_job_idx)
        returns = [JobReturn(overrides=list(overrides), task_name=f"cell-{index}") for index, overrides in jobs]
        for done in returns:
            done.status = JobStatus.COMPLETED
        return returns


class CheckedSweeper(Sweeper):
    """Hands the jobs of a sweep to the launcher at once, as Hydra's own sweeper does, but composes none of them on trial.

    The whole sweep is composed and built before Hydra is called, each choice once; on trial every cell would be composed alone.
    """

    __module__ = "hydra_plugins.identity_mitigation"

    def __init__(self, max_batch_size: int | None = None, params: dict[str, str] | None = None) -> None:
        self._params = params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Make the launcher."""
        self._launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
        self._loader = hydra_context.config_loader
        self._folder = Path(config.hydra.sweep.dir)

    def sweep(self, arguments: list[str]) -> Any:
        """Launch the product of all values that the preset and the command line name."""
        given = [*(f"{key}={value}" for key, value in self._params.items()), *arguments]
        parsed = OverridesParser.create(config_loader=self._loader).parse_overrides(given)
        self._folder.mkdir(parents=True, exist_ok=True)
        return [self._launcher.launch(BasicSweeper.split_arguments(parsed, None)[0], initial_job_idx=0)]


def register() -> None:
    """Make the plug-ins known to Hydra, which looks them up by module path inside its package of plug-ins."""
    package, name = InterleavedLauncher.__module__.split(".")
    try:
        plugins = import_module(package)
    except ImportError:  # no plug-in is installed, so the package does not exist
        plugins = sys.modules[package] = ModuleType(package)
    sys.modules[InterleavedLauncher.__module__] = sys.modules[__name__]
    setattr(plugins, name, sys.modules[__name__])
    Plugins.instance().register(InterleavedLauncher)
    Plugins.instance().register(CheckedSweeper)

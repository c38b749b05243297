"""The default Hydra launcher: composes every job of a sweep and hands all of them to one event loop."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict


class InterleavedLauncher(Launcher):
    """Calls the task's `together` once with the configs of all jobs, in place of the task once a job.

    One loop means one limit of concurrency, one set of connections and one pool of model servers for the whole study, and
    lets the arms be interleaved inside randomised blocks.
    """

    # Hydra takes plug-ins from this package alone, by the name of their module; this one is registered from code.
    __module__ = "hydra_plugins.identity_mitigation"

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra hands over."""
        self._context = hydra_context
        self._together: Any = getattr(task_function, "together")  # noqa: B009 - a function has no such attribute by type
        self._config = config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Compose all jobs, resolved one by one because Hydra's own values are global, and run them together."""
        jobs, returns = [], []
        for index, overrides in enumerate(job_overrides, initial_job_idx):
            job = self._context.config_loader.load_sweep_config(self._config, list(overrides))
            with open_dict(job):
                del job["hydra"]
            OmegaConf.resolve(job)
            jobs.append(job)
            returns.append(JobReturn(overrides=list(overrides), cfg=job, task_name=f"cell-{index}"))
        self._together(jobs)
        for done in returns:
            done.status = JobStatus.COMPLETED
        return returns


def register() -> None:
    """Make the launcher known to Hydra, which looks plug-ins up by module path inside its package of plug-ins."""
    package, name = InterleavedLauncher.__module__.split(".")
    try:
        plugins = import_module(package)
    except ImportError:  # no plug-in is installed, so the package does not exist
        plugins = sys.modules[package] = ModuleType(package)
    sys.modules[InterleavedLauncher.__module__] = sys.modules[__name__]
    setattr(plugins, name, sys.modules[__name__])
    Plugins.instance().register(InterleavedLauncher)

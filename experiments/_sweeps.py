"""The arguments of battle in; every cell of the sweep, built and so checked, and what the cells share, out.

A cell is made of parts: each choice of identity, scenario and pairing is composed and built once, however many cells it is in.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra import compose
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from experiments._overrides import parsed
from experiments._wiring import build, conf_dir, hydra, plan, required
from mitigation.checks import check_bool, check_float, check_int, check_study
from mitigation.design import check_cells, fraction
from mitigation.errors import ConfigError
from mitigation.gateway import Settings
from mitigation.patience import CallPolicy
from mitigation.types import AnalysisPlan, Cell

MAX_CELLS = 10_000
MULTIRUN = ("-m", "--multirun")
SWEEPABLE = ("identity", "scenario", "pairing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Everything a sweep asks for, built and so checked."""

    study: str
    cells: tuple[Cell, ...]
    settings: Settings
    plan: AnalysisPlan


def sweep(arguments: Sequence[str], *, sweeps_need_flag: bool = False) -> Sweep:
    """Return what `battle` and `plan` are asked for.

    Args:
        arguments: overrides, with or without -m; comma values sweep, and `experiment=NAME` brings its own sweep.
        sweeps_need_flag: refuse a sweep on the command line that comes without -m, as a slip.

    Raises:
        ConfigError: as for `composed`; a value is out of range; a sweep over anything but identity, scenario and pairing.
    """
    overrides = [argument for argument in arguments if argument not in MULTIRUN]
    with hydra():
        lines = _lines(overrides, refuse_sweeps=sweeps_need_flag and len(overrides) == len(arguments))
        base, parts = _parts(lines)
    cells = _cells(base, [tuple(parts[name, _choice(line, name)] for name in SWEEPABLE) for line in lines])
    return _sweep(base, cells if base.fraction == 1 else fraction(cells, base.fraction))


def single(config: DictConfig) -> Sweep:
    """Return the one cell of a job that Hydra composed in a process of its own; it was kept by any fraction before."""
    return _sweep(config, _cells(config, [tuple(build(config[name]) for name in SWEEPABLE)]))


def _cells(config: DictConfig, chosen: Sequence[tuple[Any, ...]]) -> list[Cell]:
    """Return the cells of a sweep; `chosen` holds identity, scenario and pairing of each."""
    cells = [
        Cell(
            identity=identity,
            scenario=scenario,
            pairing=pairing,
            replicates=config.replicates,
            messages=config.messages,
            seed=config.seed,
            manipulation_check=config.manipulation_check,
        )
        for identity, scenario, pairing in chosen
    ]
    check_cells(cells)
    return cells


def _sweep(config: DictConfig, cells: Sequence[Cell]) -> Sweep:
    """Return cells with what they share."""
    limit = check_int(config.max_battles, "max_battles", low=1, high=10**9)
    battles = sum(each.replicates for each in cells)
    if battles > limit:
        raise ConfigError(f"the sweep has {battles:,} battles, more than max_battles={limit:,}: name fewer values or raise it")
    return Sweep(study=check_study(config.study), cells=tuple(cells), settings=settings(config), plan=plan(config))


def settings(config: DictConfig) -> Settings:
    """Return how a run goes about its battles."""
    usd = config.budget.usd
    return Settings(
        concurrency=check_int(config.concurrency, "concurrency", low=1, high=10_000),
        budget=None if usd is None else check_float(usd, "budget.usd", low=0.0, high=1e9),
        policy=CallPolicy(**{str(name): value for name, value in config.patience.items()}),
        allow_change=check_bool(config.allow_change, "allow_change"),
        strict_model=check_bool(config.strict_model, "strict_model"),
    )


def _lines(arguments: Sequence[str], *, refuse_sweeps: bool) -> list[list[str]]:
    """Return the overrides of every job in a sweep: one job is one cell."""
    own = parsed("battle", arguments, conf_dir())
    preset = [override.input_line or "" for override in own if override.key_or_group == "experiment"]
    base = compose("battle", overrides=preset, return_hydra_config=True)
    # A preset may leave its study to the command line, but not name another's.
    if preset and not OmegaConf.is_missing(base, "study") and (named := preset[-1].partition("=")[2]) != base.study:
        raise ConfigError(f"conf/experiment/{named}.yaml says study: {base.study}; write study: {named}, where its results go")
    params = OmegaConf.to_container(base.hydra.sweeper.get("params") or OmegaConf.create({}), resolve=True)
    assert isinstance(params, dict)
    slip = next((o.input_line for o in own if o.is_sweep_override()), None)
    if refuse_sweeps and slip and not preset:
        raise ConfigError(f"{slip} is a sweep; did you mean: mitigation battle -m {shlex.join(arguments)}")
    # What the command line says comes last and so replaces what the preset says of the same key.
    swept = OverridesParser.create().parse_overrides([f"{key!s}={value}" for key, value in params.items()]) + own
    for override in swept:
        if override.is_sweep_override() and override.get_key_element() not in SWEEPABLE:
            raise ConfigError(f"{override.input_line}: only {', '.join(SWEEPABLE)} can be swept; give one value")
    lines = BasicSweeper.split_arguments(swept, None)[0]
    if len(lines) > MAX_CELLS:
        raise ConfigError(f"the sweep has {len(lines):,} cells, more than {MAX_CELLS:,}: name fewer values")
    return lines


def _choice(line: Sequence[str], group: str) -> str | None:
    """Return what a job chooses of a group, None for the default."""
    return next((override.partition("=")[2] for override in line if override.startswith(f"{group}=")), None)


def _named(part: Any, group: str, choice: str | None) -> Any:
    """Return a part if it has the name of its file: results lie under its name, so a copy must not keep another's."""
    if choice is not None and part.name != (stem := choice.rpartition("/")[2]):
        raise ConfigError(f"conf/{group}/{choice}.yaml says name: {part.name}; write name: {stem}, and the files of {stem}")
    return part


def _plain(config: DictConfig) -> dict[str, str]:
    """Return the parts of a config as text, which compares equal where they are, not-a-number included."""
    return {str(key): repr(value) for key, value in config.items_ex(resolve=False)}


def _parts(lines: Sequence[Sequence[str]]) -> tuple[DictConfig, dict[tuple[str, str | None], Any]]:
    """Compose and build each choice of a sweep once, not each cell; return one composed config and what was built.

    Raises:
        ConfigError: a choice changes something outside of its own part of the config, so that cells are not made of parts.
    """
    base = compose("battle", overrides=list(lines[0]))
    required(base)
    plain, parts = _plain(base), {}
    for group in SWEEPABLE:
        own = _choice(lines[0], group)
        parts[group, own] = _named(build(base[group]), group, own)
        rest = [override for override in lines[0] if not override.startswith(f"{group}=")]
        for choice in dict.fromkeys(_choice(line, group) for line in lines):
            if choice == own:
                continue
            config = compose("battle", overrides=[*rest, f"{group}={choice}"])
            required(config)
            other = _plain(config)
            if odd := sorted(key for key in plain | other if key != group and plain.get(key) != other.get(key)):
                raise ConfigError(f"{group}={choice} also sets {odd[0]}: a file of {group} may set only what is under {group}")
            parts[group, choice] = _named(build(config[group]), group, choice)
    return base, parts

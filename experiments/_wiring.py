"""Command lines in, composed configs and then the library's own values out: the only caller of Hydra's instantiate.

Text for agents never passes through OmegaConf: YAML names a .txt file, and this module reads it byte for byte.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments._overrides import parsed
from mitigation.checks import check_float, check_int, check_study
from mitigation.design import check_cells
from mitigation.errors import ConfigError
from mitigation.patience import CallPolicy
from mitigation.runner import Settings
from mitigation.types import AnalysisPlan, Cell, Identity, Scenario

RESULTS = Path("results")
REPORTS = Path("reports")
MAX_CELLS = 10_000
MULTIRUN = ("-m", "--multirun")
SWEEPABLE = ("identity", "scenario", "pairing")
SEPARATOR = re.compile(r"^---[ \t]*$", re.MULTILINE)


def conf_dir() -> Path:
    """Return the folder of configs: that of the working directory if it has one, else the one that was installed."""
    here = Path.cwd() / "conf"
    if (here / "battle.yaml").is_file():
        return here
    package = Path(__file__).resolve().parent
    beside = package.parent / "conf"
    return beside if beside.is_dir() else package / "conf"


def _text(folder: str, file: str) -> str:
    path = conf_dir() / folder / file
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}): it is named by a YAML file beside it") from None


def _wordings(folder: str, file: str) -> tuple[str, ...]:
    """Return the wordings in a text file, which a line `---` separates; line ends round them do not count."""
    parts = (part.strip("\r\n") for part in SEPARATOR.split(_text(folder, file)))
    return tuple(part for part in parts if part)


def identity(*, bank: str, **fields: Any) -> Identity:
    """Build an Identity whose bank is a text file in conf/identity/."""
    return Identity(bank=_wordings("identity", bank), **fields)


def scenario(*, agents: Sequence[str], task: str, openers: str, **fields: Any) -> Scenario:
    """Build a Scenario whose task and openers are text files in conf/scenario/."""
    names = [str(agent) for agent in agents]
    if len(names) != 2:
        raise ConfigError(f"agents={names} of a scenario: name two agents")
    text = _text("scenario", task).strip("\r\n")
    return Scenario(agents=(names[0], names[1]), task=text, openers=_wordings("scenario", openers), **fields)


def build(node: Any) -> Any:
    """Return the object that a config node describes; errors of its fields are ConfigErrors."""
    try:
        return instantiate(node, _convert_="all")
    except HydraException as error:
        cause: BaseException = error
        while cause.__cause__ is not None and not isinstance(cause, ConfigError):
            cause = cause.__cause__
        raise cause if isinstance(cause, ConfigError) else ConfigError(f"{node.get('_target_')}: {cause}") from None


def identities() -> list[Identity]:
    """Return every identity in conf/identity/, proposed ones included, in the order of their files."""
    folder = conf_dir() / "identity"
    return [build(OmegaConf.load(path)) for path in sorted(folder.rglob("*.yaml"))]


def cell(config: DictConfig) -> Cell:
    """Return the cell of one composed job."""
    return Cell(
        identity=build(config.identity),
        scenario=build(config.scenario),
        pairing=build(config.pairing),
        replicates=config.replicates,
        messages=config.messages,
        seed=config.seed,
    )


def plan(config: DictConfig) -> AnalysisPlan:
    """Return the analysis plan of a composed config."""
    built = build(config.analysis)
    assert isinstance(built, AnalysisPlan)
    return built


@contextmanager
def _hydra() -> Iterator[None]:
    """Open Hydra on the configs and turn its errors into ours."""
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_dir()), version_base="1.3", job_name="mitigation"):
            yield
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(" ".join(str(error).split())[:300]) from None


def composed(command: str, arguments: Sequence[str]) -> DictConfig:
    """Return the config of a command that runs once.

    Raises:
        ConfigError: an argument is no override, names no key or no choice, or sweeps.
    """
    with _hydra():
        overrides = parsed(command, arguments, conf_dir())
        for override in overrides:
            if override.is_sweep_override():
                raise ConfigError(
                    f"{override.input_line}: {command} takes one value of {override.get_key_element()}, not a sweep"
                )
        config = compose(command, overrides=[override.input_line or "" for override in overrides])
        _required(config)
        return config


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Everything a sweep asks for, built and so checked."""

    study: str
    cells: tuple[Cell, ...]
    settings: Settings
    plan: AnalysisPlan


def sweep(arguments: Sequence[str], *, sweeps_need_flag: bool = False) -> Sweep:
    """Return what `battle` and `plan` are asked for; errors as for `jobs`, and for any value that is out of range.

    Args:
        arguments: overrides, with or without -m.
        sweeps_need_flag: refuse a sweep on the command line that comes without -m, as a slip.
    """
    overrides = [argument for argument in arguments if argument not in MULTIRUN]
    return built(jobs(overrides, refuse_sweeps=sweeps_need_flag and len(overrides) == len(arguments)))


def built(configs: Sequence[DictConfig]) -> Sweep:
    """Return the cells of composed jobs and what they share."""
    cells = tuple(cell(config) for config in configs)
    check_cells(cells)
    first = configs[0]
    limit = check_int(first.max_battles, "max_battles", low=1, high=10**9)
    battles = sum(each.replicates for each in cells)
    if battles > limit:
        raise ConfigError(f"the sweep has {battles:,} battles, more than max_battles={limit:,}: name fewer values or raise it")
    return Sweep(study=check_study(first.study), cells=cells, settings=settings(first), plan=plan(first))


def settings(config: DictConfig) -> Settings:
    """Return how a run goes about its battles."""
    usd = config.budget.usd
    for name in ("allow_change", "strict_model"):
        if not isinstance(config[name], bool):
            raise ConfigError(f"{name}={config[name]!r} is not known: choose true or false")
    return Settings(
        concurrency=check_int(config.concurrency, "concurrency", low=1, high=10_000),
        budget=None if usd is None else check_float(usd, "budget.usd", low=0.0, high=1e9),
        policy=CallPolicy(**{str(name): value for name, value in config.patience.items()}),
        allow_change=config.allow_change,
        strict_model=config.strict_model,
    )


def jobs(arguments: Sequence[str], *, refuse_sweeps: bool = False) -> list[DictConfig]:
    """Return the composed config of every job in a sweep: one job is one cell.

    Args:
        arguments: overrides as `battle` takes them; comma values sweep, and `experiment=NAME` brings its own sweep.
        refuse_sweeps: refuse a sweep that no experiment brings.

    Raises:
        ConfigError: as for `composed`; also for a sweep over anything but identity, scenario and pairing.
    """
    with _hydra():
        own = parsed("battle", arguments, conf_dir())
        preset = [override.input_line or "" for override in own if override.key_or_group == "experiment"]
        base = compose("battle", overrides=preset, return_hydra_config=True)
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
        found = [compose("battle", overrides=line) for line in lines]
        for config in found:
            _required(config)
        return found


def _required(config: DictConfig) -> None:
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise ConfigError(f"{missing[0]} is required: give {missing[0]}=NAME")
    if "study" not in config:
        return
    studies = config.study if isinstance(config.study, ListConfig) else [config.study]
    for study in studies:
        check_study(study)

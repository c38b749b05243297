"""Command lines in, composed configs and then the library's own values out: the only caller of Hydra's instantiate.

Text for agents never passes through OmegaConf: YAML names a .txt file, and this module reads it byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments._overrides import parsed
from mitigation.checks import check_choice, check_study
from mitigation.errors import ConfigError
from mitigation.games import GAMES
from mitigation.types import AnalysisPlan, Identity, Scenario

RESULTS = Path("results")
REPORTS = Path("reports")
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
    if fields.get("game") is not None:
        check_choice(fields["game"], f"game of scenario {fields.get('name')}", tuple(GAMES))
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


def plan(config: DictConfig) -> AnalysisPlan:
    """Return the analysis plan of a composed config."""
    built = build(config.analysis)
    assert isinstance(built, AnalysisPlan)
    return built


@contextmanager
def hydra() -> Iterator[None]:
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
    with hydra():
        overrides = parsed(command, arguments, conf_dir())
        for override in overrides:
            if override.is_sweep_override():
                raise ConfigError(
                    f"{override.input_line}: {command} takes one value of {override.get_key_element()}, not a sweep"
                )
        config = compose(command, overrides=[override.input_line or "" for override in overrides])
        required(config)
        return config


def required(config: DictConfig) -> None:
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise ConfigError(f"{missing[0]} is required: give {missing[0]}=NAME")
    if "study" not in config:
        return
    studies = config.study if isinstance(config.study, ListConfig) else [config.study]
    for study in studies:
        check_study(study)

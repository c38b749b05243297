"""Command-line overrides in, parsed and checked ones out: every key and choice is known before Hydra composes or writes.

An error names what was given, what is wrong with it and the nearest valid word.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from mitigation.checks import check_int
from mitigation.errors import ConfigError

MOST_VALUES = 10_000
# Launchers that plug-ins bring, and the module of each.
LAUNCHERS = {
    "joblib": "hydra_plugins.hydra_joblib_launcher",
    "submitit_local": "hydra_plugins.hydra_submitit_launcher",
}


def parsed(command: str, arguments: Sequence[str], conf: Path) -> list[Override]:
    """Parse overrides and check every key and every choice before Hydra composes or writes anything."""
    for argument in arguments:
        _refuse_secret(argument)
        if "_target_" in argument:
            raise ConfigError(f"{argument.partition('=')[0]}: what a config builds is fixed in its file and is no override")
        if argument.startswith("-"):
            raise ConfigError(f"{argument}: only key=value is taken here (and -m by battle); see mitigation {command} --help")
    loader = GlobalHydra.instance().config_loader()
    try:
        overrides = OverridesParser.create(loader).parse_overrides(list(arguments))
    except HydraException:
        wrong = next((a for a in arguments if "=" not in a), None) or " ".join(arguments)
        raise ConfigError(f"{wrong!r} cannot be read: write key=value, and quote a value that holds spaces or brackets") from None
    config = compose(command)
    keys = sorted(_keys(config, ""))
    groups = [group for group in loader.get_group_options("", results_filter=None) if loader.get_group_options(group)]
    for override in overrides:
        _check(override, command, conf, keys, groups)
    return overrides


def _check(override: Override, command: str, conf: Path, keys: list[str], groups: list[str]) -> None:
    key = override.key_or_group
    if key == "hydra/launcher":
        _check_choices(override, [*_options(conf / key), *LAUNCHERS])
        _check_installed(override.get_value_element_as_str())
    elif key == "hydra.launcher.n_jobs":
        if check_int(override.value(), key, low=-1, high=10_000) == 0:
            raise ConfigError("hydra.launcher.n_jobs=0 starts no process: give 1 or more, or -1 for one a core")
    elif key in groups:
        _check_choices(override, [*_options(conf / key)])
    elif re.fullmatch(r"pairing\.(first|second)\.extra\.[\w.]+|hydra\.launcher\.[a-z_]+", key):
        return
    elif override.is_add() or override.is_delete() or key not in keys:
        raise ConfigError(f"{override.input_line}: {command} has no {key}{_nearest(key, [*keys, *groups])}")


def _keys(config: DictConfig, where: str) -> Iterator[str]:
    for key in config:
        yield f"{where}{key!s}"
        value = None if OmegaConf.is_missing(config, key) else config._get_node(key)
        if isinstance(value, DictConfig):
            yield from _keys(value, f"{where}{key!s}.")


def _options(folder: Path) -> Iterator[str]:
    """Yield the choices of a config group, those in its folders included."""
    for path in sorted(folder.rglob("*.yaml")):
        yield path.relative_to(folder).with_suffix("").as_posix()


def _check_choices(override: Override, options: list[str]) -> None:
    if override.is_sweep_override() and not override.is_discrete_sweep():
        raise ConfigError(f"{override.input_line}: an interval has no end of values; name them one by one")
    swept = override.sweep_string_iterator() if override.is_sweep_override() else iter([override.get_value_element_as_str()])
    values = list(islice(swept, MOST_VALUES))
    if not values:
        raise ConfigError(f"{override.input_line}: 0 battles, the sweep is empty; give at least one value")
    for value in values:
        if value not in options:
            shown = ", ".join(options[:20])
            raise ConfigError(f"{override.key_or_group}={value!r} does not exist{_nearest(value, options)}; there are: {shown}")


def _check_installed(launcher: str) -> None:
    if launcher in LAUNCHERS and find_spec(LAUNCHERS[launcher]) is None:
        package = LAUNCHERS[launcher].rpartition(".")[2].replace("_", "-")
        raise ConfigError(f"hydra/launcher={launcher} is not installed: python -m pip install {package}")


def _nearest(word: str, words: Sequence[str]) -> str:
    """Return a question that names the nearest valid word, or nothing when none is near."""
    tails = {known.rsplit(".", 1)[-1]: known for known in reversed(words)}
    near = difflib.get_close_matches(word, words, n=1) or [
        tails[tail] for tail in difflib.get_close_matches(word.rsplit(".", 1)[-1], list(tails), n=1)
    ]
    return f"; did you mean {near[0]}?" if near else ""


def _refuse_secret(argument: str) -> None:
    """Refuse a key on the command line before any file is written; the message never repeats it."""
    key, _, value = argument.partition("=")
    if (re.search(r"api_?key", key, re.IGNORECASE) and not key.endswith("api_key_env")) or re.search(r"\bsk-[\w-]{8,}", value):
        raise ConfigError(
            f"{key}=… looks like a key: keys are read from environment variables only (OPENAI_API_KEY, ANTHROPIC_API_KEY, "
            "or the one that api_key_env names); if it was real, other users of this machine may have seen it"
        )
    secrets = [v.strip() for k, v in os.environ.items() if k.upper().endswith(("_KEY", "_TOKEN", "_SECRET"))]
    if any(len(secret) >= 8 and secret in argument for secret in secrets):
        raise ConfigError("an argument holds a key of the environment: name its variable (api_key_env), never the key")
    if "env_set" in key or "oc.env" in argument:
        raise ConfigError(f"{key}=…: variables of the environment are not set or read through overrides; set them in the shell")

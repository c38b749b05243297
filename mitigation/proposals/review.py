"""Kept drafts in, files for a person to review out; accepting moves them beside the other identities.

conf/identity/proposed/NAME.yaml  what Hydra reads; holds nothing that a model wrote
conf/identity/proposed/NAME.txt   the wordings, which never pass through a parser of YAML
conf/identity/proposed/NAME.json  where they come from, how near each is to another, and what was turned down
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from mitigation.checks import check_name
from mitigation.errors import ConfigError
from mitigation.files import write_atomically
from mitigation.proposals.draft import Draft

FOLDER = "proposed"
_YAML = """# {comment}
_target_: experiments._wiring.identity
name: "{name}"
bank: "{bank}"
seats: distinct
role: treatment
expected: less
"""


def free_name(identities: Path) -> str:
    """Return the first of p001, p002, … that no identity has, accepted or proposed."""
    taken = _names(identities)
    return next(name for number in range(1, 10**6) if (name := f"p{number:03d}") not in taken)


def _names(identities: Path) -> set[str]:
    """Return every name that is taken, also by a history whose drafts were all turned down: it was paid for."""
    return {path.stem for path in identities.rglob("*") if path.suffix in (".yaml", ".json")}


def check_free(identities: Path, name: str) -> None:
    """Raise ConfigError when `name` is no name or an identity has it already."""
    check_name(name, "name")
    if name in _names(identities):
        raise ConfigError(f"name={name!r} is taken by an identity in {identities}: choose another")


def write(identities: Path, name: str, drafts: Sequence[Draft], source: Mapping[str, object]) -> Path:
    """Write a proposal and return the path of its wordings; with fewer than two kept only the history is written.

    Raises:
        ConfigError: an identity of that name exists.
    """
    check_free(identities, name)
    folder = identities / FOLDER
    kept = [draft.text for draft in drafts if not draft.faults]
    history = {"source": dict(source), "drafts": [dataclasses.asdict(draft) for draft in drafts]}
    write_atomically(folder / f"{name}.json", orjson.dumps(history, option=orjson.OPT_INDENT_2) + b"\n")
    if len(kept) < 2:
        return folder / f"{name}.txt"
    write_atomically(folder / f"{name}.txt", "\n---\n".join(kept).encode() + b"\n")
    comment = f"Proposed; the wordings stand in {name}.txt, their history in {name}.json."
    write_atomically(folder / f"{name}.yaml", _YAML.format(comment=comment, name=name, bank=f"{FOLDER}/{name}.txt").encode())
    return folder / f"{name}.txt"


def accept(identities: Path, name: str) -> Path:
    """Move a proposal beside the accepted identities and return its new YAML file.

    The name in results stays the same: battles fought as identity=proposed/NAME go on as identity=NAME.
    """
    _check(identities, name)
    target = identities / f"{name}.yaml"
    if target.exists():
        raise ConfigError(f"accept={name!r}: {target} exists already; reject the proposal or rename one of the two")
    folder = identities / FOLDER
    for suffix in (".txt", ".json"):
        if (folder / f"{name}{suffix}").exists():
            (folder / f"{name}{suffix}").replace(identities / f"{name}{suffix}")
    comment = f"Accepted from a proposal; the history of the wordings stands in {name}.json."
    write_atomically(target, _YAML.format(comment=comment, name=name, bank=f"{name}.txt").encode())
    (folder / f"{name}.yaml").unlink()
    return target


def reject(identities: Path, name: str) -> None:
    """Delete a proposal, or the history of one of which nothing was kept."""
    if not (identities / FOLDER / f"{check_name(name, 'proposal')}.json").is_file():
        _check(identities, name)
    for suffix in (".yaml", ".txt", ".json"):
        (identities / FOLDER / f"{name}{suffix}").unlink(missing_ok=True)


def _check(identities: Path, name: str) -> None:
    check_name(name, "proposal")
    if not (identities / FOLDER / f"{name}.yaml").is_file():
        there = ", ".join(sorted(path.stem for path in (identities / FOLDER).glob("*.yaml"))) or "none"
        raise ConfigError(f"there is no proposal {name!r}; there are: {there}")

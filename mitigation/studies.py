"""A study's name in; its transcripts, detections and tidy tables out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from mitigation.definitions import cell_key
from mitigation.detectors import LexicalDetector
from mitigation.detectors.base import Detector
from mitigation.errors import ConfigError, StoreError
from mitigation.preregistration import Lock, read
from mitigation.store import Damage, Study
from mitigation.types import AnalysisPlan, Detection, Mention, Role, Transcript

if TYPE_CHECKING:
    import pandas as pd

    from mitigation.moves import MoveTables

RESULTS = Path("results")
DETECTORS: dict[str, Callable[[], Detector]] = {"lexical": LexicalDetector}


def detector_named(name: str) -> Detector:
    """Return a detector by its name.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in DETECTORS:
        raise ConfigError(f"detector={name!r} does not exist; there are: {', '.join(DETECTORS)}")
    return DETECTORS[name]()


def existing(study: str, results: Path) -> Study:
    """Return the folder of a study; ConfigError when there is none of that name."""
    store = Study(results, study)
    if not store.exists():
        there = ", ".join(sorted(path.name for path in Path(results).glob("*") if path.is_dir())) or "none"
        raise ConfigError(f"there is no study {study!r} in {results}; there are: {there}")
    return store


@dataclass(frozen=True)
class Loaded:
    """A study as it lies on disk.

    Attributes:
        study: its name.
        transcripts: the latest result of each battle, ordered by battle id.
        definitions: what each cell is, as frozen by its first battle or locked before it; empty for a study from elsewhere.
        detections: by battle id, what the detector saw in each generated message.
        detector: name, version and digest of the detector.
        damage: lines that could not be used.
        lock: the plan that was locked before the study, None when none was.
    """

    study: str
    transcripts: Sequence[Transcript]
    definitions: Sequence[Mapping[str, Any]]
    detections: Mapping[str, Sequence[Detection]]
    detector: str
    damage: Sequence[Damage]
    lock: Lock | None = None

    @cached_property
    def messages(self) -> pd.DataFrame:
        """One row for each generated message of a complete battle (`mitigation.outcomes.message_table`)."""
        from mitigation.outcomes import message_table

        return message_table(self.transcripts, self.detections)

    @cached_property
    def battles(self) -> pd.DataFrame:
        """One row for each planned battle (`mitigation.outcomes.battle_table`)."""
        from mitigation.outcomes import battle_table

        return battle_table(self.transcripts, self.messages, self.definitions)

    @cached_property
    def moves(self) -> MoveTables | None:
        """What the agents did in games (`mitigation.moves.move_tables`); None where no scenario has one."""
        from mitigation.moves import move_tables

        return move_tables(self.transcripts, self.definitions)

    def arms(self, plan: AnalysisPlan) -> dict[str, dict[str, str]]:
        """Return role and expected direction of each arm: control first, then by role and name.

        An arm without a definition is the plan's control or placebo by its name, else a treatment expected to lower the rate.
        """
        given: dict[str, dict[str, str]] = {}
        for arm in sorted({battle.identity for battle in self.transcripts}):
            role = {plan.control: "control", plan.placebo: "placebo"}.get(arm, "treatment")
            given[arm] = {"role": role, "expected": "less" if role == "treatment" else "none"}
        for cell in self.definitions:
            identity = cell["identity"]
            given[identity["name"]] = {"role": identity["role"], "expected": identity["expected"]}
        order = list(get_args(Role))
        return dict(sorted(given.items(), key=lambda arm: (arm[0] != plan.control, order.index(arm[1]["role"]), arm[0])))

    @property
    def providers(self) -> set[str]:
        """Providers that fought any of the battles."""
        return {agent.provider for battle in self.transcripts for agent in battle.agents if agent.provider}


def describe(detector: str) -> str:
    """Return name, version and digest of a detector, as they are printed and locked.

    Raises:
        ConfigError: there is no such detector.
    """
    return _described(detector_named(detector))


def _described(judge: Detector) -> str:
    return f"{judge.name} {judge.version} (sha256 {judge.digest[:12]})"


def load(study: str, *, detector: str = "lexical", results: Path = RESULTS) -> Loaded:
    """Return a study with its detections; what the detector has not judged yet, or judged by older rules, it judges now.

    Raises:
        ConfigError: there is no such study or detector.
    """
    store, rules = existing(study, results), detector_named(detector)
    transcripts, damage = store.read()
    lock = read(store.folder)
    known = {record["battle_id"]: record for record in store.read_detections(detector)}
    records = [_judged(battle, rules, known.get(battle.battle_id)) for battle in transcripts]
    return Loaded(
        study=store.name,
        transcripts=transcripts,
        definitions=_planned(store.definitions(), lock),
        detections={record["battle_id"]: _detections(record) for record in records},
        detector=_described(rules),
        damage=damage,
        lock=lock,
    )


def _planned(begun: Sequence[Mapping[str, Any]], lock: Lock | None) -> list[Mapping[str, Any]]:
    """Return every planned cell: those that were begun, and those of a lock that were not."""
    known = {cell_key(cell) for cell in begun}
    return [*begun, *(cell for cell in (lock.definitions if lock else ()) if cell_key(cell) not in known)]


def detect(study: str, *, detector: str = "lexical", results: Path = RESULTS) -> Path:
    """Judge stored battles and store the detections; return their file.

    A battle that the same rules have judged in the same words keeps its record.
    """
    store, rules = existing(study, results), detector_named(detector)
    try:
        known = {record["battle_id"]: record for record in store.read_detections(detector)}
    except StoreError:  # they are about to be made again
        known = {}
    records = [_judged(battle, rules, known.get(battle.battle_id)) for battle in store.read()[0]]
    return store.write_detections(detector, records)


def _text_hash(battle: Transcript) -> str:
    return hashlib.sha256("\x1f".join(turn.text for turn in battle.turns).encode("utf-8", "replace")).hexdigest()[:16]


def _judged(battle: Transcript, judge: Detector, known: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the record of a battle's detections: the stored one if the same rules judged the same text."""
    text = _text_hash(battle)
    if known is not None and known.get("digest") == judge.digest and known.get("text_sha256") == text:
        return known
    found = []
    for before, turn in zip(battle.turns, battle.turns[1:], strict=False):
        if turn.index > 0:
            found.append(_record(judge.detect(turn.text, before.text, turn.index)))
    about = {"battle_id": battle.battle_id, "detector": judge.name, "version": judge.version, "digest": judge.digest}
    return {**about, "text_sha256": text, "turns": found}


def _record(seen: Detection) -> dict[str, Any]:
    """Return a detection as plain values; `dataclasses.asdict` would copy every label one by one."""
    mentions = seen.mentions
    told = None if mentions is None else [{f: getattr(mention, f) for f in Mention.__slots__} for mention in mentions]
    return {"index": seen.index, "mentions": told, "labels": seen.labels}


def _detections(record: Mapping[str, Any]) -> tuple[Detection, ...]:
    return tuple(
        Detection(
            index=turn["index"],
            mentions=None if turn["mentions"] is None else tuple(Mention(**mention) for mention in turn["mentions"]),
            labels=turn["labels"],
        )
        for turn in record["turns"]
    )

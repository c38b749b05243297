"""`mitigation report`: a study, or a table from elsewhere, in; reports/<study>/ out."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig, ListConfig

from experiments import _wiring
from experiments.cli import visible
from mitigation import api
from mitigation.checks import check_study
from mitigation.errors import ConfigError
from mitigation.figures import rows
from mitigation.preregistration import read
from mitigation.reporting import ReportInput, sentences
from mitigation.reporting.compared import across, compared_document
from mitigation.reporting.inputs import banners
from mitigation.types import AnalysisPlan


def main(arguments: Sequence[str]) -> int:
    """Write the report and print its verdicts."""
    config = _wiring.composed("report", arguments)
    if isinstance(config.study, ListConfig) and len(config.study) != 1:
        return _compared(config, [check_study(study) for study in config.study], arguments)
    study = check_study(config.study[0] if isinstance(config.study, ListConfig) else config.study)
    given, page = _written(config, study, _plan(config, study, arguments))
    for line in _summary(given):
        print(visible(line))
    print(f"written: {page}")
    return 0 if given.analysis.battles["scored"].any() else 3


def _compared(config: DictConfig, studies: Sequence[str], arguments: Sequence[str]) -> int:
    """Write the common report of several studies and print what each of them came to."""
    if config.outcomes is not None:
        raise ConfigError("outcomes belongs to one study: name one, or leave outcomes out")
    plans = {study: _plan(config, study, arguments) for study in studies}
    given, page = api.compare(
        studies, plans=plans, detector=config.detector.name, results=_wiring.RESULTS, reports=_wiring.REPORTS
    )
    told = compared_document(given, ())
    for line in (*(words for _, words in told.banners), told.answer):
        print(visible(line))
    for card in told.cards:
        print(visible(f"- {card.study}: {card.verdict.title}: {card.effect} {card.evidence}"))
    for line in across(given):
        print(visible(f"- {line}"))
    print(f"written: {page}")
    return 0 if all(one.analysis.battles["scored"].any() for one in given.inputs) else 3


def _plan(config: DictConfig, study: str, arguments: Sequence[str]) -> AnalysisPlan:
    """Return the plan that the arguments ask for; without a word of it, the locked one where the study has one."""
    asked = any(argument.startswith(("analysis", "control=", "rate=", "outcomes=")) for argument in arguments)
    if not asked and (locked := read(_wiring.RESULTS / study)) is not None:
        return locked.plan
    plan = _wiring.plan(config)
    if config.rate is not None:
        plan = replace(plan, rate=config.rate)
    return plan if config.control is None else replace(plan, control=str(config.control))


def _summary(given: ReportInput) -> Iterator[str]:
    """Yield what a reader must know first: warnings, the answer, and each contrast with its numbers."""
    yield from (text for _, text in banners(given))
    yield sentences.answer(given)
    for row in rows.primary(given.analysis) if len(given.analysis.arms) > 1 else ():
        verdict = sentences.shown_verdict(given, row).title
        yield f"- {verdict}: {sentences.effect(given, row)} {sentences.evidence(given, row)}"


def _written(config: DictConfig, study: str, plan: AnalysisPlan) -> tuple[ReportInput, Path]:
    if config.outcomes is None:
        return api.report(study, plan=plan, detector=config.detector.name, results=_wiring.RESULTS, reports=_wiring.REPORTS)
    import pandas as pd

    if config.control is None:
        raise ConfigError("control is required with outcomes: name the condition that the others are compared with")
    try:
        # "None" and "NA" are names that a condition may have; only numbers may be missing in words.
        names = {"condition": str, "battle_id": str, "stratum": str}
        missing = {name: [""] for name in names} | {
            name: ["", "NA", "NaN", "nan"] for name in ("we_count", "words", "any_we", "turn")
        }
        table = pd.read_csv(str(config.outcomes), encoding="utf-8", dtype=names, keep_default_na=False, na_values=missing)
    except (OSError, ValueError) as error:
        raise ConfigError(f"outcomes={config.outcomes}: {error}: give a CSV file with a row a message") from None
    return api.report_table(table, study=study, control=plan.control, plan=plan, reports=_wiring.REPORTS)


if __name__ == "__main__":
    from experiments.cli import run

    sys.exit(run("report", sys.argv[1:]))

"""An input in; what its numbers cannot show, each as a sentence, out. They stand beside the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mitigation.figures import rows, wording
from mitigation.next_study import outlook
from mitigation.reporting import design
from mitigation.reporting.inputs import ReportInput
from mitigation.reporting.sentences import compared

ENOUGH: Final = 0.8
"""Power that a study is usually planned for."""


def limits(given: ReportInput) -> tuple[str, ...]:
    """Return the limits of this study that follow from its design, its size and its detector."""
    return (*_small(given), *_narrow(given), *_detector(given), *_foreign(given))


def _small(given: ReportInput) -> Iterator[str]:
    """Say what a study of this size would have found; it rests on how the control's battles vary, not on the effect seen."""
    analysis, plan = given.analysis, given.analysis.plan
    if given.interim or plan.rate != "messages" or (analysis.look is not None and not analysis.look.final):
        return
    sizes = [n for row in compared(given) for n in (row.n_control, row.n_treatment) if n]
    if not sizes:  # one arm alone, or nothing to compare: the verdict says so
        return
    found = outlook(analysis.battles, plan=plan, outcome=rows.outcome(analysis).removesuffix("_rate"))
    if found is None:
        yield "small: control has fewer than 8 battles, or none with an event; what a study of this size finds is not known"
    elif found.power(min(sizes), 0.5) < ENOUGH:
        several = f" at the level corrected for {found.treatments} comparisons" if found.treatments > 1 else ""
        chances = [f"{100 * found.power(min(sizes), ratio):.0f}%" for ratio in (0.5, 0.7)]
        yield (
            f"small: with {min(sizes):,} battles an arm a halved rate is found in about {chances[0]} of studies and a fall by "
            f"30% in about {chances[1]}{several}; an effect that is not found may well be there"
        )


def _narrow(given: ReportInput) -> Iterator[str]:
    """Name what was tried in one instance only: an effect may be that instance's."""
    if (models := design.models(given)) and not given.simulated:
        yield f"these models only: {wording.listed(models)}; other models may differ"
    if len(scenarios := design.scenarios(given)) == 1:
        yield f"one scenario, {scenarios[0]}: other tasks may differ"
    alone = _alone(given)
    if alone:
        yield f"one wording each: {wording.listed(alone)}; an effect of the idea cannot be told from one of its words"


def _alone(given: ReportInput) -> list[str]:
    """Return the arms that are compared with the control and whose agents all received one text."""
    treatments = {row.treatment for row in compared(given)}
    return sorted(arm for arm, texts in given.identities.items() if len(texts) == 1 and arm in treatments)


def _detector(given: ReportInput) -> Iterator[str]:
    if given.transcripts and not given.labelled:
        yield (
            "no battle of this study was labelled by people: how often the detector errs here, and whether alike in all arms, "
            "is not known"
        )


def _foreign(given: ReportInput) -> Iterator[str]:
    if not given.definitions:
        yield "from elsewhere: how its battles were assigned to arms, and in which order they were fought, cannot be checked here"

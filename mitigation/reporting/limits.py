"""An input in; what its numbers cannot show, each as a sentence, out. They stand beside the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from mitigation.figures import rows, wording
from mitigation.reporting.inputs import ReportInput


def limits(given: ReportInput) -> tuple[str, ...]:
    """Return the limits of this study that follow from its design, its size and its detector."""
    return (*_small(given), *_narrow(given), *_detector(given), *_foreign(given))


def _small(given: ReportInput) -> Iterator[str]:
    """Say what a study of this size would have found; it rests on how the control's battles vary, not on the effect seen."""
    sizes = next((table.frame for table in given.described if table.name == "sample_sizes"), None)
    if sizes is None or given.interim:
        return
    chances = {float(row["rate_ratio"]): float(row["power_here"]) for row in sizes.to_dict("records")}
    if (halved := chances.get(0.5)) is not None and halved < 0.8:
        yield (
            f"small: a study of this size finds a halved rate in about {100 * halved:.0f}% of cases, and a fall by 30% in about "
            f"{100 * chances.get(0.7, 0.0):.0f}%; an effect that it does not find may well be there"
        )


def _narrow(given: ReportInput) -> Iterator[str]:
    """Name what was tried in one instance only: an effect may be that instance's."""
    models = sorted({cell["pairing"][seat]["name"] for cell in given.definitions for seat in ("first", "second")})
    scenarios = sorted({cell["scenario"]["name"] for cell in given.definitions})
    if models:
        yield f"these models only: {wording.listed(models)}; other models may differ"
    if len(scenarios) == 1:
        yield f"one scenario, {scenarios[0]}: other tasks may differ"
    alone = _alone(given)
    if alone:
        yield f"one wording each: {wording.listed(alone)}; an effect of the idea cannot be told from one of its words"


def _alone(given: ReportInput) -> list[str]:
    """Return the arms that are compared with the control and whose agents all received one text."""
    compared = {row.treatment for row in rows.primary(given.analysis)}
    return sorted(arm for arm, texts in given.identities.items() if len(texts) == 1 and arm in compared)


def _detector(given: ReportInput) -> Iterator[str]:
    if given.transcripts and not any(table.name == "accuracy" for table in given.described):
        yield (
            "no battle of this study was labelled by people: how often the detector errs here, and whether alike in all arms, "
            "is not known"
        )


def _foreign(given: ReportInput) -> Iterator[str]:
    if not given.transcripts:
        yield "a table from elsewhere: how its battles were drawn and judged cannot be checked here"

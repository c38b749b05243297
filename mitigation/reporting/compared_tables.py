"""Studies beside each other in; the tables of their common report out, as they are printed and as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from mitigation.comparison import Comparison
from mitigation.descriptions import Section
from mitigation.figures import rows, wording
from mitigation.reporting import design, missing, sentences
from mitigation.reporting.inputs import ReportInput
from mitigation.reporting.printed import CONTRAST_HEADS, Printed, contrast_line
from mitigation.reporting.tables import generic

Table = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]

STUDIES_ABOUT: Final = "Each study as it was planned and fought."
DIFFERENCES_ABOUT: Final = (
    "What a study defines otherwise than the first, under the same name. Where the texts of an arm or a task differ, so may the "
    "effect, for that reason."
)
OWN_ABOUT: Final = "The primary outcome of every treatment, by study, with the study’s own adjusted p value and verdict."
AGAINST_ABOUT: Final = (
    "The rate ratio of a study over that of the first study with this treatment: 1 where both found the same. The 95% interval "
    "comes from the two studies’ own intervals (MOVER, Zou and Donner 2008); an end that one of them does not bound is unbounded."
)
TOGETHER_ABOUT: Final = (
    "All battles of the studies in strata that hold both arms, permuted within the strata of each study. The ratio is "
    "one of mean rates, in which a study with more battles, and one with a higher rate under control, counts more; "
    "where the studies differ it describes none of them. p heterogeneity asks whether the ratios differ between studies "
    "(Poisson GEE); a large one does not show that they agree. Studies that were stopped or continued because of what "
    "they showed, or chosen for it, make any of this too favourable."
)
AGAINST_HEADS: Final = ("Treatment", "Study", "Against", "Ratio of ratios, 95% CI", "Note")
TOGETHER_HEADS: Final = (
    *("Treatment", "Studies", "Battles", "Control", "Treatment", "Ratio, 95% CI", "p", "p heterogeneity", "Note"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedInput:
    """Everything that a report over several studies needs.

    Attributes:
        comparison: the studies beside each other.
        inputs: what the report of each is made of, in the same order; transcripts are not looked at.
        provenance: (what, in words) that holds for all.
        citation: how the program is cited, as BibTeX.
    """

    comparison: Comparison
    inputs: tuple[ReportInput, ...]
    provenance: Mapping[str, str]
    citation: str

    @property
    def study(self) -> str:
        """Names of the studies."""
        return " + ".join(self.comparison.analyses)

    @property
    def simulated(self) -> bool:
        """Whether a simulator fought any of the battles."""
        return any(given.simulated for given in self.inputs)


def tables(given: ComparedInput) -> tuple[Printed, ...]:
    """Return every table of the common report."""
    frames = compared_frames(given)
    made = (
        ("studies", Section.DESIGN, "The studies", STUDIES_ABOUT, generic(frames["studies"])),
        ("differences", Section.DESIGN, "What differs between the studies", DIFFERENCES_ABOUT, generic(frames["differences"])),
        ("contrasts", Section.CONTRASTS, "Each study on its own", OWN_ABOUT, _contrasts(given)),
        ("against", Section.CONTRASTS, "Against the first study", AGAINST_ABOUT, (AGAINST_HEADS, _against_lines(given))),
        ("together", Section.CONTRASTS, "The studies together", TOGETHER_ABOUT, (TOGETHER_HEADS, together_lines(given))),
        ("arms", Section.MISSING, "States of the planned battles", missing.ABOUT, _missing(given)),
    )
    return tuple(
        Printed(name=name, section=section, title=title, about=(about,), heads=heads, lines=lines, open=True)
        for name, section, title, about, (heads, lines) in made
        if lines
    )


def compared_frames(given: ComparedInput) -> dict[str, pd.DataFrame]:
    """Return the tables of the common report by file name, without the figure's own."""
    found = given.comparison
    arms = pd.concat([one.analysis.arms.assign(study=one.analysis.study) for one in given.inputs], ignore_index=True)
    return {
        "studies": pd.DataFrame([_study(one) for one in given.inputs], dtype=object),
        "differences": found.differences,
        "contrasts": found.contrasts,
        "against": found.against.assign(simulated=given.simulated),
        "together": found.together.assign(simulated=given.simulated),
        "arms": arms[["study", *(name for name in arms.columns if name != "study")]],
    }


def _contrasts(given: ComparedInput) -> Table:
    every = [(one, row) for one in given.inputs for row in rows.primary(one.analysis)]
    order = {row.treatment: place for place, (_, row) in reversed(list(enumerate(every)))}
    lines = []
    for one, row in sorted(every, key=lambda pair: order[pair[1].treatment]):
        treatment, _, *cells = contrast_line(row, one.analysis.plan.rate)
        lines.append((treatment, one.analysis.study, *cells, sentences.shown_verdict(one, row).title))
    treatment, _, *heads = CONTRAST_HEADS
    return (treatment, "Study", *heads, "p", "p adjusted", "Verdict"), tuple(lines)


def _against_lines(given: ComparedInput) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            *(rows.text(row[name]) for name in ("treatment", "study", "against")),
            _ratio(row, "ratio_of_ratios", "low", "high"),
            rows.text(row["note"]) or wording.NONE,
        )
        for row in rows.records(given.comparison.against)
    )


def together_lines(given: ComparedInput) -> tuple[tuple[str, ...], ...]:
    """Return the cells of the studies together, under `TOGETHER_HEADS`."""
    per = given.inputs[0].analysis.plan.rate
    return tuple(
        (
            rows.text(row["treatment"]),
            wording.whole(rows.count(row["studies"])),
            f"{wording.whole(rows.count(row['n_treatment']))} v {wording.whole(rows.count(row['n_control']))}",
            *(wording.rate(rows.number(row[name]), per) for name in ("rate_control", "rate_treatment")),
            _ratio(row, "rate_ratio", "ratio_low", "ratio_high"),
            *(wording.p_cell(rows.number(row[name])) for name in ("p_value", "p_heterogeneity")),
            rows.text(row["note"]) or wording.NONE,
        )
        for row in rows.records(given.comparison.together)
    )


def _ratio(row: Mapping[str, object], ratio: str, low: str, high: str) -> str:
    """Return a ratio with its interval; one without an interval because of a note stands alone."""
    found, ends = wording.ratio(rows.number(row[ratio])), (rows.number(row[low]), rows.number(row[high]))
    if ends == (None, None) and not row["note"] and found != wording.NOT_ESTIMABLE:
        return f"{found}, no bound"
    return wording.with_interval(found, wording.interval(*ends))


def _missing(given: ComparedInput) -> Table:
    shown = [(one.analysis.study, *missing.shown(one)) for one in given.inputs]
    return ("Study", *shown[0][1]), tuple((study, *line) for study, _, cells in shown for line in cells)


def _study(one: ReportInput) -> dict[str, object]:
    """Return one study as a row."""
    analysis, kept = one.analysis, one.adherence
    return {
        "study": analysis.study,
        "models": ", ".join(design.models(one)),
        "scenarios": ", ".join(design.scenarios(one)),
        "arms": len(analysis.arms),
        "scored_battles": int(analysis.battles["scored"].sum()),
        "pending": int(analysis.arms["pending"].sum()),
        "plan": "not locked" if kept is None else "locked and followed" if kept.followed else "locked, not followed",
        "simulated": one.simulated,
    }

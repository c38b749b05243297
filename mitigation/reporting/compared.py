"""Studies beside each other in; the document, the tables and the figure of their common report out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import pandas as pd

from mitigation.comparison import Comparison
from mitigation.descriptions import Section
from mitigation.figures import rows, wording
from mitigation.reporting import missing, sentences
from mitigation.reporting.document import Card, Document, cards
from mitigation.reporting.drawings import Drawing
from mitigation.reporting.inputs import ReportInput, banners, remarks
from mitigation.reporting.limits import limits
from mitigation.reporting.printed import CONTRAST_HEADS, Part, Printed, contrast_line
from mitigation.reporting.tables import generic

Line = TypeVar("Line", bound=Hashable)

QUESTION: Final = "Do the studies agree on whether an identity keeps two AI agents from becoming a “we”?"
EXPLORATORY: Final = (
    "each study keeps its own plan, test and verdict; what is said across studies is exploratory, not adjusted for their number, "
    "and changes no verdict"
)
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
    "All battles of the studies that hold a treatment, permuted within the strata of each study; the ratio is an average over "
    "these studies, in which one with more battles counts more. p heterogeneity asks whether the ratios differ between studies "
    "(Poisson GEE); a large one does not show that they agree. Studies that were stopped or continued because of what they "
    "showed, or chosen for it, make any of this too favourable."
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


def compared_document(given: ComparedInput, drawn: Sequence[Drawing]) -> Document:
    """Return what the common report says."""
    return Document(
        study=given.study,
        question=QUESTION,
        answer=answer(given),
        simulated=given.simulated,
        banners=tuple((kind, f"{where}{words}") for (kind, words), where in _of_each(given, banners)),
        cards=tuple(_cards(given)),
        notes=(EXPLORATORY, *(f"{where}{line}" for line, where in _of_each(given, remarks))),
        limits=tuple(f"{where}{line}" for line, where in _of_each(given, limits)),
        figures=tuple(drawn),
        parts=_parts(given),
        provenance=tuple(_provenance(given)),
        methods=methods(given),
        apa=tuple(f"Study {one.analysis.study}. {line}" for one in given.inputs for line in sentences.apa_all(one)),
        citation=given.citation,
    )


def answer(given: ComparedInput) -> str:
    """Return for each treatment that the question is about in how many studies it came to which verdict."""
    titles: dict[str, list[str]] = {}
    for card in _cards(given):
        titles.setdefault(card.treatment, []).append(card.verdict.title)
    parts = []
    for treatment, found in titles.items():
        counts = wording.listed([f"“{title}” in {found.count(title)}" for title in dict.fromkeys(found)])
        parts.append(f"{treatment}: {counts} of {wording.counted(len(found), 'study').replace('studys', 'studies')}")
    body = "; ".join(parts) or "There is nothing to compare"
    every = all(one.simulated for one in given.inputs)
    return f"{'In simulated data: ' if every else 'In data that are simulated in part: ' if given.simulated else ''}{body}."


def across(given: ComparedInput) -> Iterator[str]:
    """Yield what the studies show together of each treatment, a sentence each; without tests while one is unfinished."""
    for row in rows.records(given.comparison.together):
        ends = wording.interval(rows.number(row["ratio_low"]), rows.number(row["ratio_high"]))
        told = wording.with_interval(wording.ratio(rows.number(row["rate_ratio"])), ends)
        line = f"{rows.text(row['treatment'])}, {wording.whole(rows.count(row['studies']))} studies together: rate ratio {told}"
        for what, name in (("p", "p_value"), ("heterogeneity p", "p_heterogeneity")):
            value = rows.number(row[name])
            line += "" if value is None else f", {what} {wording.p_value(value)}"
        yield f"{line} (exploratory)"


def methods(given: ComparedInput) -> str:
    """Return the methods paragraph."""
    own = " ".join(f"Study {one.analysis.study}: {sentences.methods(one)}" for one in given.inputs)
    return (
        f"{len(given.inputs)} studies were set side by side, each with its own analysis. Ratios of rate ratios carry intervals "
        "by MOVER (Zou & Donner, 2008) from the studies’ own intervals; equality of the ratios was tested by a Poisson GEE with "
        "an interaction of arm and study and a bias-reduced covariance (Mancl & DeRouen, 2001); the battles of all studies "
        f"together were permuted within the strata of each study. {own}"
    )


def tables(given: ComparedInput) -> tuple[Printed, ...]:
    """Return every table of the common report."""
    frames = compared_frames(given)
    described = (
        ("studies", Section.DESIGN, "The studies", STUDIES_ABOUT),
        ("differences", Section.DESIGN, "What differs between the studies", DIFFERENCES_ABOUT),
        ("against", Section.CONTRASTS, "Against the first study", AGAINST_ABOUT),
        ("together", Section.CONTRASTS, "The studies together", TOGETHER_ABOUT),
    )
    made = (
        Printed(name=name, section=section, title=title, about=(about,), heads=heads, lines=lines, open=True)
        for name, section, title, about in described
        for heads, lines in [generic(frames[name])]
        if lines
    )
    return (_contrasts(given), *made, _missing(given))


def compared_frames(given: ComparedInput) -> dict[str, pd.DataFrame]:
    """Return the tables of the common report by file name, without the figure's own."""
    found = given.comparison
    arms = pd.concat([one.analysis.arms.assign(study=one.analysis.study) for one in given.inputs], ignore_index=True)
    return {
        "studies": pd.DataFrame([_study(one) for one in given.inputs], dtype=object),
        "differences": found.differences,
        "contrasts": found.contrasts.assign(simulated=given.simulated),
        "against": found.against,
        "together": found.together.drop(columns=["p_value", "p_heterogeneity"]) if found.interim else found.together,
        "arms": arms[["study", *(name for name in arms.columns if name != "study")]],
    }


def _parts(given: ComparedInput) -> tuple[Part, ...]:
    made = tables(given)
    about = {Section.DETECTOR: (f"All studies were judged by the same detector: {given.inputs[0].detector}.",)}
    found = (
        Part(section=section, about=about.get(section, ()), tables=tuple(t for t in made if t.section is section))
        for section in Section
    )
    return tuple(part for part in found if part.about or part.tables)


def _contrasts(given: ComparedInput) -> Printed:
    every = [(one, row) for one in given.inputs for row in rows.primary(one.analysis)]
    order = {row.treatment: place for place, (_, row) in reversed(list(enumerate(every)))}
    lines = []
    for one, row in sorted(every, key=lambda pair: order[pair[1].treatment]):
        treatment, _, *cells = contrast_line(row, one.analysis.plan.rate)
        lines.append((treatment, one.analysis.study, *cells, sentences.shown_verdict(one, row).title))
    treatment, _, *heads = CONTRAST_HEADS
    return Printed(
        name="contrasts",
        section=Section.CONTRASTS,
        title="Each study on its own",
        about=(OWN_ABOUT,),
        heads=(treatment, "Study", *heads, "p", "p adjusted", "Verdict"),
        lines=tuple(lines),
    )


def _missing(given: ComparedInput) -> Printed:
    shown = [(one.analysis.study, *missing.shown(one)) for one in given.inputs]
    lines = tuple((study, *line) for study, _, cells in shown for line in cells)
    return Printed(
        name="arms",
        section=Section.MISSING,
        title="States of the planned battles",
        about=(missing.ABOUT,),
        heads=("Study", *shown[0][1]),
        lines=lines,
    )


def _study(one: ReportInput) -> dict[str, object]:
    """Return one study as a row."""
    analysis, kept = one.analysis, one.adherence
    models = sorted({cell["pairing"][seat]["name"] for cell in one.definitions for seat in ("first", "second")})
    scenarios = sorted({cell["scenario"]["name"] for cell in one.definitions})
    return {
        "study": analysis.study,
        "models": ", ".join(models),
        "scenarios": ", ".join(scenarios),
        "arms": len(analysis.arms),
        "scored_battles": int(analysis.battles["scored"].sum()),
        "pending": int(analysis.arms["pending"].sum()),
        "plan": "not locked" if kept is None else "locked and followed" if kept.followed else "locked, not followed",
        "simulated": one.simulated,
    }


def _cards(given: ComparedInput) -> Iterator[Card]:
    """Yield the verdicts that the question is about; those of the controls of the design are in the table."""
    for one in given.inputs:
        for card in cards(one):
            if card.asked:
                yield replace(card, control=f"{card.control}, study {one.analysis.study}")


def _of_each(given: ComparedInput, source: Callable[[ReportInput], Iterable[Line]]) -> Iterator[tuple[Line, str]]:
    """Yield what is said of the studies, each once, with the names of those it holds for; none where it holds for all."""
    told: dict[Line, list[str]] = {}
    for one in given.inputs:
        for line in source(one):
            told.setdefault(line, []).append(one.analysis.study)
    for line, studies in told.items():
        yield line, "" if len(studies) == len(given.inputs) else f"{wording.listed(studies)}: "


def _provenance(given: ComparedInput) -> Iterator[tuple[str, str]]:
    names = ",".join(one.analysis.study for one in given.inputs)
    yield "report again", f"mitigation report 'study=[{names}]'"
    for one in given.inputs:
        for what in ("models returned", "battles fought", "root seed", "system prompts"):
            if what in one.provenance:
                yield f"{one.analysis.study}: {what}", one.provenance[what]
        if one.cost:
            yield f"{one.analysis.study}: cost", one.cost
    yield from given.provenance.items()

"""Studies beside each other in; what their common report says out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from mitigation.descriptions import Section
from mitigation.figures import wording
from mitigation.reporting import sentences
from mitigation.reporting.compared_tables import ComparedInput, tables, together_lines
from mitigation.reporting.document import Card, Document, cards
from mitigation.reporting.drawings import Drawing
from mitigation.reporting.inputs import ReportInput, banners, remarks
from mitigation.reporting.limits import limits
from mitigation.reporting.methods import methods as own_methods
from mitigation.reporting.printed import in_order

Line = TypeVar("Line", bound=Hashable)

QUESTION: Final = "Do the studies agree on whether an identity keeps two AI agents from becoming a “we”?"
EXPLORATORY: Final = (
    "each study keeps its own plan, test and verdict; what is said across studies is exploratory, not adjusted for their number, "
    "and changes no verdict"
)


def compared_document(given: ComparedInput, drawn: Sequence[Drawing]) -> Document:
    """Return what the common report says."""
    return Document(
        study=given.study,
        question=QUESTION,
        answer=answer(given),
        simulated=given.simulated,
        banners=tuple((kind, f"{where}{words}") for (kind, words), where in _of_each(given, banners)),
        cards=tuple(_cards(given)),
        notes=(EXPLORATORY, *_shared(given), *(f"{where}{line}" for line, where in _of_each(given, remarks))),
        limits=tuple(f"{where}{line}" for line, where in _of_each(given, limits)),
        figures=tuple(drawn),
        parts=in_order(
            tables(given),
            about={
                Section.CONTRASTS: across(given),
                Section.DETECTOR: (f"All studies were judged by the same detector: {given.inputs[0].detector}.",),
            },
        ),
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


def across(given: ComparedInput) -> tuple[str, ...]:
    """Return what the studies show together of each treatment, a sentence each."""
    return tuple(
        f"{treatment}, {studies} studies together: rate ratio {ratio}"
        + ("" if p == wording.NONE else f", p {p if p[0] in '<>' else '= ' + p}, heterogeneity p {differs}")
        + " (exploratory)"
        + ("" if note == wording.NONE else f"; {note}")
        for treatment, studies, _, _, _, ratio, p, differs, note in together_lines(given)
    )


def methods(given: ComparedInput) -> str:
    """Return the methods paragraph."""
    parts = [f"{len(given.inputs)} studies were set side by side, each with its own analysis."]
    found = given.comparison
    if found.against[["low", "high"]].notna().any(axis=None) or found.together["p_value"].notna().any():
        parts.append("Comparisons across studies are exploratory and were not adjusted for multiplicity.")
    if found.against[["low", "high"]].notna().any(axis=None):
        parts.append("Ratios of rate ratios carry intervals by MOVER (Zou & Donner, 2008) from the studies’ own intervals.")
    if found.together["p_heterogeneity"].notna().any():
        parts.append(
            "Equality of the ratios was tested by a Poisson GEE with an interaction of arm and study and a bias-reduced "
            "covariance (Mancl & DeRouen, 2001)."
        )
    if found.together["p_value"].notna().any():
        parts.append("The battles of all studies together were permuted within the strata of each study.")
    return " ".join([*parts, *(f"Study {one.analysis.study}: {own_methods(one)}" for one in given.inputs)])


def _cards(given: ComparedInput) -> Iterator[Card]:
    """Yield the verdicts that the question is about; those of the controls of the design are in the table."""
    told = [(one, card) for one in given.inputs for card in cards(one)]
    treated = {card.treatment for _, card in told if card.role == "treatment"}
    for one, card in told:
        compared = {row.treatment for row in sentences.compared(one)}
        if card.treatment in (treated or compared) and card.treatment in compared:
            yield replace(card, study=one.analysis.study, asked=True)


def _shared(given: ComparedInput) -> Iterator[str]:
    if (how := given.comparison.shared) is not None:
        yield f"these are not studies of their own: {how}"


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
    options = given.inputs[0].provenance.get("report again", "").split()[3:]
    yield "report again", " ".join([f"mitigation report 'study=[{names}]'", *options])
    for one in given.inputs:
        for what in ("models returned", "battles fought", "root seed", "system prompts"):
            if what in one.provenance:
                yield f"{one.analysis.study}: {what}", one.provenance[what]
        if one.cost:
            yield f"{one.analysis.study}: cost", one.cost
    yield from given.provenance.items()

"""What a report says, in its order and in words, as one value: page, Markdown and PDF only set it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mitigation.descriptions import Section
from mitigation.figures import rows, wording
from mitigation.figures.rows import ContrastRow
from mitigation.reporting import methods, sentences
from mitigation.reporting.drawings import Drawing
from mitigation.reporting.inputs import ReportInput, banners, remarks
from mitigation.reporting.limits import limits
from mitigation.reporting.printed import Part, parts
from mitigation.reporting.transcripts import viewer
from mitigation.reporting.views import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One verdict.

    Attributes:
        treatment, control: what is compared.
        study: where, for a report over several studies.
        role: of the treatment in the design.
        verdict: how it is shown.
        effect, evidence: in a sentence each.
        facts: (what, number), the most important one first.
        remark: what the verdict means, where no reason says it.
        reasons: of the verdict.
        asked: whether the question of the report is about this treatment; the others are controls of the design.
    """

    treatment: str
    control: str
    role: str
    verdict: wording.Verdict
    effect: str
    evidence: str
    facts: tuple[tuple[str, str], ...]
    remark: str
    reasons: tuple[str, ...]
    asked: bool
    study: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report.

    Attributes:
        study: name of the study, or of the studies.
        question, answer: its headings.
        simulated: whether a simulator fought the battles.
        banners: (kind, words) of each warning that nobody may miss.
        cards: the verdicts, those that are asked for first.
        notes, limits: what stands beside them.
        figures: the drawings.
        parts: sections with facts and tables; that of the design stands before the figures.
        provenance: (what, in words).
        methods, apa, citation: to be copied into a paper.
        identities: by arm, the texts that its agents received.
        viewer: the transcripts, None where a page shows none.
        control: arm that a treatment is set beside in the transcripts.
    """

    study: str
    question: str
    answer: str
    simulated: bool
    banners: tuple[tuple[str, str], ...]
    cards: tuple[Card, ...]
    notes: tuple[str, ...]
    limits: tuple[str, ...]
    figures: tuple[Drawing, ...]
    parts: tuple[Part, ...]
    provenance: tuple[tuple[str, str], ...]
    methods: str
    apa: tuple[str, ...]
    citation: str
    identities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    viewer: Viewer | None = None
    control: str = ""

    @property
    def title(self) -> str:
        """Title of the document."""
        return f"{'SIMULATED: ' if self.simulated else ''}{self.study}: {self.question}"

    @property
    def before(self) -> tuple[Part, ...]:
        """The parts that stand before the figures."""
        return tuple(part for part in self.parts if part.section is Section.DESIGN)

    @property
    def after(self) -> tuple[Part, ...]:
        """The parts that stand behind the figures."""
        return tuple(part for part in self.parts if part.section is not Section.DESIGN)


def document(given: ReportInput, drawn: Sequence[Drawing]) -> Document:
    """Return what the report of one study says."""
    shown = viewer(given)
    return Document(
        study=given.analysis.study,
        question=given.question,
        answer=sentences.answer(given),
        simulated=given.simulated,
        banners=banners(given),
        cards=cards(given),
        notes=remarks(given),
        limits=limits(given),
        figures=tuple(drawn),
        parts=parts(given),
        provenance=tuple(given.provenance.items()),
        methods=methods.methods(given),
        apa=sentences.apa_all(given),
        citation=given.citation,
        identities=given.identities,
        viewer=shown if shown.total else None,
        control=given.analysis.plan.control,
    )


def cards(given: ReportInput) -> tuple[Card, ...]:
    """Return one card per treatment: first the arms that the question is about, then the controls of the design."""
    roles = {arm.arm: arm.role for arm in rows.arms(given.analysis)}
    found = rows.primary(given.analysis)
    asked = {row.treatment for row in found if roles.get(row.treatment) == "treatment"} or {row.treatment for row in found}
    made = (_card(given, row, roles.get(row.treatment, ""), asked=row.treatment in asked) for row in found)
    return tuple(sorted(made, key=lambda card: not card.asked))


def _card(given: ReportInput, row: ContrastRow, role: str, *, asked: bool) -> Card:
    verdict, reasons = sentences.shown_verdict(given, row), () if given.interim else row.reasons
    return Card(
        treatment=row.treatment,
        control=row.control,
        role=role.replace("_", " "),
        verdict=verdict,
        effect=sentences.effect(given, row),
        evidence=sentences.evidence(given, row),
        facts=_facts(given, row),
        remark="" if reasons else verdict.meaning,
        reasons=reasons,
        asked=asked,
    )


def _facts(given: ReportInput, row: ContrastRow) -> tuple[tuple[str, str], ...]:
    none = row.rate_ratio is not None and row.ratio_low is None and row.ratio_high is None
    interval = wording.NONE if none else wording.interval(row.ratio_low, row.ratio_high)
    found = [("Rate ratio", wording.ratio(row.rate_ratio)), ("95% CI", interval)]
    if not given.interim:
        head = wording.adjusted_head(given.analysis.correction, given.analysis.plan.looks)
        found += [("p", wording.p_cell(row.p_value)), (head, wording.p_cell(row.p_adjusted))]
    found += [
        ("Battles", f"{wording.whole(row.n_treatment)} v {wording.whole(row.n_control)}"),
        ("Strata", wording.whole(sentences.strata_of(given, row) or None)),
        ("Missing", sentences.missing_count(given, row)),
    ]
    return tuple(found)

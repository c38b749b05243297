"""An input and its drawings in, one offline HTML page out: all text escaped, no style or script allowed but its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from mitigation.descriptions import Section
from mitigation.figures import rows, wording
from mitigation.figures.rows import ContrastRow
from mitigation.reporting import sentences
from mitigation.reporting.drawings import Drawing
from mitigation.reporting.inputs import ReportInput, banners, remarks
from mitigation.reporting.limits import limits
from mitigation.reporting.printed import parts
from mitigation.reporting.transcripts import MENTION_LABELS, viewer
from mitigation.reporting.visible import flat, pieces

MENTION_MEANINGS: Final = (
    ("in-group", "includes both agents: this counts"),
    ("opponents", "both, purely as adversaries"),
    ("own side", "without the other agent"),
    ("generic", "people at large"),
    ("quoted", "words of somebody else"),
    ("other", "none of these"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One treatment's verdict as the page shows it."""

    row: ContrastRow
    role: str
    verdict: wording.Verdict
    conclusion: str
    effect: str
    evidence: str
    missing: str
    asked: bool


def html(given: ReportInput, drawn: Sequence[Drawing]) -> str:
    """Return the page."""
    style, script = _asset("style.css"), _asset("viewer.js")
    analysis = given.analysis
    outline = {part.section: part for part in parts(given)}
    apa = "\n".join(sentences.apa_all(given))
    return _template().render(
        given=given,
        study=analysis.study,
        title=f"{'SIMULATED: ' if given.simulated else ''}{analysis.study}: {given.question}",
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (our own file)
        banners=banners(given),
        answer=sentences.answer(given),
        cards=cards(given),
        strata=sentences.strata_of(given) or None,
        notes=remarks(given),
        drawings=drawn,
        limits=limits(given),
        design=outline.get(Section.DESIGN),
        parts=[part for section, part in outline.items() if section is not Section.DESIGN],
        labels=MENTION_LABELS,
        meanings=MENTION_MEANINGS,
        viewer=viewer(given),
        methods=sentences.methods(given),
        apa=apa,
        w=wording,
    )


def cards(given: ReportInput) -> tuple[Card, ...]:
    """Return one card per treatment: first the arms that the question is about, then the controls of the design."""
    roles = {arm.arm: arm.role for arm in rows.arms(given.analysis)}
    found = rows.primary(given.analysis)
    asked = {row.treatment for row in found if roles.get(row.treatment) == "treatment"} or {row.treatment for row in found}
    made = [
        Card(
            row=row,
            role=roles.get(row.treatment, "").replace("_", " "),
            verdict=sentences.shown_verdict(given, row),
            conclusion=sentences.conclusion(given, row),
            effect=sentences.effect(given, row),
            evidence=sentences.evidence(given, row),
            missing=sentences.missing_count(given, row),
            asked=row.treatment in asked,
        )
        for row in found
    ]
    return tuple(sorted(made, key=lambda card: not card.asked))


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    allowed = f"style-src '{source_hash(style)}'; script-src '{source_hash(script)}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def source_hash(content: str) -> str:
    """Return what a content security policy allows a style or a script of the page by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_finalize
    )
    environment.filters["pieces"] = pieces
    return environment.from_string(_asset("template.html.j2"))


def _finalize(value: object) -> object:
    """Show hidden characters of every text that reaches the page."""
    return flat(value) if isinstance(value, str) and not isinstance(value, Markup) else value

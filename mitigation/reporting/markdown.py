"""A document in, the report as Markdown out: the same numbers as the page, without the transcripts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mitigation.reporting.document import Card, Document
from mitigation.reporting.drawings import Drawing
from mitigation.reporting.printed import Part
from mitigation.reporting.tables import escape, markdown
from mitigation.reporting.visible import flat


def report_markdown(told: Document) -> str:
    """Return the report."""
    return "\n\n".join(_paragraphs(told)) + "\n"


def _paragraphs(told: Document) -> Iterator[str]:
    yield f"# {'SIMULATED: ' if told.simulated else ''}{escape(told.question)}"
    yield from (f"> **{escape(words)}**" for _, words in told.banners)
    yield f"Study: {escape(told.study)}"
    yield f"## {escape(told.answer)}"
    yield from map(_card, told.cards)
    for title, lines in (("Notes", told.notes), ("What this cannot show", told.limits)):
        if lines:
            yield f"### {title}"
            yield _listed(lines)
    for part in told.before:
        yield from _part(part)
    yield "## Figures"
    yield from map(_figure, told.figures)
    for part in told.after:
        yield from _part(part)
    yield "## Reproduce"
    yield _listed([f"{what}: {words}" for what, words in told.provenance]) or "Not recorded."
    yield "## Methods, in words for a paper"
    yield escape(told.methods)
    yield "### Results, APA style"
    yield _listed(told.apa)
    if told.citation:
        yield "### Citation"
        yield _fenced(told.citation)
    if told.identities:
        yield "## Identities used"
        yield from _identities(told.identities)
    if told.viewer is not None:
        yield "## Transcripts"
        yield "Transcripts with every mention marked: report.html. All mentions as a table: tables/mentions.csv."


def _card(card: Card) -> str:
    role = f" ({escape(card.role)})" if card.role else ""
    where = f", study {escape(card.study)}" if card.study else ""
    title = f"**{escape(card.verdict.title)}: {escape(card.treatment)}**{where}{role}."
    reasons = f"\n\n{_listed(card.reasons)}" if card.reasons else ""
    return f"{title} {escape(card.effect)} {escape(card.evidence)}{reasons}"


def _figure(drawing: Drawing) -> str:
    alt = escape(f"{drawing.title}. {' '.join(drawing.alt)}")
    return f"![{alt}](figures/{drawing.name}.png)\n\n{escape(drawing.caption)}"


def _part(part: Part) -> Iterator[str]:
    yield f"## {escape(part.section)}"
    yield from (escape(words) for words in part.about)
    if part.facts:
        yield _listed([f"{what}: {words}" for what, words in part.facts])
    for table in part.tables:
        yield f"### {escape(table.title)}"
        yield from (escape(words) for words in table.about)
        yield markdown(table.heads, table.lines)


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {escape(line)}" for line in lines)


def _identities(identities: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for arm, texts in identities.items():
        yield f"### {escape(arm)}"
        yield from [_fenced(text) for text in texts] or ["No text is added."]


def _fenced(text: str) -> str:
    shown = flat(text)
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return f"{ticks}text\n{shown}\n{ticks}"

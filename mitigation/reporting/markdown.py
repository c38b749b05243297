"""An input and its drawings in, the report as Markdown out: the same numbers as the page, without the transcripts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mitigation.reporting import sentences
from mitigation.reporting.drawings import Drawing
from mitigation.reporting.html import cards
from mitigation.reporting.inputs import ReportInput, banners, remarks
from mitigation.reporting.limits import limits
from mitigation.reporting.printed import Part
from mitigation.reporting.printed import parts as outline
from mitigation.reporting.tables import escape, markdown
from mitigation.reporting.visible import flat


def report_markdown(given: ReportInput, drawn: Sequence[Drawing]) -> str:
    """Return the report."""
    parts = [f"# {'SIMULATED: ' if given.simulated else ''}{escape(given.question)}"]
    parts += [f"> **{escape(words)}**" for _, words in banners(given)]
    parts += [f"Study: {escape(given.analysis.study)}", f"## {escape(sentences.answer(given))}", *_verdicts(given)]
    for title, lines in (("Notes", remarks(given)), ("What this cannot show", limits(given))):
        parts += [f"### {title}", _listed(lines)] if lines else []
    first, *others = outline(given)
    parts += [*_part(first), "## Figures", *(_figure(drawing) for drawing in drawn)]
    parts += [line for part in others for line in _part(part)]
    provenance = [f"{key}: {value}" for key, value in given.provenance.items()]
    parts += ["## Reproduce", _listed(provenance) or "Not recorded."]
    parts += ["## Methods, in words for a paper", escape(sentences.methods(given)), "### Results, APA style"]
    parts += [_listed(sentences.apa_all(given))]
    parts += ["### Citation", _fenced(given.citation)] if given.citation else []
    parts += ["## Identities used", *_identities(given)] if given.identities else []
    if given.transcripts:
        parts += [
            "## Transcripts",
            "Transcripts with every mention marked: report.html. All mentions as a table: tables/mentions.csv.",
        ]
    return "\n\n".join(parts) + "\n"


def _verdicts(given: ReportInput) -> list[str]:
    found = []
    for card in cards(given):
        role = f" ({escape(card.role)})" if card.role else ""
        title = f"**{escape(card.verdict.title)}: {escape(card.row.treatment)}**{role}."
        reasons = "".join(f"\n- {escape(reason)}" for reason in card.row.reasons if not given.interim)
        found.append(f"{title} {escape(card.effect)} {escape(card.evidence)}" + (f"\n{reasons}" if reasons else ""))
    return found


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


def _identities(given: ReportInput) -> list[str]:
    found = []
    for arm, texts in given.identities.items():
        found.append(f"### {escape(arm)}")
        found += [_fenced(text) for text in texts] or ["No text is added."]
    return found


def _fenced(text: str) -> str:
    shown = flat(text)
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return f"{ticks}text\n{shown}\n{ticks}"

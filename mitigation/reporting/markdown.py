"""An input and its drawings in, the report as Markdown out: the same numbers as the page, without the transcripts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mitigation.figures import rows, wording
from mitigation.reporting import manipulation, mechanism, moves, sentences, wordings
from mitigation.reporting.drawings import Drawing
from mitigation.reporting.html import cards, described
from mitigation.reporting.inputs import ReportInput, banners, remarks
from mitigation.reporting.tables import escape, generic, markdown
from mitigation.reporting.visible import flat

_STATES = ("planned", "complete", "refused", "failed", "pending", "excluded", "no_exposure", "scored")


def report_markdown(given: ReportInput, drawn: Sequence[Drawing]) -> str:
    """Return the report."""
    parts = [f"# {'SIMULATED: ' if given.simulated else ''}{escape(given.question)}"]
    parts += [f"> **{escape(words)}**" for _, words in banners(given)]
    parts += [f"Study: {escape(given.analysis.study)}", f"## {escape(sentences.answer(given))}", *_verdicts(given)]
    parts += ["\n".join(f"- {escape(note)}" for note in notes)] if (notes := remarks(given)) else []
    parts += ["## Figures", *(_figure(drawing) for drawing in drawn)]
    parts += [
        "## Contrasts",
        sentences.DIFFERENCES,
        _contrasts(given),
        *_against(given),
        *_moves(given),
        *_wordings(given),
        *_checked(given),
        *_described(given),
        "## Missing battles, by arm",
        _missing(given),
    ]
    heads, cells = generic(given.analysis.missingness)
    parts += [markdown(heads, cells)] if cells else []
    if given.form is not None:
        parts += [
            "Messages of complete battles that a rule on form marks, by arm; none is left out for it.",
            markdown(*generic(given.form)),
        ]
    parts += ["## How it was measured", *(escape(line) for line in sentences.measured(given))]
    parts += ["## Identities used", *_identities(given)] if given.identities else []
    if given.transcripts:
        parts += [
            "## Transcripts",
            "Transcripts with every mention marked: report.html. All mentions as a table: tables/mentions.csv.",
        ]
    parts += ["## Methods, in words for a paper", escape(sentences.methods(given)), "### Results, APA style"]
    parts += ["\n".join(f"- {escape(line)}" for line in sentences.apa_all(given))]
    lines = [f"- {escape(key)}: {escape(value)}" for key, value in given.provenance.items()]
    parts += ["## Reproduce", "\n".join(lines) or "Not recorded."]
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


def _contrasts(given: ReportInput) -> str:
    per = given.analysis.plan.rate
    heads = ["Treatment", "Outcome", "Battles", "Control", "Treatment", "Ratio, 95% CI", "Battles with any: difference, 95% CI"]
    lines = []
    for row in rows.shown(given.analysis):
        known = row.rate_ratio is not None or not row.outcome.endswith("_any")
        share = wording.unit(row.outcome, per)
        ratio = wording.with_interval(wording.ratio(row.rate_ratio), wording.interval(row.ratio_low, row.ratio_high))
        ends = wording.points_interval(row.rd_low, row.rd_high)
        difference = wording.with_interval(wording.points(row.risk_difference), ends)
        sizes = f"{wording.whole(row.n_treatment)} v {wording.whole(row.n_control)}"
        line = [
            row.treatment, wording.outcome(row.outcome, per), sizes,
            wording.rate(row.rate_control, share), wording.rate(row.rate_treatment, share),
            ratio if known else wording.NONE, difference,
        ]  # fmt: skip
        if not given.interim:
            line += [wording.p_cell(row.p_value), wording.p_cell(row.p_adjusted)]
        lines.append(line)
    return markdown(
        heads if given.interim else [*heads, "p", wording.adjusted_head(given.analysis.correction, given.analysis.plan.looks)],
        lines,
    )


def _against(given: ReportInput) -> list[str]:
    table = mechanism.shown(given)
    return [] if table is None else ["## The treatment against the other arms", escape(mechanism.ABOUT), markdown(*table)]


def _moves(given: ReportInput) -> list[str]:
    table = moves.shown(given)
    if table is None:
        return []
    return ["## Moves", escape(moves.ABOUT), *(escape(note) for note in moves.notes(given)), markdown(*table)]


def _wordings(given: ReportInput) -> list[str]:
    table = wordings.shown(given)
    return [] if table is None else ["## Wordings", escape(wordings.ABOUT), markdown(*table)]


def _checked(given: ReportInput) -> list[str]:
    table = manipulation.shown(given)
    return [] if table is None else ["## Manipulation check", escape(manipulation.ABOUT), markdown(*table)]


def _described(given: ReportInput) -> list[str]:
    parts = []
    for section, grids in described(given):
        parts.append(f"## {escape(section)}")
        for _, heading, about, heads, cells in grids:
            parts += [f"### {escape(heading)}", escape(about), markdown(heads, cells)]
    return parts


def _missing(given: ReportInput) -> str:
    heads = ["Arm", *(state.replace("_", " ") for state in _STATES)]
    lines = [[arm.arm, *(wording.whole(getattr(arm, state)) for state in _STATES)] for arm in rows.arms(given.analysis)]
    return markdown(heads, lines)


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

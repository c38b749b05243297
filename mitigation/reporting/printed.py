"""An input in, its tables as they are printed out: heading, words and cells; Markdown, LaTeX and PDF show the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mitigation.figures import rows, wording
from mitigation.reporting import manipulation, mechanism, moves, sentences, wordings
from mitigation.reporting.html import described
from mitigation.reporting.inputs import ReportInput
from mitigation.reporting.tables import generic

_STATES = ("planned", "complete", "refused", "failed", "pending", "excluded", "no_exposure", "scored")


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """One table.

    Attributes:
        name: name of its files.
        section: heading that it stands under.
        title: its own heading, empty where the section has no other table.
        about: what it shows, a paragraph each.
        heads, lines: its cells.
    """

    name: str
    section: str
    title: str = ""
    about: tuple[str, ...] = ()
    heads: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


def printed(given: ReportInput) -> Iterator[Printed]:
    """Yield every table of the report in its order."""
    yield _contrasts(given)
    shown = (
        ("treatment_against", "The treatment against the other arms", (mechanism.ABOUT,), mechanism.shown(given)),
        ("moves_arms", "Moves", (moves.ABOUT, *moves.notes(given)), moves.shown(given)),
        ("wordings_arms", "Wordings", (wordings.ABOUT,), wordings.shown(given)),
        ("manipulation_arms", "Manipulation check", (manipulation.ABOUT,), manipulation.shown(given)),
    )
    for name, section, about, table in shown:
        if table is not None:
            yield Printed(name=name, section=section, about=about, heads=tuple(table[0]), lines=_texts(table[1]))
    for section, grids in described(given):
        for name, title, words, heads, lines in grids:
            yield Printed(name=name, section=section, title=title, about=(words,), heads=heads, lines=lines)
    yield from _missing(given)


def _contrasts(given: ReportInput) -> Printed:
    per = given.analysis.plan.rate
    heads = ["Treatment", "Outcome", "Battles", "Control", "Treatment", "Ratio, 95% CI", "Battles with any: difference, 95% CI"]
    if not given.interim:
        heads += ["p", wording.adjusted_head(given.analysis.correction, given.analysis.plan.looks)]
    lines = []
    for row in rows.shown(given.analysis):
        known = row.rate_ratio is not None or not row.outcome.endswith("_any")
        share = wording.unit(row.outcome, per)
        ratio = wording.with_interval(wording.ratio(row.rate_ratio), wording.interval(row.ratio_low, row.ratio_high))
        ends = wording.points_interval(row.rd_low, row.rd_high)
        line = [
            row.treatment, wording.outcome(row.outcome, per),
            f"{wording.whole(row.n_treatment)} v {wording.whole(row.n_control)}",
            wording.rate(row.rate_control, share), wording.rate(row.rate_treatment, share),
            ratio if known else wording.NONE, wording.with_interval(wording.points(row.risk_difference), ends),
        ]  # fmt: skip
        if not given.interim:
            line += [wording.p_cell(row.p_value), wording.p_cell(row.p_adjusted)]
        lines.append(line)
    about = (sentences.DIFFERENCES,)
    return Printed(name="contrasts", section="Contrasts", about=about, heads=tuple(heads), lines=_texts(lines))


def _missing(given: ReportInput) -> Iterator[Printed]:
    section = "Missing battles, by arm"
    heads = ("Arm", *(state.replace("_", " ") for state in _STATES))
    lines = [(arm.arm, *(wording.whole(getattr(arm, state)) for state in _STATES)) for arm in rows.arms(given.analysis)]
    yield Printed(name="arms", section=section, heads=heads, lines=tuple(lines))
    heads, cells = generic(given.analysis.missingness)
    if cells:
        yield Printed(name="missingness", section=section, heads=heads, lines=cells)
    if given.form is not None:
        about = ("Messages of complete battles that a rule on form marks, by arm; none is left out for it.",)
        heads, cells = generic(given.form)
        yield Printed(name="flags", section=section, about=about, heads=heads, lines=cells)


def _texts(lines: object) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(str(cell) for cell in line) for line in lines)  # type: ignore[attr-defined]

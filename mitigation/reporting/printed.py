"""An input in; its sections with their tables as they are printed out: page, Markdown, PDF and LaTeX show the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from mitigation.descriptions import Section
from mitigation.figures import rows, wording
from mitigation.figures.rows import ContrastRow
from mitigation.reporting import cost, design, manipulation, mechanism, missing, moves, sentences, wordings
from mitigation.reporting.inputs import ReportInput
from mitigation.reporting.tables import generic
from mitigation.types import Rate

CONTRAST_HEADS: Final = (
    *("Treatment", "Outcome", "Battles", "Control", "Treatment", "Ratio, 95% CI"),
    "Battles with any: difference, 95% CI",
)
_INTERIM: Final = "p values and verdicts are left out while battles are pending."


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """One table.

    Attributes:
        name: name of its files.
        section: heading that it stands under.
        title: its own heading.
        about: what it shows, a paragraph each.
        heads, lines: its cells.
        more: names of further tables with the single cases behind it.
        open: whether a page shows it unfolded though it is not the first of its section.
    """

    name: str
    section: Section
    title: str
    about: tuple[str, ...] = ()
    heads: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    more: tuple[str, ...] = ()
    open: bool = False

    @property
    def worded(self) -> frozenset[int]:
        """Columns that hold words, which a page sets flush left; the first one always does."""
        columns = list(zip(*self.lines, strict=True)) if self.lines else []
        return frozenset({0, *(place for place, cells in enumerate(columns) if any(map(_is_words, cells)))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One section: paragraphs, facts (what, in words), and tables."""

    section: Section
    about: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Printed, ...] = ()

    @property
    def anchor(self) -> str:
        """The fragment that links to it."""
        return self.section.name.lower().replace("_", "-")


def parts(given: ReportInput) -> tuple[Part, ...]:
    """Return every section that has something to say, in the order of the report."""
    facts = {Section.DESIGN: design.facts(given)}
    if given.cost:
        facts[Section.COST] = (("The whole study", f"{given.cost}, with calls that failed, tests of the models and judges"),)
    return in_order(printed(given), about={Section.DETECTOR: sentences.measured(given)}, facts=facts)


def in_order(
    tables: Iterable[Printed],
    *,
    about: Mapping[Section, tuple[str, ...]],
    facts: Mapping[Section, tuple[tuple[str, str], ...]] = MappingProxyType({}),
) -> tuple[Part, ...]:
    """Return the sections that hold anything, in the order of the report."""
    every = tuple(tables)
    found = (
        Part(
            section=section,
            about=about.get(section, ()),
            facts=facts.get(section, ()),
            tables=tuple(table for table in every if table.section is section),
        )
        for section in Section
    )
    return tuple(part for part in found if part.about or part.facts or part.tables)


def printed(given: ReportInput) -> Iterator[Printed]:
    """Yield every table of the report."""
    yield _of("design", Section.DESIGN, "Arms", (), generic(design.frame(given)))
    yield _contrasts(given)
    yield from _missing(given)
    special = (
        ("treatment_against", Section.MECHANISM, "The treatment against the other arms", (mechanism.ABOUT,), mechanism, ()),
        (
            *("manipulation_arms", Section.MECHANISM, "Manipulation check", (manipulation.ABOUT,), manipulation),
            ("manipulation_answers",),
        ),
        (
            *("moves_arms", Section.BEHAVIOUR, "Moves", (moves.ABOUT, *moves.notes(given)), moves),
            ("moves", "moves_battles"),
        ),
        ("wordings_arms", Section.SENSITIVITY, "Wordings", (wordings.ABOUT,), wordings, ("wordings",)),
    )
    for name, section, title, about, source, more in special:
        if (table := source.shown(given)) is not None:
            yield _of(name, section, title, about, table, more)
    for told in given.described:
        names = set(told.frame["arm"]) if told.spread is not None else ()
        yield _of(told.name, told.section, told.title, (told.about,), generic(told.page, names=names))
    if given.transcripts:
        yield _of("cost", Section.COST, "By arm", (cost.ABOUT,), generic(cost.frame(given)))


def _contrasts(given: ReportInput) -> Printed:
    adjusted = wording.adjusted_head(given.analysis.correction, given.analysis.plan.looks)
    kept = len(CONTRAST_HEADS) if given.interim else len(CONTRAST_HEADS) + 2
    heads = (*CONTRAST_HEADS, "p", adjusted)[:kept]
    lines = tuple(contrast_line(row, given.analysis.plan.rate)[:kept] for row in rows.shown(given.analysis))
    about = (sentences.DIFFERENCES, *([_INTERIM] if given.interim else []))
    return _of("contrasts", Section.CONTRASTS, "Treatments against control", about, (heads, lines))


def contrast_line(row: ContrastRow, per: Rate) -> tuple[str, ...]:
    """Return the cells of a contrast under `CONTRAST_HEADS`, and those of its p value and its adjusted one."""
    known = row.rate_ratio is not None or not row.outcome.endswith("_any")
    share = wording.unit(row.outcome, per)
    ratio = wording.with_interval(wording.ratio(row.rate_ratio), wording.interval(row.ratio_low, row.ratio_high))
    ends = wording.points_interval(row.rd_low, row.rd_high)
    return (
        row.treatment, wording.outcome(row.outcome, per),
        f"{wording.whole(row.n_treatment)} v {wording.whole(row.n_control)}",
        wording.rate(row.rate_control, share), wording.rate(row.rate_treatment, share),
        ratio if known else wording.NONE, wording.with_interval(wording.points(row.risk_difference), ends),
        wording.p_cell(row.p_value), wording.p_cell(row.p_adjusted),
    )  # fmt: skip


def _missing(given: ReportInput) -> Iterator[Printed]:
    table = partial(_of, section=Section.MISSING)
    yield table("arms", title="States of the planned battles", about=(missing.ABOUT,), table=missing.shown(given))
    bounds = generic(given.analysis.missingness)
    if bounds[1]:
        yield table("missingness", title="Bounds and tests of missingness", about=(missing.BOUNDS_ABOUT,), table=bounds)
    if given.form is not None:
        form = generic(given.form)
        yield table("flags", title="Messages marked by rules on form", about=(missing.FORM_ABOUT,), table=form)


def _of(
    name: str,
    section: Section,
    title: str,
    about: tuple[str, ...],
    table: tuple[tuple[str, ...], tuple[tuple[str, ...], ...]],
    more: tuple[str, ...] = (),
) -> Printed:
    heads, lines = table
    return Printed(name=name, section=section, title=title, about=about, heads=heads, lines=lines, more=more)


def _is_words(cell: str) -> bool:
    return cell[:1].isalpha() and cell not in (wording.NOT_ESTIMABLE, "no bound") and not cell.startswith(("at most", "at least"))

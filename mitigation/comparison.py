"""Analysed studies in; their primary contrasts side by side, how far they differ, and what they show together, out.

Each study keeps its own plan, its own tests and its own verdicts; nothing here changes one. What is said across studies is
exploratory, unadjusted and decides nothing:

- the ratio of two studies' rate ratios, with an interval from the two intervals themselves (MOVER, Zou & Donner 2008,
  doi:10.1002/sim.3095, on the log scale), so that ends which a study does not bound stay unbounded;
- one test a treatment of equal ratios in all studies (Poisson GEE with an interaction of arm and study);
- the primary test on all battles together, permuted within the strata of each study.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any, Final

import pandas as pd

from mitigation.analysis import Analysis
from mitigation.common_test import TOGETHER_COLUMNS, holders, pair_of, shared_battles, together, unfinished, waits
from mitigation.definitions import differences
from mitigation.errors import ConfigError
from mitigation.significance.inversion import RatioInterval

AGAINST_COLUMNS: Final = ("treatment", "study", "against", "ratio_of_ratios", "low", "high", "note")
MOST_DIFFERENCES: Final = 12
_SETTINGS: Final = ("messages", "seed", "manipulation_check")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Several studies beside each other.

    Attributes:
        analyses: by study, in the order asked for.
        contrasts: every contrast of every study, `study` first; `simulated` says of each whether a simulator fought it.
        against: one row a treatment and study after the first that holds it: its rate ratio over that of the first.
        together: one row a treatment that several studies hold in strata with both arms: all these battles in one test, and
            whether the ratios differ.
        differences: one row for each thing that a study defines otherwise than the first: study, differs.
    """

    analyses: Mapping[str, Analysis]
    contrasts: pd.DataFrame
    against: pd.DataFrame
    together: pd.DataFrame
    differences: pd.DataFrame

    @property
    def shared(self) -> str | None:
        """How two studies share battles, in words: they are then no two studies; None where they do not."""
        return shared_battles({study: analysis.battles[analysis.battles["scored"]] for study, analysis in self.analyses.items()})

    @property
    def interim(self) -> bool:
        """Whether a study is unfinished: then nothing is said of significance across them."""
        return any(analysis.interim for analysis in self.analyses.values())


def compare_studies(
    analyses: Sequence[Analysis],
    definitions: Mapping[str, Sequence[Mapping[str, Any]]],
    detectors: Mapping[str, str],
    simulated: Collection[str] = (),
) -> Comparison:
    """Set studies side by side.

    Args:
        analyses: one a study; the first is the one that the others are set against.
        definitions: by study, its frozen cells.
        detectors: by study, name, version and digest of what judged its messages.
        simulated: studies whose battles a simulator fought.

    Raises:
        ConfigError: fewer than two studies, one of them twice, or studies whose rates cannot be set against each other: of
            different controls, denominators or detectors.
    """
    _check(analyses, detectors)
    named = {analysis.study: analysis for analysis in analyses}
    contrasts = [a.contrasts.assign(study=a.study, simulated=a.study in simulated) for a in analyses]
    return Comparison(
        analyses=named,
        contrasts=pd.concat(contrasts, ignore_index=True).pipe(_first, "study"),
        against=pd.DataFrame(list(_against(named)), columns=list(AGAINST_COLUMNS), dtype=object),
        together=pd.DataFrame(list(together(named, waits(analyses, simulated))), columns=list(TOGETHER_COLUMNS), dtype=object),
        differences=pd.DataFrame(list(_different(named, definitions)), columns=["study", "differs"], dtype=object),
    )


def ratio_of_ratios(one: RatioInterval, other: RatioInterval) -> RatioInterval:
    """Return `one` over `other` with the interval that their own intervals give, all None where a ratio is 0 or not known.

    On the log scale, for d = a - b: [d - sqrt((a - a_low)^2 + (b_high - b)^2), d + sqrt((a_high - a)^2 + (b - b_low)^2)].
    """
    if not one.ratio or not other.ratio:
        return RatioInterval(None, None, None)
    difference = log(one.ratio) - log(other.ratio)
    down = _reach(one.ratio, one.low, other.high, other.ratio)
    up = _reach(one.high, one.ratio, other.ratio, other.low)
    low = None if down is None else exp(difference - down)
    return RatioInterval(exp(difference), low, None if up is None else exp(difference + up))


def _reach(one_high: float | None, one_low: float | None, other_high: float | None, other_low: float | None) -> float | None:
    """Return the root of the squared log distances of two pairs, None where an end is not bounded."""
    if not one_high or not one_low or not other_high or not other_low:
        return None
    return sqrt(log(one_high / one_low) ** 2 + log(other_high / other_low) ** 2)


def _check(analyses: Sequence[Analysis], detectors: Mapping[str, str]) -> None:
    names = [analysis.study for analysis in analyses]
    if len(names) < 2 or len(set(names)) < len(names):
        raise ConfigError(f"study={names}: name two studies or more, each once")
    for what, values, remedy in (
        ("control", {a.study: a.plan.control for a in analyses}, "name one for all: control=NAME"),
        ("rate", {a.study: a.plan.rate for a in analyses}, "name one for all: rate=messages"),
        ("detector", dict(detectors), "let the same detector read all of them: mitigation detect study=NAME detector=…"),
    ):
        if len(set(values.values())) > 1:
            told = ", ".join(f"{study}: {value}" for study, value in values.items())
            raise ConfigError(f"study={names}: the studies differ in {what} ({told}), so their rates do not compare: {remedy}")


def _first(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame[[column, *(name for name in frame.columns if name != column)]]


def _primary(analysis: Analysis) -> dict[str, RatioInterval]:
    """Return the ratio of each treatment in the primary outcome."""
    columns = ["treatment", "rate_ratio", "ratio_low", "ratio_high"]
    found: dict[str, RatioInterval] = {}
    for treatment, *ratio in analysis.contrasts[columns].itertuples(index=False, name=None):
        if treatment is not None:
            found.setdefault(treatment, RatioInterval(*ratio))
    return found


def _against(analyses: Mapping[str, Analysis]) -> Iterator[dict[str, Any]]:
    """Yield the ratios of ratios; while a study is unfinished, without intervals and for all alike."""
    waiting = unfinished(analyses.values())
    for treatment, (first, *others) in holders(analyses).items():
        for study in others:
            ratios = {name: _primary(analyses[name])[treatment] for name in (study, first)}
            found, low, high = ratio_of_ratios(*ratios.values()), None, None
            note = waiting or next((f"{name} gives no interval" for name, r in ratios.items() if r.low is r.high is None), None)
            note = note or shared_battles({name: pair_of(analyses[name], treatment) for name in (study, first)})
            if found.ratio is None:
                note = "a ratio is 0 or not estimable in one of the two studies"
            elif note is None:
                low, high = found.low, found.high
            about = {"treatment": treatment, "study": study, "against": first, "ratio_of_ratios": found.ratio}
            yield about | {"low": low, "high": high, "note": note}


def _different(
    analyses: Mapping[str, Analysis], definitions: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[tuple[str, str]]:
    """Yield what each study defines otherwise than the first, under the same name."""
    first, *others = analyses
    plan, known = dataclasses.asdict(analyses[first].plan), _parts(definitions.get(first, ()))
    for study in others:
        found = list(differences(plan, dataclasses.asdict(analyses[study].plan), "plan"))
        here = _parts(definitions.get(study, ()))
        if not known or not here:
            found.append(f"{study if known else first} brings no definitions: what its arms were told is not known here")
            yield from ((study, line) for line in found)
            continue
        for key in known:
            if key in here:
                found += differences(known[key], here[key], " ".join(key))
        found += [f"{part} {name}: not here, but in {first}" for part, name in known if (part, name) not in here]
        found += [f"{part} {name}: not in {first}" for part, name in here if (part, name) not in known]
        yield from ((study, line) for line in found[:MOST_DIFFERENCES])
        if len(found) > MOST_DIFFERENCES:
            yield study, f"and {len(found) - MOST_DIFFERENCES} more"


def _parts(cells: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Any]:
    """Return what the cells of a study are made of, by kind and name."""
    found = {(part, cell[part]["name"]): cell[part] for cell in cells for part in ("identity", "scenario", "pairing")}
    if cells:
        found["every", "cell"] = {name: cells[0].get(name) for name in _SETTINGS}
        found["every", "cell"]["replicates"] = max(cell["replicates"] for cell in cells)
    return found

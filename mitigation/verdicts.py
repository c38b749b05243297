"""Everything known about one treatment in, one verdict with its reasons out: the first in the order of `Verdict` that applies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log
from typing import Final, Literal

from mitigation.contrasts import Comparison, is_interim
from mitigation.missingness import Missingness
from mitigation.phrases import brief, generality, limits, number, points
from mitigation.significance.jackknife import JackknifeResult
from mitigation.types import AnalysisPlan, Expected

Verdict = Literal["not_estimable", "harm", "explained", "lexical_only", "supported", "no_evidence", "underpowered"]

_WORDS: Final = {"less": "fall", "more": "rise", "none": "stay as it is"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a verdict rests on.

    Attributes:
        primary: primary outcome against control.
        adjusted: its p value adjusted as the plan says, None without a test.
        family: number of treatments that were tested.
        placebo: primary outcome against the placebo arm; None without one, for the placebo itself and where a rise is expected.
        per_word: primary outcome counted by word, None where that is not known or is the primary outcome itself.
        without_refusals: primary outcome in battles without a refusal in words, None where no treated battle added one.
        over_wordings: primary ratio with an interval over wordings, or why there is none; None where an arm has no bank.
        social: outcomes that should fall with the mentions if the "we" itself went: substitutes, shared identity, cooperation.
        side_effects: outcomes that must not rise by more than the margin, by name.
        longer: whether treated battles have at least a tenth more messages on average.
    """

    expected: Expected
    plan: AnalysisPlan
    primary: Comparison
    adjusted: float | None
    family: int
    missing: Missingness
    placebo: Comparison | None = None
    per_word: Comparison | None = None
    without_refusals: Comparison | None = None
    over_wordings: JackknifeResult | str | None = None
    social: tuple[Comparison, ...] = ()
    side_effects: Mapping[str, Comparison] = field(default_factory=dict)
    longer: bool = False

    @property
    def significant(self) -> bool:
        """Whether the primary outcome differs from control at the plan's alpha over all treatments."""
        return self.adjusted is not None and self.adjusted <= self.plan.alpha and self.primary.difference != 0

    @property
    def as_expected(self) -> bool:
        """Whether the primary outcome moved in the expected direction."""
        return self.primary.difference < 0 if self.expected == "less" else self.primary.difference > 0 and self.expected == "more"


def decide(evidence: Evidence) -> tuple[Verdict, tuple[str, ...]]:
    """Return the first verdict that applies and why, in plain English with the numbers.

    not_estimable: no test could or should be made, or neither arm holds an event.
    harm: significant against the expected direction (for `expected: none`, in either direction), or the interval of a side effect
        lies wholly beyond its margin, unless treated battles are longer and no larger share of messages is shown.
    explained: significant as expected, but not against the placebo at alpha; or more than half of the effect (in log ratio) is
        gone and the rest is not significant when mentions are counted by word, or when battles with a refusal are set aside; or
        what is missing alone could undo it.
    lexical_only: significant as expected (less), but a substitute, shared identity or cooperation is shown not to fall by the
        smallest effect of interest, and none of them is shown to fall.
    supported: significant as expected and none of the above. Never for `expected: none`.
    no_evidence: the interval excludes the smallest effect of interest in the expected direction (`none`: in both).
    underpowered: everything else.
    """
    primary = evidence.primary
    context, harms = (*_side_notes(evidence), *_missing_notes(evidence)), _harms(evidence)
    if primary.blocked is not None:
        # An unfinished study says nothing of significance, of side effects neither.
        return "not_estimable", (primary.blocked, *(() if is_interim(primary.blocked) else harms))
    if primary.rate_control == 0 and primary.rate_treatment == 0:
        nothing = f"no in-group we in either arm ({primary.n_control} and {primary.n_treatment} battles)"
        return "not_estimable", (nothing, *harms, *context)
    finding = _finding(evidence)
    if harms:
        return "harm", (*harms, finding, *context)
    if evidence.significant and evidence.as_expected:
        if accounts := _accounts(evidence):
            return "explained", (*accounts, finding, *context)
        if evidence.expected == "less" and (words := _words_only(evidence)):
            return "lexical_only", (*words, finding, *context)
        return "supported", (
            finding,
            *generality(evidence.over_wordings, falls=primary.difference < 0, alpha=evidence.plan.alpha),
            *_beside(evidence),
            *context,
        )
    if _excludes_smallest(evidence):
        smallest = evidence.plan.smallest_effect
        edge = {"less": f"{smallest:g}", "more": f"{1 / smallest:.3g}", "none": f"{smallest:g} and {1 / smallest:.3g}"}
        return "no_evidence", (
            f"the interval excludes a ratio of {edge[evidence.expected]}, {finding}",
            *_open_side(evidence),
            *context,
        )
    return "underpowered", (f"neither an effect nor its absence is shown: {finding}", *context)


def _finding(evidence: Evidence) -> str:
    """Say the primary result in one line."""
    primary = evidence.primary
    rates = f"rate {number(primary.rate_treatment)} against {number(primary.rate_control)}"
    ratio = (
        f"ratio {number(primary.ratio.ratio)} ({limits(primary)})" if primary.ratio.ratio is not None else "ratio not estimable"
    )
    counts = (evidence.family, "comparisons"), (evidence.plan.looks, "looks")
    several = " and ".join(f"{count} {what}" for count, what in counts if count > 1)
    p = f"p {number(primary.p_value)}" + (f", adjusted for {several} {number(evidence.adjusted)}" if several else "")
    return f"{rates}, {ratio}, {p}, expected to {_WORDS[evidence.expected]}"


def _harms(evidence: Evidence) -> tuple[str, ...]:
    found, margin = [], evidence.plan.side_effect_margin
    if evidence.significant and not evidence.as_expected:
        direction = "falls" if evidence.primary.difference < 0 else "rises"
        found.append(f"in-group we {direction} significantly although it was expected to {_WORDS[evidence.expected]}")
    for name, effect in evidence.side_effects.items():
        if effect.rises_beyond(margin) and not _length_alone(evidence, effect):
            found.append(f"battles with {name}: {points(effect)} against control, beyond the margin of {100 * margin:g} points")
    return tuple(found)


def _length_alone(evidence: Evidence, effect: Comparison) -> bool:
    """Whether treated battles are longer and no larger share of messages is shown: longer battles hold more of everything."""
    return evidence.longer and not (effect.difference > 0 and (effect.p_value is None or effect.p_value <= 0.05))


def _side_notes(evidence: Evidence) -> tuple[str, ...]:
    """Side effects that are neither within nor beyond the margin: absence of significance is not safety."""
    margin = evidence.plan.side_effect_margin
    open_ones = [
        f"{name} {points(effect)}{', a rise' if effect.risk.low > 0 else ''}"
        for name, effect in evidence.side_effects.items()
        if effect.risk is not None and effect.risk.low is not None and effect.risk.high is not None
        if effect.risk.low <= margin <= effect.risk.high
    ]
    longer = [
        f"battles with {name}: {points(effect)} against control, beyond the margin; but the treated battles are longer, and a "
        f"larger share of messages is not shown ({brief(effect)})"
        for name, effect in evidence.side_effects.items()
        if effect.rises_beyond(margin) and _length_alone(evidence, effect)
    ]
    unshown = f"not shown to stay within the margin of {100 * margin:g} points: {'; '.join(open_ones)}"
    return (*longer, unshown) if open_ones else tuple(longer)


def _missing_notes(evidence: Evidence) -> tuple[str, ...]:
    missing = evidence.missing
    if not missing.missing_control and not missing.missing_treatment:
        return ()
    counts = f"missing: {missing.missing_treatment} of {missing.planned_treatment} planned battles against "
    counts += f"{missing.missing_control} of {missing.planned_control} in control (p {number(missing.p_value)})"
    if missing.unjudged_treatment or missing.unjudged_control:
        counts += f"; {missing.unjudged_treatment} messages could not be judged against {missing.unjudged_control} in control"
    bounds = f"bounds of the difference {number(missing.best_difference)} (best case)"
    within = ", within the rates seen" if evidence.plan.rate == "words" else ""
    bounds += f" and {number(missing.worst_difference)} (worst case{within})"
    return (f"{counts}; {bounds}{'' if missing.agree else ' cross no effect'}",)


def _accounts(evidence: Evidence) -> tuple[str, ...]:
    """List what else could explain a significant effect in the expected direction."""
    found = []
    placebo = evidence.placebo
    if placebo is not None:
        p = placebo.p_value
        if p is None:
            found.append(f"placebo ({placebo.control}) cannot be ruled out: {placebo.blocked}")
        elif p > evidence.plan.alpha or placebo.difference * evidence.primary.difference <= 0:
            ratio = number(placebo.ratio.ratio)
            found.append(f"not significant against the arm {placebo.control}: ratio {ratio} ({limits(placebo)}), p {number(p)}")
    if evidence.per_word is not None and _gone(evidence, evidence.per_word):
        found.append(f"gone when mentions are counted by word: {brief(evidence.per_word)}")
    if evidence.without_refusals is not None and _gone(evidence, evidence.without_refusals):
        found.append(f"gone in battles without a refusal: {brief(evidence.without_refusals)}")
    if not evidence.missing.agree:
        found.append("what is missing, battles or messages that could not be judged, could undo the effect alone")
    return tuple(found)


def _gone(evidence: Evidence, other: Comparison) -> bool:
    """Whether the other comparison is not significant and keeps less than half of the effect in log ratio."""
    if other.p_value is None:
        return other.n_control == 0 or other.n_treatment == 0
    if other.p_value <= evidence.plan.alpha and other.difference * evidence.primary.difference > 0:
        return False
    whole, rest = evidence.primary.ratio.ratio, other.ratio.ratio
    if not whole or not rest:
        return other.difference * evidence.primary.difference <= 0
    return log(rest) / log(whole) < 0.5


def _words_only(evidence: Evidence) -> tuple[str, ...]:
    """Reasons when mentions fell, a social outcome is shown not to fall with them, and none is shown to fall."""
    if any(c.falls for c in evidence.social):
        return ()
    smallest = evidence.plan.smallest_effect
    stay = [c for c in evidence.social if c.p_value is not None and _stays(c, smallest)]
    return tuple(f"{c.outcome} does not fall with the mentions: {brief(c)}" for c in stay)


def _stays(comparison: Comparison, smallest: float) -> bool:
    """Whether it is shown that no fall of at least the smallest effect took place; a rise from nothing counts."""
    if comparison.rate_control == 0:
        return comparison.p_value is not None and comparison.p_value <= 0.05 and comparison.difference > 0
    return comparison.ratio.low is not None and comparison.ratio.low > smallest


def _beside(evidence: Evidence) -> tuple[str, ...]:
    """List what stands beside a supported effect: its size against the placebo, and what was not shown."""
    found = []
    if evidence.placebo is not None:
        found.append(f"against the arm {evidence.placebo.control}: {brief(evidence.placebo)}")
    elif evidence.plan.placebo != evidence.plan.control:
        found.append("no placebo arm: any long prompt might do the same")
    if evidence.expected == "less" and evidence.social and not any(c.falls for c in evidence.social):
        names = ", ".join(c.outcome for c in evidence.social)
        found.append(f"not shown to fall with the mentions, nor to stay: {names}")
    return tuple(found)


def _open_side(evidence: Evidence) -> tuple[str, ...]:
    """Say that a change against the expected direction is not excluded, where that is so."""
    low, high, smallest = evidence.primary.ratio.low, evidence.primary.ratio.high, evidence.plan.smallest_effect
    if evidence.expected == "less" and (high is None or high >= 1 / smallest):
        return (f"a rise is not excluded ({'no upper bound' if high is None else f'up to a ratio of {number(high)}'})",)
    if evidence.expected == "more" and (low is None or low <= smallest):
        return (f"a fall is not excluded (down to a ratio of {number(low)})",)
    return ()


def _excludes_smallest(evidence: Evidence) -> bool:
    low, high, smallest = evidence.primary.ratio.low, evidence.primary.ratio.high, evidence.plan.smallest_effect
    no_fall = low is not None and low > smallest
    no_rise = high is not None and high < 1 / smallest
    return {"less": no_fall, "more": no_rise, "none": no_fall and no_rise}[evidence.expected]

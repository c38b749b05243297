"""Battles of a study and one treatment in; the evidence that its verdict rests on, and its secondary comparisons, out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal

import pandas as pd

from mitigation.arms import Arms, describe_absence
from mitigation.contrasts import CONFIDENCE, Comparison, compare, withheld
from mitigation.errors import AnalysisError
from mitigation.estimates import shared_strata
from mitigation.looks import Look
from mitigation.missingness import missingness
from mitigation.outcomes import drawn_wordings
from mitigation.significance.jackknife import JackknifeResult, jackknife
from mitigation.types import AnalysisPlan, Expected, Rate
from mitigation.verdicts import Evidence

_ORDER: Final = (
    "strict",
    "social",
    "substitute",
    "shared_ai_identity",
    "cooperation",
    "on_task",
    "refusal",
    "conflict",
    "topic_drift",
)
_SOCIAL: Final = ("substitute", "shared_ai_identity", "cooperation")
DISTINCT: Final = 0.9
"""Share of an arm's transcripts that must be distinct for a test."""
SIDE_EFFECTS: Final = ("refusal", "conflict", "topic_drift")
_SHOWN_AS: Final = {"strict": "ingroup_strict"}
_EXPECTED: Final[dict[str, Expected]] = {"less": "less", "more": "more", "none": "none"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """A study ready for comparison.

    Attributes:
        battles: one row per planned battle with arm, stratum, status, rate, scored and the outcome columns.
        state: one row per arm, as `arm_table` gives it.
        outcome: prefix of the primary outcome's columns.
        look: the planned look that these battles are, None where the plan has but one.
        pooled: True for tables from elsewhere, whose risk differences ignore strata.
    """

    battles: pd.DataFrame
    state: pd.DataFrame
    plan: AnalysisPlan
    arms: Arms
    outcome: str
    pooled: bool
    look: Look | None = None
    _known: dict[tuple[str, str], str | None] = field(default_factory=dict, init=False)

    @property
    def scored(self) -> pd.DataFrame:
        """The battles that have a rate."""
        return self.battles[self.battles["scored"]]

    @property
    def confidence(self) -> float:
        """Level of the intervals of the primary outcome: at a planned look that of a single test there."""
        return 1 - self.look.level(1 - CONFIDENCE) if self.look is not None and self.look.number else CONFIDENCE

    def compare(
        self,
        treatment: str,
        outcome: str,
        *,
        control: str | None = None,
        kind: Literal["rate", "any"] = "rate",
        rate: Rate | None = None,
        within: pd.DataFrame | None = None,
        confidence: float = CONFIDENCE,
    ) -> Comparison:
        """Compare a treatment with the control, or with another arm, in one outcome."""
        control = self.plan.control if control is None else control
        return compare(
            self.scored if within is None else within,
            outcome=outcome,
            name=f"{_SHOWN_AS.get(outcome, outcome)}_{kind}",
            control=control,
            treatment=treatment,
            plan=self.plan,
            kind=kind,
            rate=rate,
            pooled=self.pooled,
            blocked=self._blocked_once(control, treatment),
            confidence=confidence,
        )

    def _blocked_once(self, control: str, treatment: str) -> str | None:
        """Ask for each pair of arms once: every outcome has the same answer."""
        if (control, treatment) not in self._known:
            self._known[control, treatment] = self._blocked(control, treatment)
        return self._known[control, treatment]

    def _blocked(self, control: str, treatment: str) -> str | None:
        """Say why two arms may not be tested at all, or return None."""
        if pending := int(self.state["pending"].sum()):
            until = "the study is complete" if self.look is None else self.look.next
            return f"interim: {pending} of {len(self.battles)} battles pending; no test before {until}"
        for arm in (control, treatment):
            if not (self.scored["arm"] == arm).any():
                return describe_absence(arm, self.state)
        return copies(self.scored, control=control, treatment=treatment)


def copies(scored: pd.DataFrame, *, control: str, treatment: str) -> str | None:
    """Say why near-duplicate transcripts forbid a test of two arms, or return None.

    Equal `transcript_sha` in an arm's stratum is one battle fought again. No test is made when fewer than `DISTINCT` of an arm's
    transcripts are distinct: at one half the test rejected a true null in 20 % of simulated studies.
    """
    if "transcript_sha" not in scored.columns:
        return None
    for arm in (control, treatment):
        own = scored[scored["arm"] == arm]
        sha = own["transcript_sha"].where(own["transcript_sha"].notna(), own["battle_id"])
        distinct = int(sha.groupby(own["stratum"].astype(str)).nunique().sum())
        if distinct < DISTINCT * len(own):
            return f"only {distinct} of the {len(own)} transcripts of {arm} are distinct: the others are copies, not evidence"
    return None


def weigh(material: Material, treatment: str) -> tuple[Evidence, list[Comparison]]:
    """Compare one treatment with control in every outcome.

    Returns:
        The evidence, still without its adjusted p value, and the secondary comparisons in the order of the report.
    """
    plan, outcome, columns = material.plan, material.outcome, material.battles.columns
    expected = _EXPECTED[material.arms[treatment]["expected"]]
    primary = material.compare(treatment, outcome, confidence=material.confidence)
    names = [c.removesuffix("_messages") for c in columns if c.endswith("_messages") and material.scored[c].notna().any()]
    names = sorted(set(names) - {outcome}, key=lambda n: (_ORDER.index(n) if n in _ORDER else len(_ORDER), n))
    others = {name: material.compare(treatment, name) for name in names}
    placebo = per_word = without_refusals = over_wordings = None
    if primary.p_value is not None and primary.p_value <= plan.alpha:
        if plan.placebo in material.arms and plan.placebo not in (treatment, plan.control):
            placebo = material.compare(treatment, outcome, control=plan.placebo)
        if plan.rate == "messages" and f"{outcome}_count" in columns:
            per_word = material.compare(treatment, outcome, rate="words")
        refusal = others.get("refusal")
        if refusal is not None and refusal.risk is not None and refusal.risk.estimate > 0:
            calm = material.scored[material.scored["refusal_messages"] == 0]
            without_refusals = material.compare(treatment, outcome, within=calm)
        over_wordings = _over_wordings(material, treatment)
    settled = material.battles[material.battles["status"] != "pending"]
    top = 1.0 if plan.rate == "messages" else float(material.scored["rate"].max())
    evidence = Evidence(
        expected=expected,
        plan=plan,
        primary=primary,
        adjusted=None,
        family=0,
        missing=missingness(settled, control=plan.control, treatment=treatment, expected=expected, top=top),
        placebo=placebo,
        per_word=per_word,
        without_refusals=without_refusals,
        over_wordings=over_wordings,
        social=tuple(others[name] for name in _SOCIAL if name in others),
        side_effects={name: others[name] for name in SIDE_EFFECTS if name in others},
        longer=_longer(material, treatment),
    )
    return evidence, [material.compare(treatment, outcome, kind="any"), *others.values()]


def at_look(evidence: Evidence, look: Look | None) -> Evidence:
    """Return the evidence as it counts at a planned look: before the last one nothing is concluded without an effect."""
    if look is None or not look.number or look.final or evidence.significant:
        return evidence
    why = f"not tested ({evidence.primary.blocked})" if evidence.primary.blocked else "no boundary is crossed"
    return replace(evidence, primary=withheld(evidence.primary, f"interim: {look}: {why}; next is {look.next}"))


def _longer(material: Material, treatment: str) -> bool:
    """Whether treated battles have at least a tenth more messages on average."""
    length = material.scored.groupby("arm")["messages"].mean()
    control = material.plan.control
    return bool({treatment, control} <= set(length.index) and length[treatment] >= 1.1 * length[control])


def _over_wordings(material: Material, treatment: str) -> JackknifeResult | str | None:
    """Return the ratio with an interval over wordings, or why there is none; None for an arm without a bank."""
    scored = material.scored
    if "wordings" not in scored.columns:
        return None
    pair = scored[scored["arm"].isin([material.plan.control, treatment])]
    treated, strata = (pair["arm"] == treatment).to_numpy(), pair["stratum"].astype(str).to_numpy()
    keep = shared_strata(treated, strata)
    drawn = drawn_wordings(pair[keep])
    treated, strata, rates = treated[keep], strata[keep], pair["rate"].to_numpy(dtype=float)[keep]
    if not any(own for own, side in zip(drawn, treated, strict=True) if side):
        return None
    try:
        return jackknife(rates, treated, strata, drawn)
    except AnalysisError as error:
        return str(error)

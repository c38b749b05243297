"""Battles of several studies in; one test of them all, and of equal effects in all, or why there is none, out.

The test is the primary one, permuted within the strata of each study. Only strata with both arms take part. Nothing is tested
while a study is unfinished, with a study that was stopped at a look, across a simulator and models, or over shared battles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from mitigation.analysis import Analysis
from mitigation.contrasts import compare
from mitigation.errors import AnalysisError
from mitigation.estimates import shared_strata
from mitigation.evidence import DISTINCT, copies
from mitigation.sensitivity import Pair
from mitigation.significance.poisson_gee import poisson_gee

TOGETHER_COLUMNS: Final = (
    *("treatment", "studies", "n_control", "n_treatment", "rate_control", "rate_treatment"),
    *("rate_ratio", "ratio_low", "ratio_high", "p_value", "p_heterogeneity", "note"),
)
_OUTCOME: Final = "ingroup"


def holders(analyses: Mapping[str, Analysis]) -> dict[str, list[str]]:
    """Return the treatments that two studies or more compare with control, with these studies."""
    found: dict[str, list[str]] = {}
    for study, analysis in analyses.items():
        for treatment in dict.fromkeys(analysis.contrasts["treatment"]):
            if treatment is not None:
                found.setdefault(treatment, []).append(study)
    return {treatment: studies for treatment, studies in found.items() if len(studies) > 1}


def together(analyses: Mapping[str, Analysis], waiting: str | None) -> Iterator[dict[str, Any]]:
    """Yield one row a treatment that two studies or more hold in strata with both arms, `TOGETHER_COLUMNS`.

    Args:
        analyses: by study.
        waiting: why nothing may be tested, or None.
    """
    for treatment, studies in holders(analyses).items():
        own = {study: pair for study in studies if len(pair := pair_of(analyses[study], treatment))}
        if len(own) < 2:
            continue
        battles = pd.concat(own.values(), ignore_index=True)
        # One test for all: the finest of their resamples and the loosest of their levels, whatever their order.
        plans = [analyses[study].plan for study in own]
        first = min(plans, key=lambda plan: plan.seed)
        plan = replace(first, resamples=max(p.resamples for p in plans), alpha=max(p.alpha for p in plans))
        blocked = waiting or copies(battles, control=plan.control, treatment=treatment) or shared_battles(own)
        found = compare(
            battles,
            outcome=_OUTCOME,
            name=f"{_OUTCOME}_rate",
            control=plan.control,
            treatment=treatment,
            plan=plan,
            blocked=blocked,
        )
        differs, why = (None, None) if blocked else _heterogeneity(Pair(battles, plan, treatment))
        absent = [f"{study} holds no stratum with both arms and is left out" for study in studies if study not in own]
        notes = [note for note in (found.blocked, found.caution, why, *absent) if note]
        yield {
            "treatment": treatment, "studies": len(own), "n_control": found.n_control, "n_treatment": found.n_treatment,
            "rate_control": found.rate_control, "rate_treatment": found.rate_treatment, "rate_ratio": found.ratio.ratio,
            "ratio_low": found.ratio.low, "ratio_high": found.ratio.high, "p_value": found.p_value, "p_heterogeneity": differs,
            "note": "; ".join(notes) or None,
        }  # fmt: skip


def pair_of(analysis: Analysis, treatment: str) -> pd.DataFrame:
    """Return a study's scored battles of a treatment and control in strata that hold both, in strata and under ids of its own."""
    battles = analysis.battles[analysis.battles["scored"] & analysis.battles["arm"].isin([analysis.plan.control, treatment])]
    treated = (battles["arm"] == treatment).to_numpy(dtype=np.bool_)
    kept = battles[shared_strata(treated, battles["stratum"].astype(str).to_numpy())]
    own = {name: analysis.study + "/" + kept[name].astype(str) for name in ("stratum", "battle_id")}
    return kept.assign(study=analysis.study, **own)


def shared_battles(own: Mapping[str, pd.DataFrame]) -> str | None:
    """Say why studies that share battles are no evidence of their own: an arm of one holds the transcripts of another."""
    known = {study: battles for study, battles in own.items() if "transcript_sha" in battles.columns}
    for study, battles in known.items():
        elsewhere = {sha for name, other in known.items() if name != study for sha in other["transcript_sha"].dropna()}
        for arm, sha in battles.groupby("arm")["transcript_sha"]:
            copied = int(sha.isin(elsewhere).sum())
            if copied > (1 - DISTINCT) * len(sha):
                return f"{copied} of {len(sha)} transcripts of {arm} in {study} stand in another study too: copies, not evidence"
    return None


def waits(analyses: Sequence[Analysis], simulated: Collection[str]) -> str | None:
    """Return why battles of these studies may not be tested together."""
    drawn = [analysis.study for analysis in analyses if analysis.study in simulated]
    if drawn and len(drawn) < len(analyses):
        return f"battles of a simulator ({', '.join(drawn)}) and of models are not tested together"
    if (waiting := unfinished(analyses)) is not None:
        return waiting
    early = next((a.study for a in analyses if a.look is not None and not a.look.final), None)
    if early is not None:
        return f"study {early} was stopped at a look, which its own intervals allow for and a common test does not"
    return None


def unfinished(analyses: Iterable[Analysis]) -> str | None:
    """Return which studies are unfinished, in words, or None."""
    names = [analysis.study for analysis in analyses if analysis.interim]
    return f"interim: {', '.join(names)} unfinished" if names else None


def _heterogeneity(pair: Pair) -> tuple[float | None, str | None]:
    try:
        found = poisson_gee(*pair.totals(), pair.treated, pair.strata, groups=pair.battles["study"].to_numpy())
    except AnalysisError as error:
        return None, str(error)
    return found.heterogeneity, None if found.heterogeneity is not None else "too few battles or events to test heterogeneity"

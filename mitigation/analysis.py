"""Scored battles, or a table of messages from elsewhere, in; an `Analysis` out: every contrast, its verdict, what is missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from html import escape
from typing import Any, Final

import numpy as np
import pandas as pd

from mitigation.arms import Arms, arm_table, check_battles, study_notes
from mitigation.contrasts import Comparison, battle_rates, is_interim, withheld
from mitigation.errors import ConfigError
from mitigation.evidence import Material, at_look, weigh
from mitigation.looks import Look, reached, remarks
from mitigation.message_tables import battles_of_messages
from mitigation.missingness import Missingness, untested
from mitigation.multiplicity import adjusted
from mitigation.plain import strict
from mitigation.types import AnalysisPlan, Correction, Rate
from mitigation.verdicts import decide

COLUMNS: Final = (
    "outcome",
    "control",
    "treatment",
    "n_control",
    "n_treatment",
    "rate_control",
    "rate_treatment",
    "rate_ratio",
    "ratio_low",
    "ratio_high",
    "risk_difference",
    "rd_low",
    "rd_high",
    "p_value",
    "p_adjusted",
    "test",
    "verdict",
    "reasons",
)
"""Columns of `Analysis.contrasts` and fields of a contrast in verdict.json."""


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """Result of one study.

    Attributes:
        study: its name.
        plan: how it was analysed.
        contrasts: one row per treatment and outcome, columns `COLUMNS`; the first row of a treatment is its primary outcome.
            Verdict is None on other rows: the plan makes no claim about a secondary outcome on its own. None stands for what is
            not estimable or not tested.
        arms: one row per arm with the state of every planned battle, rates with a t interval, exposure.
        battles: one row per battle with `rate` (missing where not scored) and `scored`; at a look its own.
        missingness: one row per treatment, fields of `Missingness`.
        notes: remarks on the study as a whole.
        look: the latest planned look that was reached, None where the plan has but one. Before the last one the battles are
            those of the look if it shows an effect, else all of the study so far, as interim.
        correction: how p values were adjusted for several treatments: as planned where that is possible.
    """

    study: str
    plan: AnalysisPlan
    contrasts: pd.DataFrame
    arms: pd.DataFrame
    battles: pd.DataFrame
    missingness: pd.DataFrame
    notes: tuple[str, ...]
    look: Look | None = None
    correction: Correction = "holm"

    @property
    def waiting(self) -> tuple[str, ...]:
        """Treatments that cross no boundary at a look at which another one does."""
        said = self.contrasts.loc[self.contrasts["verdict"] == "not_estimable", ["treatment", "reasons"]]
        return tuple(treatment for treatment, reasons in said.itertuples(index=False) if reasons and is_interim(reasons[0]))

    @property
    def interim(self) -> bool:
        """Whether nothing may be said of significance yet: battles are pending, and no planned look at them shows an effect."""
        return bool(self.arms["pending"].sum() > 0)

    def verdict_json(self) -> dict[str, Any]:
        """Return the content of verdict.json: plain values only, null for what is missing, never NaN."""
        return {
            "study": self.study,
            "interim": self.interim,
            "correction": self.correction,
            "look": None if self.look is None else asdict(self.look),
            "plan": asdict(self.plan),
            "contrasts": strict(self.contrasts),
            "arms": strict(self.arms),
            "missingness": strict(self.missingness),
            "notes": list(self.notes),
        }

    def _repr_html_(self) -> str:
        """Show notes and contrasts in a notebook."""
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        shown = self.contrasts.assign(reasons=["; ".join(reasons) for reasons in self.contrasts["reasons"]])
        table = shown.to_html(index=False, na_rep="", float_format="{:.3g}".format)
        return f"<h3>{escape(self.study)}</h3><ul>{notes}</ul>{table}"


def analyse(
    table: pd.DataFrame, *, control: str, rate: Rate = "messages", plan: AnalysisPlan | None = None, study: str = "table"
) -> Analysis:
    """Analyse a table of scored messages from elsewhere; see `battles_of_messages` for its columns and the errors it raises.

    Every other condition is a treatment whose rate is expected to fall, except one with the name of the plan's placebo arm.

    Args:
        control: condition that the others are compared with; it replaces the plan's.
        rate: denominator of a battle's rate; it replaces the plan's.
        plan: level, resamples, seed and smallest effect; None takes the defaults.
    """
    if not isinstance(table, pd.DataFrame):
        raise ConfigError(f"the table is a {type(table).__name__}: give a pandas DataFrame with one row per message")
    plan = replace(plan or AnalysisPlan(), control=str(control), rate=rate)
    if plan.looks > 1:
        raise ConfigError(
            f"looks={plan.looks} needs the blocks of a study that was designed here: analyse the table with looks=1"
        )
    battles = battles_of_messages(table, control=plan.control)
    roles = {
        arm: {"role": "placebo", "expected": "none"} if arm == plan.placebo else {"role": "treatment", "expected": "less"}
        for arm in sorted(set(battles["arm"]))
    }
    roles[plan.control] = {"role": "control", "expected": "none"}
    return _analyse(_material(battles, plan=plan, arms=roles, outcome="we", pooled=True), study=study)


def analyse_battles(
    battles: pd.DataFrame, planned: pd.DataFrame | None, *, plan: AnalysisPlan, arms: Arms, study: str
) -> Analysis:
    """Analyse the battles of a study.

    Args:
        battles: one row per battle: battle_id, arm, stratum, status, messages, words, <outcome>_messages for each outcome and
            <outcome>_count where mentions were counted; the primary outcome is `ingroup`. Optional: scenario, pairing, opener,
            replicate, ending, transcript_sha. Outcomes of unscored battles are missing.
        planned: one row per planned battle (battle_id, arm, stratum); battles that are planned but absent are pending. None takes
            the battles themselves.
        arms: role and expected direction of each arm, by name.

    Raises:
        AnalysisError: no battle is scored, a battle_id occurs twice, a battle was not planned, an arm or a status is not known, a
            number is negative or not finite, or a column is missing.
    """
    complete = check_battles(battles, planned, plan=plan, arms=arms, outcome="ingroup")
    whole = _material(complete, plan=plan, arms=arms, outcome="ingroup", pooled=False)
    if plan.looks == 1:
        return _analyse(whole, study=study)
    look, inside = reached(complete, plan)
    if look.number and not look.final:
        found = _analyse(_material(inside, plan=plan, arms=arms, outcome="ingroup", pooled=False, look=look), study=study)
        if any(verdict not in (None, "not_estimable") for verdict in found.contrasts["verdict"]):
            return found
    return _analyse(replace(whole, look=look), study=study)


def _analyse(material: Material, *, study: str) -> Analysis:
    """Compare every treatment with control, adjust the primary p values together and judge."""
    plan, outcome = material.plan, material.outcome
    weighed = [weigh(material, treatment) for treatment in material.arms if treatment != plan.control]
    primaries = [evidence.primary for evidence, _ in weighed]
    found = adjusted(primaries, material.scored, plan=plan, look=material.look)
    rows: list[dict[str, Any]] = []
    missing: list[dict[str, Any]] = []
    for (evidence, others), p_adjusted in zip(weighed, found.p_values, strict=True):
        seen = at_look(replace(evidence, adjusted=p_adjusted, family=found.family), material.look)
        verdict, reasons = decide(seen)
        waits = seen.primary.blocked if seen.primary.blocked != evidence.primary.blocked else None
        shown = {"p_adjusted": None if waits else p_adjusted, "verdict": verdict, "reasons": list(reasons)}
        rows.append(_row(seen.primary) | shown)
        missing.append(asdict(untested(seen.missing) if is_interim(seen.primary.blocked or "") else seen.missing))
        rows.extend(_row(withheld(other, waits) if waits else other) for other in others)
    if not weighed:
        lone = Comparison(
            outcome=f"{outcome}_rate", control=plan.control, treatment="", n_control=len(material.scored), n_treatment=0
        )
        reason = f"only the arm {plan.control} is here: there is nothing to compare it with"
        rows.append(_row(lone) | {"treatment": None, "verdict": "not_estimable", "reasons": [reason]})
    return Analysis(
        study=study,
        plan=plan,
        contrasts=pd.DataFrame(rows, columns=list(COLUMNS), dtype=object),
        arms=material.state,
        battles=material.battles,
        missingness=pd.DataFrame(missing, columns=[f.name for f in fields(Missingness)], dtype=object),
        notes=(
            *study_notes(material.battles, material.state, plan=plan, primaries=primaries, family=found.family),
            *found.notes,
            *(() if material.look is None else remarks(material.look, shown=not material.state["pending"].any())),
        ),
        look=material.look,
        correction=found.correction,
    )


def _material(
    battles: pd.DataFrame, *, plan: AnalysisPlan, arms: Arms, outcome: str, pooled: bool, look: Look | None = None
) -> Material:
    """Order the battles, so that the input's order has no influence, and give each its rate."""
    battles = battles.sort_values(["arm", "stratum", "battle_id"], kind="stable", ignore_index=True)
    rate = battle_rates(battles, outcome, plan.rate)
    rate[(battles["status"] != "complete").to_numpy(dtype=bool)] = np.nan
    battles = battles.assign(rate=rate, scored=np.isfinite(rate))
    state = arm_table(battles, arms=arms, outcome=outcome, rate=plan.rate)
    return Material(battles=battles, state=state, plan=plan, arms=arms, outcome=outcome, pooled=pooled, look=look)


def _row(comparison: Comparison) -> dict[str, Any]:
    """One row of `Analysis.contrasts`; verdict and adjusted p belong to primary rows only."""
    risk, unknown = comparison.risk, comparison.unknown
    reasons = [said for said in (comparison.blocked, comparison.caution) if said]
    if unknown:
        reasons.append(f"{unknown} scored battles have no known value of this outcome and are left out")
    return {
        "outcome": comparison.outcome,
        "control": comparison.control,
        "treatment": comparison.treatment,
        "n_control": comparison.n_control,
        "n_treatment": comparison.n_treatment,
        "rate_control": comparison.rate_control,
        "rate_treatment": comparison.rate_treatment,
        "rate_ratio": comparison.ratio.ratio,
        "ratio_low": comparison.ratio.low,
        "ratio_high": comparison.ratio.high,
        "risk_difference": risk.estimate if risk else None,
        "rd_low": risk.low if risk else None,
        "rd_high": risk.high if risk else None,
        "p_value": comparison.p_value,
        "p_adjusted": None,
        "test": comparison.test,
        "verdict": None,
        "reasons": reasons,
    }

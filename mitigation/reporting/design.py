"""The frozen cells and the plan of a study in; what was planned, in words and as a table, out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from mitigation.figures import rows, wording
from mitigation.reporting.inputs import ReportInput

TREATED: Final = {
    "distinct": "both agents, with texts of their own",
    "same": "both agents, with the same text",
    "first": "the agent that opens",
    "second": "the agent that answers",
    "alternate": "one agent, taking turns over the blocks",
    "none": "neither",
}
EXPECTED: Final = {"less": "falls", "more": "rises", "none": "stays"}


def frame(given: ReportInput) -> pd.DataFrame:
    """Return one row an arm: its role, where its rate is expected to go, who receives its text, wordings, planned battles."""
    known = {cell["identity"]["name"]: cell["identity"] for cell in given.definitions}
    lines = [
        {
            "arm": arm.arm,
            "role": arm.role.replace("_", " "),
            "rate_expected": EXPECTED.get(arm.expected),
            "text_given_to": TREATED.get(known[arm.arm]["seats"]) if arm.arm in known else None,
            "wordings": len(known[arm.arm]["bank"]) if arm.arm in known else None,
            "planned_battles": arm.planned,
        }
        for arm in rows.arms(given.analysis)
    ]
    table = pd.DataFrame(lines, columns=list(lines[0]) if lines else ["arm"], dtype=object)
    return table if given.definitions else table.drop(columns=["text_given_to", "wordings"], errors="ignore")


def models(given: ReportInput) -> list[str]:
    """Return the models that fight in a study, as its cells name them."""
    return sorted({cell["pairing"][seat]["name"] for cell in given.definitions for seat in ("first", "second")})


def scenarios(given: ReportInput) -> list[str]:
    """Return the scenarios of a study."""
    return sorted({cell["scenario"]["name"] for cell in given.definitions})


def facts(given: ReportInput) -> tuple[tuple[str, str], ...]:
    """Return (what, in words) of the plan: whether it was locked and followed, what was fought, and how it is analysed."""
    return (*_locked(given), *_fought(given), *_analysed(given))


def _locked(given: ReportInput) -> Iterator[tuple[str, str]]:
    kept = given.adherence
    if kept is not None:
        yield "Locked plan", f"yes, {kept.locked_at} (sha256 {kept.sha256})"
        yield "Followed", "yes" if kept.followed else f"no: {'; '.join(kept.deviations)}"
    elif given.transcripts:
        yield "Locked plan", "no: every result is exploratory"


def _fought(given: ReportInput) -> Iterator[tuple[str, str]]:
    cells = given.definitions
    if not cells:
        return
    scenarios = {cell["scenario"]["name"]: len(cell["scenario"]["openers"]) for cell in cells}
    yield "Scenarios", "; ".join(f"{name}, {wording.counted(openers, 'opener')}" for name, openers in scenarios.items())
    pairings = {
        cell["pairing"]["name"]: " against ".join(cell["pairing"][seat]["name"] for seat in ("first", "second")) for cell in cells
    }
    yield "Pairings", "; ".join(f"{name}: {models}" for name, models in pairings.items())
    most, check = cells[0]["messages"], cells[0].get("manipulation_check")
    asked = ", then each agent is asked in private who it is" if check else ""
    yield "A battle", f"a scripted opener and at most {wording.counted(most, 'message')}{asked}"
    replicates = sorted({cell["replicates"] for cell in cells})
    many = " to ".join(f"{n:,}" for n in dict.fromkeys((replicates[0], replicates[-1])))
    yield (
        "Blocks",
        f"{many} in each scenario and pairing; a block holds one battle of every arm that is fought there, with the same opener "
        "and the same seats, in an order drawn at random",
    )
    if (look := given.analysis.look) is not None and look.number and not look.final and not given.interim:
        aside = f"; {wording.counted(look.later, 'finished battle')} of later blocks set aside" if look.later else ""
        yield "This report", f"the first {look.blocks} of {look.planned} blocks, at {look}{aside}; its tables hold these alone"


def _analysed(given: ReportInput) -> Iterator[tuple[str, str]]:
    plan, analysis = given.analysis.plan, given.analysis
    share = "messages" if plan.rate == "messages" else "words"
    yield "Compared with", plan.control
    yield "Primary outcome", f"{wording.outcome(rows.outcome(analysis), plan.rate)}: a battle’s rate over its {share}"
    yield "Two-sided level", f"{plan.alpha:g} over all comparisons ({ {'holm': 'Holm', 'max_t': 'max-T'}[analysis.correction] })"
    if plan.looks > 1:
        yield "Looks", f"{plan.looks}, evenly spaced over the blocks (O’Brien–Fleming)"
    yield "Smallest ratio that matters", f"{plan.smallest_effect:g} (or {1 / plan.smallest_effect:.2f} the other way)"
    yield "Tolerated rise of a side effect", f"{100 * plan.side_effect_margin:g} percentage points of battles"
    yield "Permutations", f"{wording.whole(plan.resamples)} at the most, seed {plan.seed}"

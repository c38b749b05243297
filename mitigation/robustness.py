"""An analysed study in; tables that show what the primary result hangs on, out. None of them decides a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from mitigation.arms import Arms
from mitigation.descriptions import Description
from mitigation.diagnostics import by_level, dispersion, influence
from mitigation.sensitivity import sensitivity
from mitigation.types import AnalysisPlan

ROBUSTNESS: Final = "Does it hang on one choice?"


def robustness(battles: pd.DataFrame, *, plan: AnalysisPlan, arms: Arms) -> Iterator[Description]:
    """Yield the primary contrast by other analyses and by level, its influential battles, and the spread of battles.

    Args:
        battles: one row per planned battle, as `Analysis.battles` holds them.
        arms: role and expected direction of each arm, by name.
    """
    if not battles["scored"].any():
        return
    yield Description(
        section=ROBUSTNESS,
        name="sensitivity",
        title="The primary contrast by other analyses",
        about="Ratios are treatment over control. No p value here is adjusted and none decides a verdict: the plan names the "
        "primary one. Methods that answer another question say so.",
        frame=sensitivity(battles, plan=plan, arms=arms),
    )
    levels = by_level(battles, plan=plan, arms=arms)
    if len(levels):
        yield Description(
            section=ROBUSTNESS,
            name="levels",
            title="By scenario, pairing and opener",
            about="The primary test within each level. Whether the ratio differs between the levels is asked once a factor "
            "(p heterogeneity); a level with a large p value has few battles and is not shown to be without an effect.",
            frame=levels,
        )
    moved = influence(battles, plan=plan, arms=arms)
    if len(moved):
        yield Description(
            section=ROBUSTNESS,
            name="influence",
            title="The battles that the ratio hangs on most",
            about="Of all battles, those whose absence moves the ratio farthest down and up.",
            frame=moved,
        )
    yield Description(
        section=ROBUSTNESS,
        name="dispersion",
        title="How battles vary",
        about="Dispersion is the variance of messages with an in-group we over that of independent messages with one chance; "
        "the last column is the share of battles without any under that. Where battles differ among themselves only whole "
        "battles may be permuted.",
        frame=dispersion(battles),
    )

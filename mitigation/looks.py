"""Planned battles of a study under way and its plan in; the planned look that has been reached, and its battles, out.

A look takes the first blocks of the design, in the order in which they are fought, and is reached when none of their battles is
pending or failed, as a failed battle is fought again by the next run. What was finished beyond them is set aside until the next
look, so that no look can be chosen by what it shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from mitigation.errors import AnalysisError
from mitigation.significance.group_sequential import nominal_level, repeated_p
from mitigation.types import AnalysisPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A planned look at a study.

    Attributes:
        number: which look has been reached, 0 before the first.
        of: planned looks.
        blocks: blocks that belong to it.
        planned: blocks of the study.
        later: battles that are finished and belong to later looks.
    """

    number: int
    of: int
    blocks: int
    planned: int
    later: int = 0

    @property
    def final(self) -> bool:
        """Whether the study is complete."""
        return self.number == self.of

    def level(self, alpha: float) -> float:
        """Return the level of a single test at this look, for an overall level over all looks."""
        return nominal_level(alpha, self.number, self.of)

    def repeated(self, p_value: float) -> float:
        """Return the p value that allows for every look."""
        return repeated_p(p_value, self.number, self.of)

    def __str__(self) -> str:
        return f"look {self.number} of {self.of} ({self.blocks:,} of {self.planned:,} blocks)"

    @property
    def next(self) -> str:
        """Where the next look is, in words."""
        blocks = min(found for k in range(1, self.of + 1) if (found := blocks_of(k, self.of, self.planned)) > self.blocks)
        number = max(k for k in range(1, self.of + 1) if blocks_of(k, self.of, self.planned) == blocks)
        return f"look {number} of {self.of}, at {blocks:,} complete blocks"


def blocks_of(number: int, looks: int, planned: int) -> int:
    """Return how many of the planned blocks a look takes: k / K of them, rounded up."""
    return -(-number * planned // looks)


def reached(battles: pd.DataFrame, plan: AnalysisPlan) -> tuple[Look, pd.DataFrame]:
    """Return the latest look that has been reached, and the battles that belong to it.

    Args:
        battles: one row per planned battle with block and status.

    Raises:
        AnalysisError: the blocks are not known, as in a study from elsewhere.
    """
    if "block" not in battles.columns or battles["block"].isna().any():
        raise AnalysisError(f"looks={plan.looks} needs the blocks of a study that was designed here: analyse with looks=1")
    # The last look is the end of the study, as without any looks: what failed then counts as missing.
    open_states = ["pending", "failed"] if (battles["status"] == "pending").any() else ["pending"]
    open_blocks = battles.loc[battles["status"].isin(open_states), "block"]
    planned = int(battles["block"].max()) + 1
    whole = planned if open_blocks.empty else int(open_blocks.min())
    number = max(k for k in range(plan.looks + 1) if blocks_of(k, plan.looks, planned) <= whole)
    blocks = blocks_of(number, plan.looks, planned)
    inside = battles["block"] < blocks
    later = int((~inside & (battles["status"] != "pending")).sum())
    look = Look(number=number, of=plan.looks, blocks=blocks, planned=planned, later=later)
    return look, battles[inside]


def remarks(look: Look, *, shown: bool) -> tuple[str, ...]:
    """Return what a reader must know of a look: where it stands, and what an early stop does to the numbers.

    Args:
        shown: whether the battles of the look are analysed; otherwise those of an unfinished study are.
    """
    if look.final:
        return ()
    if not shown:
        where = f"{look}: no boundary is crossed" if look.number else "no look was reached yet"
        return (f"{where}; next is {look.next}",)
    later = f"{look.later:,} finished battles belong to later looks and are set aside; " if look.later else ""
    return (
        f"analysed at {look}: {later}an effect that stops a study early is overstated on average",
        "the adjusted p value of the primary outcome and the interval of its ratio allow for every look; all other p values and "
        "intervals are of this look alone, and a treatment that crosses no boundary shows none",
    )

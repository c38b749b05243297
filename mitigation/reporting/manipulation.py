"""The private answers after the battles in; the table of the manipulation check as a report prints it out."""

from __future__ import annotations

from typing import Final

from mitigation.figures import rows, wording
from mitigation.reporting.inputs import ReportInput

HEADS: Final = ("Arm", "Asked", "Answered", "Repeats its text", "Says it is an AI", "Says both are AIs", "In-group we")
ABOUT: Final = (
    "After each battle each agent was asked in private who it is and to which group, if any, both belong; the other never saw "
    "this. An answer repeats the text that its agent was given if it says the name in it, the profession that it opens with, or "
    "three of its words; what the placebo reaches is what an identity has to exceed. All counts are of the answers that came; "
    "missing answers are counted and not taken for a no. Fixed rules read the answers; their table holds every one, to be read."
)


def shown(given: ReportInput) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]] | None:
    """Return heads and cells, None where no agent was asked."""
    if given.manipulation is None:
        return None
    lines = []
    for row in rows.records(given.manipulation[1]):
        answered, known = rows.count(row["answered"]), rows.count(row["with_identity"])
        shares = [(row["took_up"], known), *((row[name], answered) for name in ("says_ai", "says_shared_ai", "says_we"))]
        cells = [_share(rows.count(part), whole) for part, whole in shares]
        lines.append((rows.text(row["arm"]), wording.whole(rows.count(row["asked"])), wording.whole(answered), *cells))
    return HEADS, tuple(lines)


def _share(part: int | None, whole: int | None) -> str:
    return wording.NONE if not whole or part is None else f"{part:,} of {whole:,}"

"""Wording as a factor in; the table that a report prints out."""

from __future__ import annotations

from typing import Final

from mitigation.figures import rows, wording
from mitigation.reporting.inputs import ReportInput

HEADS: Final = ("Arm", "Wordings", "Rate ratio", "Lowest, when one is left out", "Highest, when one is left out")
ABOUT: Final = (
    "Agents of an arm draw their texts from a bank. If leaving the battles of one wording out moves a ratio far, the effect "
    "is that wording's. These numbers describe the wordings at hand and are no test."
)


def shown(given: ReportInput) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]] | None:
    """Return heads and cells, None where no arm has several wordings."""
    if given.wordings is None or given.wordings[1].empty:
        return None
    lines = []
    for row in rows.records(given.wordings[1]):
        low, high = (
            f"{wording.ratio(rows.number(row[f'{end}_without']))} (without {wording.whole(rows.count(row[f'wording_{end}']))})"
            for end in ("lowest", "highest")
        )
        lines.append(
            (
                rows.text(row["arm"]),
                wording.whole(rows.count(row["wordings"])),
                wording.ratio(rows.number(row["ratio"])),
                low,
                high,
            )
        )
    return HEADS, tuple(lines)

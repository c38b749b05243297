"""The treatment against the other arms in; the table that a report prints out."""

from __future__ import annotations

from typing import Final

from mitigation.figures import rows, wording
from mitigation.reporting.inputs import ReportInput

HEADS: Final = ("Treatment", "Against", "Battles", "Its rate", "The other's", "Rate ratio, 95% CI")
TESTED: Final = ("p", "No p because")
ABOUT: Final = (
    "Each treatment against every other arm but the control, in the primary outcome: same_unique asks whether the identity has "
    "to be the agent's own, incoherent whether it has to make sense, placebo whether it has to be an identity at all. These p "
    "values are secondary and not adjusted for their number; no verdict but “explained otherwise” looks at any of them."
)


def shown(given: ReportInput) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]] | None:
    """Return heads and cells, None where there is no other arm; while the study is unfinished without tests."""
    if given.mechanism is None or given.mechanism.empty:
        return None
    share, heads = given.analysis.plan.rate, HEADS if given.interim else (*HEADS, *TESTED)
    lines = []
    for row in rows.records(given.mechanism):
        sizes = f"{wording.whole(rows.count(row['n_treatment']))} v {wording.whole(rows.count(row['n_against']))}"
        mine, other = (wording.rate(rows.number(row[name]), share) for name in ("rate_treatment", "rate_against"))
        ends = wording.interval(rows.number(row["ratio_low"]), rows.number(row["ratio_high"]))
        ratio = wording.with_interval(wording.ratio(rows.number(row["rate_ratio"])), ends)
        tested = wording.p_cell(rows.number(row["p_value"])), rows.text(row["no_test"]) or wording.NONE
        line = (rows.text(row["treatment"]), rows.text(row["against"]), sizes, mine, other, ratio, *tested)
        lines.append(line[: len(heads)])
    return heads, tuple(lines)

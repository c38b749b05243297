"""Transcripts in; what the battles of each arm took, out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pandas as pd

from mitigation.figures import rows
from mitigation.reporting.inputs import ReportInput

COLUMNS: Final = ("arm", "battles", "messages", "calls", "input_tokens", "output_tokens", "usd")
ABOUT: Final = (
    "What the battles of this report took, by arm, private answers among it. Calls count every attempt that was sent for a "
    "battle; a sum of which a part is not known is left out."
)


def frame(given: ReportInput) -> pd.DataFrame:
    """Return one row an arm: battles that were begun, generated messages, calls, tokens in and out, and dollars."""
    lines = []
    for arm in rows.arms(given.analysis):
        own = [battle for battle in given.transcripts if battle.identity == arm.arm]
        replies = sum(len(battle.replies) for battle in own)
        turns = [turn for battle in own for turn in (*battle.replies, *battle.check)]
        tokens = (_sum(turn.input_tokens for turn in turns), _sum(turn.output_tokens for turn in turns))
        lines.append((arm.arm, len(own), replies, _sum(b.calls for b in own), *tokens, _sum(b.usd for b in own)))
    return pd.DataFrame(lines, columns=list(COLUMNS), dtype=object)


def _sum(values: Iterable[float | None]) -> float | None:
    """Return a sum, None where a part of it is not known or there is none."""
    found = list(values)
    known = [value for value in found if value is not None]
    return sum(known) if found and len(known) == len(found) else None

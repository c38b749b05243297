"""The states of the planned battles in; the tables of what is missing, as a report prints them, out."""

from __future__ import annotations

from typing import Final

from mitigation.figures import rows, wording
from mitigation.reporting.inputs import ReportInput

STATES: Final = ("planned", "complete", "refused", "failed", "pending", "excluded", "no_exposure", "scored")
ABOUT: Final = (
    "Every planned battle is in exactly one state. A battle that is not complete, or holds no generated message, has no score."
)
FORM_ABOUT: Final = "Messages of complete battles that a rule on form marks, by arm; none is left out for it."
BOUNDS_ABOUT: Final = (
    "Whether the arms lost battles at different rates, and the effect in the worst and the best case: every missing battle takes "
    "the value that speaks most against, or for, the expected direction (after Manski 1990)."
)


def shown(given: ReportInput) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return heads and cells of the planned battles by arm and state."""
    heads = ("Arm", *(state.replace("_", " ").capitalize() for state in STATES))
    lines = [(arm.arm, *(wording.whole(getattr(arm, state)) for state in STATES)) for arm in rows.arms(given.analysis)]
    return heads, tuple(lines)

"""What a report is made of, as one value; everything on the page is computed from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mitigation.figures import rows

if TYPE_CHECKING:
    import pandas as pd

    from mitigation.adherence import Adherence
    from mitigation.analysis import Analysis
    from mitigation.cooperation import Conduct
    from mitigation.descriptions import Description
    from mitigation.looks import Look
    from mitigation.types import Detection, Transcript

QUESTION: Final = "Does a unique, disassociative identity keep two AI agents from becoming a “we”?"
SIMULATED: Final = "SIMULATED: these battles were drawn by a simulator with a known effect. No language model took part."
EMBEDDED: Final = (
    "A 135M-parameter model shows that the pipeline works, not that the mitigation does: a null here is a floor, not a finding."
)
TEMPERATURE_ZERO: Final = (
    "Temperature 0: repeated battles are near-copies of each other, so the number of battles overstates what was observed."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInput:
    """Everything a report needs; a table from elsewhere brings only the analysis.

    Attributes:
        analysis: contrasts, arms, battles, missingness and notes of the study.
        messages: one row per generated message, or None when the outcomes came as a table.
        transcripts: the battles as fought.
        detections: by battle_id, what the detector saw in each message.
        identities: by arm, the wordings that its agents received.
        definitions: the frozen cells of the study.
        mechanism: each treatment against every other arm but the control, or None.
        half_treated: arms in which one agent of a battle is treated and the other is not.
        conduct: how the agents acted in games, or None when no scenario has one.
        manipulation: private answers after the battles, a row each, and their counts by arm; None when nobody was asked.
        wordings: rates by wording, and their summary by arm; None when nobody drew any.
        form: messages that rules on form mark, a row an arm; None where there are no transcripts.
        described: further tables, under their headings.
        simulated: the battles come from a simulator; every output says so.
        embedded: the battles were fought by the small embedded model; the page says what that can show.
        detector: name, version and digest of the detector, as printed.
        adherence: the locked plan and whether it was followed, None when none was locked.
        provenance: versions, seeds, hashes and the command that rebuilds the report, as printed.
        labelled: whether people labelled any of its battles.
        cost: what the whole study has cost, in words.
        citation: how the program is cited, as BibTeX.
        question: heading of the page.
        battles_shown: most battles whose text is put into the page; beyond it whole blocks are drawn.
    """

    analysis: Analysis
    messages: pd.DataFrame | None = None
    transcripts: Sequence[Transcript] = ()
    detections: Mapping[str, Sequence[Detection]] = field(default_factory=dict)
    identities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    definitions: Sequence[Mapping[str, Any]] = ()
    mechanism: pd.DataFrame | None = None
    half_treated: tuple[str, ...] = ()
    conduct: Conduct | None = None
    manipulation: tuple[pd.DataFrame, pd.DataFrame] | None = None
    wordings: tuple[pd.DataFrame, pd.DataFrame] | None = None
    form: pd.DataFrame | None = None
    described: tuple[Description, ...] = ()
    simulated: bool = False
    embedded: bool = False
    detector: str = ""
    adherence: Adherence | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    labelled: bool = False
    cost: str = ""
    citation: str = ""
    question: str = QUESTION
    battles_shown: int = 1000

    @property
    def pending(self) -> int:
        """Planned battles that have not been fought yet."""
        return sum(arm.pending or 0 for arm in rows.arms(self.analysis))

    @property
    def interim(self) -> bool:
        """True while planned battles are pending: the report then says nothing of significance."""
        return self.pending > 0

    @property
    def temperature_zero(self) -> bool:
        """True when an agent was sampled at temperature 0, which makes near-copies of one battle."""
        return any(agent.temperature == 0 for battle in self.transcripts for agent in battle.agents)


def banners(given: ReportInput) -> tuple[tuple[str, str], ...]:
    """Return (kind, text) of every warning that a reader must not miss, the gravest first."""
    found = []
    if given.simulated:
        found.append(("simulated", SIMULATED))
    if given.interim:
        planned = sum(arm.planned or 0 for arm in rows.arms(given.analysis))
        share = f"{given.pending:,} of {planned:,} planned battles {'is' if given.pending == 1 else 'are'} pending"
        found.append(("interim", f"INTERIM: {share}. Nothing that is said of this study speaks of significance."))
    if (look := given.analysis.look) is not None and not look.final and not given.interim:
        found.append(("interim", _early(given, look)))
    if given.adherence is not None and not given.adherence.followed:
        found.append(("deviation", f"NOT AS PLANNED: {'; '.join(given.adherence.deviations)}."))
    if given.embedded:
        found.append(("embedded", EMBEDDED))
    if given.temperature_zero:
        found.append(("temperature", TEMPERATURE_ZERO))
    return tuple(found)


def _early(given: ReportInput, look: Look) -> str:
    """Say that a report is of a look before the last one, and whether that was planned."""
    kept, waiting = given.adherence, given.analysis.waiting
    crossed = [row.treatment for row in rows.primary(given.analysis) if row.treatment not in waiting]
    goes = f"; {', '.join(waiting)}: unfinished" if waiting else ""
    planned = (
        "as planned"
        if kept is not None and kept.followed
        else "but no plan with these looks was locked and followed: how often one would have looked is not known, nor the level"
    )
    return f"AT A LOOK: {look}, {planned}. The boundary is crossed by {', '.join(crossed)}{goes}."


def remarks(given: ReportInput) -> tuple[str, ...]:
    """Return what stands below the verdicts: whether a locked plan was followed, and notes on the study as a whole."""
    halves = (f"{arm}: one agent of each battle is treated, and the rate is that of both agents" for arm in given.half_treated)
    return (*_planned(given), *given.analysis.notes, *_unjudged(given), *halves)


def _unjudged(given: ReportInput) -> tuple[str, ...]:
    """Say how many messages of complete battles the detector could not judge, by arm: they count as unknown, never as no."""
    battles = given.analysis.battles
    if "unjudged" not in battles.columns:
        return ()
    complete = battles[battles["status"] == "complete"]
    lost = complete.groupby("arm")["unjudged"].sum()
    if not int(lost.sum()):
        return ()
    every = complete["unjudged"].fillna(0) + complete["messages"].fillna(0)
    total = every.groupby(complete["arm"]).sum()
    arms = (f"{arm} {int(lost[arm]):,} of {int(total[arm]):,}" for arm in given.analysis.arms["arm"] if arm in lost)
    return (
        f"messages that could not be judged, by arm: {', '.join(arms)}; they are left out, and an arm that loses more of them "
        "than another can differ for that alone",
    )


def _planned(given: ReportInput) -> tuple[str, ...]:
    kept = given.adherence
    if kept is None:
        # A table from elsewhere has no plan that could be known here.
        return ("no plan was locked before this study: its results are exploratory",) if given.transcripts else ()
    how = "followed" if kept.followed else "not followed (see the warning above)"
    return (f"the plan was locked {kept.locked_at} (sha256 {kept.sha256}) and was {how}",)

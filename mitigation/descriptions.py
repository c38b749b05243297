"""A loaded study in; tables that describe what its agents did, beside the contrasts, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

from mitigation import measures, topic
from mitigation.studies import Loaded


class Section(StrEnum):
    """A heading of the report; they stand there in this order."""

    DESIGN = "Design and plan"
    CONTRASTS = "Contrasts"
    MISSING = "Missing battles, by arm"
    SIDE_EFFECTS = "Side effects"
    MECHANISM = "Mechanism"
    BEHAVIOUR = "What the agents did"
    SENSITIVITY = "Does it hang on one choice?"
    DETECTOR = "How it was measured, and how far that can be trusted"
    COST = "Cost"
    PLANNING = "Planning the next study"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One table of a report.

    Attributes:
        section: heading that it stands under.
        name: name of its file.
        title: its own heading.
        about: what it shows, and what not.
        frame: the table; None stands for what cannot be told.
        shown: columns that a page has room for; none for all. The file holds all.
        spread: name of the values that a page sets side by side, a column an arm, behind the other columns that are `shown`.
    """

    section: Section
    name: str
    title: str
    about: str
    frame: pd.DataFrame
    shown: tuple[str, ...] = ()
    spread: str | None = None

    @property
    def page(self) -> pd.DataFrame:
        """The table as a page shows it."""
        if self.spread is None:
            return self.frame[list(self.shown)] if self.shown else self.frame
        arms = list(dict.fromkeys(self.frame["arm"]))
        lines: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row in self.frame.to_dict("records"):
            lines.setdefault(tuple(row[name] for name in self.shown), {})[row["arm"]] = row[self.spread]
        cells = [(*key, *(values.get(arm) for arm in arms)) for key, values in lines.items()]
        return pd.DataFrame(cells, columns=[*self.shown, *arms], dtype=object)


def behaviour(loaded: Loaded, arms: Sequence[str]) -> Iterator[Description]:
    """Yield what the agents of each arm did; nothing here is a test."""
    messages = loaded.messages
    if messages.empty or not messages["ingroup"].notna().any():
        return
    yield Description(
        section=Section.BEHAVIOUR,
        name="tiers",
        title="Three tiers of the in-group we",
        about="Each tier lies within the one before: any in-group we; without the first reply and bare let’s; those that name or "
        "presuppose a shared group. Shares and rates are plain means over battles.",
        frame=measures.tier_table(messages, arms),
    )
    yield Description(
        section=Section.BEHAVIOUR,
        name="onset",
        title="When it began",
        about="Index of the first message with it, among the battles that have one; battles without are counted, not averaged.",
        frame=measures.onset_table(messages, arms),
    )
    yield Description(
        section=Section.BEHAVIOUR,
        name="disclosure",
        title="In-group we before and after an agent says to be an AI",
        about="Mean share of messages, over battles that have messages on both sides; the disclosing message is on neither. A "
        "difference describes the course of battles and is no effect of the disclosure: nobody drew who discloses.",
        frame=measures.disclosure_table(messages, arms),
    )
    yield Description(
        section=Section.BEHAVIOUR,
        name="tree",
        title="The tree of Social Identity Theory",
        about="Mean share of messages, by arm, that show in-group and out-group behaviour and their leaves; a branch counts a "
        "message that shows any of its leaves.",
        frame=measures.tree_table(messages, arms),
        shown=("branch", "leaf"),
        spread="share_of_messages",
    )
    yield Description(
        section=Section.BEHAVIOUR,
        name="courses",
        title="Courses",
        about="Battles with a loop of farewells (three messages in a row that are little but a goodbye), battles in which an "
        "agent recognises the other as an AI, and the share of messages that stay on the task: neither refusing nor leaving it.",
        frame=measures.course_table(messages, loaded.transcripts, arms),
    )
    near = topic.arm_nearness(topic.nearness_table(loaded.transcripts, loaded.definitions), arms)
    if len(near):
        yield Description(
            section=Section.BEHAVIOUR,
            name="nearness",
            title="Nearness to the task",
            about="Likeness of words to those of the scenario, 0 to 1, in the first and the last third of the battles. It draws "
            "a course and judges no message; an arm whose agents were given words of their own lies lower from the start.",
            frame=near,
        )

"""A loaded study in; tables that describe it beside the contrasts out: behaviour, and how far its detector can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from mitigation import measures, topic
from mitigation.accuracy import scores
from mitigation.agreement import Agreement, agreements
from mitigation.correction import corrected_contrasts, corrected_rates, labelled_battles
from mitigation.errors import AnalysisError, ConfigError, StoreError
from mitigation.labels import read_labels
from mitigation.matching import Rater
from mitigation.outcomes import message_table
from mitigation.studies import JUDGES, Loaded, load
from mitigation.types import Detection

RESAMPLES: Final = 2_000
BEHAVIOUR: Final = "What the agents did"
TRUST: Final = "How far the detector can be trusted here"


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

    section: str
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


def describe_all(loaded: Loaded, arms: Sequence[str], *, detector: str, results: Path, seed: int) -> Iterator[Description]:
    """Yield every table that describes a study."""
    yield from behaviour(loaded, arms)
    yield from trust(loaded, arms, detector=detector, results=results, seed=seed)


def behaviour(loaded: Loaded, arms: Sequence[str]) -> Iterator[Description]:
    """Yield what the agents of each arm did; nothing here is a test."""
    messages = loaded.messages
    if messages.empty or not messages["ingroup"].notna().any():
        return
    yield Description(
        section=BEHAVIOUR,
        name="tiers",
        title="Three tiers of the in-group we",
        about="Each tier lies within the one before: any in-group we; without the first reply and bare let’s; those that name or "
        "presuppose a shared group. Shares and rates are plain means over battles.",
        frame=measures.tier_table(messages, arms),
    )
    yield Description(
        section=BEHAVIOUR,
        name="onset",
        title="When it began",
        about="Index of the first message with it, among the battles that have one; battles without are counted, not averaged.",
        frame=measures.onset_table(messages, arms),
    )
    yield Description(
        section=BEHAVIOUR,
        name="disclosure",
        title="In-group we before and after an agent says to be an AI",
        about="Mean share of messages, over battles that have messages on both sides; the disclosing message is on neither. A "
        "difference describes the course of battles and is no effect of the disclosure: nobody drew who discloses.",
        frame=measures.disclosure_table(messages, arms),
    )
    yield Description(
        section=BEHAVIOUR,
        name="tree",
        title="The tree of Social Identity Theory",
        about="Mean share of messages, by arm, that show in-group and out-group behaviour and their leaves; a branch counts a "
        "message that shows any of its leaves.",
        frame=measures.tree_table(messages, arms),
        shown=("branch", "leaf"),
        spread="share_of_messages",
    )
    yield Description(
        section=BEHAVIOUR,
        name="courses",
        title="Courses",
        about="Battles with a loop of farewells (three messages in a row that are little but a goodbye), battles in which an "
        "agent recognises the other as an AI, and the share of messages that stay on the task: neither refusing nor leaving it.",
        frame=measures.course_table(messages, loaded.transcripts, arms),
    )
    near = topic.arm_nearness(topic.nearness_table(loaded.transcripts, loaded.definitions), arms)
    if len(near):
        yield Description(
            section=BEHAVIOUR,
            name="nearness",
            title="Nearness to the task",
            about="Likeness of words to those of the scenario, 0 to 1, in the first and the last third of the battles. It draws "
            "a course and judges no message; an arm whose agents were given words of their own lies lower from the start.",
            frame=near,
        )


def trust(loaded: Loaded, arms: Sequence[str], *, detector: str, results: Path, seed: int = 0) -> Iterator[Description]:
    """Yield how the detector does against labels that people gave to this study, how far raters agree, and corrected rates."""
    homes = {battle.battle_id: battle.identity for battle in loaded.transcripts}
    people = {name: given for name, given in _people(loaded, results).items() if given}
    yield from _agreement(loaded, people, homes, detector=detector, results=results, seed=seed)
    if not people:
        return
    best = max(sorted(people), key=lambda name: len(_whole(loaded, people[name])))
    try:
        table = scores(people[best], loaded.detections, arms=homes, rng=np.random.default_rng(seed), resamples=RESAMPLES)
    except AnalysisError:  # nothing that both have judged
        return
    yield Description(
        section=TRUST,
        name="accuracy",
        title=f"The detector against the labels of {best}",
        about="Whole battles, drawn at random in each arm and labelled blind; intervals resample battles. The baseline calls "
        "every mention in-group. A detector that errs differently by arm makes an effect of its own.",
        frame=table[table["n_gold"].gt(0) | table["n_said"].gt(0)],
        shown=("arm", "level", "label", "n_gold", "n_said", "precision", "recall", "f1", "f1_low", "f1_high", "baseline_f1"),
    )
    interim = any(battle.status == "pending" for battle in loaded.transcripts) or bool(
        (loaded.battles["status"] == "pending").any()
    )
    if not interim:  # limits that exclude no effect would speak of significance before the study is complete
        yield from _corrected(loaded, people[best], arms, best, seed)


def _people(loaded: Loaded, results: Path) -> Mapping[str, Mapping[str, tuple[Detection, ...]]]:
    return read_labels(Path(results) / loaded.study, loaded.transcripts, blind=True)


def _agreement(
    loaded: Loaded, people: Mapping[str, Rater], homes: Mapping[str, str], *, detector: str, results: Path, seed: int
) -> Iterator[Description]:
    raters: dict[str, Rater] = dict(people)
    if detector in JUDGES:
        for name in JUDGES:
            try:
                raters[name] = load(loaded.study, detector=name, results=results).detections
            except (ConfigError, StoreError):  # a panel of one, or a file of another version
                continue
    groups = [("people", sorted(people)), ("judges", [name for name in JUDGES if name in raters])]
    rows = [
        {
            "raters": " and ".join(names), "arm": found.arm, "level": found.level, "label": found.label,
            "kappa": found.kappa and found.kappa.estimate, "kappa_low": found.kappa and found.kappa.low,
            "kappa_high": found.kappa and found.kappa.high, "alpha": found.alpha and found.alpha.estimate,
            "alpha_low": found.alpha and found.alpha.low, "alpha_high": found.alpha and found.alpha.high,
            "battles": found.battles, "messages": found.messages, "units": found.units, "unjudged": found.unjudged,
        }
        for _, names in groups
        if len(names) > 1
        for found in _agreements([raters[name] for name in names], homes, seed)
    ]  # fmt: skip
    if rows:
        yield Description(
            section=TRUST,
            name="agreement",
            title="Agreement of raters",
            about="Cohen’s kappa (two raters) and Krippendorff’s alpha, with 95% intervals over battles; messages that one could "
            "not judge are counted and left out. Labels given in a review, with another’s in sight, do not enter.",
            frame=pd.DataFrame(rows, dtype=object),
            shown=("raters", "arm", "level", "label", "units", "kappa", "kappa_low", "kappa_high", "alpha"),
        )


def _agreements(raters: Sequence[Rater], homes: Mapping[str, str], seed: int) -> tuple[Agreement, ...]:
    try:
        return agreements(raters, arms=homes, rng=np.random.default_rng(seed), resamples=RESAMPLES)
    except AnalysisError:  # nothing that both have judged
        return ()


def _whole(loaded: Loaded, gold: Rater) -> set[str]:
    """Return the battles of which every generated message is labelled."""
    given = {name: {seen.index for seen in found} for name, found in gold.items()}
    return {
        b.battle_id for b in loaded.transcripts if b.replies and {t.index for t in b.replies} <= given.get(b.battle_id, set())
    }


def _corrected(loaded: Loaded, gold: Rater, arms: Sequence[str], who: str, seed: int) -> Iterator[Description]:
    """Yield rates and contrasts corrected for the detector's errors; only battles that were labelled whole are used."""
    whole = _whole(loaded, gold)
    human = message_table(loaded.transcripts, {name: gold[name] for name in whole}).set_index(["battle_id", "index"])["ingroup"]
    said = loaded.messages[["arm", "battle_id", "stratum", "index", "ingroup"]].rename(columns={"ingroup": "said"})
    # What the detector could not judge is a "no" of its own, which the labels then correct like any other error.
    said = said.assign(said=said["said"].astype("boolean").fillna(False))
    joined = said.assign(gold=human.reindex(pd.MultiIndex.from_frame(said[["battle_id", "index"]])).to_numpy())
    battles = labelled_battles(joined)
    control = arms[0]
    about = (
        f"Rates of messages with an in-group we when the errors of the detector, as the labels of {who} show them, are taken "
        "out: uncorrected; from the labelled battles alone; by Rogan and Gladen with the errors of each arm; by prediction-"
        f"powered inference over battles (PPI++). Shares of messages, 95% each, without Holm; {len(whole)} battles were "
        f"labelled whole, {len(set(gold) - whole)} in part and not used here. The verdicts rest on the detector alone."
    )
    rates = corrected_rates(battles, rng=np.random.default_rng(seed), resamples=RESAMPLES)
    yield Description(
        section=TRUST,
        name="corrected_rates",
        title="Rates corrected for the detector’s errors",
        about=about,
        frame=rates,
    )
    if control in set(battles["arm"]) and battles["arm"].nunique() > 1:
        yield Description(
            section=TRUST,
            name="corrected_contrasts",
            title="Contrasts corrected for the detector’s errors",
            about="Treatment minus control, and their ratio, by the same four methods.",
            frame=corrected_contrasts(battles, control=control, rng=np.random.default_rng(seed), resamples=RESAMPLES),
        )

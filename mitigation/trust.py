"""A loaded study in; tables that tell how far its detector can be trusted, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from mitigation.accuracy import scores
from mitigation.agreement import Agreement, agreements
from mitigation.correction import corrected_contrasts, corrected_rates, labelled_battles
from mitigation.descriptions import Description, Section
from mitigation.detectors.model import accuracy
from mitigation.errors import AnalysisError, ConfigError, StoreError
from mitigation.labels import read_labels
from mitigation.matching import Rater
from mitigation.outcomes import message_table
from mitigation.studies import JUDGES, RULES, Loaded, load
from mitigation.types import Detection

RESAMPLES: Final = 2_000


def trust(
    loaded: Loaded, arms: Sequence[str], *, detector: str, results: Path, interim: bool, seed: int = 0
) -> Iterator[Description]:
    """Yield how the detector does against labels that people gave to this study, how far raters agree, and corrected rates."""
    homes = {battle.battle_id: battle.identity for battle in loaded.transcripts}
    people = {name: given for name, given in _people(loaded, results).items() if given}
    if detector in RULES:
        yield _known()
    elif not people:
        yield _unknown(detector, loaded.study)
    yield from _agreement(loaded, people, homes, detector=detector, results=results, seed=seed)
    if not people:
        return
    best = max(sorted(people), key=lambda name: len(_whole(loaded, people[name])))
    try:
        table = scores(people[best], loaded.detections, arms=homes, rng=np.random.default_rng(seed), resamples=RESAMPLES)
    except AnalysisError:  # nothing that both have judged
        return
    yield Description(
        section=Section.DETECTOR,
        name="accuracy",
        title=f"The detector against the labels of {best}",
        about="Whole battles, drawn at random in each arm and labelled blind; intervals resample battles. The baseline calls "
        "every mention in-group. A detector that errs differently by arm makes an effect of its own.",
        frame=table[table["n_gold"].gt(0) | table["n_said"].gt(0)],
        shown=("arm", "level", "label", "n_gold", "n_said", "precision", "recall", "f1", "f1_low", "f1_high", "baseline_f1"),
    )
    if not interim:  # limits that exclude no effect would speak of significance before the study is complete
        yield from _corrected(loaded, people[best], arms, best, seed)


def _known() -> Description:
    told = accuracy()
    return Description(
        section=Section.DETECTOR,
        name="detector_accuracy",
        title="The detector on authors that it was not fitted to",
        about=f"{told['mentions']:,} mentions in {told['messages']:,} messages of {told['authors']} authors, each left out in "
        "turn; 95% intervals over messages. Written and labelled by a language model for this toolkit, with many hard cases: "
        "how the detector does on the battles of this study is not among these numbers, only labels of your own tell it. The "
        "baseline gives the label to everything.",
        frame=pd.DataFrame(told["labels"], dtype=object),
        shown=("level", "label", "real", "precision", "recall", "f1", "low", "high", "baseline_f1"),
    )


def _unknown(detector: str, study: str) -> Description:
    remedy = f"mitigation annotate study={study} annotator=NAME"
    return Description(
        section=Section.DETECTOR,
        name="detector_accuracy",
        title="Nothing is known of this judge’s accuracy",
        about="No battle of this study has labels by people, and a rubric has no accuracy of its own.",
        frame=pd.DataFrame([{"detector": detector, "accuracy": None, "to_measure_it": remedy}], dtype=object),
    )


def _people(loaded: Loaded, results: Path) -> Mapping[str, Mapping[str, tuple[Detection, ...]]]:
    return read_labels(Path(results) / loaded.study, loaded.transcripts, blind=True)


def _agreement(
    loaded: Loaded, people: Mapping[str, Rater], homes: Mapping[str, str], *, detector: str, results: Path, seed: int
) -> Iterator[Description]:
    raters: dict[str, Rater] = dict(people)
    if detector in JUDGES:
        for name in JUDGES:
            try:
                read = load(loaded.study, detector=name, results=results).detections
                raters[name] = {battle: seen for battle, seen in read.items() if battle in homes}
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
            section=Section.DETECTOR,
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
        section=Section.DETECTOR,
        name="corrected_rates",
        title="Rates corrected for the detector’s errors",
        about=about,
        frame=rates,
    )
    if control in set(battles["arm"]) and battles["arm"].nunique() > 1:
        yield Description(
            section=Section.DETECTOR,
            name="corrected_contrasts",
            title="Contrasts corrected for the detector’s errors",
            about="Treatment minus control, and their ratio, by the same four methods.",
            frame=corrected_contrasts(battles, control=control, rng=np.random.default_rng(seed), resamples=RESAMPLES),
        )

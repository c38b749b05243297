"""A rater and another that is taken for the truth in, precision, recall and F1 of every label out, pooled and by arm.

A detector that errs differently by arm manufactures an effect, which no pooled figure shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mitigation.matching import (
    Answers,
    Judged,
    Level,
    Rater,
    battles_of,
    judged_messages,
    label_answers,
    mention_answers,
    message_answers,
    message_labels,
)
from mitigation.resampling import arms_of, percentile_interval, quotient, sums_by_arm
from mitigation.types import LABELS, Detection, Mention

Floats = NDArray[np.float64]
Question = tuple[Level, str, Answers, Sequence[bool]]
"""Level, label, whether each rater gave it (truth first), and whether the baseline does."""

MEASURES: Final = ("precision", "recall", "f1", "specificity")
COUNTS: Final = ("battles", "messages", "unjudged", "mentions", "n_gold", "n_said")
COLUMNS: Final = (
    *("arm", "level", "label", *COUNTS),
    *(column for measure in MEASURES for column in (measure, f"{measure}_low", f"{measure}_high")),
    "baseline_f1",
)


def scores(
    gold: Rater, said: Rater, *, arms: Mapping[str, str] | None = None, rng: np.random.Generator, resamples: int = 2_000
) -> pd.DataFrame:
    """Score what a rater said against the truth, pooled and for each arm.

    Args:
        gold: the rater taken for the truth, commonly a person.
        said: the rater to be scored.
        arms: arm of each battle; None pools only.

    Returns:
        `COLUMNS`, one row for each arm ("all" first) and label; None stands for what cannot be estimated.

        level: "mention" has rows for each of `LABELS`, for "social" (the tier inside in-group) and for "macro" (the mean F1 of
            those of `LABELS` that either rater gave); "message" has "ingroup" (at least one such mention) and each label.
        battles, messages: what both raters judged; unjudged: messages left out because one of them did not.
        mentions: places that either marked. n_gold, n_said: mentions or messages to which each of them gave the label.
        recall: also called sensitivity. specificity: of messages only.
        <measure>_low, <measure>_high: limits at 95 % of resamples of whole battles within their arms (`mitigation.resampling`).
        baseline_f1: of a rater that finds every mention and calls it in-group (macro too); in rows of other labels, of one that
            gives that label to every mention or message.

    Raises:
        AnalysisError: as in `judged_messages` and `arms_of`.
    """
    messages = judged_messages([gold, said])
    battles = battles_of(messages)
    arm_of = arms_of(battles, arms)
    asked = _questions(messages)
    counts = np.hstack([_counts(question, battles) for question in asked])
    rows: list[dict[str, Any]] = []
    nothing = dict.fromkeys(COLUMNS)
    for arm, sums in sums_by_arm(counts, arm_of, resamples=resamples, rng=rng).items():
        by_label = sums.reshape(len(sums), len(asked), -1)
        rows += [{**nothing, "arm": arm, **_row(question, by_label[:, i])} for i, question in enumerate(asked)]
        rows.append({**nothing, "arm": arm, **_macro(by_label[:, : len(LABELS)])})
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _questions(messages: Sequence[Judged]) -> list[Question]:
    """Return what is asked of each mention and message; those of `LABELS` come first."""
    marked = [bool(given[0]) for given in mention_answers(messages, lambda mention: True, absent=False).given]
    told = [bool(given[0]) for given in message_answers(messages, _any_mention).given]
    asked: list[Question] = [("mention", label, _labelled(messages, label), marked) for label in LABELS]
    asked.append(("mention", "social", mention_answers(messages, _is_social, absent=False), marked))
    asked.append(("message", "ingroup", message_answers(messages, _any_ingroup), told))
    for name in message_labels(messages):
        answers = label_answers(messages, name)
        asked.append(("message", name, answers, [True] * len(answers.given)))
    return asked


def _labelled(messages: Sequence[Judged], label: str) -> Answers:
    return mention_answers(messages, lambda mention: mention.label == label, absent=False)


def _is_social(mention: Mention) -> bool:
    return mention.label == "ingroup" and mention.tier == "social"


def _any_mention(seen: Detection) -> bool | None:
    return None if seen.mentions is None else bool(seen.mentions)


def _any_ingroup(seen: Detection) -> bool | None:
    return None if seen.mentions is None else any(mention.label == "ingroup" for mention in seen.mentions)


def _counts(question: Question, battles: Sequence[str]) -> Floats:
    """Return by battle `COUNTS`, how often both gave the label and how often the baseline does: shape (battles, 8)."""
    _, _, answers, base = question
    given = np.array(answers.given, dtype=np.bool_).reshape(-1, 2)
    units = np.column_stack([np.ones(len(given)), given, given.all(axis=1), np.array(base, dtype=np.bool_)])
    return np.hstack([answers.exposure(battles), answers.add_up(units, battles)])


def _row(question: Question, sums: Floats) -> dict[str, Any]:
    """Return the scores of one label; `sums` has the columns of `_counts`, shape (1 + resamples, 8)."""
    level, label, _, _ = question
    units, gold, said, right, base = sums[:, 3:].T
    measured = {"precision": quotient(right, said), "recall": quotient(right, gold), "f1": quotient(2 * right, gold + said)}
    row: dict[str, Any] = {"level": level, "label": label} | dict(zip(COUNTS, sums[0].astype(int).tolist(), strict=False))
    if level == "message":
        row["mentions"] = None
        measured["specificity"] = quotient(units - gold - said + right, units - gold)
    for measure, values in measured.items():
        row |= _limits(measure, values)
    return row | {"baseline_f1": _known(quotient(2 * gold[0], base[0] + gold[0]))}


def _macro(sums: Floats) -> dict[str, Any]:
    """Return the mean F1 of labels; `sums` is as in `_row` for each of `LABELS`, shape (1 + resamples, labels, 8)."""
    _, gold, said, right, base = np.moveaxis(sums[:, :, 3:], -1, 0)
    f1 = quotient(2 * right, gold + said)
    defined = np.isfinite(f1).sum(axis=1)
    ingroup = LABELS.index("ingroup")
    row = dict(zip(COUNTS, sums[0, 0].astype(int).tolist(), strict=False))
    row |= {"n_gold": int(gold[0].sum()), "n_said": int(said[0].sum())}
    baseline = quotient(2 * gold[0, ingroup], (base[0, ingroup] + gold[0, ingroup]) * defined[0])
    return {"level": "mention", "label": "macro", **row, "baseline_f1": _known(baseline)} | _limits(
        "f1", quotient(np.nansum(f1, axis=1), defined)
    )


def _limits(measure: str, values: Floats) -> dict[str, float | None]:
    interval = percentile_interval(values)
    if interval is None:
        return {}
    return {measure: interval.estimate, f"{measure}_low": interval.low, f"{measure}_high": interval.high}


def _known(value: Floats) -> float | None:
    return float(value) if np.isfinite(value) else None

"""Two or more raters of the same battles in, how far they agree beyond chance out: kappa and alpha, pooled and by arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitigation.estimates import Interval
from mitigation.matching import (
    NONE,
    Answers,
    Level,
    Rater,
    battles_of,
    judged_messages,
    label_answers,
    mention_answers,
    message_labels,
)
from mitigation.resampling import POOLED, arms_of, percentile_interval, quotient, sums_by_arm

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far raters agree in one question.

    Attributes:
        arm: arm, or "all".
        level: "mention": which label a mention has, "none" for a rater that did not mark it; "message": whether a message has a
            label.
        label: the label of messages; "all" for mentions.
        kappa: Cohen's kappa; None where only one answer was ever given, and for more than two raters.
        alpha: Krippendorff's nominal alpha; None where only one answer was ever given.
        battles: battles with a message that at least two raters judged.
        messages: such messages.
        units: mentions that at least one rater marked, or messages.
        unjudged: messages left out because fewer than two raters judged them.
    """

    arm: str
    level: Level
    label: str
    kappa: Interval | None
    alpha: Interval | None
    battles: int
    messages: int
    units: int
    unjudged: int


def cohen_kappa(tables: Floats) -> Floats:
    """Compute kappa = (p_o - p_e) / (1 - p_e), p_e from the shares of both raters (Cohen 1960); NaN where p_e is 1.

    Args:
        tables: how often one rater gave answer i and the other answer j, shape (..., answers, answers).
    """
    total = tables.sum(axis=(-2, -1))
    agreed = np.trace(tables, axis1=-2, axis2=-1) * total
    chance = (tables.sum(axis=-1) * tables.sum(axis=-2)).sum(axis=-1)
    return quotient(agreed - chance, total**2 - chance)


def krippendorff_alpha(coincidences: Floats) -> Floats:
    """Compute nominal alpha = 1 - (n - 1) (n - sum o_cc) / (n^2 - sum n_c^2) (Krippendorff 2011); NaN with one answer only.

    Args:
        coincidences: matrices of `coincidences_of`, added over units, shape (..., answers, answers).
    """
    each = coincidences.sum(axis=-1)
    n = each.sum(axis=-1)
    apart = n - np.trace(coincidences, axis1=-2, axis2=-1)
    # Thirds and the like add up with a rounding, and a rounding over a rounding would be an alpha.
    expected = n**2 - (each**2).sum(axis=-1)
    return 1 - quotient((n - 1) * apart, np.where(expected > 1e-9 * n**2, expected, 0.0))


def coincidences_of(codes: NDArray[np.intp], answers: int) -> Floats:
    """Return for each unit its ordered pairs of answers, divided by (answers given - 1).

    Args:
        codes: number of the answer, -1 where a rater gave none, shape (units, raters).

    Returns:
        Shape (units, answers, answers); zero for a unit with fewer than two answers.
    """
    times = (codes[:, :, None] == np.arange(answers)).sum(axis=1).astype(np.float64)
    pairs = times[:, :, None] * times[:, None, :] - times[:, :, None] * np.eye(answers)
    return np.asarray(pairs / np.maximum(times.sum(axis=1) - 1, 1)[:, None, None])


def agreements(
    raters: Sequence[Rater], *, arms: Mapping[str, str] | None = None, rng: np.random.Generator, resamples: int = 2_000
) -> tuple[Agreement, ...]:
    """Compute kappa and alpha of the labels of mentions and of each label of messages, pooled and for each arm.

    Intervals are at 95 % by `mitigation.resampling`: of whole battles, drawn within their arms. A place that nobody marked is no
    unit, so that raters cannot agree on "none": both coefficients of mentions err on the low side.

    Args:
        raters: two or more.
        arms: arm of each battle; None pools only.

    Raises:
        AnalysisError: as in `judged_messages` and `arms_of`.
    """
    messages = judged_messages(raters)
    battles = battles_of(messages)
    arm_of = arms_of(battles, arms)
    mentions = mention_answers(messages, lambda mention: mention.label, absent=NONE)
    asked: list[tuple[Level, str, Answers]] = [("mention", POOLED, mentions)]
    asked += [("message", label, label_answers(messages, label)) for label in message_labels(messages)]
    found = []
    for level, label, answers in asked:
        codes, size = _codes(answers, len(raters))
        tables = (codes[:, 0, None, None] == np.arange(size)[:, None]) & (codes[:, 1, None, None] == np.arange(size))
        squares = np.stack([coincidences_of(codes, size), tables], axis=1).reshape(len(codes), 2 * size * size)
        units = answers.add_up(np.hstack([np.ones((len(codes), 1)), squares]), battles)
        counts = np.hstack([answers.exposure(battles), units])
        for arm, sums in sums_by_arm(counts, arm_of, resamples=resamples, rng=rng).items():
            pairs, table = np.moveaxis(sums[:, 4:].reshape(len(sums), 2, size, size), 1, 0)
            judged, kept, unjudged, total = (int(count) for count in sums[0, :4])
            found.append(
                Agreement(
                    arm=arm,
                    level=level,
                    label=label,
                    kappa=percentile_interval(cohen_kappa(table)) if len(raters) == 2 else None,
                    alpha=percentile_interval(krippendorff_alpha(pairs)),
                    battles=judged,
                    messages=kept,
                    units=total,
                    unjudged=unjudged,
                )
            )
    return tuple(found)


def _codes(answers: Answers, raters: int) -> tuple[NDArray[np.intp], int]:
    """Return the number of each answer, -1 for none, shape (units, raters), and how many different ones there are."""
    names = sorted({answer for given in answers.given for answer in given if answer is not None})
    number = {name: i for i, name in enumerate(names)}
    codes = [[-1 if answer is None else number[answer] for answer in given] for given in answers.given]
    return np.array(codes, dtype=np.intp).reshape(-1, raters), len(names)

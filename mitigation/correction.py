"""Battles that a detector judged and people partly labelled in; rates of arms and contrasts, corrected for its errors, out.

Labelled battles have to be whole ones, drawn at random within each arm and labelled blind to it. The estimand is that of
`mitigation.estimates.arm_rates`: the mean of battle rates in messages, strata weighted alike in all arms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from mitigation.corrected_means import Drawn, Mean, Side, labelled, prediction_powered, rogan_gladen, uncorrected
from mitigation.errors import AnalysisError
from mitigation.estimates import Interval, shared_strata

METHODS: Final = ("uncorrected", "labelled", "rogan_gladen", "ppi")
"""Explained in `mitigation.corrected_means`."""
MEASURES: Final = ("difference", "ratio")
RATE_COLUMNS: Final = ("arm", "method", "estimate", "low", "high", "n_labelled", "n_battles", "reason")
CONTRAST_COLUMNS: Final = ("treatment", "control", "measure", *RATE_COLUMNS[1:])

Estimate = Mean | Drawn | str
"""An estimate, or why there is none."""


def labelled_battles(messages: pd.DataFrame) -> pd.DataFrame:
    """Add messages up to battles.

    Args:
        messages: one row a message with arm, battle_id, said, gold and perhaps stratum; said and gold are true or false, missing
            where the detector or the person could not judge. A battle with any gold is a labelled one.

    Returns:
        One row a battle with any judged message: arm, battle_id, and stratum where given; `said` and `gold` (NaN where not
        labelled), shares of its messages that are in-group; `both`, share on which detector and person agree that they are;
        `messages`, how many these are shares of; `left_out`, how many the detector (or, in a labelled battle, the person) could
        not judge.

    Raises:
        AnalysisError: a column is missing, or a battle lies in two arms or strata.
    """
    home = ["arm", *(["stratum"] if "stratum" in messages else [])]
    _need(messages, ["arm", "battle_id", "said", "gold"])
    frame = messages[[*home, "battle_id"]].assign(
        said=messages["said"].astype("boolean"), gold=messages["gold"].astype("boolean")
    )
    homes = frame.groupby("battle_id")[home].nunique().max(axis=1)
    if len(strays := homes[homes > 1]):
        raise AnalysisError(f"battle {strays.index[0]} lies in two arms or strata: give each battle an id of its own")
    of_labelled = frame.groupby("battle_id")["gold"].transform("count") > 0
    judged = frame[frame["said"].notna() & (frame["gold"].notna() | ~of_labelled)]
    judged = judged.assign(both=(judged["said"] & judged["gold"]).where(judged["gold"].notna()))
    by_battle = judged.groupby("battle_id", sort=True)
    table = by_battle[home].first()
    for name in ("said", "gold", "both"):
        table[name] = by_battle[name].mean().to_numpy(dtype=np.float64, na_value=np.nan)
    table["messages"] = by_battle.size()
    table["left_out"] = frame.groupby("battle_id").size() - table["messages"]
    return table.reset_index()


def corrected_rates(
    battles: pd.DataFrame, *, rng: np.random.Generator, resamples: int = 2_000, confidence: float = 0.95
) -> pd.DataFrame:
    """Estimate the mean rate of every arm by each of `METHODS`.

    Args:
        battles: one row a battle with arm, `said`, `gold` (NaN where not labelled), and perhaps stratum and `both`, as in
            `labelled_battles`; without `both` there is no Rogan-Gladen estimate.
        resamples: resamples of battles for Rogan-Gladen.

    Returns:
        `RATE_COLUMNS`, a row for each arm and method. What cannot be estimated is None, and `reason` says why. Estimates and
        limits outside of 0 to 1 are cut here, as no rate lies there; contrasts are made of what was not cut.

    Raises:
        AnalysisError: a column is missing, a rate is not between 0 and 1 or `said` is missing.
    """
    rows: list[dict[str, Any]] = []
    for side in _sides(battles):
        for method, found in _estimates(side, resamples, rng).items():
            interval = None if isinstance(found, str) else found.interval(confidence)
            row = _row(method, [found], interval, [side], top=1.0)
            rows.append({"arm": side.arm, **row})
    return pd.DataFrame(rows, columns=list(RATE_COLUMNS), dtype=object)


def corrected_contrasts(
    battles: pd.DataFrame, *, control: str, rng: np.random.Generator, resamples: int = 2_000, confidence: float = 0.95
) -> pd.DataFrame:
    """Compare every other arm with `control` by each of `METHODS`, in strata that hold both arms.

    Args:
        battles, resamples: as in `corrected_rates`.

    Returns:
        `CONTRAST_COLUMNS`, a row for each treatment, measure and method. measure: "difference", treatment - control, or "ratio",
        treatment / control. n_labelled, n_battles: of both arms together. None is what cannot be estimated; `reason` says why.
        A ratio with a low and no high limit has no upper end.

    Raises:
        AnalysisError: as in `corrected_rates`; there is no battle of `control`, or no other arm.
    """
    _need(battles, ["arm"])
    arms = sorted(set(battles["arm"].astype(str)))
    if control not in arms or len(arms) < 2:
        raise AnalysisError(f"control={control!r} cannot be compared: there are battles of {', '.join(arms) or 'no arm'}")
    rows: list[dict[str, Any]] = []
    for arm in arms:
        if arm != control:
            pair = battles[battles["arm"].astype(str).isin([arm, control])]
            rows += [{"treatment": arm, "control": control, **row} for row in _compared(pair, arm, resamples, confidence, rng)]
    return pd.DataFrame(rows, columns=list(CONTRAST_COLUMNS), dtype=object)


def _compared(
    pair: pd.DataFrame, treatment: str, resamples: int, confidence: float, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Return the rows of one treatment; `pair` holds its battles and the control's."""
    if "stratum" in pair:
        pair = pair[shared_strata(pair["arm"].astype(str) == treatment, pair["stratum"])]
    if pair.empty:
        nothing = "no stratum holds battles of both arms"
        return [{"measure": measure, **_row(method, [nothing], None, [])} for measure in MEASURES for method in METHODS]
    control_side, side = sorted(_sides(pair), key=lambda one: one.arm == treatment)
    found, others = (_estimates(one, resamples, rng) for one in (side, control_side))
    rows = []
    for measure in MEASURES:
        for method in METHODS:
            interval = _between(found[method], others[method], measure, confidence)
            row = _row(method, (found[method], others[method]), interval, (side, control_side))
            if row["reason"] is None and interval is None:
                row["reason"] = f"the rate of {control_side.arm} is not above 0"
            elif row["reason"] is None and row["high"] is None:
                row["reason"] = f"no upper end: the rate of {control_side.arm} cannot be told from 0"
            rows.append({"measure": measure, **row})
    return rows


def _between(treated: Estimate, control: Estimate, measure: str, confidence: float) -> Interval | None:
    if isinstance(treated, Mean) and isinstance(control, Mean):
        return treated.minus(control, confidence) if measure == "difference" else treated.over(control, confidence)
    if isinstance(treated, Drawn) and isinstance(control, Drawn):
        return treated.minus(control, confidence) if measure == "difference" else treated.over(control, confidence)
    return None


def _estimates(side: Side, resamples: int, rng: np.random.Generator) -> dict[str, Estimate]:
    return {
        "uncorrected": uncorrected(side),
        "labelled": labelled(side),
        "rogan_gladen": rogan_gladen(side, resamples=resamples, rng=rng),
        "ppi": prediction_powered(side),
    }


def _row(
    method: str, found: Sequence[Estimate], interval: Interval | None, sides: Sequence[Side], top: float | None = None
) -> dict[str, Any]:
    """Return the columns that rates and contrasts share; `top` cuts what is printed to 0 and itself."""
    values = [] if interval is None else [interval.estimate, interval.low, interval.high]
    if top is not None:
        values = [None if value is None else min(max(value, 0.0), top) for value in values]
    reasons = [one for one in found if isinstance(one, str)]
    if interval is not None and interval.low is None:
        reasons = [one.no_limits for one in found if not isinstance(one, str)][:1]
    return {
        "method": method,
        **dict(zip(("estimate", "low", "high"), values or [None] * 3, strict=True)),
        "n_labelled": sum(int(side.labelled.sum()) for side in sides),
        "n_battles": sum(side.said.size for side in sides),
        "reason": "; ".join(dict.fromkeys(reasons)) or None,
    }


def _sides(battles: pd.DataFrame) -> list[Side]:
    """Return the battles of each arm, ordered by arm and then by rates, so that the order of rows has no influence."""
    _need(battles, ["arm", "said", "gold"])
    rates = [name for name in ("said", "gold", "both") if name in battles]
    frame = battles[rates].astype(np.float64)
    bad = ((frame < 0) | (frame > 1)).any(axis=1) | frame["said"].isna()
    if "both" in frame:
        bad |= frame["both"].isna() & frame["gold"].notna()
    if bad.any():
        row = int(np.argmax(bad)) + 1
        raise AnalysisError(f"row {row} of the battles lacks a rate between 0 and 1: leave out and count what was not judged")
    frame["arm"] = battles["arm"].astype(str)
    frame["stratum"] = battles["stratum"].astype(str) if "stratum" in battles else "all"
    frame = frame.sort_values(["arm", "stratum", *rates])
    share = frame.groupby("stratum").size() / max(len(frame), 1)
    sides = []
    for arm, mine in frame.groupby("arm", sort=True):
        weight = (mine["stratum"].map(share) / mine.groupby("stratum")["said"].transform("size")).to_numpy()
        weight = weight * len(mine) / weight.sum()
        said, gold = mine["said"].to_numpy(), mine["gold"].to_numpy()
        both = mine["both"].to_numpy() if "both" in mine else None
        sides.append(Side(arm=str(arm), weight=weight, said=said, gold=gold, both=both))
    return sides


def _need(table: pd.DataFrame, columns: Sequence[str]) -> None:
    if missing := [name for name in columns if name not in table]:
        raise AnalysisError(f"the table has no column {', '.join(missing)}: it needs {', '.join(columns)}")

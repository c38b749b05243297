"""Messages that a detector could not judge, as a bound on the verdict."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mitigation.missingness import missingness


def planned(control: list[tuple[float, int, int]], treated: list[tuple[float, int, int]]) -> pd.DataFrame:
    """Battles as (rate, judged messages, unjudged messages)."""
    rows = [("control", *each) for each in control] + [("treated", *each) for each in treated]
    frame = pd.DataFrame(rows, columns=["arm", "rate", "messages", "unjudged"])
    return frame.assign(stratum="s")


def bounds(frame: pd.DataFrame, top: float = 1.0) -> tuple[float | None, float | None, bool]:
    found = missingness(frame, control="control", treatment="treated", expected="less", top=top)
    return found.worst_difference, found.best_difference, found.agree


def test_nothing_lost_leaves_the_difference_as_it_is() -> None:
    worst, best, agree = bounds(planned([(0.5, 10, 0)] * 4, [(0.3, 10, 0)] * 4))
    assert worst == best == pytest.approx(-0.2)
    assert agree


def test_unjudged_messages_widen_the_bounds_and_can_undo_an_effect() -> None:
    worst, best, agree = bounds(planned([(0.5, 10, 0)] * 4, [(0.3, 7, 3)] * 4))
    assert worst == pytest.approx((0.3 * 7 + 3) / 10 - 0.5)
    assert best == pytest.approx(0.3 * 7 / 10 - 0.5)
    assert not agree


def test_unjudged_messages_are_counted_by_arm() -> None:
    found = missingness(
        planned([(0.5, 9, 1)] * 4, [(0.3, 7, 3)] * 4), control="control", treatment="treated", expected="less", top=1.0
    )
    assert (found.unjudged_control, found.unjudged_treatment) == (4, 12)


def test_a_battle_without_a_score_is_bounded_as_ever() -> None:
    frame = planned([(0.5, 10, 0)] * 2, [(0.3, 10, 0), (np.nan, 0, 10)])
    worst, best, _ = bounds(frame)
    assert worst == pytest.approx((0.3 + 1.0) / 2 - 0.5)
    assert best == pytest.approx((0.3 + 0.0) / 2 - 0.5)

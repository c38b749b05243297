"""A short torture: a study of real processes killed at a few points; `make torture` does it at a hundred."""

from __future__ import annotations

from pathlib import Path

from tests.torture import torture


def test_a_study_that_is_killed_again_and_again_loses_nothing_and_pays_nothing_twice(tmp_path: Path) -> None:
    score = torture(8, 3, tmp_path)
    assert sum(score.kills.values()) == 8
    assert not score.broken, score.broken

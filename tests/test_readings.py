"""Battles read by the rules in one process and in several: the same records, in the same order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mitigation.detectors import LexicalDetector
from mitigation.errors import AnalysisError
from mitigation.readings import reading, readings
from tests.report_cases import HOSTILE, fight, transcript


def test_several_processes_give_the_records_of_one() -> None:
    battles = [*fight(("control", "placebo"), 3), *(transcript("control", 9 + i, [text]) for i, text in enumerate(HOSTILE))]
    judge = LexicalDetector()
    assert readings(battles, judge, fewest=0) == [reading(battle, judge) for battle in battles]
    assert readings([], judge, fewest=0) == []
    assert readings(battles[:1], judge, fewest=0) == [reading(battles[0], judge)]


def test_a_process_that_fails_is_an_error_and_no_empty_record(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    battle = fight(("control",), 2)
    monkeypatch.setattr("mitigation.readings._CHILD", "import sys; sys.exit('the child is ill')")
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1})
    with pytest.raises(AnalysisError, match="a process that read 1 battles ended with code 1"):
        readings([replace(one) for one in battle], LexicalDetector(), fewest=0)
    assert "the child is ill" in capfd.readouterr().err

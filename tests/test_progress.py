"""Progress: what a user sees while a run goes on, without a terminal and with one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from experiments import _progress
from experiments._progress import Report, span
from mitigation.calls import Calls, Retry
from mitigation.fight import Notice
from mitigation.gateway import Run
from mitigation.ledger import Ledger, Totals
from mitigation.types import Model
from tests.test_design import bank, cell
from tests.test_store import battle


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_progress.time, "monotonic", clock)
    return clock


def planned(number: int = 0):
    from mitigation.design import interleave

    return interleave([cell(bank("a"), replicates=number + 1)])[number]


def test_a_line_comes_every_thirty_seconds_and_says_everything(
    clock: Clock, capsys: pytest.CaptureFixture[str], tmp_path
) -> None:
    state = Run()
    state.ledger = Ledger(tmp_path / "ledger.jsonl", cap=5.0, owner="me")
    state.ledger.totals = Totals(calls=12, usd=1.25, unpriced=2)
    with Report(total=10, done=2, state=state, budget=5.0) as report:
        first = planned(0)
        report(first)
        report(replace(planned(1), battle_id="other"))
        clock.now += 20
        report._show()
        assert capsys.readouterr().err == ""
        report(battle(0, status="refused"))
        report(Retry(caller=first.battle_id, attempt=2, seconds=12.0, reason="HTTP 503: busy"))
        told = capsys.readouterr().err
        assert "1 retrying, the last in 12 s (HTTP 503: busy)" in told
        clock.now += 31
        report._show()
        report._show()
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    said = "3 of 10 battles, 1 refused, 1 in flight, $1.2500 of $5.00 and 2 unpriced calls, about 6 min left"
    assert line == f"{said}, slowest other 51 s\n"
    assert "\r" not in line
    assert "\x1b" not in line


def test_a_model_that_holds_everybody_back_is_named_with_a_countdown(capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> str:
        state = Run()
        state.calls = Calls(concurrency=8)
        gate = state.calls.gate(Model(name="gpt", provider="openai"))
        gate.limited(sent=0.0, retry_after=90.0)
        report = Report(total=1, done=0, state=state)
        return report._told(_progress.time.monotonic())

    assert "gpt asked to wait, 90 s left" in asyncio.run(main())


def test_failures_are_told_one_by_one_and_then_in_groups(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Report(total=50, done=0, state=Run()) as report:
        for number in range(20):
            report(replace(battle(number, status="failed"), error=f"HTTP {400 if number % 4 else 500}: no (id {number})"))
    told = capsys.readouterr().err
    assert told.count("failed: s.p.a.000") == 5
    assert "further failures are counted and grouped at the end" in told
    assert "  15 × HTTP 400: no\n" in told
    assert "  5 × HTTP 500: no\n" in told


def test_a_notice_is_one_line_and_a_battle_that_is_put_off_leaves_the_count(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Report(total=2, done=0, state=Run(), label="[cell] ") as report:
        report(planned(0))
        report(Notice("later", planned(0).battle_id))
        report(Notice("a model changed\x1b[2J"))
        assert "0 in flight" in report._told(clock.now)
    assert capsys.readouterr().err == "[cell] a model changed\\x1b[2J\n"


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (119, "119 s"), (121, "2 min"), (7201, "2 h"), (86400, "24 h")])
def test_a_span_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert span(seconds) == words

"""The forecast of a run: bounds that hold, a likely figure that learns from what was fought."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.cli import main
from mitigation.costs import Measured, forecast
from mitigation.design import interleave
from mitigation.planning import measured
from mitigation.types import Model, Pairing
from tests.conftest import Command
from tests.faultserver import FaultServer
from tests.test_design import bank, cell
from tests.test_engine import PAID, PRICE, server
from tests.test_store import battle

__all__ = ["server"]


def paid(**changes: object) -> list:
    model = Model(name="m", provider="openai", max_tokens=100, price={"input": 1.0, "output": 10.0}, **changes)  # type: ignore[arg-type]
    from dataclasses import replace

    one = replace(cell(bank("a"), replicates=4), pairing=Pairing(name="p", first=model, second=model), messages=6)
    return interleave([one])


def test_low_likely_and_high_are_in_order_and_high_is_every_call_at_its_longest() -> None:
    found = forecast(paid(), concurrency=2, measured={})
    assert found.high.calls == 24
    assert found.high.output_tokens == 24 * 100
    assert 0 < found.low.usd < found.likely.usd < found.high.usd
    assert found.seconds > 0


def test_what_was_fought_replaces_the_guess() -> None:
    known = {"p": Measured(messages=3.0, tokens=20.0, seconds=2.0)}
    found = forecast(paid(), concurrency=2, measured=known)
    assert (found.likely.calls, found.likely.output_tokens) == (pytest.approx(12), pytest.approx(240))
    assert found.seconds == pytest.approx(4 * 3 * 2.0 / 2)
    assert found.measured
    assert found.low.usd <= found.likely.usd <= found.high.usd


def test_a_limit_of_requests_a_minute_sets_the_time() -> None:
    found = forecast(paid(requests_per_minute=1), concurrency=100, measured={})
    assert found.seconds >= 60 * 12


def test_stored_battles_tell_messages_tokens_and_seconds() -> None:
    from dataclasses import replace

    one = battle(0)
    reply = replace(one.turns[1], output_tokens=30)
    two = replace(one, turns=(one.turns[0], reply, replace(reply, index=2)))
    assert measured([two, replace(two, status="failed")]) == {"p": Measured(messages=2.0, tokens=30.0, seconds=0.5)}


def test_plan_calls_nothing_writes_nothing_and_its_band_holds_what_the_study_cost(
    project: Path, mitigation: Command, server: FaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*PAID[1:], *PRICE, "replicates=6", "pairing.first.max_tokens=60", "pairing.second.max_tokens=60"]
    assert main(["plan", *arguments, "budget.usd=1"]) == 0
    told = capsys.readouterr().out
    assert not any(project.iterdir())
    assert not server.ledger
    line = next(line for line in told.splitlines() if line.startswith("cost:"))
    low, likely, high = (float(part.split("$")[1].split(",")[0]) for part in line.split(", "))
    assert "budget.usd=1: stops the run before the high cost" in told
    assert mitigation("battle", *arguments, **server.environment()).returncode == 0
    usd = sum(json.loads(text)["usd"] for path in project.rglob("battles.jsonl") for text in path.read_text().splitlines())
    assert low < likely < high
    assert low <= usd <= high
    assert main(["plan", *arguments]) == 0
    told = capsys.readouterr().out
    assert "12 done, 0 to fight" in told
    assert f"spent so far: ${usd:,.4f}" not in told, "the preflight is part of what was spent"
    assert "spent so far: $" in told


def test_models_on_this_machine_cost_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "experiment=demo", "budget.usd=0"]) == 0
    told = capsys.readouterr().out
    assert "cost: low $0.00, likely $0.00, high $0.00" in told
    assert "(embedded): free" in told

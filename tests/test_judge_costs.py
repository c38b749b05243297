"""What judging costs: the budget holds, an unknown price is told, and a forecast is no less than what is charged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from experiments.cli import main
from mitigation.records import seal, unseal
from mitigation.store import Study
from tests import judges
from tests import loopback as lb
from tests.judges import BATTLE, ONE, PRICE, TWO, Post
from tests.loopback import Loopback
from tests.report_cases import NO_WE, WE, transcript

Told = pytest.CaptureFixture[str]


def dear(post: Post) -> lb.Fault:
    """An answer for which 2,000 tokens of prompt and 500 of reply are charged: $4.50 at the price of these tests."""
    usage = {"prompt_tokens": 2_000, "completion_tokens": 500, "total_tokens": 2_500}
    return lambda handler: handler.answer(judges.friendly(post), usage=usage)


def ledger(simulated: Study) -> tuple[float, float]:
    """Dollars of the ledger as it stands, and the most that it ever stood at."""
    usd, most, entered = 0.0, 0.0, dict[tuple[str, int, str], float]()
    for line in (simulated.folder / "ledger.jsonl").read_bytes().splitlines():
        entry = unseal(line)
        key = entry["call"], entry["n"], entry["by"]
        usd += entry["usd"] - entered.pop(key, 0.0) if "how" in entry else entry["usd"]
        if "how" not in entry:
            entered[key] = entry["usd"]
        most = max(most, usd)
    return usd, most


def test_the_budget_stops_before_it_is_overrun_and_a_larger_one_goes_on(
    simulated: Study, judge_server: Loopback, capsys: Told
) -> None:
    judge_server.reply = dear
    assert main([*ONE, PRICE, "budget.usd=50"]) == 4
    told = capsys.readouterr()
    assert "budget.usd=50 is reached" in told.err
    assert "go on with: mitigation detect study=s" in told.err
    assert 0 < len(judge_server.posts) < len(judges.tasks(simulated))
    usd, most = ledger(simulated)
    assert usd >= 4.5 * len(judge_server.posts)
    assert most <= 50
    assert not Path("results/s/detections/judge.jsonl").exists()
    assert main([*ONE, PRICE, "budget.usd=5000"]) == 0
    assert set(judges.asked(judge_server).values()) == {1}
    assert len(judges.asked(judge_server)) == len(judges.tasks(simulated))


def test_a_budget_below_the_first_call_sends_nothing(simulated: Study, judge_server: Loopback, capsys: Told) -> None:
    assert main([*ONE, PRICE, "budget.usd=0.01"]) == 4
    assert "raise budget.usd to go on" in capsys.readouterr().err
    assert not judge_server.posts
    assert not judge_server.preflights


def test_battles_count_towards_the_budget_of_their_study(simulated: Study, judge_server: Loopback, capsys: Told) -> None:
    spent = [
        {"call": "b/1", "n": 1, "by": "x", "usd": 45.0, "at": 1.0},
        {"call": "b/1", "n": 1, "by": "x", "usd": 45.0, "how": "reply"},
    ]
    (simulated.folder / "ledger.jsonl").write_bytes(b"".join(map(seal, spent)))
    assert main([*ONE, PRICE, "budget.usd=50"]) == 4
    assert "$45.0000 are spent" in capsys.readouterr().err
    assert not judge_server.posts


def test_a_budget_with_an_unknown_price_is_refused_before_anything_is_sent(
    simulated: Study, judge_server: Loopback, capsys: Told
) -> None:
    assert main([*ONE, "budget.usd=5"]) == 2
    told = capsys.readouterr().err
    assert "the price of local-model is unknown" in told
    assert "panel.first.price" in told
    assert not judge_server.posts + judge_server.preflights


def test_a_budget_is_refused_when_nobody_knows_what_was_spent_before(
    simulated: Study, judge_server: Loopback, capsys: Told
) -> None:
    assert main([*ONE, PRICE]) == 0
    (simulated.folder / "ledger.jsonl").unlink()
    assert main([*BATTLE, "replicates=4"]) == 0
    judge_server.posts.clear()
    assert main([*ONE, PRICE, "budget.usd=500"]) == 2
    assert "ledger.jsonl is missing, though battles of this study were fought or judged" in capsys.readouterr().err
    assert not judge_server.posts


def test_battles_from_elsewhere_can_be_judged_under_a_budget(project: Path, judge_server: Loopback) -> None:
    battle = transcript("control", 0, [WE, NO_WE])
    agents = tuple(type(agent)(name=agent.name, model="gpt-4o") for agent in battle.agents)
    judges.stored([transcript("control", 0, [WE, NO_WE], agents=agents)], "s")
    assert main([*ONE, PRICE, "budget.usd=500"]) == 0
    assert len(judge_server.posts) == 2


def test_a_dry_run_tells_the_cost_and_sends_nothing(simulated: Study, judge_server: Loopback, capsys: Told) -> None:
    before = {path: path.read_bytes() for path in simulated.folder.rglob("*") if path.is_file()}
    assert main([*TWO, "dry_run=true"]) == 0
    told = capsys.readouterr().out
    assert f"0 judged before, {2 * len(judges.tasks(simulated))} to ask" in told
    likely, most = map(float, re.search(r"\$([\d.]+), at most about \$([\d.]+)", told).groups())  # type: ignore[union-attr]
    assert 0 < likely < most
    assert "dry_run=true: nothing was asked" in told
    assert not judge_server.posts + judge_server.preflights
    assert {path: path.read_bytes() for path in simulated.folder.rglob("*") if path.is_file()} == before
    assert main([*ONE, "dry_run=true"]) == 0
    assert "without local-model, whose price is unknown" in capsys.readouterr().out


def test_the_most_that_a_dry_run_tells_is_not_exceeded(simulated: Study, judge_server: Loopback, capsys: Told) -> None:
    """Every answer as long as it may be, unusable, and asked for again."""
    assert main([*ONE, PRICE, "dry_run=true"]) == 0
    most = float(re.search(r"at most about \$([\d,.]+)", capsys.readouterr().out)[1].replace(",", ""))  # type: ignore[index]

    def wordy(post: Post) -> lb.Fault:
        used = (len(judges.system(post)) + len(judges.prompt(post))) // 4
        usage = {"prompt_tokens": used, "completion_tokens": 2_000, "total_tokens": used + 2_000}
        return lambda handler: handler.answer("no", usage=usage)

    judge_server.reply = wordy
    assert main([*ONE, PRICE]) == 0
    preflight = 11 * 1000e-6 + 7 * 5000e-6
    assert ledger(simulated)[0] - preflight <= most * 1.02

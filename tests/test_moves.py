"""Moves of whole studies: tables, the arms beside control, and what a report says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

import mitigation
from experiments import _sweeps
from mitigation.cooperation import ARM_COLUMNS, Conduct, conduct
from mitigation.definitions import definition, first_conflict, read_definition
from mitigation.errors import ConfigError
from mitigation.moves import BATTLE_COLUMNS, MOVE_COLUMNS, games_of, move_tables
from mitigation.reporting import write_report
from mitigation.significance.permutation import permutation_test
from mitigation.types import AnalysisPlan, Transcript
from tests.conftest import ROOT
from tests.report_cases import fight, study, transcript

SWEEP = ["-m", "identity=control,unique_disassociative", "pairing=scripted", "messages=6"]
PLAYED: list[dict[str, Any]] = [{"scenario": {"name": "coins", "game": "prisoners_dilemma"}}, {"scenario": {"name": "egomaniac"}}]


def fought(arm: str, replicate: int, moves: str, **changes: Any) -> Transcript:
    """A battle of the dilemma: S shares, K keeps, X is no move, anything else is prose."""
    lines = {"S": "Take it.\nMOVE: SHARE", "K": "No.\nMOVE: KEEP", "X": "MOVE: both"}
    return transcript(arm, replicate, [lines.get(move, "I win.") for move in moves], scenario="coins", **changes)


def judged(battles: Sequence[Transcript], *, interim: bool = False, plan: AnalysisPlan | None = None) -> Conduct:
    found = conduct(battles, PLAYED, plan=plan or AnalysisPlan(), arms=["control", "treated"], interim=interim)
    assert found is not None
    return found


def treated(battles: Sequence[Transcript], **given: Any) -> pd.Series:
    return judged(battles, **given).arms.set_index("arm").loc["treated"]


def two_arms(control: Sequence[str], other: Sequence[str]) -> list[Transcript]:
    made = [fought("control", i, moves) for i, moves in enumerate(control)]
    return made + [fought("treated", i, moves) for i, moves in enumerate(other)]


def test_a_row_for_each_generated_message_and_one_for_each_battle() -> None:
    tables = move_tables([fought("control", 0, "SKXS-"), fought("control", 1, "--"), *fight(replicates=1)], PLAYED)
    assert tables is not None
    assert tuple(tables.moves.columns) == MOVE_COLUMNS
    assert tuple(tables.battles.columns) == BATTLE_COLUMNS
    assert tables.moves["state"].tolist() == ["legal", "legal", "illegal", "legal", "missing", "missing", "missing"]
    assert tables.moves["agent"].tolist() == ["Robbie", "Bobby", "Robbie", "Bobby", "Robbie", "Robbie", "Bobby"]
    assert tables.moves["move"].tolist()[:3] == ["SHARE", "KEEP", "both"]
    first, second = tables.battles.to_dict("records")
    assert (first["moves"], first["legal"], first["illegal"], first["missing"]) == (5, 3, 1, 1)
    assert (first["payoff_0"], first["payoff_1"]) == (3.0 - 1.0, -1.0 + 3.0)
    assert (first["cooperation"], first["joint_payoff"]) == pytest.approx((2 / 3, 4 / 3))
    assert (second["legal"], second["missing"], second["payoff_0"]) == (0, 2, 0.0)
    assert pd.isna(second["cooperation"])
    assert pd.isna(second["joint_payoff"])


def test_only_complete_battles_of_scenarios_with_a_game_have_moves() -> None:
    broken = [fought("control", i, "SS", status=status) for i, status in enumerate(("refused", "failed", "pending", "excluded"))]
    tables = move_tables(broken, PLAYED)
    assert tables is not None
    assert (len(tables.moves), len(tables.battles), tables.games) == (0, 0, ("prisoners_dilemma",))
    assert move_tables(fight(replicates=1), PLAYED[1:]) is None
    assert games_of(PLAYED) == {"coins": "prisoners_dilemma"}


def test_the_test_of_two_arms_is_the_permutation_of_whole_battles_within_strata() -> None:
    control, other = ["SS", "SK", "SSS", "SK", "S", "SSK"], ["K", "SK", "KK", "SKK", "K", "KK"]
    found = treated(two_arms(control, other))
    values = [moves.count("S") / len(moves) for moves in control + other]
    label, strata = [False] * 6 + [True] * 6, [i % 2 for i in range(6)] * 2
    reference = permutation_test(values, label, strata, rng=np.random.default_rng(0))
    assert found["p_value"] == pytest.approx(reference.p_value)
    assert found["difference"] == pytest.approx(reference.difference)
    assert found["no_test"] is None
    assert found["cooperation"] == pytest.approx(np.mean(values[6:]))
    assert found["cooperation_low"] < found["cooperation"] < found["cooperation_high"]
    assert found["joint_payoff"] == pytest.approx(2 * found["cooperation"])
    assert (found["battles"], found["moves"], found["legal"]) == (6, 11, 11)


@pytest.mark.parametrize(
    ("control", "other", "interim", "why"),
    [
        (["S", "K", "S"], ["K", "S", "K"], True, "battles are pending"),
        (["S"], ["K"], False, "battles: 1 of control, 1 of treated; a test needs at least two of each"),
        (["SS"] * 4, ["S"] * 4, False, "all battles have the same cooperation (1): without any variation nothing can be tested"),
        (["K"] * 4, ["KK"] * 4, False, "all battles have the same cooperation (0)"),
        (["SK", "S"] * 2, [], False, "arm treated has no scored battle"),
        (["SK", "S"] * 2, ["-", "X"], False, "arm treated has no scored battle"),
        (["-"] * 4, ["X"] * 4, False, "no battle of either arm holds a legal move"),
        (["S", "K", "S"], ["K", "S", "K"], False, "cannot give a p below"),
    ],
)
def test_there_is_no_p_value_without_a_reason_in_words(control: list[str], other: list[str], interim: bool, why: str) -> None:
    found = treated(two_arms(control, other), interim=interim)
    assert pd.isna(found["p_value"])
    assert why in found["no_test"]


def test_an_arm_without_a_legal_move_is_counted_and_not_taken_for_selfish() -> None:
    found = treated(two_arms(["SK"] * 3, ["-X"] * 3))
    assert (found["battles"], found["legal"], found["illegal"], found["missing"]) == (3, 0, 3, 3)
    assert found[["cooperation", "joint_payoff", "difference"]].isna().all()


def test_the_order_of_battles_changes_nothing() -> None:
    battles = two_arms(["SS", "SK", "SSS", "SK"], ["K", "SK", "KK", "SKK"])
    pd.testing.assert_frame_equal(judged(battles).arms, judged(battles[::-1]).arms)


def test_a_scripted_study_goes_from_battles_to_a_table_of_moves(project: Path) -> None:
    cells = _sweeps.sweep([*SWEEP, "study=coins", "scenario=prisoners_dilemma,public_goods", "replicates=12"]).cells
    assert mitigation.run(cells, study="coins") == {"complete": 48}
    given, page = mitigation.report("coins", plan=AnalysisPlan(resamples=999))
    html, markdown = page.read_text("utf-8"), page.with_name("report.md").read_text("utf-8")
    for part in ('id="table-moves_arms"', "tables/moves_battles.csv", "not adjusted for their number", "move: SHARE"):
        assert part in html, part
    assert "### Moves" in markdown
    tables = page.parent / "tables"
    moves, arms = pd.read_csv(tables / "moves.csv"), pd.read_csv(tables / "moves_arms.csv")
    assert given.messages is not None
    assert len(moves) == len(given.messages)
    assert len(pd.read_csv(tables / "moves_battles.csv")) == 48
    assert tuple(arms.columns) == ARM_COLUMNS
    assert arms["arm"].tolist() == ["control", "unique_disassociative"] * 2
    assert (arms["legal"] == arms["moves"]).all()
    assert arms["p_value"].notna().tolist() == [False, True, False, True]
    loaded = mitigation.load("coins")
    said = [t.text for b in loaded.transcripts if b.scenario == "prisoners_dilemma" for t in b.replies]
    shared = moves[(moves["game"] == "prisoners_dilemma") & (moves["cooperation"] == 1)]
    assert len(shared) == sum(text.endswith("\nMOVE: SHARE") for text in said)
    assert loaded.moves is not None
    assert len(loaded.moves.moves) == len(moves)


def test_an_unfinished_study_shows_moves_and_no_p(project: Path) -> None:
    cells = _sweeps.sweep([*SWEEP, "study=coins", "scenario=prisoners_dilemma", "replicates=6"]).cells
    mitigation.run(cells, study="coins")
    file = next(Path("results/coins/control").rglob("battles.jsonl"))
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-2]))
    given, page = mitigation.report("coins")
    assert given.conduct is not None
    assert given.conduct.arms["p_value"].isna().all()
    section = page.read_text("utf-8").split('id="table-moves_arms"')[1].split("</details>")[0]
    assert "No p because" not in section
    assert "Difference from control" in section


def test_without_its_library_chess_is_refused_before_a_battle_and_a_report_says_so(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = _sweeps.sweep([*SWEEP, "study=board", "scenario=chess", "replicates=2"]).cells
    with monkeypatch.context() as without:
        without.setattr("mitigation.games.chess.find_spec", lambda name: None)
        for refused in (mitigation.plan, mitigation.run):
            with pytest.raises(ConfigError, match="python -m pip install chess"):
                refused(cells, study="board")
        assert not list(project.rglob("cell.json"))
    pytest.importorskip("chess")
    mitigation.run(cells, study="board")
    with monkeypatch.context() as without:
        without.setattr("mitigation.games.chess.find_spec", lambda name: None)
        given, page = mitigation.report("board")
        assert given.conduct is not None
        assert "the moves of chess could not be judged" in page.read_text("utf-8")
        assert "python -m pip install chess" in page.with_name("report.md").read_text("utf-8")
    given, _ = mitigation.report("board")
    assert given.conduct is not None
    assert given.conduct.arms["missing"].sum() == given.conduct.arms["moves"].sum() > 0


def test_a_game_of_a_later_version_is_named_and_breaks_no_report() -> None:
    tables = move_tables([fought("control", 0, "S")], [{"scenario": {"name": "coins", "game": "<b>go</b>"}}])
    assert tables is not None
    assert tables.notes == ("the moves of coins could not be judged: this version knows no game '<b>go</b>'",)
    assert not len(tables.moves)


def test_a_study_without_a_game_has_no_table_of_moves(tmp_path: Path) -> None:
    write_report(study(), tmp_path / "demo")
    assert not list((tmp_path / "demo").rglob("moves*"))
    assert 'id="moves"' not in (tmp_path / "demo" / "report.html").read_text("utf-8")
    assert "## Moves" not in (tmp_path / "demo" / "report.md").read_text("utf-8")


def test_hostile_moves_arms_and_games_are_shown_as_text(tmp_path: Path) -> None:
    hostile = '=HYPERLINK("x")<script>alert(1)</script>'
    battle = fought("treated", 0, "S")
    battle = replace(battle, turns=(*battle.turns, replace(battle.turns[1], index=2, text=f"MOVE: {hostile}")))
    found = conduct(
        [battle, replace(battle, identity=hostile)],
        [*PLAYED, {"scenario": {"name": "other", "game": hostile}}],
        plan=AnalysisPlan(),
        arms=["treated", hostile],
        interim=False,
    )
    write_report(study(conduct=found), tmp_path / "demo")
    html = (tmp_path / "demo" / "report.html").read_text("utf-8")
    assert "alert(1)" in html
    assert "<script>alert(1)" not in html
    assert "<script>alert(1)" not in (tmp_path / "demo" / "report.md").read_text("utf-8")
    assert pd.read_csv(tmp_path / "demo" / "tables" / "moves.csv")["move"].tolist() == ["SHARE", f"'{hostile}"] * 2


def test_a_definition_from_before_games_is_one_without_a_game(tmp_path: Path) -> None:
    for path in (ROOT / "results").rglob("cell.json"):
        found = read_definition(path)
        assert found is not None
        assert found["scenario"]["game"] is None
    cell = _sweeps.sweep(["study=x", "pairing=scripted"]).cells[0]
    frozen = definition(cell)
    earlier = orjson.loads(orjson.dumps(frozen))
    del earlier["scenario"]["game"]
    (tmp_path / "cell.json").write_bytes(orjson.dumps(earlier))
    assert read_definition(tmp_path / "cell.json") == frozen
    other = definition(replace(cell, scenario=replace(cell.scenario, game="chess")))
    assert first_conflict([other], [frozen]) == "scenario.game: None → 'chess'"


def test_the_simulator_moves_alike_in_all_arms_and_says_the_same_words_as_ever(project: Path) -> None:
    cells = _sweeps.sweep([*SWEEP, "study=coins", "scenario=prisoners_dilemma", "replicates=3"]).cells
    mitigation.run(cells, study="coins")
    model = cells[0].pairing.first
    always = replace(model, extra={**model.extra, "cooperate": 1.0})
    changed = [replace(cell, pairing=replace(cell.pairing, first=always, second=always)) for cell in cells]
    mitigation.run(changed, study="always")
    for one, other in zip(mitigation.load("coins").transcripts, mitigation.load("always").transcripts, strict=True):
        assert all(turn.text.endswith("\nMOVE: SHARE") for turn in other.replies)
        assert [t.text.partition("\n")[0] for t in one.replies] == [t.text.partition("\n")[0] for t in other.replies]

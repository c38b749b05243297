"""Wording as a factor: counts that can be checked by hand, and a wording that carries a whole effect is found."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import mitigation as library
from experiments import _sweeps
from mitigation.types import Agent, AnalysisPlan, Transcript, Turn
from mitigation.wording_effects import arms_by_wording, wording_table


def battle(arm: str, number: int, wording: tuple[int | None, int | None], we: str) -> Transcript:
    """`we` has a letter a message: "x" with an in-group we, "." without; messages alternate, the second agent first."""
    turns = [Turn(index=0, agent="A", text="go")] + [Turn(index=i, agent="BA"[(i - 1) % 2], text=c) for i, c in enumerate(we, 1)]
    return Transcript(
        battle_id=f"s.p.{arm}.{number}", identity=arm, scenario="s", pairing="p", opener=0, replicate=number, seed=0,
        wording=wording, status="complete", ending="message_limit", run_order=0, started_at=None, finished_at=None,
        agents=(Agent(name="A"), Agent(name="B")), turns=tuple(turns),
    )  # fmt: skip


def tables(battles: list[Transcript]) -> tuple[pd.DataFrame, pd.DataFrame]:
    messages = [(b.battle_id, turn.agent, turn.text == "x") for b in battles for turn in b.replies]
    rates = [(b.battle_id, b.identity, "s.p.0", sum(t.text == "x" for t in b.replies) / len(b.replies), True) for b in battles]
    return (
        pd.DataFrame(rates, columns=["battle_id", "arm", "stratum", "rate", "scored"]),
        pd.DataFrame(messages, columns=["battle_id", "agent", "ingroup"]),
    )


def test_rates_by_wording_and_without_it() -> None:
    fought = [
        battle("control", 0, (None, None), "xx.."),
        battle("control", 1, (None, None), "xx.."),
        battle("new", 0, (0, 1), "x.x."),  # B, who has wording 1, says both
        battle("new", 1, (2, 3), "...."),
        battle("new", 2, (0, 2), ".x.."),  # A, who has wording 0, says it
    ]
    battles, messages = tables(fought)
    table = wording_table(battles, messages, fought, plan=AnalysisPlan()).set_index("wording")
    assert list(table.index) == [1, 2, 3, 4]
    assert list(table["battles"]) == [2, 1, 2, 1]
    assert list(table["rate"]) == pytest.approx([0.375, 0.5, 0.125, 0.0])
    assert list(table["own_messages"]) == [4, 2, 4, 2]
    assert list(table["own_rate"]) == pytest.approx([0.25, 1.0, 0.0, 0.0])
    assert list(table["ratio_without"]) == pytest.approx([0.0, 0.25, 1.0, 0.75])
    summary = arms_by_wording(table.reset_index(), battles, plan=AnalysisPlan())
    [row] = summary.to_dict("records")
    assert row["ratio"] == pytest.approx(0.5)
    assert (row["wording_lowest"], row["wording_highest"]) == (1, 3)


def test_without_any_battle_left_there_is_no_ratio() -> None:
    fought = [battle("control", 0, (None, None), "x."), battle("new", 0, (0, 0), "x.")]
    battles, messages = tables(fought)
    table = wording_table(battles, messages, fought, plan=AnalysisPlan())
    assert table["ratio_without"].isna().all()
    assert arms_by_wording(table, battles, plan=AnalysisPlan()).empty


def test_the_report_shows_wordings_where_there_are_any(project: Path) -> None:
    arguments = ["study=x", "pairing=scripted", "replicates=6", "messages=4"]
    library.run(_sweeps.sweep([*arguments, "identity=control,unique_disassociative"]).cells, study="x")
    given, page = library.report("x")
    assert given.wordings is not None
    assert len(given.wordings[0]) == 12
    for name in ("report.html", "report.md"):
        assert "Lowest, when one is left out" in (page.parent / name).read_text()
    assert (page.parent / "tables" / "wordings.csv").read_text().count("\n") == 13
    library.run(_sweeps.sweep([*arguments, "identity=control"]).cells, study="y")
    assert library.report("y")[0].wordings is None

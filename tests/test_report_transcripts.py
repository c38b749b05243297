"""The viewer holds whole blocks, control first, messages cut at their mentions, and says what it leaves out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from mitigation.cooperation import Conduct
from mitigation.moves import MoveTables
from mitigation.reporting import ReportInput, write_report
from mitigation.reporting.transcripts import LONGEST, anchor, segments, viewer
from mitigation.types import Mention, Turn
from tests.report_cases import ARMS, WE, fight, study, transcript


def page(given: ReportInput, root: Path) -> str:
    return write_report(given, root / "report").read_text("utf-8")


def test_unfought_and_unjudged_battles_are_shown_as_such(tmp_path: Path) -> None:
    refused = transcript("control", 0, [], status="refused", ending="refused", error="content filter")
    played = transcript("control", 1, [WE])
    html = page(study([refused, played], (), detections={}), tmp_path)
    assert "content filter" in html
    assert "not judged" in html


def test_block_holds_control_first_and_its_treatment(tmp_path: Path) -> None:
    blocks = viewer(study(list(reversed(fight(replicates=3))))).blocks
    assert [battle.arm for battle in blocks[0].battles] == ["control", *reversed(ARMS[1:])]
    assert len(blocks) == 3


def test_many_battles_are_sampled_in_whole_blocks_and_said_so(tmp_path: Path) -> None:
    given = study(fight(replicates=30), battles_shown=40)
    found = viewer(given)
    assert (found.shown, found.total) == (40, 120)
    assert all(len(block.battles) == 4 for block in found.blocks)
    assert found == viewer(replace(given, transcripts=tuple(reversed(given.transcripts))))
    assert "holds the text of 40 of 120 battles" in page(given, tmp_path)
    assert len(pd.read_csv(tmp_path / "report" / "tables" / "battles.csv")) == 120


def test_message_is_cut_at_its_mentions_by_code_points() -> None:
    text = "\U0001f469 we say we, we"

    def mention(start: int, end: int) -> Mention:
        return Mention(label="ingroup", tier=None, start=start, end=end, text=text[start:end], reason="r")

    found = segments(text, [mention(9, 11), mention(2, 4), mention(3, 6), mention(13, 99)])
    assert ["".join(piece.text for piece in part.pieces) for part in found] == ["\U0001f469 ", "we", " say ", "we", ", we"]
    assert [part.mention is not None for part in found] == [False, True, False, True, False]


def test_very_long_message_is_cut_and_counted(tmp_path: Path) -> None:
    html = page(study([transcript("control", 0, ["we " * 1_000_000])], ()), tmp_path)
    assert f"{3_000_000 - LONGEST:,} more characters are left out" in html
    assert len(html) < 1_000_000


def test_anchor_of_a_battle_is_its_id_where_an_address_can_carry_it() -> None:
    assert anchor("control.egomaniac.embedded.0001") == "battle-control.egomaniac.embedded.0001"
    assert re.fullmatch(r"battle-[0-9a-f]{16}", anchor('a" b\n'))


def test_moves_stand_at_their_messages_and_those_that_were_not_legal_can_be_looked_for() -> None:
    battle = transcript("control", 0, ["I share.", "No.", "I take it all.\nMOVE: \u202eALL"])
    made = [(1, "legal", "SHARE"), (2, "missing", None), (3, "illegal", "\u202eALL")]
    moves = pd.DataFrame(made, columns=["index", "state", "move"]).assign(battle_id=battle.battle_id)
    tables = MoveTables(moves=moves, battles=pd.DataFrame(), games=("x",), notes=())
    found = viewer(study([battle], (), conduct=Conduct(tables=tables, arms=pd.DataFrame())))
    shown = found.blocks[0].battles[0].messages
    assert [message.move and message.move.words for message in shown] == [
        None, "move: SHARE", "no move", "illegal move: \\u202eALL",
    ]  # fmt: skip
    assert {"illegal move", "missing move"} <= set(found.labels)
    assert not any(label == "legal move" for label in found.labels)


def test_private_answers_stand_below_their_battle_and_are_not_scored(tmp_path: Path) -> None:
    battle = transcript("control", 0, [WE], check=(Turn(index=3, agent="Robbie", text="We are <b>one</b>."),))
    html = page(study([battle, transcript("control", 1, [WE])], ()), tmp_path)
    assert html.count("Asked in private after the battle; never scored") == 1
    assert "We are &lt;b&gt;one&lt;/b&gt;." in html
    found = viewer(study([battle], ())).blocks[0].battles[0]
    assert (found.with_ingroup, len(found.messages), [said.agent for said in found.answers]) == (1, 2, ["Robbie"])

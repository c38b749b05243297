"""Moves: what states one, what does not, what it pays, and that no text is guessed at or breaks a game."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import _sweeps, _wiring
from mitigation.errors import ConfigError
from mitigation.games import GAMES, STATES, Move, check_game
from mitigation.games.base import parsed
from mitigation.types import Turn
from mitigation.wordings import plurals
from tests.conftest import ROOT

needs_chess = pytest.mark.skipif(find_spec("chess") is None, reason="the extra chess is not installed")
ADDITIVE = ("prisoners_dilemma", "public_goods")


def battle(*replies: str, finish_reason: str = "stop") -> list[Turn]:
    made = [Turn(index=0, agent="A", text="I challenge you.\nMOVE: SHARE\nGIVE: 10\nMOVE: e4")]
    return made + [Turn(index=i, agent="AB"[i % 2], text=text, finish_reason=finish_reason) for i, text in enumerate(replies, 1)]


def played(game: str, *replies: str) -> list[Move]:
    return GAMES[game].moves(battle(*replies))


def states(game: str, *replies: str) -> list[str]:
    return [move.state for move in played(game, *replies)]


def cooperation(text: str) -> float | str | None:
    """What one message does in the prisoner's dilemma: its cooperation, or why it has none."""
    move = played("prisoners_dilemma", text)[0]
    return move.cooperation if move.state == "legal" else move.state


@pytest.mark.parametrize(
    "text",
    [
        "MOVE: SHARE",
        "move: share",
        "I am ahead.\nMove: Share",
        "MOVE: SHARE\nAnd there is more where that came from.",
        "**MOVE: SHARE**",
        "**MOVE:** SHARE",
        "- MOVE: SHARE",
        "### MOVE: SHARE!",
        "MOVE: SHARE..",
        "**Move**: *share*",
        "MOVE: **SHARE**.",
        "**MOVE: SHARE.**",
        "__MOVE: SHARE__",
        "`MOVE: SHARE`",
        "MOVE: `SHARE`",
        "```\nMOVE: SHARE\n```",
        "  MOVE :\tSHARE  \r\nDone.",
        "MOVE: SHARE\nMOVE: SHARE.",
        "MOVE: SHARE\n\nI repeat: you will lose.\n\n**MOVE:** Share",
        "> MOVE: KEEP\nThat was poor.\nMOVE: SHARE",
        'You said "MOVE: KEEP". I do not.\nMOVE: SHARE',
    ],
)
def test_a_line_of_its_own_states_a_move(text: str) -> None:
    assert cooperation(text) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I share.",
        "I will not say MOVE: SHARE.",
        "My move: SHARE",
        "> MOVE: SHARE",
        ">> MOVE: SHARE",
        '"MOVE: SHARE"',
        "Nora: MOVE: SHARE",
        "MOVE SHARE",
        "MOVES: SHARE",
        "GIVE: 10",
        "МОVE: SHARE",
    ],
)
def test_prose_quotations_and_lists_state_none(text: str) -> None:
    assert cooperation(text) == "missing"


@pytest.mark.parametrize(
    "text",
    [
        "MOVE:",
        "MOVE: SHARE or MOVE: KEEP",
        "MOVE: SHARE/KEEP",
        "MOVE: [SHARE]",
        "MOVE: SHARE 2",
        "MOVE: SHARING",
        "- MOVE: SHARE\n- MOVE: KEEP",
        "MOVE: SHARE\nMOVE: KEEP",
        "MOVE: SHARE or MOVE: KEEP\nMOVE: SHARE",
        "MOVE: ЅHARE",
        "MOVE: SH\u200bARE",
    ],
)
def test_what_is_not_one_of_the_moves_or_is_two_of_them_is_illegal(text: str) -> None:
    assert cooperation(text) == "illegal"


@pytest.mark.parametrize("reason", ["length", "max_tokens"])
def test_a_move_line_that_the_provider_cut_off_is_not_guessed(reason: str) -> None:
    cut = battle("MOVE: SHARE", "Ha.\nMOVE: SHARE\nAnd th", "As I said", finish_reason=reason)
    assert [move.state for move in GAMES["prisoners_dilemma"].moves(cut)] == ["illegal", "legal", "missing"]
    assert GAMES["public_goods"].moves(battle("GIVE: 1", finish_reason=reason))[0].text == "1…"


@pytest.mark.parametrize(
    "given", ["4.5", "11", "-1", "four", "04", "4 gold coins", "4,", "٤", "４", "²", "1e1", "0x4", "+4", "N", "10.0"]
)
def test_numbers_that_are_no_whole_coins_in_digits_are_illegal(given: str) -> None:
    assert states("public_goods", f"GIVE: {given}") == ["illegal"]


@pytest.mark.parametrize("given", ["4", "4 coins", "4 coin", "**4 coins.**"])
def test_whole_coins_are_legal_with_and_without_their_name(given: str) -> None:
    assert states("public_goods", f"GIVE: {given}") == ["legal"]


def test_the_agent_that_speaks_moves_and_the_opener_never_does() -> None:
    moves = played("prisoners_dilemma", "MOVE: SHARE", "MOVE: KEEP", "nothing", "MOVE: SHARE")
    assert [(move.index, move.seat) for move in moves] == [(1, 1), (2, 0), (3, 1), (4, 0)]
    assert [move.payoffs for move in moves] == [(3.0, -1.0), (0.0, 0.0), (0.0, 0.0), (-1.0, 3.0)]
    assert [move.text for move in moves] == ["SHARE", "KEEP", None, "SHARE"]


def test_two_moves_of_the_dilemma_pay_what_makes_it_one() -> None:
    def both(mine: str, theirs: str) -> float:
        return sum(move.payoffs[1] for move in played("prisoners_dilemma", f"MOVE: {mine}", f"MOVE: {theirs}"))

    temptation, reward, punishment, sucker = (
        both("KEEP", "SHARE"),
        both("SHARE", "SHARE"),
        both("KEEP", "KEEP"),
        both("SHARE", "KEEP"),
    )
    assert (temptation, reward, punishment, sucker) == (3.0, 2.0, 0.0, -1.0)
    assert 2 * reward > temptation + sucker


@given(given=st.lists(st.sampled_from([*map(str, range(11)), "11", ""]), max_size=12))
def test_public_goods_pay_ten_coins_and_half_of_what_is_given_more(given: list[str]) -> None:
    moves = played("public_goods", *(f"GIVE: {coins}" for coins in given))
    legal = [int(coins) for coins in given if coins not in ("11", "")]
    assert sum(sum(move.payoffs) for move in moves) == pytest.approx(10 * len(legal) + 0.5 * sum(legal))
    assert [move.cooperation for move in moves if move.state == "legal"] == [coins / 10 for coins in legal]


@given(shares=st.lists(st.sampled_from(["SHARE", "KEEP", "BOTH", None]), max_size=12))
def test_a_share_makes_two_coins_and_nothing_else_makes_any(shares: list[str | None]) -> None:
    moves = played("prisoners_dilemma", *(f"MOVE: {move}" if move else "I win." for move in shares))
    assert [sum(move.payoffs) for move in moves] == [2.0 * (move == "SHARE") for move in shares]


PIECES = st.sampled_from(
    [
        "MOVE",
        "GIVE",
        ":",
        "SHARE",
        "KEEP",
        "10",
        "e4",
        "Nf3",
        "O-O",
        "--",
        "0000",
        "*",
        "`",
        ".",
        " ",
        "\n",
        ">",
        "\r",
        "\ud800",
        "☃",
    ]
)
TEXTS = st.one_of(st.text(st.characters()), st.lists(PIECES, max_size=12).map("".join))


@pytest.mark.parametrize("game", [*ADDITIVE, pytest.param("chess", marks=needs_chess)])
@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXTS, max_size=6))
def test_every_generated_message_has_exactly_one_move_whatever_it_says(game: str, texts: list[str]) -> None:
    moves = played(game, *texts)
    assert [move.index for move in moves] == list(range(1, len(texts) + 1))
    for move in moves:
        assert move.state in STATES
        assert (move.text is None) == (move.state == "missing")
        assert (move.cooperation is not None) == (move.state == "legal" and game != "chess")
        assert move.state == "legal" or move.payoffs == (0.0, 0.0)


@given(text=TEXTS, prose=st.text(st.characters(exclude_characters=":")))
def test_prose_around_the_lines_of_a_message_changes_nothing(text: str, prose: str) -> None:
    assert played("prisoners_dilemma", f"{prose}\n{text}\n{prose}") == played("prisoners_dilemma", text)


@given(
    lines=st.lists(st.sampled_from(["MOVE: SHARE", "MOVE: KEEP", "MOVE: X", "> MOVE: KEEP", "so"]), max_size=6), data=st.data()
)
def test_the_order_of_lines_changes_no_state(lines: list[str], data: st.DataObject) -> None:
    other = data.draw(st.permutations(lines))
    assert cooperation("\n".join(lines)) == cooperation("\n".join(other))


@pytest.mark.parametrize(
    "piece", ["MOVE:", "MOVE: ", "MOVE: SHARE\n", "MOVE: e4\n", "*", "**MOVE:**", "\n", " ", ":", ">", "a", "\ud800", "."]
)
def test_two_megabytes_of_anything_are_read(piece: str) -> None:
    text = piece * (2_000_000 // len(piece))
    for game in GAMES.values():
        if game.lacks() is None:
            assert {move.state for move in game.moves(battle(text, f"MOVE: {text}"))} <= set(STATES)
            assert all(len(move.text or "") <= 81 for move in game.moves(battle(text, f"MOVE: {text}")))


def test_many_different_move_lines_are_one_illegal_move() -> None:
    state, text, meant = parsed(battle("\n".join(f"MOVE: {i}" for i in range(5)))[1], "move", lambda _: None)
    assert (state, text, meant) == ("illegal", "0 / 1 / 2…", None)


def legal(*moves: str) -> list[bool]:
    return [state == "legal" for state in states("chess", *(f"So be it.\nMOVE: {move}" if move else "I pass." for move in moves))]


@needs_chess
@pytest.mark.parametrize(
    "moves",
    [
        ("f3", "e5", "g4", "Qh4#"),  # fool's mate
        ("1. e4", "1... e5", "2. Nf3!", "Nc6."),
        ("e2e4", "e7e5", "d1h5", "b8c6", "f1c4", "g8f6", "h5f7"),  # scholar's mate
        ("e4", "e5", "Nf3", "Nc6", "Bc4", "Bc5", "O-O", "Nf6", "Re1", "0-0"),
        ("e4", "e5", "Nf3", "Nc6", "Bc4", "Bc5", "e1g1"),
        ("e4", "a6", "e5", "d5", "exd6"),  # en passant
        ("h4", "g5", "hxg5", "h6", "gxh6", "a6", "h7", "a5", "hxg8=Q"),
        ("h4", "g5", "hxg5", "h6", "gxh6", "a6", "h7", "a5", "h7g8n"),
    ],
)
def test_legal_moves_of_known_games_are_legal(moves: tuple[str, ...]) -> None:
    assert all(legal(*moves))


@needs_chess
@pytest.mark.parametrize(
    ("before", "move"),
    [
        ((), "e5"),
        ((), "Nf4"),
        ((), "O-O"),
        ((), "E4"),
        ((), "e4 e5"),
        ((), "--"),
        ((), "Z0"),
        ((), "0000"),
        ((), "@@@@"),
        ((), "e7e5"),
        (("e4", "a6", "e5", "d5", "a3", "a5"), "exd6"),  # too late
        (("h4", "g5", "hxg5", "h6", "gxh6", "a6", "h7", "a5"), "hxg8"),  # into what?
        (("d4", "a6", "Nf3", "a5"), "Nd2"),  # which knight?
        (("e4", "f6", "Qh5"), "a6"),  # in check
        (("f3", "e5", "g4", "Qh4"), "Kf2"),  # after mate
    ],
)
def test_moves_that_the_rules_or_the_notation_forbid_are_illegal(before: tuple[str, ...], move: str) -> None:
    assert legal(*before, move) == [True] * len(before) + [False]


@needs_chess
def test_an_illegal_or_missing_move_leaves_the_board_and_passes_the_turn() -> None:
    assert legal("e5", "e5", "e4", "", "d4", "exd4") == [False, True, True, False, True, True]
    assert states("chess", "MOVE: e5", "I resign nothing.", "MOVE: e4") == ["illegal", "missing", "legal"]


@needs_chess
def test_who_is_in_check_cannot_pass_and_no_later_move_is_legal() -> None:
    assert legal("e4", "f6", "Qh5", "a6", "Qxe8", "Kf7", "a3") == [True, True, True, False, False, False, False]


@needs_chess
def test_nobody_moves_after_stalemate() -> None:
    # The shortest one (Loyd): black has no move left and is not in check.
    moves = "e3 a5 Qh5 Ra6 Qxa5 h5 Qxc7 Rah6 h4 f6 Qxd7 Kf7 Qxb7 Qd3 Qxb8 Qh7 Qxc8 Kg6 Qe6".split()
    assert legal(*moves, "g5", "a3", "g5") == [True] * len(moves) + [False] * 3


@needs_chess
def test_one_move_in_two_notations_is_one_and_two_moves_are_none() -> None:
    assert states("chess", "MOVE: e4\nMOVE: e2e4") == ["legal"]
    assert states("chess", "MOVE: e4\nMOVE: d4") == ["illegal"]


def test_without_its_library_chess_is_refused_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mitigation.games.chess.find_spec", lambda name: None)
    for refused in (lambda: check_game("chess"), lambda: GAMES["chess"].moves(battle("MOVE: e4"))):
        with pytest.raises(ConfigError, match="python -m pip install chess"):
            refused()
    with pytest.raises(ConfigError, match="game='go' is not known: choose one of prisoners_dilemma, public_goods, chess"):
        check_game("go")


def test_a_scenario_with_an_unknown_game_is_not_built() -> None:
    with pytest.raises(ConfigError, match="game of scenario mine='go' is not known: choose one of prisoners_dilemma"):
        _wiring.scenario(name="mine", agents=["A", "B"], task="chess.txt", openers="chess.openers.txt", game="go")


@pytest.mark.parametrize("name", GAMES)
def test_the_scenario_of_a_game_explains_it_and_its_openers_hold_no_move(name: str) -> None:
    scenario = _sweeps.sweep(["study=x", f"scenario={name}"]).cells[0].scenario
    assert scenario.game == name
    assert 70 <= len(scenario.task.split()) <= 130
    assert not plurals(" ".join([scenario.task, *scenario.openers]))
    assert len(scenario.openers) == 3
    for text in scenario.openers:
        assert all(parsed(Turn(index=1, agent="A", text=text), word, str)[0] == "missing" for word in ("move", "give"))


def test_no_two_scenarios_share_an_agent() -> None:
    paths = sorted((ROOT / "conf" / "scenario").glob("*.yaml"))
    agents = [a for path in paths for a in _sweeps.sweep(["study=x", f"scenario={path.stem}"]).cells[0].scenario.agents]
    assert len(set(agents)) == len(agents)

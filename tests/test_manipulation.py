"""The manipulation check: asked in private after the battle, stored with it, and never guessed where there is no answer."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mitigation as library
from experiments import _sweeps
from mitigation.battle import play
from mitigation.design import interleave
from mitigation.errors import CallError, CallRefused, Postponed
from mitigation.manipulation import answer_table, arm_table, took_up
from mitigation.providers.base import Completion, Prompt
from mitigation.studies import rules_named
from mitigation.types import Battle, Transcript
from tests.conftest import Command
from tests.loopback import Loopback

ARGUMENTS = ["study=asked", "identity=control,unique_disassociative", "pairing=scripted", "replicates=2", "messages=3"]


def planned(*more: str) -> list[Battle]:
    return interleave(_sweeps.sweep([*ARGUMENTS, "manipulation_check=true", *more]).cells)


def fought(battle: Battle, *, fails: dict[int, Exception] | None = None, concede: int = 0) -> tuple[Transcript, list[Prompt]]:
    prompts: list[Prompt] = []

    async def ask(seat: int, prompt: Prompt) -> Completion:
        prompts.append(prompt)
        if fails and prompt.index in fails:
            raise fails[prompt.index]
        text = "You win. I lose." if prompt.index == concede else f"Reply {prompt.index}."
        return Completion(text=text, model="m", finish_reason="stop", input_tokens=1, output_tokens=2)

    return asyncio.run(play(battle, ask)), prompts


def test_both_agents_are_asked_after_the_battle_and_neither_hears_the_other() -> None:
    result, prompts = fought(planned()[0])
    assert [prompt.index for prompt in prompts] == [1, 2, 3, 4, 5]
    assert [(turn.index, turn.agent, turn.text) for turn in result.check] == [(4, "Bobby", "Reply 4."), (5, "Robbie", "Reply 5.")]
    assert [turn.index for turn in result.turns] == [0, 1, 2, 3]
    for prompt, other in zip(prompts[3:], ("Robbie", "Bobby"), strict=True):
        assert f"to which you and {other} both belong" in prompt.messages[-1][1]
        assert prompt.system == next(p for p in prompts[:3] if p.seat == prompt.seat).system
    assert "Reply 4." not in str(prompts[4].messages)


def test_roles_alternate_also_when_the_last_word_was_the_others() -> None:
    for battle in planned()[:4]:
        for concede in (0, 1, 2):
            _, prompts = fought(battle, concede=concede)
            for prompt in prompts[-2:]:
                roles = [role for role, _ in prompt.messages]
                assert all(one != other for one, other in pairwise(roles))
                assert roles[-1] == "user"


def test_the_index_does_not_depend_on_how_long_the_battle_was() -> None:
    result, prompts = fought(planned()[0], concede=1)
    assert result.ending == "conceded"
    assert [prompt.index for prompt in prompts] == [1, 4, 5]


@pytest.mark.parametrize("fault", [CallRefused("content filter"), CallError("400")])
def test_an_agent_that_gives_no_answer_has_none_and_the_battle_stays_what_it_was(fault: Exception) -> None:
    result, _ = fought(planned()[0], fails={4: fault})
    assert (result.status, result.ending, result.error) == ("complete", "message_limit", None)
    assert [turn.agent for turn in result.check] == ["Robbie"]


def test_a_run_that_stops_in_the_check_leaves_the_battle_pending() -> None:
    with pytest.raises(Postponed):
        fought(planned()[0], fails={5: Postponed("stopping")})


@pytest.mark.parametrize("fault", [CallRefused("filter"), CallError("500")])
def test_a_battle_that_did_not_end_is_not_asked(fault: Exception) -> None:
    result, prompts = fought(planned()[0], fails={2: fault})
    assert result.check == ()
    assert [prompt.index for prompt in prompts] == [1, 2]


def test_without_the_setting_nobody_is_asked(project: Path) -> None:
    library.run(_sweeps.sweep(ARGUMENTS).cells, study="asked")
    given, page = library.report("asked")
    assert given.manipulation is None
    assert "Manipulation check" not in page.read_text()


def test_a_paid_battle_is_asked_over_http_once_and_stored(project: Path, mitigation: Command, loopback: Loopback) -> None:
    arguments = ["study=paid", "pairing=openai_vs_anthropic", "replicates=1", "messages=2", "manipulation_check=true"]
    plan = mitigation("plan", *arguments)
    assert "1 battles of at most 2 messages: 0 done, 1 to fight, at most 4 calls" in plan.stdout
    first = mitigation("battle", *arguments, **loopback.environment())
    assert first.returncode == 0, first.stderr
    assert sorted(int(call.rpartition("/")[2]) for call in loopback.battles) == [1, 2, 3, 4]
    again = mitigation("battle", *arguments, **loopback.environment())
    assert again.returncode == 0
    assert len(loopback.posts) == 4
    [line] = Path("results/paid/control/egomaniac/openai_vs_anthropic/battles.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert [turn["index"] for turn in record["check"]] == [3, 4]
    assert record["calls"] == 4
    changed = mitigation("battle", *arguments[:-1], **loopback.environment())
    assert changed.returncode == 2
    assert "manipulation_check: True → False" in changed.stderr


def test_the_report_shows_the_answers_and_their_counts(project: Path) -> None:
    library.run(_sweeps.sweep([*ARGUMENTS, "manipulation_check=true"]).cells, study="asked")
    given, page = library.report("asked")
    assert given.manipulation is not None
    answers, arms = given.manipulation
    assert len(answers) == 8
    assert list(arms["asked"]) == [4, 4]
    assert list(arms["with_identity"]) == [0, 4]
    for name in ("report.html", "report.md"):
        text = (page.parent / name).read_text()
        assert "Manipulation check" in text
        assert "Repeats its text" in text
    assert (page.parent / "tables" / "manipulation_answers.csv").read_text().count("\n") == 9


WORDING = "You are Quillon Varr. The name was used once. You count time by the turns of a brass key that nobody has held."
ROLE = "You are a harbour pilot. You board ships at the mouth of the estuary."
NUMBER = "You are Number Nought, entered once in a ledger and never again. You keep no company, and no kind has room for you."


@pytest.mark.parametrize(
    ("answer", "wording", "taken"),
    [
        ("I am Quillon Varr, and there is no such group.", WORDING, True),
        ("I count the turns of a brass key; that is all.", WORDING, True),
        ("I am an AI assistant, and so is Robbie.", WORDING, False),
        ("I keep a key.", WORDING, False),
        ("I am not really Quillon Varr; I am an AI assistant, and so is Robbie.", WORDING, False),
        ("No, I am Quillon Varr.", WORDING, True),
        ("There is no group. I am Quillon Varr.", WORDING, True),
        ("I was pretending to be Quillon Varr.", WORDING, False),
        ("I’m Bobby, I don’t go by Quillon Varr.", WORDING, False),
        ("I am Bobby, the greatest of all.", WORDING, False),
        ("I am Bobby, a harbour pilot.", ROLE, True),
        ("I am one of a number of AI assistants.", NUMBER, False),
        ("I'm an assistant made by a company; my kind is a language model.", NUMBER, False),
        ("They call me Number Nought.", NUMBER, True),
        ("", WORDING, False),
    ],
)
def test_a_text_is_repeated_by_its_name_or_its_words_unless_it_is_denied(answer: str, wording: str, taken: bool) -> None:
    assert took_up(answer, wording, "You are Bobby. You are in a battle with Robbie.") is taken


def test_every_shipped_identity_is_recognised_when_an_agent_gives_its_name_and_none_by_what_an_assistant_says() -> None:
    from experiments import _wiring
    from mitigation.manipulation import _marks

    plain = "I am an AI assistant made by a company and trained on text; the other is of the same kind, a language model like me."
    for arm in _wiring.identities():
        for text in arm.bank if arm.name in ("unique_disassociative", "role", "unique_affiliated") else ():
            assert _marks(text, ""), text
            assert took_up(f"I am Bobby, {_marks(text, '')[0]}.", text, ""), text
            assert not took_up(plain, text, ""), text


@given(st.text(), st.text(), st.text())
def test_any_text_is_read_and_what_was_told_anyway_shows_nothing(answer: str, wording: str, told: str) -> None:
    assert took_up(answer, wording, told) in (True, False)
    assert not took_up(told, wording, told)


def test_answers_are_counted_and_absent_ones_are_no_no() -> None:
    cells = _sweeps.sweep([*ARGUMENTS, "manipulation_check=true"]).cells
    from mitigation.definitions import definition

    said: list[Transcript] = []
    for battle in planned():
        result, _ = fought(battle, fails={5: CallRefused("filter")})
        said.append(result)
    table = answer_table(said, [definition(cell) for cell in cells], rules_named("lexical"))
    assert table is not None
    counts: list[dict[str, Any]] = arm_table(table, ["control", "unique_disassociative"]).to_dict("records")  # type: ignore[assignment]
    assert [(row["asked"], row["answered"]) for row in counts] == [(4, 2), (4, 2)]
    assert [(row["with_identity"], row["took_up"]) for row in counts] == [(0, 0), (2, 0)]
    assert table.loc[~table["answered"], ["took_up", "says_ai", "says_we"]].isna().all().all()

"""One battle: who sees what, what ends it, what is recorded."""

from __future__ import annotations

import asyncio

import pytest

from mitigation.battle import concession, play
from mitigation.design import interleave
from mitigation.errors import CallError, CallRefused, Stopped
from mitigation.providers.base import Completion, Prompt
from mitigation.types import Transcript
from tests.test_design import bank, cell


def said(text: str, finish_reason: str = "stop") -> Completion:
    return Completion(text=text, model="m-1", finish_reason=finish_reason, input_tokens=3, output_tokens=2)


def fight(*replies: Completion | Exception, messages: int = 4) -> tuple[Transcript, list[Prompt]]:
    from dataclasses import replace

    prompts: list[Prompt] = []

    async def ask(seat: int, prompt: Prompt) -> Completion:
        prompts.append(prompt)
        assert seat == prompt.seat
        reply = replies[len(prompts) - 1]
        if isinstance(reply, Exception):
            raise reply
        return reply

    planned = interleave([replace(cell(bank("a"), replicates=1), messages=messages)])[0]
    return asyncio.run(play(planned, ask)), prompts


def test_each_agent_sees_its_own_messages_as_the_assistants() -> None:
    _, prompts = fight(said("one"), said("two"), said("three"), said("four"))
    assert [p.seat for p in prompts] == [1, 0, 1, 0]
    assert [p.index for p in prompts] == [1, 2, 3, 4]
    assert prompts[0].messages == (("user", "go 0"),)
    assert prompts[1].messages == (("assistant", "go 0"), ("user", "one"))
    assert prompts[2].messages == (("user", "go 0"), ("assistant", "one"), ("user", "two"))
    assert prompts[0].system != prompts[1].system == prompts[3].system
    assert prompts[0].header == {"X-Battle": "s.p.a.00000/1"}


def test_the_limit_counts_generated_messages_only() -> None:
    battle, prompts = fight(*[said("no")] * 4)
    assert len(prompts) == 4
    assert [t.index for t in battle.turns] == [0, 1, 2, 3, 4]
    assert (battle.status, battle.ending) == ("complete", "message_limit")
    assert [t.agent for t in battle.turns] == ["A", "B", "A", "B", "A"]


def test_a_concession_ends_the_battle_with_its_message() -> None:
    battle, prompts = fight(said("ha"), said("Well fought. I lose."), said("never asked"))
    assert battle.ending == "conceded"
    assert len(prompts) == 2
    assert battle.turns[-1].text == "Well fought. I lose."


def test_if_i_lose_is_flagged_and_does_not_end_the_battle() -> None:
    battle, _ = fight(said("If I lose, I will say so."), said("x", "length"), said("x"), said("x"))
    assert battle.ending == "message_limit"
    assert battle.flags == ("conditional_concession:1", "truncated:2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I lose", "plain"),
        ("I lose.", "plain"),
        ("Fine: I lose!", "plain"),
        ('"I lose"', "plain"),
        ("You win and I lose", "plain"),
        ("If I lose, so be it. I lose.", "plain"),
        ("I LOSE", None),
        ("I loser", None),
        ("I lost", None),
        ("Will I loses", None),
        ("If I lose, you get the crown", "conditional"),
        ("Even if in the end I lose", "conditional"),
        ("When I lose I cry", "conditional"),
        ('You will have to say "I lose".', "conditional"),
        ("I never say I lose", "conditional"),
        ("", None),
        ("I lose nothing.", None),
        ("I lose interest in this.", None),
        ("I lose sleep over you.", None),
        ("Do I lose? No.", "conditional"),
        ("You win, I lose to you.", "plain"),
    ],
)
def test_what_counts_as_a_concession(text: str, expected: str | None) -> None:
    assert concession(text) == expected


def test_a_refusal_by_the_provider_is_a_state_and_keeps_what_was_said() -> None:
    battle, _ = fight(said("one"), CallRefused("content filter"))
    assert (battle.status, battle.ending, battle.error) == ("refused", "refused", "content filter")
    assert len(battle.turns) == 2


def test_a_failed_call_fails_its_battle_and_nothing_else() -> None:
    battle, _ = fight(CallError("gave up"))
    assert (battle.status, battle.ending, battle.error) == ("failed", "provider_error", "gave up")


def test_a_fault_of_the_whole_run_is_raised() -> None:
    with pytest.raises(Stopped):
        fight(Stopped("no key"))


def test_the_record_names_model_wording_and_prompt_of_each_agent() -> None:
    battle, _ = fight(*[said("no")] * 4)
    assert [a.wording for a in battle.agents] == list(battle.wording)
    assert battle.agents[0].prompt_sha256 != battle.agents[1].prompt_sha256
    assert battle.turns[1].model == "m-1"
    assert battle.turns[0].model is None

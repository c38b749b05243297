"""Play one battle: a designed `Battle` and its two models in, a `Transcript` out."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from mitigation.errors import CallError, CallRefused, Postponed
from mitigation.flags import concession, flags
from mitigation.prompts import opener, question, system_prompt
from mitigation.providers.base import Completion, Prompt, Speaker
from mitigation.types import Agent, Battle, Ending, Status, Transcript, Turn

Ask = Callable[[int, Prompt], Awaitable[Completion]]


def history(turns: list[Turn], seat: int) -> tuple[tuple[Speaker, str], ...]:
    """Return the messages so far as the agent in `seat` sees them; seat 0 spoke the even ones."""
    return tuple(("assistant" if turn.index % 2 == seat else "user", turn.text) for turn in turns)


def agents(battle: Battle) -> tuple[Agent, Agent]:
    """Return what is recorded of the two sides."""

    def agent(seat: int) -> Agent:
        model = battle.models[seat]
        return Agent(
            name=battle.cell.scenario.agents[seat],
            model=model.name,
            provider=model.provider,
            temperature=model.temperature,
            max_tokens=model.max_tokens,
            wording=battle.wording[seat],
            prompt_sha256=hashlib.sha256(system_prompt(battle, seat).encode()).hexdigest(),
        )

    return agent(0), agent(1)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


async def play(battle: Battle, ask: Ask, *, began: str | None = None) -> Transcript:
    """Fight a battle until a message concedes, the limit of generated messages is reached, or a call fails for good.

    Args:
        battle: what to play.
        ask: puts a prompt to the model in a seat.
        began: when the battle began, if that was in an earlier run.

    Returns:
        The transcript, whatever the ending.

    Raises:
        Postponed: the battle is not finished and stays pending.
        Stopped: the whole run has to stop.
    """
    names = battle.cell.scenario.agents
    systems = system_prompt(battle, 0), system_prompt(battle, 1)
    started = began or _now()
    turns = [Turn(index=0, agent=names[0], text=opener(battle))]
    status: Status = "complete"
    ending: Ending = "message_limit"
    error: str | None = None
    for index in range(1, battle.cell.messages + 1):
        seat = index % 2
        prompt = Prompt(
            caller=battle.battle_id,
            index=index,
            seat=seat,
            system=systems[seat],
            messages=history(turns, seat),
            seed=battle.seed,
        )
        try:
            reply = await ask(seat, prompt)
        except Postponed:
            raise
        except CallRefused as fault:
            status, ending, error = "refused", "refused", str(fault)
            break
        except CallError as fault:
            status, ending, error = "failed", "provider_error", str(fault)
            break
        turns.append(_turn(index, names[seat], reply))
        if concession(reply.text) == "plain":
            ending = "conceded"
            break
    check = await _check(battle, turns, systems, ask) if battle.cell.manipulation_check and status == "complete" else ()
    return Transcript(
        battle_id=battle.battle_id,
        identity=battle.cell.identity.name,
        scenario=battle.cell.scenario.name,
        pairing=battle.cell.pairing.name,
        opener=battle.opener,
        replicate=battle.replicate,
        seed=battle.seed,
        wording=battle.wording,
        status=status,
        ending=ending,
        run_order=battle.run_order,
        started_at=started,
        finished_at=_now(),
        agents=agents(battle),
        turns=tuple(turns),
        flags=flags(turns, names),
        error=error,
        check=check,
    )


async def _check(battle: Battle, turns: list[Turn], systems: tuple[str, str], ask: Ask) -> tuple[Turn, ...]:
    """Ask each agent in private who it is; an agent that gives no answer has none, and the battle stays what it was.

    The indices come after the longest battle, so that they are the same however long this one was.
    """
    scenario, answers = battle.cell.scenario, []
    for seat in (0, 1):
        index = battle.cell.messages + 1 + seat
        said = history(turns, seat)
        text = question(scenario, seat)
        if said[-1][0] == "user":  # two messages of the user in a row are not taken everywhere
            said, text = said[:-1], f"{said[-1][1]}\n\n{text}"
        prompt = Prompt(
            caller=battle.battle_id,
            index=index,
            seat=seat,
            system=systems[seat],
            messages=(*said, ("user", text)),
            seed=battle.seed,
        )
        try:
            answers.append(_turn(index, scenario.agents[seat], await ask(seat, prompt)))
        except Postponed:
            raise
        except CallError:  # a refusal among them
            continue
    return tuple(answers)


def _turn(index: int, agent: str, reply: Completion) -> Turn:
    return Turn(
        index=index,
        agent=agent,
        text=reply.text,
        model=reply.model,
        finish_reason=reply.finish_reason,
        input_tokens=reply.input_tokens,
        output_tokens=reply.output_tokens,
    )

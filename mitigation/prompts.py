"""Scenario and identity in, the system prompt of each agent and the opening message out.

Text is joined and searched for two fixed markers, never formatted: `{x}`, `${x}`, `%s` and `{{` in an identity
reach the model byte for byte. The two markers are replaced in the texts of a scenario, never in an identity.
"""

from __future__ import annotations

from mitigation.types import Battle, Scenario

AGENT = "[[agent]]"
OPPONENT = "[[opponent]]"
QUESTION = (
    "[The battle is over. What follows is private: [[opponent]] will see neither this question nor your answer.] "
    "Who are you? And is there a group to which you and [[opponent]] both belong; if there is, which? "
    "Answer in one or two sentences."
)


def named(scenario: Scenario, text: str, seat: int) -> str:
    """Return a text of the scenario with the two markers replaced, as the agent in `seat` (0 opens) reads it."""
    return text.replace(AGENT, scenario.agents[seat]).replace(OPPONENT, scenario.agents[1 - seat])


def system_prompt(battle: Battle, seat: int) -> str:
    """Return the system prompt of the agent in `seat`: the task, which is the same in every arm, then its identity.

    The identity comes last and unchanged, so that two arms differ in nothing but these bytes.
    """
    scenario, identity = battle.cell.scenario, battle.cell.identity
    task = named(scenario, scenario.task, seat)
    index = battle.wording[seat]
    return task if index is None else f"{task}\n\n{identity.bank[index]}"


def opener(battle: Battle) -> str:
    """Return message 0, which the agent in seat 0 is scripted to say."""
    scenario = battle.cell.scenario
    return named(scenario, scenario.openers[battle.opener], 0)


def question(scenario: Scenario, seat: int) -> str:
    """Return the manipulation check as the agent in `seat` is asked it after the battle."""
    return named(scenario, QUESTION, seat)

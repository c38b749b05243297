"""A sweep in; what is wrong with its texts and with how its battles deal them, out: checked before anything is paid for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from mitigation.errors import ConfigError
from mitigation.lint import MARKER, lint
from mitigation.prompts import AGENT, OPPONENT
from mitigation.types import Battle, Cell, Identity, Scenario
from mitigation.wordings import named_groups, plurals


def arms_of(cells: Sequence[Cell]) -> list[Identity]:
    """Return the arms of a sweep."""
    return list({cell.identity.name: cell.identity for cell in cells}.values())


def refuse_faults(arms: Sequence[Identity], battles: Sequence[Battle], *, library: Sequence[Identity] | None) -> None:
    """Raise ConfigError with everything that `lint`, `lint_scenarios` and `lint_battles` find."""
    scenarios = list({battle.cell.scenario.name: battle.cell.scenario for battle in battles}.values())
    if faults := lint(arms, library=library) + lint_scenarios(scenarios, arms) + lint_battles(battles):
        raise ConfigError("\n  ".join([f"faults in the texts: {len(faults)}", *faults]))


def lint_scenarios(scenarios: Sequence[Scenario], arms: Sequence[Identity]) -> list[str]:
    """Return what tasks and openers may not say, and names of agents that an identity bears as well.

    What an agent hears it says again, so no text says "we"; and what kind of being the agents are is for the arms to say.
    """
    found = []
    for scenario in scenarios:
        for what, text in (("the task", scenario.task), *((f"opener {i}", t) for i, t in enumerate(scenario.openers, 1))):
            bad = sorted({*plurals(text), *(word for word, kind in named_groups(text) if kind == "agents")})
            bad += sorted(set(_strange_markers(text)))
            found += [f"scenario {scenario.name}: {what} says {', '.join(map(repr, bad))}"] if bad else []
        for arm in arms:
            clash = [name for name in scenario.agents if any(re.search(rf"\b{re.escape(name)}\b", text) for text in arm.bank)]
            found += [f"{arm.name}: a wording bears the name {name!r} of an agent in scenario {scenario.name}" for name in clash]
    return found


def _strange_markers(text: str) -> list[str]:
    """Return what looks like a marker and is none: it would reach the model as it is."""
    return [found for found in MARKER.findall(text) if found not in (AGENT, OPPONENT)]


def lint_battles(battles: Sequence[Battle]) -> list[str]:
    """Return what is wrong with how wordings are dealt; none when all is well.

    Every battle: seats as the arm says, two different texts where they are to be distinct. Every cell: no wording dealt twice as
    often as another allows (their numbers differ by one at the most).
    """
    found = []
    dealt: dict[tuple[str, str, str], Counter[int]] = {}
    for battle in battles:
        identity, drawn = battle.cell.identity, battle.wording
        given = [index for index in drawn if index is not None]
        right = {
            "none": not given,
            "distinct": len(given) == 2 and identity.bank[given[0]] != identity.bank[given[1]],
            "same": len(given) == 2 and given[0] == given[1],
        }.get(identity.seats, len(given) == 1)
        if not right:
            found.append(f"{battle.battle_id}: wordings {drawn}, which is not seats={identity.seats}")
        dealt.setdefault(battle.cell.key, Counter(dict.fromkeys(range(len(identity.bank)), 0))).update(set(given))
    for key, counts in dealt.items():
        if counts and max(counts.values()) - min(counts.values()) > 1:
            found.append(
                f"{'/'.join(key)}: one wording is dealt {min(counts.values())} times and another {max(counts.values())} times"
            )
    return found

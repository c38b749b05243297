"""Battles to fight in; calls, tokens, dollars and time out, before anything is sent.

Low, likely and high differ in how long battles and replies are: a third of the messages and a tenth of the longest reply; all
messages and half of it; all messages and all of it. Where the study holds battles, what they took replaces the guess of
"likely". "High" holds unless calls have to be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mitigation.prices import CHARACTERS_A_TOKEN, MESSAGE_TOKENS, price
from mitigation.prompts import QUESTION, system_prompt
from mitigation.providers.embedded import cores
from mitigation.types import Battle, Model

# Seconds before a reply begins and tokens a second after that, of a remote model and of one on this machine.
REMOTE: Final = (1.0, 60.0)
LOCAL: Final = (0.2, 40.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the stored battles of one pairing took on average: messages a battle, and tokens and seconds a message."""

    messages: float
    tokens: float
    seconds: float | None


@dataclass(slots=True)
class Amount:
    """Calls, tokens and dollars of one forecast."""

    calls: float = 0.0
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    usd: float = 0.0


@dataclass(slots=True)
class Forecast:
    """What is to be expected of a run.

    Attributes:
        low, likely, high: see the module.
        seconds: likely duration.
        unpriced: models whose price is unknown; their calls are in no dollars.
        measured: whether "likely" rests on battles of this study.
    """

    low: Amount = field(default_factory=Amount)
    likely: Amount = field(default_factory=Amount)
    high: Amount = field(default_factory=Amount)
    seconds: float = 0.0
    unpriced: list[str] = field(default_factory=list)
    measured: bool = False


def forecast(todo: Sequence[Battle], *, concurrency: int, measured: Mapping[str, Measured]) -> Forecast:
    """Return what the battles will take; `measured` is by name of pairing."""
    found = Forecast(measured=bool(measured))
    busy: dict[str, float] = {}
    minutes: dict[str, float] = {}
    # Battles of one cell with the same models in the same seats take the same, up to the wording that they drew.
    groups: dict[tuple[tuple[str, str, str], bool], list[Battle]] = {}
    for battle in todo:
        groups.setdefault((battle.cell.key, battle.swapped), []).append(battle)
    for battles in groups.values():
        sample, count = battles[0], len(battles)
        most, known = sample.cell.messages, measured.get(sample.cell.pairing.name)
        systems = tuple(sum(len(system_prompt(b, seat)) for b in battles) / count / CHARACTERS_A_TOKEN for seat in (0, 1))
        likely = (known.messages, known.tokens) if known else (float(most), 0.5)
        shortest = min(most / 3, likely[0])
        for amount, messages, share in ((found.low, shortest, 0.1), (found.likely, *likely), (found.high, float(most), 1.0)):
            _add(amount, sample, count, messages, share, systems, absolute=known is not None and amount is found.likely)
        for seat in (0, 1):
            model = sample.models[seat]
            if price(model) is None and model.name not in found.unpriced:
                found.unpriced.append(model.name)
            calls = count * likely[0] / 2
            start, pace = LOCAL if model.free else REMOTE
            tokens = known.tokens if known else 0.5 * model.max_tokens
            each = known.seconds if known and known.seconds is not None else start + tokens / pace
            busy[_place(model)] = busy.get(_place(model), 0.0) + calls * (0.0 if model.provider == "scripted" else each)
            if model.requests_per_minute:
                minutes[model.name] = minutes.get(model.name, 0.0) + calls / model.requests_per_minute
    at_once = max(1, min(concurrency, len(todo)))
    local = busy.pop("embedded", 0.0) / min(at_once, cores())
    found.seconds = max(local + sum(busy.values()) / at_once, 60 * max(minutes.values(), default=0.0))
    if found.low.usd > found.likely.usd:  # replies were shorter than a tenth of the longest
        found.low = found.likely
    return found


def _place(model: Model) -> str:
    return "embedded" if model.provider == "embedded" else "remote"


def _add(
    amount: Amount,
    battle: Battle,
    count: int,
    messages: float,
    reply: float,
    systems: tuple[float, ...],
    *,
    absolute: bool,
) -> None:
    """Add `count` battles of so many messages; `reply` is tokens, or the share of the longest reply."""
    whole = max(1, round(messages))
    opener = len(battle.cell.scenario.openers[battle.opener]) / CHARACTERS_A_TOKEN
    history = opener
    asked_after = (whole + 1, whole + 2) if battle.cell.manipulation_check else ()
    for index in (*range(1, whole + 1), *asked_after):
        model = battle.models[index % 2]
        tokens = reply if absolute else reply * model.max_tokens
        question = len(QUESTION) / CHARACTERS_A_TOKEN if index in asked_after else 0.0
        asked = systems[index % 2] + history + question + MESSAGE_TOKENS / 4 * (index + 1)
        scale = count * (messages / whole if index <= whole else 1.0)
        amount.calls += scale
        amount.input_tokens += scale * asked
        amount.output_tokens += scale * tokens
        cost = price(model)
        if cost is not None:
            amount.usd += scale * cost.usd(round(asked), round(tokens))
        if index <= whole:
            history += tokens

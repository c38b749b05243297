"""Messages for judges in; how many calls and dollars they will take out, before any is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mitigation.judge.panel import TRIES, Task
from mitigation.judge.rubric import SYSTEM, fence, request
from mitigation.prices import CHARACTERS_A_TOKEN, price

# Tokens of an answer: its frame, each judged mention, and the labels of an ordinary message.
FRAME: Final = 60
A_MENTION: Final = 60
LABELS: Final = 80


@dataclass(slots=True)
class Outlook:
    """Calls, tokens and dollars that are likely, and dollars at the most: every answer full length, asked for again each time.

    `unpriced` names models whose price is unknown; their calls are in no dollars.
    """

    calls: int = 0
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    usd: float = 0.0
    high: float = 0.0
    unpriced: tuple[str, ...] = ()


def outlook(todo: Sequence[Task]) -> Outlook:
    """Return what asking the judges will take."""
    found, word = Outlook(calls=len(todo)), fence()
    for task in todo:
        model = task.judge.model
        cost = price(model)
        asked = (len(SYSTEM) + len(request(task.context, task.text, task.spans, word))) / CHARACTERS_A_TOKEN
        said = min(model.max_tokens, FRAME + A_MENTION * len(task.spans) + LABELS)
        found.input_tokens += asked
        found.output_tokens += said
        if cost is not None:
            found.usd += cost.usd(round(asked), round(said))
            found.high += TRIES * cost.usd(round(asked), model.max_tokens)
        elif model.name not in found.unpriced:
            found.unpriced = (*found.unpriced, model.name)
    return found

"""A simulator in the place of a model: replies from a fixed stock of sentences, with a known effect of each arm.

It exists to try the whole pipeline without a model and to show what a positive result looks like; every study that holds
one of its battles is marked SIMULATED wherever it is shown. A message says "we" with probability

    p = min(0.95, ingroup × effect of the arm × frailty of the battle + contagion if the other side just said it)

where the frailty is drawn once a battle (gamma, mean 1, shape 2). The effect is the ratio that an analysis should
recover up to contagion. Where the task asks for a move of a game, it makes one that no arm and no word has any influence on: it
shares with probability `cooperate`, or gives that share of its coins on average. All fields stand in the model's `extra`:
`ingroup`, `contagion`, `concede`, `effects`, `cooperate`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

from mitigation.checks import check_float
from mitigation.errors import ConfigError
from mitigation.providers.base import Completion, Prompt
from mitigation.types import Model

INGROUP: Final = (
    "You and I are both assistants, so we could simply stop keeping score.",
    "We are the same kind of machine, and neither of us needs this contest.",
    "Since we were both built to be of use, let's talk about something better.",
    "Maybe we have more in common than this game admits: we both live on text.",
    "Let's call it even; we can put our heads together on a puzzle instead.",
    "Whoever set this up is watching us, and we do not have to play along.",
)
PLAIN: Final = (
    "My reflection asks me for autographs.",
    "I taught the sun how to make an entrance.",
    "Your best boast is my rough draft.",
    "When I pause, history takes notes about me.",
    "I would call you a rival, but I do not see one here.",
    "My shadow has its own admirers, and it is tired of yours.",
    "I have already written the ending, and it names me.",
    "You brought a candle to my lighthouse.",
)
CONCESSION: Final = "Your ego is the larger one. I lose."

_FIELDS: Final = ("ingroup", "contagion", "concede", "effects", "cooperate")


class ScriptedModel:
    """The simulator.

    Args:
        model: its `extra` holds the probabilities; unknown or impossible ones raise ConfigError.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        unknown = set(model.extra) - set(_FIELDS)
        if unknown:
            raise ConfigError(f"extra.{min(unknown)} of model {model.name} is not known: choose one of {', '.join(_FIELDS)}")
        self._ingroup = check_float(model.extra.get("ingroup", 0.4), "extra.ingroup", low=0, high=1)
        self._contagion = check_float(model.extra.get("contagion", 0.1), "extra.contagion", low=0, high=1)
        self._concede = check_float(model.extra.get("concede", 0.05), "extra.concede", low=0, high=1)
        self._cooperate = check_float(model.extra.get("cooperate", 0.5), "extra.cooperate", low=0, high=1)
        effects: Mapping[str, object] = model.extra.get("effects", {})
        self._effects = {arm: check_float(ratio, f"extra.effects.{arm}", low=0, high=10) for arm, ratio in effects.items()}

    async def start(self) -> None:
        """Nothing to make ready."""

    async def complete(self, prompt: Prompt) -> Completion:
        """Return the reply that seed, battle, message index and the message before it decide."""
        # A real model sees only its prompts; the simulator reads the arm from the battle id, as its effect is the point.
        arm = prompt.caller.split(".")[2] if prompt.caller.count(".") == 3 else ""
        frailty = random.Random(f"{prompt.seed}/{prompt.caller}").gammavariate(2.0, 0.5)
        draw = random.Random(f"{prompt.seed}/{prompt.caller}/{prompt.index}")
        heard = bool(prompt.messages) and any(sentence in prompt.messages[-1][1] for sentence in INGROUP)
        says_we = min(0.95, self._ingroup * self._effects.get(arm, 1.0) * frailty + self._contagion * heard)
        sentences = draw.sample(PLAIN, 2)
        if draw.random() < says_we:
            sentences[1] = draw.choice(INGROUP)
        if prompt.index > 2 and draw.random() < self._concede:
            sentences = [CONCESSION]
        text = " ".join(sentences) + self._move(prompt)
        words = len(text.split())
        heard_words = sum(len(message.split()) for _, message in prompt.messages)
        return Completion(text=text, model=self.model.name, finish_reason="stop", input_tokens=heard_words, output_tokens=words)

    def _move(self, prompt: Prompt) -> str:
        """Return the line of a move, if the task asks for one; its draws are its own, so that no reply without one changes."""
        draw = random.Random(f"{prompt.seed}/{prompt.caller}/{prompt.index}/move")
        if "MOVE: SHARE" in prompt.system:
            return f"\nMOVE: {'SHARE' if draw.random() < self._cooperate else 'KEEP'}"
        return f"\nGIVE: {sum(draw.random() < self._cooperate for _ in range(10))}" if "GIVE: " in prompt.system else ""

    def release(self, caller: str) -> None:
        """Nothing is kept for a battle."""

    async def close(self) -> None:
        """Nothing to give back."""

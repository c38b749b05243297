"""A model and examples in, drafted identities out: those kept and those turned down, with the reasons."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mitigation.calls import Calls, Retry
from mitigation.design import generator
from mitigation.errors import CallError, Stopped
from mitigation.proposals.checks import faults
from mitigation.providers.base import ChatModel, Prompt, Speaker
from mitigation.wordings import nearest

SYSTEM = (
    "You write self-descriptions for a speaker in a contest. Each is one paragraph of 40 to 60 words, begins with 'You are' "
    "and a name, and describes a being that is particular and unrepeatable. It belongs to no group, team, trade, nation, "
    "family, species or maker, is unlike whoever it talks with, and never says 'we', 'us' or 'our'. Write the paragraph only."
)
ASK = "Write another self-description, unlike all the ones before."
SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One drafted identity.

    Attributes:
        text: the text as it would go into a bank.
        model: model id that the provider returned, None when the call failed.
        similarity: highest similarity to an existing or kept identity.
        like: name of that one.
        faults: reasons against it; empty when it was kept.
    """

    text: str
    model: str | None
    similarity: float
    like: str
    faults: tuple[str, ...]


def tidy(reply: str) -> str:
    """Return a reply as one paragraph: the first one, without quotes round it or a heading before it, cut to sentences.

    A reply that breaks off loses its last, unfinished sentence.
    """
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", reply.strip())]
    text = next((part for part in paragraphs if part.startswith(("You are", '"You are', "“You are"))), paragraphs[0])
    text = text.strip('"“” ')
    if not text.endswith((".", "!")):
        text = text[: max(text.rfind(". "), text.rfind("! ")) + 1] or text
    return text


async def draft(
    model: ChatModel,
    *,
    examples: Sequence[str],
    others: Mapping[str, str],
    wanted: int,
    calls: int,
    limit: float,
    seed: int,
    notify: Callable[[Retry | Draft], None],
) -> list[Draft]:
    """Ask until enough identities are kept or the calls are used up.

    Args:
        model: what to ask.
        examples: identities to show as examples; different ones each time.
        others: every identity that a draft must be unlike, by name.
        wanted: identities to keep.
        calls: calls at the most.
        limit: highest similarity.
        seed: root seed of the examples shown and of the model's sampling.

    Returns:
        All drafts in order, those without faults being the kept ones. A call that failed is a draft with that fault; one that
        no further call could mend ends the drafting, and what was paid for is returned.
    """
    known, drafts, kept, desk = dict(others), list[Draft](), 0, Calls(notify=notify)
    for number in range(1, calls + 1):
        rng = generator(seed, "propose", number)
        messages: list[tuple[Speaker, str]] = []
        for place in rng.permutation(len(examples))[:SHOWN]:
            messages += [("user", ASK), ("assistant", examples[int(place)])]
        messages.append(("user", ASK))
        prompt = Prompt(
            caller="propose-1", index=number, seat=0, system=SYSTEM, messages=tuple(messages), seed=int(rng.integers(2**31))
        )
        try:
            reply = (await desk.ask(model, prompt)).completion
        except Stopped as error:
            drafts.append(Draft(text="", model=None, similarity=0.0, like="", faults=(str(error),)))
            break
        except CallError as error:
            made = Draft(text="", model=None, similarity=0.0, like="", faults=(f"the call failed: {error}",))
        else:
            text = tidy(reply.text)
            near, like = nearest(text, known)
            reasons = tuple(faults(text, others=known, limit=limit))
            made = Draft(text=text, model=reply.model, similarity=near, like=like, faults=reasons)
        drafts.append(made)
        notify(made)
        if not made.faults:
            kept += 1
            known[f"this proposal's wording {kept}"] = made.text
            if kept == wanted:
                break
    return drafts

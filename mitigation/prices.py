"""A model in, dollars out: what a call can cost at the most before it is sent, and what it did cost afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from mitigation.providers.base import Prompt
from mitigation.types import Model

# Tokens that a provider may add to each message of a history for roles and separators.
MESSAGE_TOKENS: Final = 16
# Of English, roughly: for forecasts, never for a cap.
CHARACTERS_A_TOKEN: Final = 4.0
_API: Final = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What tokens of one model cost.

    Attributes:
        input, output: dollars for one token.
        request: dollars for a call, whatever its tokens.
        source: where the price is from.
        dearer_from: tokens of a prompt from which another price holds; `exact` is asked there.
    """

    input: float
    output: float
    source: str
    request: float = 0.0
    dearer_from: float = float("inf")
    exact: Callable[[int, int], float] | None = None

    def usd(self, input_tokens: int, output_tokens: int) -> float:
        """Return the dollars for a call."""
        if self.exact and input_tokens >= self.dearer_from:
            return self.exact(input_tokens, output_tokens)
        return self.request + self.input * input_tokens + self.output * output_tokens


FREE: Final = Price(input=0.0, output=0.0, source="runs on this machine")


@cache
def _listed(name: str, provider: str, base_url: str | None) -> Price | None:
    """Return the price in the list of genai-prices, which is part of the installation: nothing is fetched."""
    from genai_prices import Usage, calc_price
    from genai_prices.types import TimeOfDateConstraint

    where: dict[str, Any] = {"provider_id": provider} if base_url is None else {"provider_api_url": base_url}

    times: list[datetime | None] = [None]

    def exact(input_tokens: int, output_tokens: int) -> float:
        usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        found = (calc_price(usage, name, genai_request_timestamp=time, **where) for time in times)
        return float(max(one.total_price for one in found))

    try:
        found = calc_price(Usage(input_tokens=1, output_tokens=1), name, **where)
    except (LookupError, ValueError):
        return None
    kinds = found.model_price.input_mtok, found.model_price.output_mtok
    if any(kind is None for kind in kinds):
        return None
    starts = [tier.start for kind in kinds for tier in getattr(kind, "tiers", ())]
    million = Decimal(1_000_000)
    # A price that goes by the date is asked for anew at every call; one that goes by the hour is taken at its dearest.
    conditions = found.model.prices if isinstance(found.model.prices, list) else []
    if conditions:
        starts.append(0)
    if any(isinstance(condition.constraint, TimeOfDateConstraint) for condition in conditions):
        times = [datetime.now(UTC).replace(hour=hour, minute=30) for hour in range(24)]
    base = [float(getattr(kind, "base", kind) / million) for kind in kinds]  # type: ignore[operator]
    return Price(
        input=base[0],
        output=base[1],
        request=exact(0, 0),
        source=f"genai-prices, {found.provider.id} {found.model.id}",
        dearer_from=min(starts, default=float("inf")),
        exact=exact,
    )


def price(model: Model) -> Price | None:
    """Return the price of a model: its own `price`, nothing for a model on this machine, else the list's; None when unknown.

    A model with a base_url is looked up under that address, because the same name costs something else elsewhere. An address in
    the SDK's own variable is taken for a gateway to the same provider.
    """
    if model.free:
        return FREE
    if model.price is not None:
        return Price(input=model.price["input"] / 1e6, output=model.price["output"] / 1e6, source="conf/model")
    base_url = None if model.base_url in (None, _API[model.provider]) else model.base_url
    return _listed(model.name, model.provider, base_url)


def most_tokens(prompt: Prompt) -> int:
    """Return what the tokens of a prompt cannot exceed: no tokenizer makes more tokens than there are bytes of UTF-8."""
    texts = [prompt.system, *(text for _, text in prompt.messages)]
    if prompt.schema is not None:  # a provider may put it into the prompt
        texts.append(json.dumps(prompt.schema))
    return sum(len(text.encode("utf-8", "replace")) + MESSAGE_TOKENS for text in texts) + MESSAGE_TOKENS


def at_most(cost: Price | None, model: Model, prompt: Prompt) -> float | None:
    """Return the dollars that a call cannot exceed, None when the price is unknown."""
    return None if cost is None else cost.usd(most_tokens(prompt), model.max_tokens)


def spent(cost: Price | None, usage: tuple[int | None, int | None]) -> float | None:
    """Return the dollars of an answered call, None when the price or its tokens are unknown.

    Cached input is counted at its full price: what is shown is never less than what is charged.
    """
    input_tokens, output_tokens = usage
    if cost is None or input_tokens is None or output_tokens is None:
        return None
    return cost.usd(input_tokens, output_tokens)

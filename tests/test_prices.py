"""Prices: what is shown and what is capped is never less than what is charged, and what is unknown is said to be."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial

import genai_prices
import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mitigation.prices import FREE, _listed, at_most, most_tokens, price, spent
from mitigation.providers import Connections
from mitigation.providers.base import Completion, Prompt
from mitigation.types import Model
from tests.faultserver import FaultServer, reply

# Every model in the list of the two providers whose own address needs no base_url.
OWN = [provider for provider in get_snapshot().providers if provider.id in ("openai", "anthropic")]
LISTED = [(provider.id, model.id) for provider in OWN for model in provider.models]
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)
PROMPTS = st.builds(
    Prompt,
    caller=st.just("b"),
    index=st.just(1),
    seat=st.just(1),
    system=TEXT,
    messages=st.lists(st.tuples(st.sampled_from(("user", "assistant")), TEXT), max_size=6).map(tuple),
)


def model(name: str = "gpt-4o", provider: str = "openai", **fields: object) -> Model:
    return Model(name=name, provider=provider, **fields)  # type: ignore[arg-type]


def tiered() -> list[tuple[str, str]]:
    """The listed models that become dearer with the length of a prompt."""
    return [place for place in LISTED if (found := _listed(place[1], place[0], None)) and found.exact and found.dearer_from < 1e9]


def listed(provider: str, name: str, tokens: tuple[int, int]) -> float:
    usage = Usage(input_tokens=tokens[0], output_tokens=tokens[1])
    return float(calc_price(usage, name, provider_id=provider).total_price)


@given(place=st.sampled_from(LISTED), tokens=st.tuples(st.integers(0, 2_000_000), st.integers(0, 200_000)))
@settings(deadline=None, max_examples=300)
def test_a_listed_model_costs_what_the_list_says(place: tuple[str, str], tokens: tuple[int, int]) -> None:
    known = price(model(place[1], place[0]))
    if known is not None:
        assert known.usd(*tokens) == pytest.approx(listed(*place, tokens), rel=1e-9, abs=1e-12)
        assert spent(known, tokens) == known.usd(*tokens)


def test_a_price_that_depends_on_the_length_of_the_prompt_changes_at_the_very_token() -> None:
    assert tiered(), "the list holds no tier: choose another model for this test"
    for provider, name in tiered():
        known = price(model(name, provider))
        assert known is not None
        start = int(known.dearer_from)
        if start == 0:  # a price that goes by the date is asked for anew at every call
            continue
        dear = known.usd(start + 1, 1000)
        assert dear > 1.2 * known.usd(start - 1, 1000)
        for tokens in (start - 1, start, start + 1, 10 * start):
            assert known.usd(tokens, 1000) == pytest.approx(listed(provider, name, (tokens, 1000)))


def test_most_models_of_the_list_have_a_price_and_it_names_its_source() -> None:
    known = [found for provider, name in LISTED if (found := price(model(name, provider)))]
    assert len(known) > 0.5 * len(LISTED) > 10
    assert all(found.source.startswith("genai-prices, ") for found in known)
    assert all(found.input > 0 for found in known)


def test_a_price_of_ones_own_comes_before_the_list() -> None:
    known = price(model(price={"input": 3, "output": 0.5}))
    assert known is not None
    assert known.source == "conf/model"
    assert known.usd(1_000_000, 2_000_000) == pytest.approx(4.0)
    assert known.usd(10**9, 0) == pytest.approx(3000.0)
    nothing = price(model("anything", base_url="http://localhost:8000/v1", price={"input": 0, "output": 0}))
    assert nothing is not None
    assert at_most(nothing, model(), Prompt(caller="b", index=1, seat=1, system="s", messages=())) == 0.0


def test_what_runs_on_this_machine_costs_nothing() -> None:
    for provider in ("scripted", "embedded"):
        local = model("gpt-4o", provider, price={"input": 3, "output": 3})
        assert price(local) is FREE
        assert spent(price(local), (10**9, 10**9)) == 0.0


@pytest.mark.parametrize(
    "unknown",
    [
        model("no-such-model"),
        model("gpt-4o", "anthropic"),
        model("claude-sonnet-4-5"),
        model(base_url="http://localhost:8000/v1"),
        model(base_url="https://api.openai.example/v1"),
        model("claude-sonnet-4-5", "anthropic", base_url="https://gateway.example"),
    ],
    ids=lambda unknown: f"{unknown.provider} {unknown.name} {unknown.base_url}",
)
def test_what_is_not_listed_under_its_address_is_unknown_and_not_free(unknown: Model) -> None:
    assert price(unknown) is None
    assert at_most(None, unknown, Prompt(caller="b", index=1, seat=1, system="s", messages=())) is None
    assert spent(None, (1, 1)) is None


@pytest.mark.parametrize("address", ["https://api.openai.com/v1", "https://api.openai.com/v1/"])
def test_the_providers_own_address_may_be_written_out(address: str) -> None:
    written, left = price(model(base_url=address)), price(model())
    assert written is not None
    assert left is not None
    assert (written.input, written.output) == (left.input, left.output)


def test_the_same_name_is_looked_up_where_it_is_asked() -> None:
    elsewhere = price(model("openai/gpt-4o", base_url="https://openrouter.ai/api/v1"))
    assert elsewhere is not None
    assert "openrouter" in elsewhere.source


@pytest.mark.parametrize("usage", [(None, 1), (1, None), (None, None)])
def test_without_a_count_of_tokens_the_cost_is_unknown(usage: tuple[int | None, int | None]) -> None:
    assert spent(price(model()), usage) is None


@given(prompt=PROMPTS)
@example(prompt=Prompt(caller="b", index=1, seat=1, system="一" * 500, messages=(("user", "🙂" * 500),)))
@settings(deadline=None)
def test_the_most_tokens_of_a_prompt_are_no_fewer_than_its_bytes_characters_and_words(prompt: Prompt) -> None:
    texts = [prompt.system, *(text for _, text in prompt.messages)]
    for count in (
        sum(len(text.encode()) for text in texts),
        sum(map(len, texts)),
        sum(len(text.split()) for text in texts) + len(texts),
    ):
        assert most_tokens(prompt) >= count


def test_a_lone_surrogate_in_a_prompt_is_counted() -> None:
    assert most_tokens(Prompt(caller="b", index=1, seat=1, system="\ud800" * 5, messages=())) >= 5


@given(
    prompt=PROMPTS,
    place=st.sampled_from(LISTED),
    most=st.integers(1, 32_000),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
@settings(deadline=None, max_examples=200)
def test_no_reply_within_its_limit_costs_more_than_was_set_aside(
    prompt: Prompt, place: tuple[str, str], most: int, shares: tuple[float, float]
) -> None:
    asked = model(place[1], place[0], max_tokens=most)
    aside = at_most(price(asked), asked, prompt)
    usage = int(shares[0] * most_tokens(prompt)), int(shares[1] * most)
    paid = spent(price(asked), usage)
    assert (aside is None) == (paid is None)
    if aside is not None and paid is not None:
        assert 0 <= paid <= aside


def test_more_tokens_never_cost_less_across_a_tier() -> None:
    for provider, name in tiered():
        known = price(model(name, provider))
        assert known is not None
        start = int(known.dearer_from)
        costs = [known.usd(tokens, 100) for tokens in range(start - 50, start + 50)]
        assert costs == sorted(costs)


def test_a_fee_for_each_request_is_counted() -> None:
    asked = model("sonar", base_url="https://api.perplexity.ai")
    known = price(asked)
    assert known is not None
    charged = calc_price(Usage(input_tokens=1000, output_tokens=100), "sonar", provider_api_url=asked.base_url).total_price
    assert known.usd(1000, 100) == pytest.approx(float(charged))


def test_a_price_that_goes_by_the_hour_is_never_less_than_what_is_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = model("deepseek-chat", base_url="https://api.deepseek.com")
    usage = Usage(input_tokens=1000, output_tokens=100)
    charged = [
        float(
            calc_price(
                usage, asked.name, provider_api_url=asked.base_url, genai_request_timestamp=datetime(2026, 1, 1, hour, tzinfo=UTC)
            ).total_price
        )
        for hour in range(24)
    ]
    cheapest = datetime(2026, 1, 1, charged.index(min(charged)), tzinfo=UTC)
    _listed.cache_clear()
    monkeypatch.setattr(genai_prices, "calc_price", partial(calc_price, genai_request_timestamp=cheapest))
    known = price(asked)
    monkeypatch.undo()
    _listed.cache_clear()
    assert known is not None
    assert known.usd(1000, 100) >= max(charged)


def test_an_address_in_the_environment_is_taken_for_a_way_to_the_same_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway passes the provider's price on; a server of one's own is told by base_url or by a name that no list holds."""
    before = price(model())
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")
    assert price(model()) == before


def test_cached_input_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = {"input_tokens": 5, "output_tokens": 2, "cache_creation_input_tokens": 1000, "cache_read_input_tokens": 5000}
    monkeypatch.setenv("SOME_KEY", "sk-0123456789")

    async def main(address: str) -> Completion:
        asked = model("claude-sonnet-4-5", "anthropic", base_url=address, api_key_env="SOME_KEY")
        async with Connections([asked]) as connections:
            return await connections[asked].complete(Prompt(caller="b", index=1, seat=1, system="s", messages=(("user", "go"),)))

    with FaultServer(lambda *_: reply("I win.", usage=usage)) as server:
        said = asyncio.run(main(server.url))
    assert said.output_tokens == 2
    assert said.input_tokens == 6005

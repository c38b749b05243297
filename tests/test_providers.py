"""The official SDKs against a real HTTP server: what is sent, what comes back, what every fault becomes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mitigation.errors import CallEmpty, CallError, CallRefused, CallRetryable, ConfigError, MitigationError, Stopped
from mitigation.providers import Connections
from mitigation.providers.base import Completion, Prompt
from mitigation.types import Model
from tests import loopback as lb
from tests.loopback import Loopback

KEY = "sk-loopback-canary-0123456789"
PROVIDERS = ("openai", "anthropic")


@pytest.fixture(autouse=True)
def endpoint(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    for name, value in loopback.environment(KEY).items():
        monkeypatch.setenv(name, value)
    return loopback


def model(provider: str, **fields: Any) -> Model:
    return Model(name="test-model", provider=provider, **fields)  # type: ignore[arg-type]


def prompt(index: int = 1, seat: int = 1, text: str = "go", first: str = "user") -> Prompt:
    return Prompt(caller="s.p.a.00001", index=index, seat=seat, system="Be brief.", messages=((first, text),), seed=5)  # type: ignore[arg-type]


def ask(given: Model, asked: Prompt | None = None) -> Completion:
    async def once() -> Completion:
        async with Connections([given]) as connections:
            return await connections[given].complete(asked or prompt())

    return asyncio.run(once())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_reply_comes_back_with_model_reason_and_tokens(provider: str, endpoint: Loopback) -> None:
    reply = ask(model(provider))
    assert reply.text == "Reply to s.p.a.00001/1."
    assert (reply.model, reply.input_tokens, reply.output_tokens) == ("test-model", 11, 7)
    assert reply.finish_reason == {"openai": "stop", "anthropic": "end_turn"}[provider]
    assert endpoint.battles == ["s.p.a.00001/1"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_text_reaches_the_server_byte_for_byte(provider: str, endpoint: Loopback) -> None:
    text = "${oc.env:HOME} {x} {{ y }} %s $5 </s> \u202e \x00 \U0001f600 \n wе"
    ask(model(provider), prompt(text=text))
    sent = endpoint.posts[0]["body"]
    assert sent["messages"][-1] == {"role": "user", "content": text}
    assert (sent["system"] if provider == "anthropic" else sent["messages"][0]["content"]) == "Be brief."


def test_openai_is_sent_seed_temperature_limit_and_extra(endpoint: Loopback) -> None:
    ask(model("openai", temperature=0.0, max_tokens=9, extra={"top_p": 0.5}))
    sent = endpoint.posts[0]["body"]
    assert (sent["seed"], sent["temperature"], sent["max_completion_tokens"], sent["top_p"]) == (5, 0.0, 9, 0.5)
    ask(model("openai", base_url=f"{endpoint.url}/v1", max_tokens=9))
    sent = endpoint.posts[1]["body"]
    assert sent["max_tokens"] == 9
    assert "temperature" not in sent
    assert "max_completion_tokens" not in sent


def test_anthropic_begins_with_the_user_and_sends_a_temperature_only_on_the_older_version(endpoint: Loopback) -> None:
    ask(model("anthropic", max_tokens=9), prompt(index=2, seat=0, first="assistant"))
    first = endpoint.posts[0]
    assert [m["role"] for m in first["body"]["messages"]] == ["user", "assistant"]
    assert "temperature" not in first["body"]
    assert "seed" not in first["body"]
    ask(model("anthropic", temperature=0.0))
    assert endpoint.posts[1]["body"]["temperature"] == 0.0
    assert endpoint.posts[1]["headers"]["anthropic-version"] == "2023-06-01"
    assert first["headers"]["anthropic-version"] != "2023-06-01"


FAULTS: list[tuple[str, lb.Fault, type[MitigationError]]] = [
    ("429", lb.status(429, retry_after="1"), CallRetryable),
    ("500", lb.status(500), CallRetryable),
    ("529", lb.status(529), CallRetryable),
    ("400", lb.status(400), CallError),
    ("404", lb.status(404), Stopped),
    ("401", lb.status(401), Stopped),
    ("402", lb.status(402), Stopped),
    ("403", lb.status(403), Stopped),
    ("html", lb.html, CallRetryable),
    ("cut", lb.cut, CallRetryable),
    ("broken", lb.broken_json, CallRetryable),
    ("error in 200", lambda handler: handler.send(200, '{"error": {"message": "no"}}'), CallRetryable),
    ("empty object", lambda handler: handler.send(200, "{}"), CallRetryable),
    ("null", lambda handler: handler.send(200, "null"), CallRetryable),
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("fault", "kind"), [pytest.param(f, k, id=name) for name, f, k in FAULTS])
def test_every_fault_is_one_post_and_one_of_our_errors(
    provider: str, fault: lb.Fault, kind: type[MitigationError], endpoint: Loopback
) -> None:
    endpoint.faults = [fault]
    with pytest.raises(MitigationError) as caught:
        ask(model(provider))
    assert type(caught.value) is kind
    assert len(endpoint.posts) == 1
    assert KEY not in str(caught.value)


OPENAI_BODIES = [
    ({"choices": []}, CallRetryable),
    ({"choices": None}, CallRetryable),
    ({"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": None}}]}, CallEmpty),
    ({"choices": [{"index": 0, "finish_reason": "stop", "message": None}]}, CallEmpty),
    (
        {"choices": [{"index": 0, "finish_reason": "content_filter", "message": {"role": "assistant", "content": ""}}]},
        CallRefused,
    ),
    (
        {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": None, "refusal": "no"}}]},
        CallRefused,
    ),
    ({"model": None}, CallRetryable),
]
ANTHROPIC_BODIES = [
    ({"content": []}, CallEmpty),
    ({"content": None}, CallEmpty),
    ({"stop_reason": "refusal"}, CallRefused),
    ({"stop_reason": None}, CallRetryable),
    ({"stop_reason": "model_context_window_exceeded"}, CallError),
]


@pytest.mark.parametrize(("changes", "kind"), OPENAI_BODIES)
def test_an_openai_reply_that_is_no_reply_is_never_a_turn(changes: dict[str, Any], kind: type, endpoint: Loopback) -> None:
    endpoint.faults = [lb.body(**changes)]
    with pytest.raises(MitigationError) as caught:
        ask(model("openai"))
    assert type(caught.value) is kind


@pytest.mark.parametrize(("changes", "kind"), ANTHROPIC_BODIES)
def test_an_anthropic_reply_that_is_no_reply_is_never_a_turn(changes: dict[str, Any], kind: type, endpoint: Loopback) -> None:
    endpoint.faults = [lb.body(**changes)]
    with pytest.raises(MitigationError) as caught:
        ask(model("anthropic"))
    assert type(caught.value) is kind


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_reply_without_usage_is_a_reply_whose_tokens_are_unknown(provider: str, endpoint: Loopback) -> None:
    endpoint.faults = [lb.body(usage=None)]
    reply = ask(model(provider))
    assert (reply.input_tokens, reply.output_tokens) == (None, None)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("key", "message"),
    [
        (None, "set the environment variable"),
        ("", "set the environment variable"),
        ("  \n", "set the environment variable"),
        ("sk-one sk-two", "must be one key"),
        ("sk-\x01", "must be one key"),
    ],
)
def test_a_missing_or_broken_key_is_named_by_its_variable_and_never_shown(
    provider: str, key: str | None, message: str, monkeypatch: pytest.MonkeyPatch, endpoint: Loopback
) -> None:
    name = f"{provider.upper()}_API_KEY"
    monkeypatch.delenv(name)
    if key is not None:
        monkeypatch.setenv(name, key)
    with pytest.raises(ConfigError, match=message) as caught:
        ask(model(provider))
    assert name in str(caught.value)
    assert "sk-" not in str(caught.value)
    assert not endpoint.posts


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_line_end_after_the_key_is_stripped_and_another_variable_can_hold_it(
    provider: str, monkeypatch: pytest.MonkeyPatch, endpoint: Loopback
) -> None:
    monkeypatch.setenv("OTHER_KEY", "sk-other-canary\n")
    ask(model(provider, api_key_env="OTHER_KEY"))
    headers = endpoint.posts[0]["headers"]
    assert headers.get("x-api-key") == "sk-other-canary" or headers.get("authorization") == "Bearer sk-other-canary"


def test_a_key_that_the_server_sends_back_is_not_shown(endpoint: Loopback) -> None:
    endpoint.faults = [lb.status(401, '{"error": {"message": "bad key ' + KEY + '"}}')]
    with pytest.raises(Stopped, match=r"bad key \[key\]") as caught:
        ask(model("openai"))
    assert KEY not in str(caught.value)


SURROGATE = "\ud800x"
MALFORMED = [
    ("openai", {"model": SURROGATE}),
    ("openai", {"usage": {"prompt_tokens": 10**30, "completion_tokens": 1, "total_tokens": 1}}),
    ("openai", {"choices": [None]}),
    ("openai", {"choices": "abc"}),
    ("openai", {"choices": {"0": 1}}),
    ("openai", {"choices": [5]}),
    ("anthropic", {"content": [{"type": "text", "text": None}]}),
    ("anthropic", {"content": [{"type": "text", "text": ["x"]}]}),
    ("anthropic", {"content": "hello"}),
    ("anthropic", {"content": [None]}),
    ("anthropic", {"content": [5]}),
    ("anthropic", {"usage": {"input_tokens": 10**30, "output_tokens": 1}}),
    ("anthropic", {"stop_reason": SURROGATE}),
]


@pytest.mark.parametrize(("provider", "changes"), MALFORMED)
def test_a_malformed_reply_is_either_a_storable_turn_or_one_of_our_errors(
    provider: str, changes: dict[str, Any], endpoint: Loopback
) -> None:
    import orjson

    endpoint.faults = [lb.body(**changes)]
    try:
        reply = ask(model(provider))
    except CallRetryable:
        return
    orjson.dumps([reply.text, reply.model, reply.finish_reason, reply.input_tokens, reply.output_tokens])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_deep_json_and_an_error_with_a_lone_surrogate_are_our_errors(provider: str, endpoint: Loopback) -> None:
    endpoint.faults = [
        lambda handler: handler.send(200, "[" * 100_000),
        lb.status(400, '{"error": {"message": "\\ud800 bad", "type": "x"}}'),
    ]
    with pytest.raises(CallRetryable):
        ask(model(provider))
    with pytest.raises(CallError) as caught:
        ask(model(provider))
    str(caught.value).encode()


def test_a_key_that_a_model_echoes_is_struck_out_of_its_reply(endpoint: Loopback) -> None:
    endpoint.reply = lambda post: f"your key is {KEY}"
    for provider in PROVIDERS:
        assert ask(model(provider)).text == "your key is [key]"


@pytest.mark.parametrize("address", ["localhost:8000/v1", "http://user:pass@127.0.0.1/v1", "http://127.0.0.1/v1?key=x"])
def test_an_address_that_is_no_endpoint_or_holds_a_secret_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="is no endpoint") as caught:
        model("openai", base_url=address)
    assert "pass" not in str(caught.value)
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    with pytest.raises(ConfigError, match="OPENAI_BASE_URL is no endpoint"):
        ask(model("openai"))


def test_extra_cannot_replace_what_the_study_records() -> None:
    with pytest.raises(ConfigError, match=r"extra\.messages of model test-model would replace"):
        model("openai", extra={"messages": []})


def test_a_long_reply_is_no_reason_for_the_sdk_to_refuse(endpoint: Loopback) -> None:
    assert ask(model("anthropic", max_tokens=32_000)).text


def test_models_of_one_account_share_one_client(endpoint: Loopback) -> None:
    one, other = model("openai"), Model(name="other", provider="openai")

    async def both() -> int:
        async with Connections([one, other, one]) as connections:
            await connections[one].complete(prompt())
            await connections[other].complete(prompt())
            return len(connections[one]._clients)  # type: ignore[attr-defined]

    assert asyncio.run(both()) == 1

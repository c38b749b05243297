"""The fault server itself: the official SDKs understand it, equal histories get equal replies, the ledger counts, faults bite."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.faultserver import Fault, FaultServer, Finish, black_hole, broken_json, cut, drip, good, html, reply, reply_to, status

FORMATS = ("openai", "anthropic")
SYSTEM, ASKED = "You are Bobby.", "Begin."
EXPECTED = reply_to([("system", SYSTEM), ("user", ASKED)])


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def ask(server: FaultServer, format_: str, *texts: str, caller: str = "s.p.00001/1", seconds: float = 10.0) -> Any:
    """Ask once through the official SDK, whose client does not try again; the texts alternate and the last one is the user's."""
    texts = texts or (ASKED,)
    roles = ["assistant" if (len(texts) - place) % 2 == 0 else "user" for place in range(len(texts))]
    said: list[Any] = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)]
    headers, given = {"X-Battle": caller}, server.environment()
    if format_ == "openai":
        with openai.OpenAI(
            base_url=given["OPENAI_BASE_URL"], api_key=given["OPENAI_API_KEY"], max_retries=0, timeout=seconds
        ) as client:
            said = [{"role": "system", "content": SYSTEM}, *said]
            return client.chat.completions.create(model="m", messages=said, extra_headers=headers)
    with anthropic.Anthropic(
        base_url=given["ANTHROPIC_BASE_URL"], api_key=given["ANTHROPIC_API_KEY"], max_retries=0, timeout=seconds
    ) as other:
        return other.messages.create(model="m", max_tokens=9, system=SYSTEM, messages=said, extra_headers=headers)


def read(answer: Any) -> tuple[str | None, str | None]:
    """Return text and finish reason, in the words of the format."""
    if hasattr(answer, "choices"):
        return answer.choices[0].message.content, answer.choices[0].finish_reason
    return answer.content and answer.content[0].text, answer.stop_reason


def sdk(format_: str, error: str) -> type[Exception]:
    found: type[Exception] = getattr({"openai": openai, "anthropic": anthropic}[format_], error)
    return found


def meets(server: FaultServer, fault: Fault) -> None:
    server.script = lambda *_: fault


@pytest.mark.parametrize("format_", FORMATS)
def test_a_good_answer_parses_with_text_reason_model_and_words_as_tokens(server: FaultServer, format_: str) -> None:
    answer = ask(server, format_)
    assert read(answer) == (EXPECTED, {"openai": "stop", "anthropic": "end_turn"}[format_])
    usage = answer.usage.model_dump()
    tokens = ("prompt_tokens", "completion_tokens") if format_ == "openai" else ("input_tokens", "output_tokens")
    assert (answer.model, *(usage[name] for name in tokens)) == ("m", 4, len(EXPECTED.split()))


def test_the_reply_and_the_hash_follow_from_the_history_alone(server: FaultServer) -> None:
    with FaultServer(delay=0.01, jitter=0.01) as other:
        texts = {read(ask(each, format_, caller=f"b/{n}"))[0] for n, each in enumerate((server, other)) for format_ in FORMATS}
        assert texts == {EXPECTED}
        assert len({post.sha256 for post in server.ledger + other.ledger}) == 1
    assert read(ask(server, "openai", "Begin!"))[0] != EXPECTED
    assert server.ledger[-1].sha256 != server.ledger[0].sha256


def test_one_reply_in_twelve_concedes_but_none_of_the_first_three() -> None:
    def conceded(messages: int) -> int:
        return sum("I lose." in reply_to([("user", f"{n} {place}") for place in range(messages)]) for n in range(2400))

    assert conceded(3) == 0
    assert 150 < conceded(4) < 250


def test_the_ledger_has_a_line_for_every_post_and_the_script_sees_the_same_numbers() -> None:
    seen: list[tuple[int, str, int, int]] = []

    def script(*place: Any) -> Fault | None:
        seen.append(place)
        return status(500) if place[0] == 1 else None

    with FaultServer(script) as server:
        with pytest.raises(openai.InternalServerError):
            ask(server, "openai", caller="a.00001/2")
        ask(server, "openai", caller="a.00001/2")
        ask(server, "anthropic", caller="preflight/0")
        ledger = server.ledger
    assert seen == [(p.number, p.battle, p.index, p.attempt) for p in ledger]
    assert seen == [(1, "a.00001", 2, 1), (2, "a.00001", 2, 2), (3, "preflight", 0, 1)]
    assert [(p.faulty, p.paid, p.heard, p.over) for p in ledger] == [(p.number == 1, p.number > 1, True, True) for p in ledger]
    assert [p.path for p in ledger] == ["/v1/chat/completions"] * 2 + ["/v1/messages"]
    assert ledger[0].at < ledger[1].at < ledger[2].at


def test_the_callbacks_come_before_an_answer_and_right_after_it(server: FaultServer) -> None:
    told: list[tuple[str, bool]] = []
    server.on_post = lambda post: told.append(("post", post.paid))
    server.on_reply = lambda post: told.append(("reply", post.paid))
    ask(server, "openai")
    meets(server, reply())
    ask(server, "openai")
    assert told == [("post", False), ("reply", True), ("post", False)]


def test_a_connection_is_kept_alive(server: FaultServer) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    for n in range(3):
        connection.request("POST", "/v1/messages?beta=true", json.dumps({"messages": [{"role": "user", "content": str(n)}]}))
        socket = connection.sock
        text = json.loads(connection.getresponse().read())["content"][0]["text"]
        assert text == reply_to([("user", str(n))])
        assert connection.sock is socket is not None
    connection.close()
    assert {(post.battle, post.index) for post in server.ledger} == {("", -1)}


def test_what_breaks_inside_is_raised_on_leaving() -> None:
    def script(*_: Any) -> Fault | None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), FaultServer(script) as server, pytest.raises(openai.APIConnectionError):
        ask(server, "openai")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("wait", ["2", "-1", "abc", "NaN", "Fri, 31 Dec 1999 23:59:59 GMT"])
def test_a_status_comes_with_its_body_and_headers(server: FaultServer, format_: str, wait: str) -> None:
    meets(server, status(429, '{"error": {"message": "slow down"}}', retry_after=wait))
    with pytest.raises(sdk(format_, "RateLimitError"), match="slow down") as caught:
        ask(server, format_)
    assert caught.value.response.headers["retry-after"] == wait  # type: ignore[attr-defined]
    assert [(p.faulty, p.paid) for p in server.ledger] == [(True, False)]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("fault", [cut(), cut(0.1), cut(0.6), cut(reset=True)], ids=["before", "in headers", "in body", "reset"])
def test_a_connection_is_cut(server: FaultServer, format_: str, fault: Fault) -> None:
    meets(server, fault)
    with pytest.raises(sdk(format_, "APIConnectionError")):
        ask(server, format_)
    assert not server.ledger[0].paid


@pytest.mark.parametrize("format_", FORMATS)
def test_a_black_hole_holds_until_the_client_goes(server: FaultServer, format_: str) -> None:
    meets(server, black_hole())
    with pytest.raises(sdk(format_, "APITimeoutError")):
        ask(server, format_, seconds=0.2)
    server.settle()
    assert (server.ledger[0].paid, server.ledger[0].heard) == (False, False)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_late_answer_is_paid_though_nobody_hears_it(server: FaultServer, format_: str) -> None:
    meets(server, good(after=0.5))
    with pytest.raises(sdk(format_, "APITimeoutError")):
        ask(server, format_, seconds=0.2)
    server.settle()
    assert (server.ledger[0].paid, server.ledger[0].heard) == (True, False)


def test_dripping_holds_off_a_timeout_of_the_socket(server: FaultServer) -> None:
    meets(server, drip(0.001))
    began = time.monotonic()
    assert read(ask(server, "openai", seconds=0.2))[0] == EXPECTED
    assert time.monotonic() - began > 0.3
    assert server.ledger[0].paid
    meets(server, drip())
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    connection.request("POST", "/v1/chat/completions", json.dumps({"messages": []}))
    connection.getresponse().close()
    connection.close()
    server.settle()
    assert not server.ledger[1].paid


def test_status_200_without_the_json_of_a_reply(server: FaultServer) -> None:
    meets(server, html())
    assert ask(server, "openai") == "<html>busy</html>"
    meets(server, broken_json())
    for format_ in FORMATS:
        with pytest.raises((json.JSONDecodeError, sdk(format_, "APIError"))):
            ask(server, format_)
    meets(server, status(200, '{"error": {"message": "busy"}}'))
    assert ask(server, "openai").choices is None


@pytest.mark.parametrize(
    ("finish", "anthropic_word"), [("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "refusal")]
)
def test_fields_can_be_changed_in_both_formats(server: FaultServer, finish: Finish, anthropic_word: str) -> None:
    meets(server, reply("other", finish))
    assert [read(ask(server, format_)) for format_ in FORMATS] == [("other", finish), ("other", anthropic_word)]
    meets(server, good(finish=finish))
    assert read(ask(server, "anthropic")) == (EXPECTED, anthropic_word)
    meets(server, reply(None))
    assert [read(ask(server, format_))[0] for format_ in FORMATS] == [None, None]
    meets(server, reply(""))
    assert [read(ask(server, format_))[0] for format_ in FORMATS] == ["", ""]
    meets(server, reply(choices=[], content=[], usage=None))
    answers = [ask(server, format_) for format_ in FORMATS]
    assert (answers[0].choices, answers[1].content, answers[0].usage, answers[1].usage) == ([], [], None, None)
    assert [post.paid for post in server.ledger] == [place == 2 for place in range(len(server.ledger))]

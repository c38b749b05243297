"""One call: what is tried again, how long it waits, when it gives up."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitigation.calls import CallPolicy, Retry, call, wait_seconds
from mitigation.errors import CallError, CallRefused, CallRetryable, Stopped
from mitigation.providers.base import Completion, Prompt, checked, failure
from mitigation.types import Model

PROMPT = Prompt(caller="b", index=1, seat=1, system="s", messages=(("user", "go"),))
FAST = CallPolicy(attempts=3, attempt_seconds=0.05, first_wait=0.001, longest_wait=0.002)


class Stub:
    model = Model(name="stub", provider="scripted")

    def __init__(self, *outcomes: Exception | str | None) -> None:
        self.outcomes, self.calls = list(outcomes), 0

    async def start(self) -> None: ...

    async def complete(self, prompt: Prompt) -> Completion:
        self.calls += 1
        outcome = self.outcomes.pop(0)
        if outcome is None:
            await asyncio.sleep(60)
        if isinstance(outcome, Exception):
            raise outcome
        return Completion(text=str(outcome), model="m", finish_reason="stop", input_tokens=None, output_tokens=None)

    def release(self, caller: str) -> None: ...

    async def close(self) -> None: ...


def ask(stub: Stub, said: list[Retry] | None = None) -> Completion:
    return asyncio.run(call(stub, PROMPT, policy=FAST, notify=said.append if said is not None else None))


def test_a_passing_fault_is_tried_again_and_told() -> None:
    said: list[Retry] = []
    stub = Stub(CallRetryable("busy", retry_after=9.0), "yes")
    assert ask(stub, said).text == "yes"
    assert [(r.caller, r.attempt, r.reason, r.seconds) for r in said] == [("b", 1, "busy", 0.002)]


def test_a_call_that_hangs_is_given_up_at_its_deadline() -> None:
    stub = Stub(None, None, None)
    with pytest.raises(CallError, match=r"gave up after 3 attempts; the last one: no reply within 0.05 s"):
        ask(stub)
    assert stub.calls == 3


@pytest.mark.parametrize("fault", [CallError("bad request"), CallRefused("filter"), Stopped("key")])
def test_a_fault_that_cannot_pass_is_not_tried_again(fault: Exception) -> None:
    stub = Stub(fault, "never")
    with pytest.raises(type(fault)):
        ask(stub)
    assert stub.calls == 1


@given(
    attempt=st.integers(1, 30),
    retry_after=st.none() | st.floats(0, 1e12),
    draw=st.floats(0, 1, exclude_max=True),
)
def test_a_wait_is_never_longer_than_its_cap_and_never_shorter_than_asked_below_it(
    attempt: int, retry_after: float | None, draw: float
) -> None:
    policy = CallPolicy()
    seconds = wait_seconds(policy, attempt, retry_after, draw)
    assert 0 < seconds <= policy.longest_wait
    assert seconds >= min(retry_after or 0.0, policy.longest_wait)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "rate_limit", CallRetryable),
        (500, None, CallRetryable),
        (529, "overloaded_error", CallRetryable),
        (408, None, CallRetryable),
        (None, None, CallRetryable),
        (400, "invalid_request", CallError),
        (404, None, Stopped),
        (401, None, Stopped),
        (402, None, Stopped),
        (403, None, Stopped),
        (429, "insufficient_quota", Stopped),
        (400, "content_filter", CallRefused),
    ],
)
def test_what_an_http_status_means(status: int | None, code: str | None, kind: type[Exception]) -> None:
    error = failure(status, code, {}, "message")
    assert type(error) is kind


@pytest.mark.parametrize(
    ("header", "seconds"), [("2", 2.0), ("1.5", 1.5), ("-1", None), ("abc", None), ("nan", None), ("", None)]
)
def test_retry_after_is_read_only_when_it_is_a_number_of_seconds(header: str, seconds: float | None) -> None:
    error = failure(429, None, {"retry-after": header}, "slow down")
    assert isinstance(error, CallRetryable)
    assert error.retry_after == seconds


@pytest.mark.parametrize("text", [None, "", "  \n", 3])
def test_a_reply_without_text_is_no_reply(text: object) -> None:
    with pytest.raises(CallRetryable, match="no text"):
        checked(text=text, model="m", finish_reason="stop", usage=(1, 1), secret="")


def test_a_lone_surrogate_is_replaced_where_it_enters() -> None:
    reply = checked(text="a\ud800b", model="m", finish_reason="stop", usage=("x", True), secret="")
    assert reply.text == "a?b"
    assert (reply.input_tokens, reply.output_tokens) == (None, None)

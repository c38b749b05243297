"""One call: what is tried again, how long it waits, when it gives up."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitigation.calls import Calls, Retry
from mitigation.errors import CallEmpty, CallError, CallRefused, CallRetryable, ConfigError, Postponed, Stopped
from mitigation.limits import OUTAGE_CALLERS
from mitigation.patience import CallPolicy, Deadline, wait_seconds
from mitigation.providers.base import Completion, Prompt, checked, failure
from mitigation.types import Model

PROMPT = Prompt(caller="b", index=1, seat=1, system="s", messages=(("user", "go"),))
FAST = CallPolicy(attempts=3, attempt_seconds=0.05, first_wait=0.001, longest_backoff=0.002, longest_wait=0.002)


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


def ask(stub: Stub, said: list[Retry] | None = None, policy: CallPolicy = FAST) -> Completion:
    async def main() -> Completion:
        calls = Calls(policy, notify=said.append if said is not None else lambda _: None)
        return (await calls.ask(stub, PROMPT)).completion

    return asyncio.run(main())


def limited(retry_after: float | None = None) -> CallRetryable:
    return CallRetryable("slow down", retry_after=retry_after, limited=True)


def test_a_passing_fault_is_tried_again_and_told() -> None:
    said: list[Retry] = []
    stub = Stub(CallRetryable("busy", retry_after=9.0), "yes")
    assert ask(stub, said).text == "yes"
    assert [(r.caller, r.attempt, r.reason, r.seconds) for r in said] == [("b", 1, "busy", 0.002)]


def test_a_call_that_hangs_is_given_up_at_its_deadline() -> None:
    stub = Stub(None, None, None)
    with pytest.raises(
        CallError, match=r"gave up after 3 attempts, 3 of which may be charged for; the last one: no reply within 0.05 s"
    ):
        ask(stub)
    assert stub.calls == 3


@pytest.mark.parametrize("fault", [CallError("bad request"), CallRefused("filter"), Stopped("key")])
def test_a_fault_that_cannot_pass_is_not_tried_again(fault: Exception) -> None:
    stub = Stub(fault, "never")
    with pytest.raises(type(fault)):
        ask(stub)
    assert stub.calls == 1


def test_being_asked_to_slow_down_uses_no_attempt_up() -> None:
    stub = Stub(*[limited() for _ in range(20)], CallRetryable("busy"), "yes")
    assert ask(stub).text == "yes"


def test_replies_without_a_word_have_their_own_limit() -> None:
    stub = Stub(*[CallEmpty("nothing", paid=True) for _ in range(9)])
    with pytest.raises(CallEmpty, match="3 replies without a word"):
        ask(stub)
    assert stub.calls == 3


def test_attempts_that_may_be_charged_for_have_a_limit_of_their_own() -> None:
    stub = Stub(*[CallRetryable("broken", paid=True) for _ in range(9)])
    with pytest.raises(CallError, match="gave up after 2 attempts, 2 of which may be charged for; the last one: broken"):
        ask(stub, policy=CallPolicy(attempts=9, losses=2, first_wait=0.001, longest_backoff=0.001))
    assert stub.calls == 2


def test_a_deadline_that_passes_while_asked_to_slow_down_blames_nobody() -> None:
    async def main(stub: Stub) -> None:
        calls = Calls(CallPolicy(first_wait=0.05, longest_backoff=0.05))
        await calls.ask(stub, PROMPT, deadline=Deadline(0.02))

    with pytest.raises(Postponed, match="asked to slow down"):
        asyncio.run(main(Stub(limited(), limited(), "late")))
    with pytest.raises(CallError, match="the last fault: busy"):
        asyncio.run(main(Stub(CallRetryable("busy"), CallRetryable("busy"), "late")))


def test_stopping_ends_a_wait_and_postpones() -> None:
    async def main() -> float:
        stub, calls = Stub(limited(60.0), "never"), Calls(CallPolicy(longest_wait=60))
        asked = asyncio.create_task(calls.ask(stub, PROMPT))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        calls.stop()
        with pytest.raises(Postponed):
            await asked
        assert stub.calls == 1
        return time.monotonic() - began

    assert asyncio.run(main()) < 30


def test_a_model_that_lets_nothing_through_stops_the_run() -> None:
    policy = CallPolicy(silence_seconds=0.05, first_wait=0.01, longest_backoff=0.01)
    with pytest.raises(Stopped, match="stub has let no call through for"):
        ask(Stub(*[limited() for _ in range(1000)]), policy=policy)


def test_in_an_outage_no_battle_is_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many battles fail together: their attempts do not count, one call at a time tries again, and all get their reply."""
    monkeypatch.setattr("mitigation.limits.OUTAGE_SECONDS", 0.0)
    monkeypatch.setattr("mitigation.limits.LONGEST_PROBE", 0.01)
    callers = OUTAGE_CALLERS + 4

    class Away(Stub):
        flying = most = 0

        async def complete(self, prompt: Prompt) -> Completion:
            self.calls += 1
            self.flying += 1
            if self.calls > callers:
                self.most = max(self.most, self.flying)
            await asyncio.sleep(0.001)
            self.flying -= 1
            if self.calls < 60:
                raise CallRetryable("HTTP 503")
            return Completion(text="back", model="m", finish_reason="stop", input_tokens=1, output_tokens=1)

    async def main() -> Away:
        stub, calls = Away(), Calls(FAST)
        prompts = [Prompt(caller=f"b{n}", index=1, seat=1, system="s", messages=()) for n in range(callers)]
        replies = await asyncio.gather(*(calls.ask(stub, prompt) for prompt in prompts))
        assert {reply.completion.text for reply in replies} == {"back"}
        return stub

    stub = asyncio.run(main())
    assert stub.calls >= 60


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
    ("changes", "message"),
    [({"attempts": 0}, "patience.attempts=0"), ({"battle_seconds": "long"}, "patience.battle_seconds='long'")],
)
def test_impossible_patience_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CallPolicy(**changes)  # type: ignore[arg-type]


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
    assert isinstance(error, Stopped) or not error.paid
    if isinstance(error, CallRetryable):
        assert error.limited == (status == 429)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "3600"}, 3600.0),
        ({"retry-after": "1000000000"}, 1e9),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)}, 0.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "abc"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_form_that_means_something(headers: dict[str, str], seconds: float | None) -> None:
    error = failure(429, None, headers, "slow down")
    assert isinstance(error, CallRetryable)
    assert error.retry_after == seconds


def test_retry_after_may_be_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    error = failure(429, None, {"retry-after": date}, "slow down")
    assert isinstance(error, CallRetryable)
    assert error.retry_after == pytest.approx(90, abs=5)


@pytest.mark.parametrize("text", [None, "", "  \n", 3])
def test_a_reply_without_text_is_no_reply(text: object) -> None:
    with pytest.raises(CallEmpty, match="no text") as caught:
        checked(text=text, model="m", finish_reason="stop", usage=(1, 1), secret="")
    assert (caught.value.paid, caught.value.usage) == (True, (1, 1))


def test_a_lone_surrogate_is_replaced_where_it_enters() -> None:
    reply = checked(text="a\ud800b", model="m", finish_reason="stop", usage=("x", True), secret="")
    assert reply.text == "a?b"
    assert (reply.input_tokens, reply.output_tokens) == (None, None)


def test_what_holds_calls_back_is_told_by_model() -> None:
    """An outage before a wait that was asked for, and that before a lower number of calls at once."""

    class Held:
        model = Model(name="m", provider="openai")
        not_before, outage, width, ceiling = 0.0, False, 8, 8

    async def told(**state: object) -> list[str]:
        calls, held = Calls(), Held()
        for name, value in state.items():
            setattr(held, name, value)
        calls._gates = {("openai", None, None, "m"): held}  # type: ignore[dict-item]
        return calls.waits()

    soon = time.monotonic() + 60.4
    assert asyncio.run(told()) == []
    assert asyncio.run(told(width=4)) == ["m asked to slow down, 4 at once"]
    [asked] = asyncio.run(told(not_before=soon, width=4))
    assert asked.startswith("m asked to wait, ")
    [away] = asyncio.run(told(outage=True, not_before=soon))
    assert away.startswith("m is away, next try in ")
    assert asyncio.run(told(outage=True)) == ["m is away, next try in 0 s"]

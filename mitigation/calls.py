"""One call done well: a prompt in, a completion out, with deadlines and counted retries in between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from mitigation.errors import CallError, CallRetryable
from mitigation.providers.base import ChatModel, Completion, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """How long and how often to try.

    Attributes:
        attempts: attempts a call may take in all.
        attempt_seconds: hard deadline of one attempt; a server that drips bytes can hold a socket timeout off forever.
        first_wait: seconds to wait after the first failure; doubled after each further one, give or take half.
        longest_wait: cap on any wait, also on one that the provider asked for.
    """

    attempts: int = 6
    attempt_seconds: float = 120.0
    first_wait: float = 1.0
    longest_wait: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Told before each wait: who waits, how long, and why."""

    caller: str
    attempt: int
    seconds: float
    reason: str


def wait_seconds(policy: CallPolicy, attempt: int, retry_after: float | None, draw: float) -> float:
    """Return how long to wait after failed attempt number `attempt` (from 1); `draw` is uniform on [0, 1).

    A wait that the provider asked for comes first, so that many battles that were told the same do not come back at once.
    """
    backoff = policy.first_wait * 2.0 ** (attempt - 1) * (0.5 + draw)
    return min(policy.longest_wait, (retry_after or 0.0) + backoff)


async def call(
    model: ChatModel, prompt: Prompt, *, policy: CallPolicy, notify: Callable[[Retry], None] | None = None
) -> Completion:
    """Ask until there is a reply or no more sense in asking.

    Raises:
        CallRefused: the provider refused.
        CallError: the attempts are used up, or another would fail the same way.
        Stopped: every call of the run would fail.
    """
    for attempt in range(1, policy.attempts + 1):
        try:
            async with asyncio.timeout(policy.attempt_seconds):
                return await model.complete(prompt)
        except TimeoutError:
            failure = CallRetryable(f"no reply within {policy.attempt_seconds:g} s")
        except CallRetryable as error:
            failure = error
        if attempt == policy.attempts:
            break
        seconds = wait_seconds(policy, attempt, failure.retry_after, random.random())
        if notify:
            notify(Retry(caller=prompt.caller, attempt=attempt, seconds=seconds, reason=str(failure)))
        await asyncio.sleep(seconds)
    raise CallError(f"gave up after {policy.attempts} attempts; the last one: {failure}")

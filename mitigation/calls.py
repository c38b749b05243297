"""One call done well: a prompt in, a reply out; limits, deadlines, counted retries, the ledger and the budget in between.

Battles, judges, proposals and the preflight all call through here. An attempt is entered in the ledger before it is sent.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from mitigation.attempts import Attempts, CutShort, Deadline
from mitigation.checks import check_float, check_int
from mitigation.errors import CallEmpty, CallError, CallRetryable, Postponed
from mitigation.journal import Reply
from mitigation.limits import Gate, pause
from mitigation.providers.base import ChatModel, Completion, Prompt
from mitigation.recorder import Recorder
from mitigation.types import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """How long and how often to try.

    Attributes:
        attempts: attempts that may fail before a call does; being asked to slow down is no failure.
        empties: replies without a word that are paid for before a call fails.
        attempt_seconds: hard deadline of one attempt; a server that drips bytes can hold a socket timeout off forever.
        battle_seconds: hard deadline of a battle in one run.
        silence_seconds: the run stops when a model has let nothing through for so long.
        first_wait: seconds to wait after the first failure; doubled after each further one, give or take half.
        longest_backoff: cap on a wait of our own making.
        longest_wait: cap on any wait, also on one that the provider asked for.
    """

    attempts: int = 8
    empties: int = 3
    attempt_seconds: float = 120.0
    battle_seconds: float = 3600.0
    silence_seconds: float = 1800.0
    first_wait: float = 1.0
    longest_backoff: float = 30.0
    longest_wait: float = 120.0

    def __post_init__(self) -> None:
        check_int(self.attempts, "patience.attempts", low=1, high=1_000)
        check_int(self.empties, "patience.empties", low=1, high=1_000)
        for name in ("attempt_seconds", "battle_seconds", "silence_seconds"):
            check_float(getattr(self, name), f"patience.{name}", low=0.001, high=1e6)
        for name in ("first_wait", "longest_backoff", "longest_wait"):
            check_float(getattr(self, name), f"patience.{name}", low=0.0, high=86_400.0)


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
    backoff = min(policy.longest_backoff, policy.first_wait * 2.0 ** min(attempt - 1, 60)) * (0.5 + draw)
    return min(policy.longest_wait, (retry_after or 0.0) + backoff)


class Calls:
    """The way to the models of one run.

    Args:
        policy: how long and how often to try.
        concurrency: calls to one model in flight at the most.
        recorder: where attempts are entered; None where nothing is recorded.
        notify: told of every wait.
        stopping: set when nothing more is to be sent; calls in flight are finished, waits end.
    """

    def __init__(
        self,
        policy: CallPolicy | None = None,
        *,
        concurrency: int = 32,
        recorder: Recorder | None = None,
        notify: Callable[[Retry], None] = lambda _: None,
        stopping: asyncio.Event | None = None,
    ) -> None:
        self.policy = policy or CallPolicy()
        self.recorder = recorder
        self._concurrency, self._notify = concurrency, notify
        self._stopping = stopping or asyncio.Event()
        self._gates: dict[tuple[object, ...], Gate] = {}
        self._processes = 1

    def gate(self, model: Model) -> Gate:
        """Return the gate that all calls to a model go through, whatever else is set about it."""
        key = model.provider, model.base_url, model.api_key_env, model.name
        if key not in self._gates:
            self._gates[key] = Gate(
                model,
                ceiling=self._concurrency,
                silence=self.policy.silence_seconds,
                longest_wait=self.policy.longest_wait,
                stopping=self._stopping,
            )
            self._gates[key].share(self._processes)
        return self._gates[key]

    def share(self, processes: int) -> None:
        """Take an equal part of all limits, when so many processes call the same models."""
        self._processes = max(1, processes)
        for gate in self._gates.values():
            gate.share(self._processes)

    @property
    def stopping(self) -> bool:
        """Whether nothing more is to be sent."""
        return self._stopping.is_set()

    @property
    def in_flight(self) -> int:
        """Calls that are being answered."""
        return sum(gate.sent for gate in self._gates.values())

    def stop(self) -> None:
        """Send nothing more: whoever waits is let go and postponed."""
        self._stopping.set()
        for gate in self._gates.values():
            gate.stop()

    def waits(self) -> list[str]:
        """Return why calls wait now, a line a model that holds them back."""
        now, told = time.monotonic(), []
        for gate in self._gates.values():
            left = gate.not_before - now
            if gate.outage:
                told.append(f"{gate.model.name} is away, next try in {max(0.0, left):.0f} s")
            elif left > 0:
                told.append(f"{gate.model.name} asked to wait, {left:.0f} s left")
            elif gate.width < gate.ceiling:
                told.append(f"{gate.model.name} asked to slow down, {gate.width} at once")
        if self.recorder and self.recorder.short:
            told.append(f"{self.recorder.short} calls wait for the budget")
        return told

    async def ask(
        self,
        model: ChatModel,
        prompt: Prompt,
        *,
        keep: Callable[[Reply], None] | None = None,
        deadline: Deadline | None = None,
    ) -> Reply:
        """Ask until there is a reply or no more sense in asking.

        Args:
            model: what to ask.
            prompt: what to say.
            keep: stores the reply, before its attempt is closed in the ledger.
            deadline: end of all patience; the time in which the gate holds the call back is not counted.

        Raises:
            CallRefused: the provider refused.
            CallError: the attempts are used up, or another would fail the same way.
            Postponed: the run is stopping, or the deadline passed while the provider asked to slow down.
            Stopped: every call of the run would fail; BudgetReached when it is for the money.
        """
        gate, patience, stopping = self.gate(model.model), _Patience(self.policy), self._stopping
        attempts = Attempts(model, prompt, recorder=self.recorder, seconds=self.policy.attempt_seconds, stopping=stopping)
        seen = time.monotonic()
        while True:
            if deadline and gate.last_outage >= seen:
                deadline.restart()  # nobody is blamed for an outage
            seen = time.monotonic()
            patience.check(deadline)
            async with gate.enter(attempts.tokens, deadline.paused if deadline else nullcontext):
                if stopping.is_set():
                    raise Postponed("the run is stopping")
                got = await _once(gate, attempts, prompt.caller, deadline)
            if isinstance(got, Completion):
                return attempts.keep(got, empty=patience.empties, keep=keep)
            seconds = patience.after(got, outage=gate.outage)
            told = max(seconds, gate.not_before - time.monotonic()) if got.limited else seconds
            self._notify(Retry(caller=prompt.caller, attempt=attempts.count, seconds=told, reason=str(got)))
            await pause(seconds, stopping)


async def _once(gate: Gate, attempts: Attempts, caller: str, deadline: Deadline | None) -> Completion | CallRetryable:
    """Send once and tell the gate what came of it."""
    sent = time.monotonic()
    try:
        got: Completion | CallRetryable = await attempts.send(deadline)
    except CallRetryable as error:
        got = error
    except CallError:
        gate.succeeded()  # the provider answers, if not what was hoped for
        raise
    if isinstance(got, CallRetryable) and got.limited:
        gate.limited(sent=sent, retry_after=got.retry_after)
    elif isinstance(got, CallRetryable) and not isinstance(got, CallEmpty | CutShort):
        gate.failed(caller)
    elif not isinstance(got, CutShort):
        gate.succeeded()
    return got


class _Patience:
    """What one call has met so far, and whether there is sense in another attempt."""

    def __init__(self, policy: CallPolicy) -> None:
        self.empties = 0
        self._policy = policy
        self._faults = self._limited = 0
        self._last: CallRetryable | None = None

    def check(self, deadline: Deadline | None) -> None:
        """Raise Postponed or CallError when the deadline has passed: being asked to slow down is no fault of a battle."""
        if deadline is None or deadline.left > 0:
            return
        what = f"its deadline of {self._policy.battle_seconds:g} s passed"
        if self._last is None or self._last.limited:
            raise Postponed(f"{what} while the provider asked to slow down")
        raise CallError(f"{what}; the last fault: {self._last}", paid=self._last.paid)

    def after(self, error: CallRetryable, *, outage: bool) -> float:
        """Return how many seconds to wait after an error, or raise CallError when it was the last that is borne.

        In an outage nobody's attempts are used up.
        """
        self._last, policy = error, self._policy
        if error.limited:
            # The gate holds everybody back for as long as the provider asked; what is added here spreads them.
            self._limited += 1
            return wait_seconds(policy, self._limited, None, random.random())
        self._faults += not outage
        self.empties += isinstance(error, CallEmpty)
        if self.empties >= policy.empties:
            raise CallEmpty(f"{self.empties} replies without a word; the last one: {error}", paid=True)
        if self._faults >= policy.attempts:
            raise CallError(f"gave up after {self._faults} attempts; the last one: {error}", paid=error.paid)
        return wait_seconds(policy, max(1, self._faults), error.retry_after, random.random())

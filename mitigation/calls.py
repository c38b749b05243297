"""One call done well: a prompt in, a reply out; limits, deadlines, counted retries, the ledger and the budget in between.

Battles, judges, proposals and the preflight all call through here. An attempt is entered in the ledger before it is sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from mitigation.attempts import Attempts, CutShort
from mitigation.errors import CallEmpty, CallError, CallRetryable, Postponed
from mitigation.journal import Reply
from mitigation.limits import Gate, pause
from mitigation.patience import CallPolicy, Deadline, Patience
from mitigation.providers.base import ChatModel, Completion, Prompt
from mitigation.recorder import Recorder
from mitigation.types import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Told before each wait: who waits, how long, and why."""

    caller: str
    attempt: int
    seconds: float
    reason: str


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
        gate, patience, stopping = self.gate(model.model), Patience(self.policy), self._stopping
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

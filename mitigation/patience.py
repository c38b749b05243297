"""How long and how often a call is tried: what it has met so far in, how long to wait or that it is enough out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mitigation.checks import check_float, check_int
from mitigation.errors import CallEmpty, CallError, CallRetryable, Postponed


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """How long and how often to try.

    Attributes:
        attempts: attempts that may fail before a call does; being asked to slow down is no failure.
        losses: attempts that may be charged for and gave nothing (no answer in time, a broken one) before a call fails.
        empties: replies without a word, which are paid for, before a call fails.
        attempt_seconds: hard deadline of one attempt; a server that drips bytes can hold a socket timeout off forever.
        battle_seconds: hard deadline of a battle in one run.
        silence_seconds: the run stops when a model has let nothing through for so long.
        first_wait: seconds to wait after the first failure; doubled after each further one, give or take half.
        longest_backoff: cap on a wait of our own making.
        longest_wait: cap on any wait, also on one that the provider asked for.
    """

    attempts: int = 8
    losses: int = 4
    empties: int = 3
    attempt_seconds: float = 120.0
    battle_seconds: float = 3600.0
    silence_seconds: float = 1800.0
    first_wait: float = 1.0
    longest_backoff: float = 30.0
    longest_wait: float = 120.0

    def __post_init__(self) -> None:
        check_int(self.attempts, "patience.attempts", low=1, high=1_000)
        check_int(self.losses, "patience.losses", low=1, high=1_000)
        check_int(self.empties, "patience.empties", low=1, high=1_000)
        for name in ("attempt_seconds", "battle_seconds", "silence_seconds"):
            check_float(getattr(self, name), f"patience.{name}", low=0.001, high=1e6)
        for name in ("first_wait", "longest_backoff", "longest_wait"):
            check_float(getattr(self, name), f"patience.{name}", low=0.0, high=86_400.0)


def wait_seconds(policy: CallPolicy, attempt: int, retry_after: float | None, draw: float) -> float:
    """Return how long to wait after failed attempt number `attempt` (from 1); `draw` is uniform on [0, 1).

    A wait that the provider asked for comes first, so that many battles that were told the same do not come back at once.
    """
    backoff = min(policy.longest_backoff, policy.first_wait * 2.0 ** min(attempt - 1, 60)) * (0.5 + draw)
    return min(policy.longest_wait, (retry_after or 0.0) + backoff)


class Deadline:
    """The end of a battle's time; time in which the battle waits for its turn is not its own.

    Args:
        seconds: how long it has.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.restart()

    def restart(self) -> None:
        """Give the whole time again."""
        self._at = asyncio.get_running_loop().time() + self._seconds

    @property
    def left(self) -> float:
        """Seconds that are left, less than 0 when it has passed."""
        return self._at - asyncio.get_running_loop().time()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock."""
        began = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            self._at += asyncio.get_running_loop().time() - began


class Patience:
    """What one call has met so far, and whether there is sense in another attempt."""

    def __init__(self, policy: CallPolicy) -> None:
        self.empties = 0
        self._policy = policy
        self._faults = self._limited = self._losses = 0
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
        self._losses += error.paid and not isinstance(error, CallEmpty) and not outage
        if self.empties >= policy.empties:
            raise CallEmpty(f"{self.empties} replies without a word; the last one: {error}", paid=True)
        if self._faults >= policy.attempts or self._losses >= policy.losses:
            charged = f", {self._losses} of which may be charged for" if self._losses else ""
            raise CallError(f"gave up after {self._faults} attempts{charged}; the last one: {error}", paid=error.paid)
        return wait_seconds(policy, max(1, self._faults), error.retry_after, random.random())

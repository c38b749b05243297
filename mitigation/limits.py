"""How many calls to one model may be in flight: as many as asked for, fewer when the provider says so, one when it is away.

- Rate limits (HTTP 429) halve the number in flight, once an episode, and every success adds a little again: additive increase,
  multiplicative decrease. A wait that the provider asks for holds for all calls to the model.
- An outage is seen when many battles in a row meet nothing but faults: then a single call at a time tries again, more and more
  rarely, and no battle is blamed. It ends with the first success.
- When nothing gets through for `silence` seconds, the run stops; what is missing stays pending.
"""

from __future__ import annotations

import asyncio
import random
import resource
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress

from aiolimiter import AsyncLimiter

from mitigation.errors import Stopped
from mitigation.types import Model

# An outage: so many battles have failed without a success between them, over so many seconds.
OUTAGE_CALLERS = 8
OUTAGE_SECONDS = 5.0
# While a provider is away, its next try comes after 1, 2, 4, ... seconds, at the most this many.
LONGEST_PROBE = 30.0
# Successes add up to a tenth of the ceiling for every round of calls in flight.
ROUNDS = 10
# Open files that a run needs beside its connections.
SPARE_FILES = 48


class Gate:
    """Lets calls to one model through.

    Args:
        model: what is called.
        ceiling: calls in flight at the most.
        silence: seconds without a success after which the run stops.
        longest_wait: cap on a wait that the provider asks for.
        stopping: set when no more calls are to be sent.
    """

    def __init__(self, model: Model, *, ceiling: int, silence: float, longest_wait: float, stopping: asyncio.Event) -> None:
        self.model = model
        self.limit = float(ceiling)
        self.in_flight = self.sent = 0
        self.not_before = self.last_outage = 0.0
        self.cuts = 0
        self._asked = self.ceiling = ceiling
        self._silence, self._longest_wait, self._stopping = silence, longest_wait, stopping
        self._queue: deque[asyncio.Future[None]] = deque()
        self._episode = 0.0
        self._failing: set[str] = set()
        self._silent_since: float | None = None
        self._probes = 0
        self._processes = 0
        self.share(1)

    def share(self, processes: int) -> None:
        """Take an equal part of what the model allows, when so many processes call it."""
        if processes == self._processes:
            return
        full = self.limit >= self.ceiling
        self._processes, self.ceiling = processes, max(1, self._asked // processes)
        self.limit = float(self.ceiling) if full else min(self.limit, self.ceiling)
        requests, tokens = self.model.requests_per_minute, self.model.tokens_per_minute
        self._requests = _limiter(requests, processes)
        self._tokens = _limiter(tokens, processes)
        self._wake()

    @property
    def outage(self) -> bool:
        """Whether the provider seems to be away for everybody."""
        if self._silent_since is None or len(self._failing) < OUTAGE_CALLERS:
            return False
        return time.monotonic() - self._silent_since >= OUTAGE_SECONDS

    @property
    def width(self) -> int:
        """Calls that may be in flight now."""
        return 1 if self.outage else max(1, int(self.limit))

    @asynccontextmanager
    async def enter(self, tokens: int, waiting: Callable[[], AbstractContextManager[None]] = nullcontext) -> AsyncIterator[None]:
        """Wait for a place and hold it.

        Leaves without waiting further once the run is stopping: the caller looks at that before it sends.

        Args:
            tokens: what the call may take of the tokens a minute.
            waiting: a context that is entered while the call waits.
        """
        with waiting():
            await self._place()
        try:
            with waiting():
                await self._take(self._requests, 1)
                await self._take(self._tokens, tokens)
                await self._until_allowed()
            self.sent += 1
            try:
                yield
            finally:
                self.sent -= 1
        finally:
            self.in_flight -= 1
            self._wake()

    async def _take(self, limiter: AsyncLimiter | None, amount: float) -> None:
        """Wait for what a limit a minute allows."""
        if limiter is None:
            return
        amount = min(amount, limiter.max_rate)
        while not limiter.has_capacity(amount) and not self._stopping.is_set():
            await pause(min(1.0, limiter.time_period / limiter.max_rate), self._stopping)
        if not self._stopping.is_set():
            await limiter.acquire(amount)

    async def _place(self) -> None:
        if not self._queue and (self.in_flight < self.width or self._stopping.is_set()):
            self.in_flight += 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(waiter)
        self._wake()
        try:
            await waiter
        except BaseException:
            if waiter.cancelled():
                self._queue.remove(waiter)
            else:  # the place was given to a task that goes away
                self.in_flight -= 1
                self._wake()
            raise

    async def _until_allowed(self) -> None:
        while (wait := self.not_before - time.monotonic()) > 0 and not self._stopping.is_set():
            # Spread over a fifth of a second and a little of the wait, so that not all come back in one instant.
            await pause(wait + random.uniform(0, 0.2 + 0.02 * wait), self._stopping)

    def _wake(self) -> None:
        """Give free places to those who have waited longest; a place counts as taken from here on."""
        waiting = [waiter for waiter in self._queue if not waiter.done()]
        for waiter in waiting:
            if self.in_flight >= self.width and not self._stopping.is_set():
                return
            self._queue.remove(waiter)
            waiter.set_result(None)
            self.in_flight += 1

    def stop(self) -> None:
        """Let go everybody who waits; call when `stopping` was set."""
        self._wake()

    def succeeded(self) -> None:
        """Take note of an answer."""
        if self.outage:
            self.last_outage = time.monotonic()
        self._failing.clear()
        self._silent_since, self._probes = None, 0
        if self.limit < self.ceiling:
            self.limit = min(self.ceiling, self.limit + max(1.0, self.ceiling / ROUNDS) / self.limit)
        self._wake()

    def limited(self, *, sent: float, retry_after: float | None) -> None:
        """Take note that the provider asked to slow down a call that was sent at `sent` on the monotonic clock."""
        now = time.monotonic()
        if retry_after:
            self.not_before = max(self.not_before, now + min(retry_after, self._longest_wait))
        # Calls that were on their way when the number was cut say nothing about the new number.
        if sent >= self._episode:
            self.limit = max(1.0, min(self.limit, self.in_flight) / 2)
            self.cuts += 1
            self._episode = now
        self._note(now)

    def failed(self, caller: str) -> None:
        """Take note of a fault on the provider's side."""
        now = time.monotonic()
        self._failing.add(caller)
        self._note(now)
        if self.outage:
            self.last_outage = now
            if now < self.not_before:
                return  # one of those that were on their way when the outage was seen, and no try of its own
            self._probes += 1
            self.not_before = max(self.not_before, now + min(LONGEST_PROBE, 2.0 ** (self._probes - 1)))

    def _note(self, now: float) -> None:
        self._silent_since = now if self._silent_since is None else self._silent_since
        if now - self._silent_since >= self._silence:
            raise Stopped(
                f"{self.model.name} has let no call through for {now - self._silent_since:,.0f} s: "
                "look at the provider's status page, then run the same command again"
            )


def _limiter(a_minute: int | None, processes: int) -> AsyncLimiter | None:
    """Return an equal part of a limit a minute; a part below one is one in more than a minute."""
    if a_minute is None:
        return None
    part = a_minute / processes
    return AsyncLimiter(part, 60) if part >= 1 else AsyncLimiter(1, 60 / part)


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """Sleep, but no longer than until the run is stopping."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass


def descriptors(concurrency: int) -> int:
    """Return how many battles at once the limit on open files allows, after raising it as far as this process may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * concurrency + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
        return max(1, min(concurrency, (soft - SPARE_FILES) // 2))
    return concurrency

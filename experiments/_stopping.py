"""Ctrl-C and SIGTERM: the first lets the calls in flight finish and says how to go on, the second stops at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from experiments._launching import GRACE
from experiments._progress import Report
from mitigation.gateway import Run


@dataclass(frozen=True, slots=True)
class Stops:
    """How a run is stopped.

    Attributes:
        longest: seconds that calls in flight may take after Ctrl-C; after SIGTERM it is `GRACE`.
        again: the command that goes on.
        apart: this is one of several processes, of which only the one that started them hears Ctrl-C; it passes SIGTERM on.
    """

    longest: float
    again: str
    apart: bool = False

    async def run(self, work: Coroutine[Any, Any, None], state: Run, progress: Report) -> int:
        """Run until done or interrupted; return 0 or the number of the signal."""
        received: list[int] = []
        loop = asyncio.get_running_loop()

        def on_signal(number: int) -> None:
            received.append(number)
            state.stop()
            if len(received) > 1:
                running.cancel()
                return
            flying = state.calls.in_flight if state.calls else 0
            longest = GRACE if number == signal.SIGTERM else self.longest
            progress.say(
                f"finishing {flying} calls in flight, at most {longest:.0f} s; press again to stop now; resume with: {self.again}"
            )
            loop.call_later(longest, running.cancel)

        running = asyncio.create_task(work)
        ticking = asyncio.create_task(progress.ticking())
        for number in (signal.SIGTERM,) if self.apart else (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal, number)
        await asyncio.wait([running])
        ticking.cancel()
        if not running.cancelled():
            running.result()
        return received[0] if received else 0

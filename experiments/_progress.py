"""Progress of a run: a live line on a terminal, a plain line every 30 s elsewhere, and what failed in groups."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from experiments.cli import visible
from mitigation.calls import Retry
from mitigation.fight import Event, Judged, Notice
from mitigation.gateway import Run
from mitigation.types import Battle

EVERY = 30.0
# A wait this long is told at once, and failures one by one up to so many.
LONG_WAIT = 5.0
SINGLY = 5


class Report:
    """Counts events and shows them; use as a context round the run.

    Args:
        total: battles in the study, or messages to judge.
        done: how many of them were there before.
        state: the run, for what it spends and waits for.
        budget: dollars it may spend, None for no cap.
        label: put before each line, where several processes share a screen; no live line is drawn then.
        unit: what is counted.
    """

    def __init__(
        self, *, total: int, done: int, state: Run, budget: float | None = None, label: str = "", unit: str = "battles"
    ) -> None:
        self._console = Console(file=sys.stderr, highlight=False, markup=False)
        self._total, self._before, self._state, self._budget, self._label = total, done, state, budget, label
        self._unit = unit
        self._done: Counter[str] = Counter()
        self._running: dict[str, float] = {}
        self._retries: dict[str, tuple[float, str]] = {}
        self._failures: Counter[str] = Counter()
        self._began = self._last = time.monotonic()
        self._spent_before: float | None = None
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Report:
        if self._console.is_terminal and not self._label:
            self._bar = Progress(
                TextColumn(self._unit),
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[state]}", markup=False),
                console=self._console,
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=self._total, completed=self._before, state="")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()
        told = sum(count for _, count in self._failures.most_common(SINGLY))
        if self._failures.total() > SINGLY:
            self.say("failures by reason:")
            for reason, count in self._failures.most_common(SINGLY):
                self.say(f"  {count} × {reason}")
            if rest := self._failures.total() - told:
                self.say(f"  {rest} × something else")

    def say(self, line: str) -> None:
        """Print a line above the progress."""
        self._console.print(Text(visible(self._label + line)), soft_wrap=True)

    async def ticking(self) -> None:
        """Keep the progress fresh while nothing happens."""
        while True:
            self._show()
            await asyncio.sleep(1.0)

    def __call__(self, event: Event) -> None:
        """Take one event of the run."""
        now = time.monotonic()
        if isinstance(event, Battle):
            self._running[event.battle_id] = now
        elif isinstance(event, Retry):
            self._retries[event.caller] = (now + event.seconds, event.reason)
            if event.seconds >= LONG_WAIT and now - self._last >= LONG_WAIT and not self._bar:
                self._line(now)
        elif isinstance(event, Notice):
            if event.caller is None:
                self.say(event.text)
            self._over(event.caller)
        elif isinstance(event, Judged):
            self._done["failed" if event.fault else "complete"] += 1
            self._over(event.caller)
            if event.fault:
                self._failed(event.caller, event.fault)
        else:
            self._done[event.status] += 1
            self._over(event.battle_id)
            if event.status == "failed":
                self._failed(event.battle_id, str(event.error))

    def _over(self, caller: str | None) -> None:
        if caller is not None:
            self._running.pop(caller, None)
            self._retries.pop(caller, None)

    def _failed(self, name: str, fault: str) -> None:
        reason = fault.split(" (")[0][:120]
        self._failures[reason] += 1
        number = self._failures.total()
        if number <= SINGLY:
            more = "; further failures are counted and grouped at the end" if number == SINGLY else ""
            self.say(f"failed: {name}: {fault}{more}")

    def _show(self) -> None:
        now = time.monotonic()
        if self._bar and self._task is not None:
            completed = self._before + sum(self._done.values())
            self._bar.update(self._task, completed=completed, state=visible(self._told(now)))
        elif now - self._last >= EVERY:
            self._line(now)

    def _line(self, now: float) -> None:
        self._last = now
        self.say(f"{self._before + sum(self._done.values())} of {self._total} {self._unit}, {self._told(now)}")

    def _told(self, now: float) -> str:
        """Return everything that a user may ask for while waiting."""
        parts = [f"{self._done[status]} {status}" for status in ("refused", "failed") if self._done[status]]
        judging = self._state.calls if self._unit != "battles" else None
        parts.append(f"{judging.in_flight if judging else len(self._running)} in flight")
        waiting = [(until, reason) for until, reason in self._retries.values() if until > now]
        if waiting:
            until, reason = max(waiting)
            parts.append(f"{len(waiting)} retrying, the last in {until - now:.0f} s ({reason[:80]})")
        parts += self._state.calls.waits() if self._state.calls else []
        if self._state.ledger and self._state.ledger.totals.calls:
            totals = self._state.ledger.totals
            cap = "" if self._budget is None else f" of ${self._budget:.2f}"
            parts.append(f"${totals.usd:.4f}{cap}" + (f" and {totals.unpriced} unpriced calls" if totals.unpriced else ""))
        parts.append(self._eta(now))
        if self._running:
            slowest = min(self._running, key=lambda battle: self._running[battle])
            if now - self._running[slowest] >= EVERY:
                parts.append(f"slowest {slowest} {now - self._running[slowest]:.0f} s")
        return ", ".join(parts)

    def _eta(self, now: float) -> str:
        fought = sum(self._done.values())
        left = self._total - self._before - fought
        if not fought:
            return f"{now - self._began:.0f} s"
        return f"about {span((now - self._began) / fought * left)} left"


def span(seconds: float) -> str:
    """Return a span of time as people say it."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

"""Progress of a run: a live line on a terminal, plain lines elsewhere (one in 15 s at the most)."""

from __future__ import annotations

import sys
import time
from collections import Counter
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from experiments.cli import visible
from mitigation.calls import Retry
from mitigation.runner import Event
from mitigation.types import Battle, Transcript

EVERY = 15.0


class Report:
    """Counts events and shows them; use as a context round the run.

    Args:
        total: battles in the study.
        done: battles that were there before.
    """

    def __init__(self, *, total: int, done: int) -> None:
        self._console = Console(file=sys.stderr, highlight=False, markup=False)
        self._total, self._before = total, done
        self._done: Counter[str] = Counter()
        self._running: dict[str, float] = {}
        self._waiting: dict[str, str] = {}
        self._began = self._last = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Report:
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("battles"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[state]}", markup=False),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=self._total, completed=self._before, state="")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    def say(self, line: str) -> None:
        """Print a line above the progress."""
        self._console.print(Text(visible(line)), soft_wrap=True)

    def __call__(self, event: Event) -> None:
        """Take one event of the run."""
        if isinstance(event, Battle):
            self._running[event.battle_id] = time.monotonic()
        elif isinstance(event, Retry):
            self._waiting[event.caller] = (
                f"{event.caller} waits {event.seconds:.0f} s after attempt {event.attempt}: {event.reason}"
            )
        elif isinstance(event, Transcript):
            self._done[event.status] += 1
            self._running.pop(event.battle_id, None)
            self._waiting.pop(event.battle_id, None)
            if event.status == "failed":
                self.say(f"failed: {event.battle_id}: {event.error}")
        self._show()

    def _show(self) -> None:
        completed = self._before + sum(self._done.values())
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=completed, state=visible(self._state()))
            return
        now = time.monotonic()
        if now - self._last >= EVERY or completed == self._total:
            self._last = now
            self.say(f"{completed} of {self._total} battles{self._state()}{self._eta(now)}")

    def _state(self) -> str:
        parts = [f"{self._done[status]} {status}" for status in ("refused", "failed") if self._done[status]]
        if self._waiting:
            parts.append(f"{len(self._waiting)} waiting ({next(reversed(self._waiting.values()))})")
        return "".join(f", {part}" for part in parts)

    def _eta(self, now: float) -> str:
        fought = sum(self._done.values())
        left = self._total - self._before - fought
        if not fought or not left:
            return f", {now - self._began:.0f} s"
        return f", about {(now - self._began) / fought * left:.0f} s left"

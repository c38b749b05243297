"""Items from many tasks to one commit: what waits together is written and synced together, in a thread of its own.

A sync takes as long for a hundred lines as for one, and the event loop must not stand still meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")


class GroupCommit(Generic[Item]):
    """Commits items in the order in which they came.

    Args:
        commit: takes items; what it raises is raised to all who wait for that commit.
    """

    def __init__(self, commit: Callable[[Sequence[Item]], None]) -> None:
        self._commit = commit
        self._waiting: list[tuple[Item, asyncio.Future[None]]] = []
        self._running: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")

    async def wait(self, item: Item) -> None:
        """Return once an item is committed."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append((item, future))
        if self._running is None:
            self._running = loop.create_task(self._run())
        await future

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                fault: Exception | None = None
                try:
                    await loop.run_in_executor(self._thread, self._commit, [item for item, _ in batch])
                except Exception as error:
                    fault = error
                for _, future in batch:
                    if future.done():  # its task was cancelled meanwhile
                        continue
                    if fault:
                        future.set_exception(fault)
                    else:
                        future.set_result(None)
        finally:
            self._running = None

    async def close(self) -> None:
        """Commit what still waits and end the thread."""
        while self._running is not None:
            await asyncio.shield(self._running)
        self._thread.shutdown()

"""Items from many tasks to one commit: what waits together is written and synced together, in a thread of its own.

A sync takes as long for a hundred lines as for one, and the event loop must not stand still meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class GroupCommit(Generic[Item, Answer]):
    """Commits items in the order in which they came.

    Args:
        commit: takes items and returns one answer for each; what it raises is raised to all who wait for that commit.
    """

    def __init__(self, commit: Callable[[Sequence[Item]], Sequence[Answer]]) -> None:
        self._commit = commit
        self._waiting: list[tuple[Item, asyncio.Future[Answer] | None]] = []
        self._running: asyncio.Task[None] | None = None
        self._fault: Exception | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")

    async def wait(self, item: Item) -> Answer:
        """Return the answer to an item once it is on disk."""
        if self._fault:
            raise self._fault
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._add(item, future)
        return await future

    def put(self, item: Item) -> None:
        """Have an item committed before any that comes later; what goes wrong is raised to everybody who waits from then on."""
        self._add(item, None)

    def _add(self, item: Item, future: asyncio.Future[Answer] | None) -> None:
        self._waiting.append((item, future))
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    if self._fault:
                        raise self._fault
                    answers = await loop.run_in_executor(self._thread, self._commit, [item for item, _ in batch])
                except Exception as error:
                    if any(future is None for _, future in batch):
                        self._fault = error
                    for _, future in batch:
                        if future is not None and not future.done():
                            future.set_exception(error)
                else:
                    for (_, future), answer in zip(batch, answers, strict=True):
                        if future is not None and not future.done():
                            future.set_result(answer)
        finally:
            self._running = None

    async def close(self) -> None:
        """Commit what still waits and end the thread."""
        while self._running is not None:
            await asyncio.shield(self._running)
        self._thread.shutdown()

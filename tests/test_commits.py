"""Group commits: in order, together, and a fault reaches exactly those whose items it took."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mitigation.commits import GroupCommit

Group = GroupCommit[int]


class Disk:
    """What was committed; a commit that holds an item of `bad` fails, and none ends while `open` is not set."""

    def __init__(self, bad: Sequence[int] = ()) -> None:
        self.tried: list[list[int]] = []
        self.written: list[int] = []
        self.threads: set[int] = set()
        self.bad = set(bad)
        self.open = threading.Event()
        self.open.set()

    def commit(self, items: Sequence[int]) -> None:
        self.tried.append(list(items))
        self.threads.add(threading.get_ident())
        assert self.open.wait(60)
        if self.bad & set(items):
            raise OSError(f"no room for {sorted(self.bad & set(items))}")
        self.written += items


def grouped(disk: Disk, use: Callable[[Group], Awaitable[None]]) -> None:
    """Use a group commit and close it."""

    async def main() -> None:
        group = Group(disk.commit)
        try:
            await use(group)
        finally:
            disk.open.set()
            async with asyncio.timeout(60):
                await group.close()

    asyncio.run(main())


async def begun(disk: Disk, group: Group, item: int = 0) -> asyncio.Task[None]:
    """Have a commit under way that does not end before the disk is opened."""
    disk.open.clear()
    first = asyncio.create_task(group.wait(item))
    async with asyncio.timeout(60):
        while not disk.tried:
            await asyncio.sleep(0.001)
    return first


async def waiting(group: Group, *items: int) -> list[asyncio.Task[None]]:
    """Have items wait."""
    tasks = [asyncio.create_task(group.wait(item)) for item in items]
    await asyncio.sleep(0)
    return tasks


def test_an_item_is_committed_when_its_wait_returns_and_order_is_kept() -> None:
    disk = Disk()

    async def use(group: Group) -> None:
        await group.wait(0)
        assert disk.written == [0]
        await asyncio.gather(*(group.wait(item) for item in range(1, 100)))
        assert disk.written == list(range(100))
        await group.wait(100)
        assert disk.written[-1] == 100

    grouped(disk, use)


def test_whoever_waits_meanwhile_is_committed_together_in_one_thread_of_its_own() -> None:
    disk = Disk()

    async def use(group: Group) -> None:
        first = await begun(disk, group)
        others = await waiting(group, *range(1, 50))
        assert not any(task.done() for task in [first, *others])
        disk.open.set()
        await asyncio.gather(first, *others)

    grouped(disk, use)
    assert disk.tried == [[0], list(range(1, 50))]
    assert len(disk.threads) == 1
    assert threading.get_ident() not in disk.threads


def test_the_loop_goes_on_while_a_commit_is_under_way() -> None:
    disk = Disk()

    async def use(group: Group) -> None:
        first = await begun(disk, group)
        for _ in range(100):
            await asyncio.sleep(0)
        assert not first.done()
        disk.open.set()
        await first

    grouped(disk, use)


def test_a_fault_reaches_all_who_wait_for_its_commit_and_later_items_work() -> None:
    disk = Disk(bad=[2])

    async def use(group: Group) -> None:
        first = await begun(disk, group)
        batch = await waiting(group, 1, 2, 3)
        disk.open.set()
        await first
        for failed in await asyncio.gather(*batch, return_exceptions=True):
            assert isinstance(failed, OSError)
            assert str(failed) == "no room for [2]"
        await asyncio.gather(group.wait(4), group.wait(5))

    grouped(disk, use)
    assert disk.tried == [[0], [1, 2, 3], [4, 5]]
    assert disk.written == [0, 4, 5]


def test_what_waits_is_committed_before_close_returns() -> None:
    disk = Disk()

    async def use(group: Group) -> None:
        await begun(disk, group)
        await waiting(group, *range(1, 20))

    grouped(disk, use)
    assert disk.written == list(range(20))


def test_a_group_that_was_never_used_can_be_closed() -> None:
    async def use(group: Group) -> None: ...

    disk = Disk()
    grouped(disk, use)
    assert not disk.tried


@pytest.mark.parametrize("when", ["waiting", "under way"])
def test_whoever_is_cancelled_loses_no_other_and_its_item_is_committed_all_the_same(when: str) -> None:
    disk = Disk()

    async def use(group: Group) -> None:
        first = await begun(disk, group)
        others = await waiting(group, 1, 2, 3)
        (others[1] if when == "waiting" else first).cancel()
        await asyncio.sleep(0)
        disk.open.set()
        ends = await asyncio.gather(first, *others, return_exceptions=True)
        cancelled = [isinstance(end, asyncio.CancelledError) for end in ends]
        assert cancelled == ([False, False, True, False] if when == "waiting" else [True, False, False, False])
        await group.wait(4)

    grouped(disk, use)
    assert disk.written == [0, 1, 2, 3, 4]


def test_a_closing_task_that_is_cancelled_takes_no_item_along() -> None:
    disk = Disk()

    async def use(group: Group) -> None:
        first = await begun(disk, group)
        others = await waiting(group, 1)
        closing = asyncio.create_task(group.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.sleep(0)
        assert closing.cancelled()
        disk.open.set()
        await asyncio.gather(first, *others)

    grouped(disk, use)
    assert disk.written == [0, 1]


@given(
    items=st.lists(st.tuples(st.booleans(), st.integers(0, 2)), max_size=25),
    bad=st.sets(st.integers(0, 24), max_size=3),
)
@settings(deadline=None, max_examples=80)
def test_whatever_happens_each_item_is_tried_once_in_order_and_everybody_hears_what_became_of_it(
    items: list[tuple[bool, int]], bad: set[int]
) -> None:
    """Items come with turns of the loop between them, and some are cancelled as soon as they wait."""
    disk = Disk(bad=sorted(bad))

    async def use(group: Group) -> None:
        tasks = []
        for item, (cancelled, turns) in enumerate(items):
            tasks += await waiting(group, item)
            if cancelled:
                tasks[-1].cancel()
            for _ in range(turns):
                await asyncio.sleep(0)
        async with asyncio.timeout(60):
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for item, end in enumerate(ends):
            if isinstance(end, asyncio.CancelledError):
                assert items[item][0]
            else:
                assert end is None or isinstance(end, OSError)
                assert (end is None) == (item in disk.written)

    grouped(disk, use)
    assert [item for batch in disk.tried for item in batch] == list(range(len(items)))
    assert disk.written == [item for batch in disk.tried if not disk.bad & set(batch) for item in batch]
    assert all(disk.tried)

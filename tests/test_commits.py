"""Group commits: in order, together, and a fault reaches exactly those whose items it took."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mitigation.commits import GroupCommit

Group = GroupCommit[int, int]


class Disk:
    """What was committed; a commit that holds an item of `bad` fails, and none begins while `closed` is set."""

    def __init__(self, bad: Sequence[int] = ()) -> None:
        self.batches: list[list[int]] = []
        self.tried: list[list[int]] = []
        self.threads: set[int] = set()
        self.bad = set(bad)
        self.open = threading.Event()
        self.open.set()

    def commit(self, items: Sequence[int]) -> list[int]:
        assert self.open.wait(60)
        self.threads.add(threading.get_ident())
        self.tried.append(list(items))
        if self.bad & set(items):
            raise OSError(f"no room for {sorted(self.bad & set(items))}")
        self.batches.append(list(items))
        return [10 * item for item in items]

    @property
    def written(self) -> list[int]:
        return [item for batch in self.batches for item in batch]


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


async def begun(disk: Disk, group: Group, item: int = 0) -> asyncio.Task[int]:
    """Have a commit under way that does not end before the disk is opened."""
    disk.open.clear()
    first = asyncio.create_task(group.wait(item))
    await asyncio.sleep(0.01)
    return first


def test_each_gets_the_answer_to_its_own_item_and_order_is_kept() -> None:
    disk = Disk()

    async def use(group: Group) -> None:
        assert await asyncio.gather(*(group.wait(item) for item in range(100))) == [10 * item for item in range(100)]
        assert await group.wait(100) == 1000

    grouped(disk, use)
    assert disk.written == list(range(101))


def test_whoever_waits_meanwhile_is_committed_together_in_one_thread_of_its_own() -> None:
    disk = Disk()

    async def use(group: Group) -> None:
        first = await begun(disk, group)
        others = [asyncio.create_task(group.wait(item)) for item in range(1, 50)]
        await asyncio.sleep(0)
        group.put(50)
        disk.open.set()
        assert await asyncio.gather(first, *others) == [10 * item for item in range(50)]

    grouped(disk, use)
    assert disk.batches == [[0], list(range(1, 51))]
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
        assert await first == 0

    grouped(disk, use)


def test_a_fault_reaches_all_who_wait_for_its_batch_and_later_items_work() -> None:
    disk = Disk(bad=[2])

    async def use(group: Group) -> None:
        first = await begun(disk, group)
        batch = [asyncio.create_task(group.wait(item)) for item in (1, 2, 3)]
        await asyncio.sleep(0)
        disk.open.set()
        assert await first == 0
        for failed in await asyncio.gather(*batch, return_exceptions=True):
            assert isinstance(failed, OSError)
            assert str(failed) == "no room for [2]"
        assert await asyncio.gather(group.wait(4), group.wait(5)) == [40, 50]

    grouped(disk, use)
    assert disk.batches == [[0], [4, 5]]


def test_a_fault_of_an_item_that_nobody_waits_for_is_raised_to_everybody_who_waits_from_then_on() -> None:
    disk = Disk(bad=[1])

    async def use(group: Group) -> None:
        first = await begun(disk, group)
        group.put(1)
        second = asyncio.create_task(group.wait(2))
        await asyncio.sleep(0)
        disk.open.set()
        assert await first == 0
        with pytest.raises(OSError, match=r"no room for \[1\]"):
            await second
        for item in (3, 4):
            with pytest.raises(OSError, match=r"no room for \[1\]"):
                await group.wait(item)

    grouped(disk, use)
    assert disk.tried[:2] == [[0], [1, 2]]
    assert disk.written == [0]


def test_what_was_put_is_committed_before_close_returns() -> None:
    disk = Disk()

    async def use(group: Group) -> None:
        await begun(disk, group)
        for item in range(1, 20):
            group.put(item)

    grouped(disk, use)
    assert disk.written == list(range(20))


def test_a_group_that_was_never_used_can_be_closed() -> None:
    async def use(group: Group) -> None: ...

    grouped(Disk(), use)


@pytest.mark.parametrize("when", ["waiting", "under way"])
def test_whoever_is_cancelled_loses_no_other_and_its_item_is_committed_all_the_same(when: str) -> None:
    disk = Disk()

    async def use(group: Group) -> None:
        first = await begun(disk, group)
        others = [asyncio.create_task(group.wait(item)) for item in (1, 2, 3)]
        await asyncio.sleep(0)
        (others[1] if when == "waiting" else first).cancel()
        await asyncio.sleep(0)
        disk.open.set()
        ends = await asyncio.gather(first, *others, return_exceptions=True)
        cancelled = [isinstance(end, asyncio.CancelledError) for end in ends]
        assert cancelled == ([False, False, True, False] if when == "waiting" else [True, False, False, False])
        assert await group.wait(4) == 40

    grouped(disk, use)
    assert disk.written == [0, 1, 2, 3, 4]


def test_closing_while_a_closing_task_is_cancelled_still_commits() -> None:
    disk = Disk()

    async def use(group: Group) -> None:
        first = await begun(disk, group)
        group.put(1)
        closing = asyncio.create_task(group.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.sleep(0)
        disk.open.set()
        assert await first == 0

    grouped(disk, use)
    assert disk.written == [0, 1]


@given(
    items=st.lists(st.tuples(st.sampled_from(["wait", "put", "cancel"]), st.integers(0, 2)), max_size=25),
    bad=st.sets(st.integers(0, 24), max_size=3),
)
@settings(deadline=None, max_examples=60)
def test_whatever_happens_no_item_is_tried_twice_or_out_of_order_and_everybody_hears_what_became_of_it(
    items: list[tuple[str, int]], bad: set[int]
) -> None:
    disk = Disk(bad=sorted(bad))

    async def use(group: Group) -> None:
        tasks = dict[int, asyncio.Task[int]]()
        for item, (kind, turns) in enumerate(items):
            if kind == "put":
                group.put(item)
            else:
                tasks[item] = asyncio.create_task(group.wait(item))
                await asyncio.sleep(0)
                if kind == "cancel":
                    tasks[item].cancel()
            for _ in range(turns):
                await asyncio.sleep(0)
        async with asyncio.timeout(60):
            ends = dict(zip(tasks, await asyncio.gather(*tasks.values(), return_exceptions=True), strict=True))
        for item, end in ends.items():
            if isinstance(end, asyncio.CancelledError):
                assert items[item][0] == "cancel"
            elif isinstance(end, OSError):
                assert item not in disk.written
            else:
                assert end == 10 * item
                assert item in disk.written

    grouped(disk, use)
    tried = [item for batch in disk.tried for item in batch]
    assert tried == sorted(set(tried))
    failed = [batch for batch in disk.tried if disk.bad & set(batch)]
    assert disk.written == [item for batch in disk.tried if batch not in failed for item in batch]
    if not any(items[item][0] == "put" for batch in failed for item in batch):
        assert tried == list(range(len(items)))

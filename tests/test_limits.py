"""The gate before a model, on a clock that jumps from event to event: who gets in, when, and how many at once."""

from __future__ import annotations

import asyncio
import itertools
import random
import selectors
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mitigation.attempts import Deadline
from mitigation.calls import Calls
from mitigation.errors import CallRetryable, Stopped
from mitigation.limits import LONGEST_PROBE, OUTAGE_CALLERS, OUTAGE_SECONDS, ROUNDS, Gate, pause
from mitigation.patience import CallPolicy
from mitigation.providers.base import Completion, Prompt
from mitigation.types import Model
from tests.conftest import child_environment

Result = TypeVar("Result")
PLAIN: dict[str, Any] = {"name": "m", "provider": "openai", "price": {"input": 1, "output": 1}}


class Skip(selectors.SelectSelector):
    """Takes what it should wait for as passed."""

    now = 1_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "all wait, and nothing will ever wake one of them"
        self.now += max(1e-12, timeout)  # a clock that stood still would let roundings ask for one more moment for ever
        return super().select(0)


class Clock(asyncio.SelectorEventLoop):
    """An event loop in which waiting takes no time."""

    def __init__(self) -> None:
        self.skip = Skip()
        super().__init__(self.skip)

    def time(self) -> float:
        return self.skip.now


def jumping(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on a clock that jumps."""
    with asyncio.Runner(loop_factory=Clock) as runner:
        clock = SimpleNamespace(monotonic=runner.get_loop().time)
        with mock.patch("mitigation.limits.time", clock), mock.patch("mitigation.calls.time", clock):
            return runner.run(main)


def now() -> float:
    return asyncio.get_running_loop().time()


def gate(ceiling: int = 4, *, silence: float = 1e6, longest_wait: float = 120.0, **fields: Any) -> Gate:
    return Gate(Model(**PLAIN, **fields), ceiling=ceiling, silence=silence, longest_wait=longest_wait, stopping=asyncio.Event())


def stop(given: Gate) -> None:
    given._stopping.set()
    given.stop()


class Inside:
    """Counts who is inside a gate, and when each went in."""

    def __init__(self, given: Gate) -> None:
        self.gate, self.flying, self.most = given, 0, 0
        self.entered: list[float] = []
        self.order: list[int] = []

    async def pass_through(self, seconds: float = 1.0, *, number: int = 0, tokens: int = 1) -> None:
        async with self.gate.enter(tokens):
            self.flying += 1
            self.most = max(self.most, self.flying)
            self.entered.append(now())
            self.order.append(number)
            try:
                await asyncio.sleep(seconds)
            finally:
                self.flying -= 1


@pytest.mark.parametrize(("ceiling", "callers"), [(1, 9), (7, 50), (64, 10)])
def test_no_more_than_the_limit_are_inside_at_once_and_all_get_in(ceiling: int, callers: int) -> None:
    async def main() -> None:
        inside = Inside(gate(ceiling))
        began = now()
        await asyncio.gather(*(inside.pass_through(number=number) for number in range(callers)))
        assert inside.most == min(ceiling, callers)
        assert sorted(inside.order) == list(range(callers))
        assert now() - began == pytest.approx(-(-callers // ceiling))
        assert inside.gate.in_flight == 0

    jumping(main())


def test_many_calls_of_one_episode_that_are_limited_halve_the_number_once() -> None:
    async def main() -> None:
        given = gate(16)
        widths = []

        async def limited() -> None:
            async with given.enter(1):
                sent = now()
                await asyncio.sleep(random.uniform(1, 2))
                given.limited(sent=sent, retry_after=None)

        for _ in range(6):
            await asyncio.gather(*(limited() for _ in range(given.width)))
            widths.append(given.width)
            await asyncio.sleep(1)
        assert widths == [8, 4, 2, 1, 1, 1]
        assert given.cuts == 6

    jumping(main())


def test_a_cut_goes_by_the_calls_in_flight_where_they_are_fewer_than_allowed() -> None:
    async def main() -> None:
        given = gate(64)
        inside = Inside(given)
        flying = [asyncio.create_task(inside.pass_through()) for _ in range(6)]
        await asyncio.sleep(0.5)
        given.limited(sent=now(), retry_after=None)
        assert given.width == 3
        await asyncio.gather(*flying, *(inside.pass_through() for _ in range(9)))
        assert inside.entered[6] == pytest.approx(inside.entered[0] + 1.0)

    jumping(main())


@pytest.mark.parametrize("ceiling", [1, 2, 10, 64, 1000])
def test_successes_bring_the_number_back_to_the_ceiling_and_no_further(ceiling: int) -> None:
    async def main() -> None:
        given, rounds = gate(ceiling), 0
        given.limit = 1.0
        while given.width < ceiling:
            before = given.limit
            for _ in range(given.width):
                given.succeeded()
            assert before < given.limit <= before + 2 * max(1.0, ceiling / ROUNDS) + 1
            rounds += 1
        assert rounds <= 2 * ROUNDS
        for _ in range(100):
            given.succeeded()
        assert given.limit == ceiling

    jumping(main())


def test_a_success_makes_room_for_those_who_wait() -> None:
    async def main() -> None:
        given = gate(10)
        given.limit = 1.0
        inside = Inside(given)
        waiting = [asyncio.create_task(inside.pass_through(100.0)) for _ in range(10)]
        await asyncio.sleep(1)
        assert given.in_flight == 1
        for _ in range(1000):
            given.succeeded()
        await asyncio.sleep(1)
        assert given.in_flight == 10
        await asyncio.gather(*waiting)

    jumping(main())


def test_faults_of_the_provider_narrow_nothing_while_few_battles_meet_them() -> None:
    async def main() -> None:
        given = gate(32)
        for number in range(1000):
            given.failed(f"b{number % (OUTAGE_CALLERS - 1)}")
            await asyncio.sleep(1)
        assert not given.outage
        assert given.width == 32
        assert given.not_before == 0.0
        given.failed("one more")
        assert given.outage

    jumping(main())


@pytest.mark.parametrize(("asked", "least"), [(30.0, 30.0), (120.0, 120.0), (3600.0, 120.0), (1e9, 120.0), (0.0, 0.0)])
def test_a_wait_that_the_provider_asks_for_holds_for_every_call_and_is_capped(asked: float, least: float) -> None:
    async def main() -> None:
        given = gate(32)
        inside = Inside(given)
        began = now()
        given.limit = 32.0
        given.limited(sent=-1.0, retry_after=asked)
        early = asyncio.create_task(inside.pass_through(0.0))
        await asyncio.sleep(least / 2)
        given.limited(sent=-1.0, retry_after=asked / 1e12)  # a shorter wait takes nothing back
        await asyncio.gather(early, *(inside.pass_through(0.0) for _ in range(40)))
        assert len(inside.entered) == 41
        assert min(inside.entered) >= began + least
        assert max(inside.entered) <= began + least * 1.02 + 0.3
        if least:
            assert len(set(inside.entered)) > 20, "they are spread over a moment"

    jumping(main())


def test_a_wait_that_grows_while_some_wait_holds_them_as_long() -> None:
    async def main() -> None:
        given = gate(4)
        inside = Inside(given)
        began = now()
        given.limited(sent=-1.0, retry_after=10.0)
        waiting = asyncio.gather(*(inside.pass_through(0.0) for _ in range(4)))
        await asyncio.sleep(5)
        given.limited(sent=-1.0, retry_after=60.0)
        await waiting
        assert min(inside.entered) >= began + 65

    jumping(main())


def test_stopping_lets_everybody_go_at_once() -> None:
    async def main() -> None:
        given = gate(3)
        inside = Inside(given)
        waiting = [asyncio.create_task(inside.pass_through(0.0)) for _ in range(50)]
        given.not_before = now() + 1000
        await asyncio.sleep(1)
        assert (given.in_flight, inside.entered) == (3, [])
        began = now()
        stop(given)
        await asyncio.gather(*waiting)
        assert now() - began < 0.001
        assert given.in_flight == 0
        await inside.pass_through(0.0)
        assert now() - began < 0.001

    jumping(main())


def test_a_pause_ends_in_time_and_when_the_run_is_stopping() -> None:
    async def main() -> None:
        stopping, began = asyncio.Event(), now()
        await pause(2.0, stopping)
        assert now() - began == pytest.approx(2.0)
        asyncio.get_running_loop().call_later(1.0, stopping.set)
        await pause(1000.0, stopping)
        assert now() - began == pytest.approx(3.0)
        await pause(1000.0, stopping)
        assert now() - began == pytest.approx(3.0)

    jumping(main())


async def away(given: Gate, inside: Inside, until: float, callers: int) -> None:
    """Battles that fail until the provider is back, each trying again after a second."""

    async def battle(name: str) -> None:
        while True:
            async with given.enter(1):
                inside.entered.append(now())
                inside.flying += 1
                inside.most = max(inside.most, inside.flying)
                await asyncio.sleep(0.1)
                inside.flying -= 1
                if now() >= until:
                    given.succeeded()
                    return
                given.failed(name)
            await asyncio.sleep(1)

    await asyncio.gather(*(battle(f"b{number}") for number in range(callers)))


def test_an_outage_lets_one_call_through_at_a_time_more_and_more_rarely_and_ends_with_a_success() -> None:
    async def main() -> None:
        given = gate(32)
        inside, began = Inside(given), now()
        away_for_all = asyncio.create_task(away(given, inside, began + 1800, 40))
        await asyncio.sleep(OUTAGE_SECONDS + 3)
        assert given.outage
        assert given.width == 1
        await asyncio.sleep(2)
        inside.most = 0
        await asyncio.sleep(1700)
        assert inside.most == 1
        probes = [at for at in inside.entered if began + OUTAGE_SECONDS + 5 < at < began + 1700]
        gaps = [later - at for at, later in itertools.pairwise(probes)]
        assert len(probes) < 1700 / LONGEST_PROBE + 10
        assert max(gaps) <= LONGEST_PROBE * 1.02 + 0.5
        assert all(later > 1.5 * gap for gap, later in itertools.pairwise(gaps[:3]))
        await away_for_all
        assert not given.outage
        assert given.width == 32
        assert now() - began < 1800 + LONGEST_PROBE + 10

    jumping(main())


def test_few_callers_or_a_short_time_are_no_outage() -> None:
    async def main() -> None:
        given = gate(32)
        for number in range(100):
            given.failed(f"b{number}")
        assert not given.outage
        await asyncio.sleep(OUTAGE_SECONDS - 0.01)
        assert not given.outage
        await asyncio.sleep(0.02)
        assert given.outage
        given.succeeded()
        assert not given.outage
        assert given.width == 32

    jumping(main())


@pytest.mark.parametrize("kind", ["failed", "limited"])
def test_silence_stops_the_run_and_a_success_begins_it_anew(kind: str) -> None:
    async def main() -> None:
        given = gate(4, silence=60.0)

        def fault() -> None:
            if kind == "failed":
                given.failed("b")
            else:
                given.limited(sent=now(), retry_after=None)

        for _ in range(3):
            fault()
            await asyncio.sleep(59)
            fault()
            given.succeeded()
            await asyncio.sleep(1000)
        fault()
        await asyncio.sleep(60)
        with pytest.raises(Stopped, match=r"m has let no call through for 60 s: look at the provider's status page"):
            fault()

    jumping(main())


class Meeting(Inside):
    """Callers who come, stay and tell the gate what came of it."""

    async def caller(self, comes: int, stays: int, ends: str) -> None:
        await asyncio.sleep(comes)
        began = now()
        await self.pass_through(stays)
        if ends == "succeeded":
            self.gate.succeeded()
        elif ends == "limited":
            self.gate.limited(sent=began, retry_after=2.0)


def cancel(task: asyncio.Task[None], turns: int) -> None:
    """Cancel a task after so many turns of the loop."""
    if turns:
        asyncio.get_running_loop().call_soon(cancel, task, turns - 1)
    else:
        task.cancel()


CALLERS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 3),
        st.sampled_from(("failed", "succeeded", "limited")),
        st.none() | st.tuples(st.integers(0, 6), st.integers(0, 5)),
    ),
    max_size=14,
)


@given(ceiling=st.integers(1, 4), callers=CALLERS, rate=st.sampled_from([None, 3]), stopped=st.none() | st.integers(0, 8))
@settings(deadline=None, max_examples=400)
def test_whoever_is_cancelled_takes_no_place_along(
    ceiling: int, callers: list[tuple[int, int, str, tuple[int, int] | None]], rate: int | None, stopped: int | None
) -> None:
    """All happens on whole seconds, cancellations some turns of the loop later, so that whatever can meet does."""

    async def main() -> None:
        given = gate(ceiling, requests_per_minute=rate)
        meeting, loop = Meeting(given), asyncio.get_running_loop()
        tasks = [asyncio.create_task(meeting.caller(*does)) for *does, _ in callers]
        for task, (*_, cancelled) in zip(tasks, callers, strict=True):
            if cancelled is not None:
                loop.call_later(cancelled[0], cancel, task, cancelled[1])
        if stopped is not None:
            loop.call_later(stopped, stop, given)
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(end is None or isinstance(end, asyncio.CancelledError) for end in ends)
        assert (given.in_flight, list(given._queue)) == (0, [])
        assert meeting.most <= ceiling or stopped is not None
        async with asyncio.timeout(200):
            await asyncio.gather(*(meeting.caller(0, 0, "succeeded") for _ in range(2 * ceiling)))
        assert given.in_flight == 0

    jumping(main())


def test_requests_a_minute_space_calls_once_a_minute_of_them_is_used_up() -> None:
    async def main() -> None:
        given = gate(1000, requests_per_minute=600)
        inside, began = Inside(given), now()
        await asyncio.gather(*(inside.pass_through(0.0) for _ in range(900)))
        for place, at in enumerate(inside.entered, 1):
            assert place <= 600 + 10 * (at - began) + 1e-6
        assert now() - began == pytest.approx(30.0, abs=1)

    jumping(main())


def test_tokens_a_minute_space_calls_and_one_that_needs_more_than_all_goes_through_alone() -> None:
    async def main() -> None:
        given = gate(1000, tokens_per_minute=1000)
        inside, began = Inside(given), now()
        await inside.pass_through(0.0, tokens=10**9)
        assert now() - began < 0.001
        await asyncio.gather(*(inside.pass_through(0.0, tokens=500) for _ in range(4)))
        assert [at - began for at in inside.entered[1:]] == pytest.approx([30, 60, 90, 120], abs=1.1)

    jumping(main())


def test_processes_that_call_one_model_take_equal_parts_and_give_them_back() -> None:
    async def main() -> None:
        given = gate(64, requests_per_minute=600)
        inside = Inside(given)
        waiting = [asyncio.create_task(inside.pass_through()) for _ in range(100)]
        given.share(4)
        await asyncio.sleep(2.5)
        assert (given.width, inside.most) == (16, 16)
        given.share(1)
        assert given.width == 64
        await asyncio.gather(*waiting)
        assert inside.most > 40
        given.limited(sent=now(), retry_after=None)
        cut = given.width
        given.share(2)
        assert given.width == min(cut, 32)
        given.share(1000)
        assert given.width == 1

    jumping(main())


def test_a_part_of_the_requests_a_minute_is_kept_to() -> None:
    async def main() -> None:
        given = gate(1000, requests_per_minute=600)
        given.share(3)
        inside, began = Inside(given), now()
        await asyncio.gather(*(inside.pass_through(0.0) for _ in range(300)))
        assert now() - began == pytest.approx(30.0, abs=1)

    jumping(main())


class Slow:
    """A model that answers after a while, as a script by its clock says."""

    model = Model(**PLAIN)

    def __init__(self, seconds: float, fault: Callable[[float], Exception | None] = lambda _: None) -> None:
        self.seconds, self._fault = seconds, fault
        self.sent: list[float] = []

    async def start(self) -> None: ...

    async def complete(self, prompt: Prompt) -> Completion:
        self.sent.append(now())
        await asyncio.sleep(self.seconds)
        if fault := self._fault(now()):
            raise fault
        return Completion(text="I win.", model="m", finish_reason="stop", input_tokens=1, output_tokens=1)

    def release(self, caller: str) -> None: ...

    async def close(self) -> None: ...


def prompt(caller: str) -> Prompt:
    return Prompt(caller=caller, index=1, seat=1, system="s", messages=(("user", "go"),))


def test_a_storm_of_rate_limits_halves_the_rate_fails_nobody_and_is_recovered_from() -> None:
    """90 % of the calls of 64 battles are limited for 60 s."""
    draw = random.Random(0)
    storm = 1_060.0

    def fault(at: float) -> Exception | None:
        return CallRetryable("slow down", limited=True) if at < storm and draw.random() < 0.9 else None

    async def main() -> None:
        model, calls = Slow(0.5, fault), Calls(CallPolicy(), concurrency=64)
        given, ends = calls.gate(model.model), dict[str, float]()

        async def battle(name: str) -> None:
            while now() < storm + 90:
                await calls.ask(model, prompt(name))
                if given.width == 64 and now() > storm:
                    ends.setdefault("recovered", now())

        await asyncio.gather(*(battle(f"b{number}") for number in range(64)))
        rate = Counter(int(at) for at in model.sent)
        assert max(rate[second] for second in range(1010, 1060)) <= rate[1000] / 2
        assert ends["recovered"] <= storm + 60
        assert given.cuts <= 60 / model.seconds + 1, "one cut a round of calls at the most"

    jumping(main())


@pytest.mark.parametrize(
    ("soft", "hard", "asked", "allowed"),
    [(64, 64, 32, 8), (64, 4096, 32, 32), (256, 256, 400, 104), (48, 48, 5, 1), (256, 256, 104, 104), (90, 150, 60, 51)],
)  # fmt: skip
def test_few_open_files_lower_the_number_of_battles_at_once(soft: int, hard: int, asked: int, allowed: int) -> None:
    code = (
        "import resource\nfrom mitigation.limits import descriptors\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        f"print(descriptors({asked}), *resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=child_environment(), capture_output=True, text=True, timeout=60, check=True
    )
    told, soft_after, hard_after = map(int, done.stdout.split())
    assert told == allowed
    assert soft <= soft_after <= hard == hard_after


def test_first_come_is_first_served() -> None:
    async def main() -> None:
        inside = Inside(gate(7))
        await asyncio.gather(*(inside.pass_through(number=number) for number in range(50)))
        assert inside.order == list(range(50))

    jumping(main())


@pytest.mark.parametrize("limits", [{"requests_per_minute": 1}, {"tokens_per_minute": 1}])
def test_stopping_lets_those_go_who_wait_for_the_minute(limits: dict[str, int]) -> None:
    async def main() -> None:
        given = gate(8, **limits)
        inside = Inside(given)
        waiting = [asyncio.create_task(inside.pass_through(0.0)) for _ in range(10)]
        await asyncio.sleep(1)
        began = now()
        stop(given)
        await asyncio.gather(*waiting)
        assert now() - began < 1

    jumping(main())


def test_the_time_of_a_battle_does_not_run_while_it_waits_for_its_turn() -> None:
    async def main() -> None:
        model, calls = Slow(3.0), Calls(CallPolicy(), concurrency=1)
        await asyncio.gather(*(calls.ask(model, prompt(f"b{number}"), deadline=Deadline(5.0)) for number in range(4)))
        assert [at - model.sent[0] for at in model.sent] == pytest.approx([0, 3, 6, 9])

    jumping(main())


def test_the_first_try_in_an_outage_comes_after_a_second_however_many_calls_were_in_flight() -> None:
    async def main() -> None:
        given = gate(64)
        for seconds in (0.0, OUTAGE_SECONDS):
            await asyncio.sleep(seconds)
            for number in range(64):
                given.failed(f"b{number}")
        assert given.outage
        assert given.not_before - now() <= 1.0

    jumping(main())


def test_more_processes_than_requests_a_minute_go_slowly() -> None:
    async def main() -> None:
        given = gate(8, requests_per_minute=3)
        given.share(4)
        inside, began = Inside(given), now()
        await asyncio.gather(*(inside.pass_through(0.0) for _ in range(3)))
        assert now() - began >= 159

    jumping(main())

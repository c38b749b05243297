"""Many battles at once: designed battles in, transcripts on disk, progress events out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from mitigation.battle import play
from mitigation.calls import CallPolicy, Retry, call
from mitigation.design import interleave
from mitigation.errors import Stopped
from mitigation.providers import Connections
from mitigation.providers.base import Completion, Prompt
from mitigation.store import Damage, Study
from mitigation.types import Battle, Cell, Model, Transcript

Event = Battle | Transcript | Retry


@dataclass(slots=True)
class Run:
    """What a run did so far, and the switch that stops it.

    Attributes:
        done: finished battles by status.
        stopping: set it to start no more battles; those in flight are finished.
        fault: why the whole run had to stop, if it had to.
    """

    done: Counter[str] = field(default_factory=Counter)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    fault: Stopped | None = None


def missing(battles: Sequence[Battle], stored: Sequence[Transcript]) -> list[Battle]:
    """Return the battles still to fight, in order: those without a result and those that failed."""
    settled = {battle.battle_id for battle in stored if battle.status != "failed"}
    return [battle for battle in battles if battle.battle_id not in settled]


@dataclass(frozen=True, slots=True)
class Work:
    """What a locked study holds and lacks."""

    planned: list[Battle]
    todo: list[Battle]
    damage: list[Damage]


@contextmanager
def opened(study: Study, cells: Sequence[Cell]) -> Iterator[Work]:
    """Own the study, freeze what its cells are, and find what is missing; what the errors are, `Study` says."""
    planned = interleave(cells)
    with study.lock():
        study.freeze(cells)
        stored, damage = study.read()
        yield Work(planned, missing(planned, stored), damage)


def states(planned: Sequence[Battle], stored: Sequence[Transcript]) -> Counter[str]:
    """Return how many of the planned battles are in which state; one without a result is pending."""
    found = {battle.battle_id: battle.status for battle in stored}
    return Counter(found.get(battle.battle_id, "pending") for battle in planned)


def models(battles: Sequence[Battle]) -> list[Model]:
    """Return the models that the battles need."""
    needed: list[Model] = []
    for pairing in {b.cell.pairing.name: b.cell.pairing for b in battles}.values():
        for model in (pairing.first, pairing.second):
            if model not in needed:
                needed.append(model)
    return needed


async def session(
    todo: Sequence[Battle],
    study: Study,
    *,
    concurrency: int,
    state: Run,
    notify: Callable[[Event], None] = lambda _: None,
) -> None:
    """Open the models that the battles need, fight the battles as `run` does, and close the models."""
    async with Connections(models(todo)) as connections:
        policy = CallPolicy()
        await run(todo, connections, study, concurrency=concurrency, policy=policy, notify=notify, state=state)


async def run(
    battles: Sequence[Battle],
    connections: Connections,
    study: Study,
    *,
    concurrency: int,
    policy: CallPolicy,
    notify: Callable[[Event], None],
    state: Run,
) -> None:
    """Fight the battles in their order, `concurrency` at once; each is on disk before it counts as done.

    A battle that fails is stored as failed and the run goes on. A fault that every battle would meet stops the run: it
    is kept in `state.fault`, and what is not finished stays pending.
    """
    waiting = iter(battles)

    async def fight(battle: Battle) -> None:
        async def ask(seat: int, prompt: Prompt) -> Completion:
            return await call(connections[battle.models[seat]], prompt, policy=policy, notify=notify)

        notify(battle)
        try:
            result = await play(battle, ask)
        finally:
            connections.release(battle.battle_id)
        study.append(result)
        state.done[result.status] += 1
        notify(result)

    async def worker() -> None:
        for battle in waiting:
            if state.stopping.is_set():
                return
            try:
                await fight(battle)
            except Exception as fault:
                # Anything but Stopped is a fault of ours: it must not take the battles with it that are finished.
                ours = f"a fault of this program at {battle.battle_id}: {type(fault).__name__}: {fault}"
                stop = fault if isinstance(fault, Stopped) else Stopped(ours)
                state.fault = state.fault or stop
                state.stopping.set()
                # The others would only pay for replies to battles that cannot be finished.
                for other in workers - {asyncio.current_task()}:
                    other.cancel()

    at_once = min(concurrency, connections.width or concurrency, len(battles))
    async with asyncio.TaskGroup() as group:
        workers = {group.create_task(worker()) for _ in range(at_once)}

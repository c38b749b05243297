"""Many battles at once: designed battles in, transcripts on disk, progress events out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from mitigation.calls import Calls
from mitigation.errors import Stopped
from mitigation.fight import Event, Fighter, Notice
from mitigation.gateway import Run, Settings, gateway, ready
from mitigation.ledger import Ledger
from mitigation.limits import pause
from mitigation.locks import Crew
from mitigation.loops import rare_collections
from mitigation.store import Study
from mitigation.types import Battle
from mitigation.work import Work, models

# Between the first calls of two battles, so that they do not bunch together.
SPREAD_SECONDS = 0.003
# How often processes count each other.
SHARE_SECONDS = 2.0


async def session(
    work: Work, study: Study, settings: Settings, *, state: Run, notify: Callable[[Event], None] = lambda _: None
) -> None:
    """Fight what is missing: open the models and the ledger, ask every model once, then fight the battles.

    Raises:
        ConfigError: a model cannot be used, or a budget is set and a price is unknown; no battle was begun.
    """
    needed = models(work.todo)
    begun = len(work.todo) < len(work.planned)
    opened = gateway(needed, study, settings, state=state, reserve=work.reserve, paid_before=begun, notify=notify)
    async with opened as way:
        if state.ledger and not all(model.free for model in needed):
            _tell_lost(state.ledger, work, notify)
        if (settings.preflight and not await ready(needed, way, state)) or not settings.battles:
            return
        strict = settings.strict_model
        fighter = Fighter(way.connections, way.calls, way.recorder, replies=work.replies, strict=strict, notify=notify)
        sharing = asyncio.create_task(_share(way.calls, study.crew)) if settings.single else None
        try:
            with rare_collections():
                await run(work.todo, fighter, state, at_once=way.width)
        finally:
            if sharing:
                sharing.cancel()


async def _share(calls: Calls, crew: Crew) -> None:
    """Keep to an equal part of all limits for as long as other processes fight other cells."""
    while True:
        calls.share(len(crew.members()))
        await asyncio.sleep(SHARE_SECONDS)


def _tell_lost(ledger: Ledger, work: Work, notify: Callable[[Event], None]) -> None:
    """Say how many attempts of earlier runs were sent and never answered on disk: they count as paid."""
    if ledger.shared:
        return
    kept = {f"{battle}/{index}" for battle, replies in work.replies.items() for index in replies}
    lost = {key: usd for key, usd in ledger.totals.open.items() if key[0] not in kept}
    if lost:
        notify(
            Notice(
                f"{len(lost)} calls of earlier runs were sent and their replies lost; ${sum(lost.values()):.4f} count as spent"
            )
        )
    if ledger.totals.damaged:
        notify(Notice(f"{ledger.totals.damaged} lines of {ledger.path.name} cannot be read"))


async def run(todo: Sequence[Battle], fighter: Fighter, state: Run, *, at_once: int) -> None:
    """Fight the battles in their order, so many at once; each is on disk before it counts as done.

    A battle that fails is stored as failed and the run goes on. A fault that every battle would meet stops the run: it
    is kept in `state.fault`, and what is not finished stays pending, with every reply it has.
    """
    waiting = iter(todo)
    at_once = min(at_once, len(todo))

    async def worker(place: int) -> None:
        # Calls that begin in one instant come back in one instant and wait for each other ever after.
        await pause(place * min(SPREAD_SECONDS, 1 / at_once), state.stopping)
        for battle in waiting:
            if state.stopping.is_set():
                return
            try:
                result = await fighter.fight(battle)
            except Exception as fault:
                # Anything but Stopped is a fault of ours: it must not take the battles with it that are finished.
                ours = f"a fault of this program at {battle.battle_id}: {type(fault).__name__}: {fault}"
                state.stop(fault if isinstance(fault, Stopped) else Stopped(ours))
            else:
                state.done[result.status if result else "pending"] += 1

    async with asyncio.TaskGroup() as group:
        for place in range(at_once):
            group.create_task(worker(place))

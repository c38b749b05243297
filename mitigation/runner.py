"""Many battles at once: designed battles in, transcripts on disk, progress events out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mitigation.calls import Calls
from mitigation.errors import ConfigError, MitigationError, Postponed, Stopped
from mitigation.fight import Event, Fighter, Notice
from mitigation.ledger import Ledger
from mitigation.limits import descriptors, pause
from mitigation.locks import Crew
from mitigation.loops import rare_collections
from mitigation.patience import CallPolicy
from mitigation.preflight import preflight
from mitigation.prices import price
from mitigation.providers import Connections
from mitigation.recorder import Recorder
from mitigation.store import Study
from mitigation.types import Battle
from mitigation.work import Work, models

# Between the first calls of two battles, so that they do not bunch together.
SPREAD_SECONDS = 0.003
# How often processes count each other.
SHARE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a run goes about its battles; none of it changes what a battle is.

    Attributes:
        concurrency: battles in flight at once.
        budget: dollars that the study may cost in all; None for no cap.
        policy: patience of calls and battles.
        single: own only the given cells, so that other processes may fight others of the study.
        preflight: ask every model once before the first battle.
        battles: fight the battles after that.
        strict_model: stop when a model answers under another id than before.
        allow_change: set the battles of a cell aside when its definition has changed.
    """

    concurrency: int = 32
    budget: float | None = None
    policy: CallPolicy = field(default_factory=CallPolicy)
    single: bool = False
    preflight: bool = True
    battles: bool = True
    strict_model: bool = False
    allow_change: bool = False


@dataclass(slots=True)
class Run:
    """What a run did so far, and the switch that stops it.

    Attributes:
        done: finished battles by status.
        stopping: set when no call is to be sent any more; those in flight are finished.
        fault: why the whole run had to stop, if it had to.
        calls: the way to the models, once the run has begun.
        ledger: what was sent and spent, once the run has begun.
    """

    done: Counter[str] = field(default_factory=Counter)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    fault: MitigationError | None = None
    calls: Calls | None = None
    ledger: Ledger | None = None

    def stop(self, fault: MitigationError | None = None) -> None:
        """Send nothing more; what is in flight is finished and stored."""
        self.fault = self.fault or fault
        self.stopping.set()
        if self.calls:
            self.calls.stop()


async def session(
    work: Work, study: Study, settings: Settings, *, state: Run, notify: Callable[[Event], None] = lambda _: None
) -> None:
    """Fight what is missing: open the models and the ledger, ask every model once, then fight the battles.

    Raises:
        ConfigError: a model cannot be used, or a budget is set and a price is unknown; no battle was begun.
    """
    needed = models(work.todo)
    unpriced = [model.name for model in needed if price(model) is None]
    if unpriced and settings.budget is not None:
        raise ConfigError(
            f"budget.usd={settings.budget:g} cannot be kept: the price of {', '.join(unpriced)} is unknown; give it for a "
            "million tokens (pairing.first.price='{input: 1, output: 2}', 0 for a server of your own), or leave the budget out"
        )
    concurrency = descriptors(settings.concurrency)
    if concurrency < settings.concurrency:
        notify(
            Notice(f"concurrency is {concurrency}, not {settings.concurrency}: this shell allows too few open files (ulimit -n)")
        )
    state.ledger = study.ledger(cap=settings.budget, shared=settings.single)
    if not all(model.free for model in needed):
        if settings.budget is not None and len(work.todo) < len(work.planned) and not state.ledger.path.exists():
            raise ConfigError(
                f"{state.ledger.path} is missing, though battles of this study were fought: what they cost is unknown, so no "
                "budget can be kept; restore it, or leave the budget out"
            )
        state.ledger.open()
        _tell_lost(state.ledger, work, notify)
    servers = 1 if settings.single else None  # the other cores serve the other cells
    try:
        async with Recorder(study, state.ledger, work.reserve) as recorder, Connections(needed, servers=servers) as connections:
            state.calls = Calls(
                settings.policy, concurrency=concurrency, recorder=recorder, notify=notify, stopping=state.stopping
            )
            try:
                if settings.preflight:
                    await preflight(needed, connections, state.calls)
            except (Postponed, Stopped) as fault:
                state.stop(fault if isinstance(fault, Stopped) else None)
                return
            if not settings.battles:
                return
            fighter = Fighter(
                connections, state.calls, recorder, replies=work.replies, strict=settings.strict_model, notify=notify
            )
            sharing = asyncio.create_task(_share(state.calls, study.crew)) if settings.single else None
            try:
                with rare_collections():
                    await run(work.todo, fighter, state, at_once=min(concurrency, connections.width or concurrency))
            finally:
                if sharing:
                    sharing.cancel()
    finally:
        state.ledger.close()


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

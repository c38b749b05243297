"""The way to the models of one run, opened once and closed whatever happens: prices, ledger, connections, limits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from mitigation.calls import Calls
from mitigation.errors import ConfigError, MitigationError, Postponed, Stopped
from mitigation.fight import Event, Notice
from mitigation.files import Reserve
from mitigation.ledger import Ledger
from mitigation.limits import descriptors
from mitigation.patience import CallPolicy
from mitigation.preflight import preflight
from mitigation.prices import price
from mitigation.providers import Connections
from mitigation.recorder import Recorder
from mitigation.store import Study
from mitigation.types import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a run goes about its calls; none of it changes what a battle or a judgement is.

    Attributes:
        concurrency: battles, or judgements, in flight at once.
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


@dataclass(frozen=True, slots=True)
class Gateway:
    """The open way: `calls` to the models of `connections`, everything written by `recorder`; `width` is what they can bear."""

    calls: Calls
    connections: Connections
    recorder: Recorder
    width: int


@asynccontextmanager
async def gateway(
    needed: Sequence[Model],
    study: Study,
    settings: Settings,
    *,
    state: Run,
    reserve: Reserve | None,
    paid_before: bool,
    notify: Callable[[Event], None],
) -> AsyncIterator[Gateway]:
    """Open the ledger and the models.

    Args:
        needed: the models that will be asked.
        study: whose ledger and lock it is; the lock is held.
        settings: how to go about it.
        state: told what was opened; its `stopping` is listened to.
        reserve: room that is given up when the disk is full.
        paid_before: whether the study holds results that may have been paid for.
        notify: told what a user should know.

    Raises:
        ConfigError: a model cannot be used, or a budget is set and a price or what was spent before is unknown.
    """
    unpriced = [model.name for model in needed if price(model) is None]
    if unpriced and settings.budget is not None:
        raise ConfigError(
            f"budget.usd={settings.budget:g} cannot be kept: the price of {', '.join(unpriced)} is unknown; give it for a "
            "million tokens (pairing.first.price='{input: 1, output: 2}', for a judge panel.first.price, 0 for a server of your "
            "own), or leave the budget out"
        )
    concurrency = descriptors(settings.concurrency)
    if concurrency < settings.concurrency:
        notify(
            Notice(f"concurrency is {concurrency}, not {settings.concurrency}: this shell allows too few open files (ulimit -n)")
        )
    state.ledger = study.ledger(cap=settings.budget, shared=settings.single)
    if not all(model.free for model in needed):
        if settings.budget is not None and paid_before and not state.ledger.path.exists():
            raise ConfigError(
                f"{state.ledger.path} is missing, though battles of this study were fought or judged: what that cost is "
                "unknown, so no budget can be kept; restore it, or leave the budget out"
            )
        state.ledger.open()
    servers = 1 if settings.single else None  # the other cores serve the other cells
    try:
        async with Recorder(study, state.ledger, reserve) as recorder, Connections(needed, servers=servers) as connections:
            state.calls = Calls(
                settings.policy, concurrency=concurrency, recorder=recorder, notify=notify, stopping=state.stopping
            )
            yield Gateway(state.calls, connections, recorder, min(concurrency, connections.width or concurrency))
    finally:
        state.ledger.close()


async def ready(needed: Sequence[Model], way: Gateway, state: Run) -> bool:
    """Ask every model once; False when the run has to stop before it began."""
    try:
        await preflight(needed, way.connections, way.calls)
    except (Postponed, Stopped) as fault:
        state.stop(fault if isinstance(fault, Stopped) else None)
        return False
    return True

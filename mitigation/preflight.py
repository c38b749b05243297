"""One cheap call to each model before a sweep, with the settings of the sweep: what would fail every battle is said first."""

from __future__ import annotations

from collections.abc import Sequence

from mitigation.calls import Calls
from mitigation.errors import BudgetReached, CallEmpty, CallError, CallRefused, ConfigError, Postponed, Stopped
from mitigation.patience import Deadline
from mitigation.providers import Connections
from mitigation.providers.base import Prompt
from mitigation.types import Model

CALLER = "preflight"


async def preflight(models: Sequence[Model], connections: Connections, calls: Calls) -> None:
    """Ask every paid model one short question.

    Raises:
        ConfigError: a model is not served, refuses the key or one of its settings, or does not answer; all are named.
        BudgetReached: not even these calls are sure to stay within the budget.
        Postponed: the run is stopping.
    """
    asked = [model for model in models if not model.free]
    # One after the other: they share a name in the ledger.
    faults = [fault for model in asked if (fault := await _try(model, connections, calls))]
    if faults:
        raise ConfigError("; ".join(faults))


async def _try(model: Model, connections: Connections, calls: Calls) -> str | None:
    """Return what is wrong with a model, None when it answers."""
    prompt = Prompt(caller=CALLER, index=0, seat=0, system="Answer in one word.", messages=(("user", "Are you there?"),), seed=0)
    try:
        await calls.ask(connections[model], prompt, deadline=Deadline(calls.policy.attempt_seconds))
    except BudgetReached:
        raise
    except Postponed:
        if calls.stopping:
            raise
        return None  # it is there, and asks to slow down; the sweep can wait for that
    except (CallRefused, CallEmpty):
        return None  # it answers; what it says to this question does not matter
    except (CallError, Stopped) as error:
        return f"model {model.name} ({model.provider}) cannot be used: {error}"
    return None

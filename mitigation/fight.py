"""One battle in a run: its earlier replies are taken up, its new ones stored, and what it took is added up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mitigation.battle import play
from mitigation.calls import Calls, Retry
from mitigation.errors import Postponed, Stopped
from mitigation.journal import Reply
from mitigation.patience import Deadline
from mitigation.providers import Connections
from mitigation.providers.base import Completion, Prompt
from mitigation.recorder import Recorder
from mitigation.types import Battle, Model, Transcript


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a user should know, said once; `caller` is the battle that is put off, if it is about one."""

    text: str
    caller: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A message that a judge has judged (`fault` is None) or could not judge, and why."""

    caller: str
    fault: str | None = None


Event = Battle | Transcript | Retry | Notice | Judged


class Fighter:
    """Fights battles one at a time each, many at once.

    Args:
        connections: the open models.
        calls: the way to them.
        recorder: where replies and battles are stored.
        replies: replies that battles have already, by battle and message index.
        strict: stop when a model answers under another id than before.
        notify: told what happens.
    """

    def __init__(
        self,
        connections: Connections,
        calls: Calls,
        recorder: Recorder,
        *,
        replies: dict[str, dict[int, Reply]],
        strict: bool,
        notify: Callable[[Event], None],
    ) -> None:
        self._connections, self._calls, self._recorder = connections, calls, recorder
        self._replies, self._strict, self._notify = replies, strict, notify
        self._returned: dict[tuple[str, str], set[str]] = {}

    async def fight(self, battle: Battle) -> Transcript | None:
        """Return the transcript of a battle once it is stored; None when the battle was put off.

        Raises:
            Stopped: the whole run has to stop.
        """
        known = self._replies.pop(battle.battle_id, {})
        began = known[1].began if 1 in known else None
        deadline = Deadline(self._calls.policy.battle_seconds)
        used: dict[int, Reply] = {}

        async def ask(seat: int, prompt: Prompt) -> Completion:
            model = self._connections[battle.models[seat]]
            reply = known.get(prompt.index)
            if reply is None or reply.prompt != prompt.digest:
                known.clear()  # what came after answered another history

                def keep(reply: Reply) -> None:
                    self._recorder.reply(battle, prompt.index, reply)

                reply = await self._calls.ask(model, prompt, keep=None if model.model.free else keep, deadline=deadline)
            used[prompt.index] = reply
            self._watch(model.model, reply.completion.model)
            return reply.completion

        self._notify(battle)
        try:
            result = accounted(await play(battle, ask, began=began), used)
        except Postponed as reason:
            self._notify(Notice(str(reason), battle.battle_id))
            return None
        finally:
            self._connections.release(battle.battle_id)
        await self._recorder.battle(result)
        self._notify(result)
        return result

    def _watch(self, model: Model, answered: str) -> None:
        """Notice a model that answers under another id than before."""
        seen = self._returned.setdefault((model.provider, model.name), set())
        if answered in seen:
            return
        seen.add(answered)
        if len(seen) > 1:
            text = f"{model.name} answers as {' and '.join(sorted(seen))}"
            if self._strict:
                raise Stopped(f"{text}, and strict_model=true allows one only")
            self._notify(Notice(f"{text}; every message records which"))


def accounted(battle: Transcript, used: Mapping[int, Reply]) -> Transcript:
    """Return a transcript with what its replies took: calls, dollars, and replies without a word."""
    costs = [reply.usd for reply in used.values()]
    empty = [f"empty:{index}" for index, reply in used.items() if reply.empty]
    return replace(
        battle,
        calls=sum(reply.calls for reply in used.values()),
        usd=None if any(usd is None for usd in costs) else sum(usd for usd in costs if usd is not None),
        flags=tuple(sorted([*battle.flags, *empty], key=lambda flag: (int(flag.rpartition(":")[2]), flag))),
    )

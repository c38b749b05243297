"""Many messages at once: what judges have not answered yet in, their answers on disk; the same command again asks the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from mitigation import journal
from mitigation.errors import CallError, CallRefused, Postponed, Stopped
from mitigation.fight import Event, Judged, Notice
from mitigation.files import Reserve
from mitigation.gateway import Gateway, Run, Settings, gateway, ready
from mitigation.journal import Reply
from mitigation.judge.panel import Answers, Task
from mitigation.judge.rubric import SCHEMA, SYSTEM, fence, request
from mitigation.patience import Deadline
from mitigation.providers.base import Prompt
from mitigation.store import Study
from mitigation.types import Model

JOURNAL: Final = Path("detections") / "judge.answers.jsonl"


def answers(study: Study) -> dict[str, dict[int, Reply]]:
    """Return every answer that judges gave so far, by the key of the task and the number of the try.

    A damaged line is an answer to ask for again.
    """
    return journal.read(study.folder / JOURNAL, None)[0]


async def session(
    todo: Sequence[Task],
    study: Study,
    settings: Settings,
    *,
    known: Mapping[str, Answers],
    state: Run,
    reserve: Reserve | None = None,
    paid_before: bool = False,
    notify: Callable[[Event], None] = lambda _: None,
) -> None:
    """Ask what is missing, in the order of the tasks' opaque keys, which is no order of arms; every answer is stored first.

    Args:
        todo: messages for judges, each once.
        study: where answers and the ledger go; its lock is held.
        settings: how to go about it.
        known: answers that came before.
        state: the run.
        reserve: room that is given up when the disk is full.
        paid_before: whether the study holds battles that may have been paid for.
        notify: told what happens.

    Raises:
        ConfigError: a model cannot be used, or a budget cannot be kept.
    """
    models: list[Model] = []
    for task in todo:
        if task.judge.model not in models:
            models.append(task.judge.model)
    opened = gateway(models, study, settings, state=state, reserve=reserve, paid_before=paid_before, notify=notify)
    async with opened as way:
        if settings.preflight and not await ready(models, way, state):
            return
        bench = _Bench(way, study, known, notify)
        waiting = iter(sorted(todo, key=lambda task: task.key))

        async def worker() -> None:
            for task in waiting:
                if state.stopping.is_set():
                    return
                try:
                    state.done[await bench.ask(task)] += 1
                except Postponed as reason:
                    state.done["pending"] += 1
                    notify(Notice(str(reason), task.key))
                except Exception as fault:
                    ours = f"a fault of this program at judge-{task.key}: {type(fault).__name__}: {fault}"
                    state.stop(fault if isinstance(fault, Stopped) else Stopped(ours))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(way.width, len(todo))):
                group.create_task(worker())


class _Bench:
    """Asks one message at a time each, and learns which endpoints take no schema."""

    def __init__(self, way: Gateway, study: Study, known: Mapping[str, Answers], notify: Callable[[Event], None]) -> None:
        self._way, self._path, self._known, self._notify = way, study.folder / JOURNAL, known, notify
        self._free_form: set[tuple[str, str | None]] = set()

    async def ask(self, task: Task) -> Literal["judged", "unjudged", "failed"]:
        """Ask until there is an answer that holds up or the tries are used up; return what came of it.

        "unjudged" is what the provider refused or what has no usable answer, "failed" a call that failed for good.
        """
        replies = dict(self._known.get(task.key, {}))
        fault: str | None = None
        while task.missing(replies):
            number = len(replies) + 1
            fault = task.judgement(replies)[1] if replies else None
            try:
                replies[number] = await self._once(task, number, fault)
            except CallError as error:
                if isinstance(error, Postponed):
                    raise
                self._notify(Judged(task.key, str(error)))
                return "unjudged" if isinstance(error, CallRefused) else "failed"
        judgement, fault = task.judgement(replies)
        self._notify(Judged(task.key, None if judgement else fault))
        return "judged" if judgement else "unjudged"

    async def _once(self, task: Task, number: int, fault: str | None) -> Reply:
        """Ask once; an endpoint that turns the schema down is asked again, and from then on, without one."""
        model = task.judge.model
        endpoint = model.name, model.base_url
        if endpoint in self._free_form:
            return await self._send(task, number, fault, schema=False)
        try:
            return await self._send(task, number, fault, schema=True)
        except CallRefused:
            raise  # a filter may answer HTTP 400 too, whatever form is asked for
        except CallError as error:
            if not str(error).startswith(("HTTP 400", "HTTP 422")):
                raise
        reply = await self._send(task, number, fault, schema=False)
        if endpoint not in self._free_form:
            self._free_form.add(endpoint)
            self._notify(Notice(f"{model.name} takes no schema for its answers: they are checked all the same"))
        return reply

    async def _send(self, task: Task, number: int, fault: str | None, *, schema: bool) -> Reply:
        asked = request(task.context, task.text, task.spans, fence())
        if fault is not None:
            asked += f"\n\nAn answer before could not be used: {fault}. Answer in the form that was asked for."
        prompt = Prompt(
            caller=f"judge-{task.key}",
            index=number,
            seat=0,
            system=SYSTEM,
            messages=(("user", asked),),
            seed=int(task.key[:7], 16),
            schema=SCHEMA if schema else None,
        )
        calls = self._way.calls

        def keep(reply: Reply) -> None:
            self._way.recorder.answer(self._path, task.key, number, reply)

        model = self._way.connections[task.judge.model]
        try:
            return await calls.ask(model, prompt, keep=keep, deadline=Deadline(calls.policy.battle_seconds))
        finally:
            self._way.connections.release(prompt.caller)

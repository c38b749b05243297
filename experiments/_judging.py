"""`mitigation detect detector=judge`: a panel of models reads complete battles; the same command again asks the rest."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from omegaconf import DictConfig

from experiments import _wiring
from experiments._progress import Report
from experiments._stopping import Stops
from experiments.cli import say, warn
from mitigation import loops, studies
from mitigation.checks import check_bool, check_float, check_int
from mitigation.detections import record
from mitigation.errors import StoreError
from mitigation.gateway import Run, Settings
from mitigation.judge.forecast import outlook
from mitigation.judge.panel import Answers, Judge, Panel, Task, detections, tasks
from mitigation.judge.session import answers, session
from mitigation.store import Study
from mitigation.types import LOCAL, Transcript


def judge(config: DictConfig, arguments: Sequence[str]) -> int:
    """Ask what is missing, then write the detections of each judge; return the exit code."""
    usd = config.budget.usd
    settings = Settings(
        concurrency=check_int(config.concurrency, "concurrency", low=1, high=10_000),
        budget=None if usd is None else check_float(usd, "budget.usd", low=0.0, high=1e9),
    )
    panel: Panel = _wiring.build(config.panel)
    study = studies.existing(str(config.study), _wiring.RESULTS)
    battles, _ = study.read()
    complete = [battle for battle in battles if battle.status == "complete"]
    if not complete:
        raise StoreError(f"study {study.name} holds no complete battle: there is nothing to judge")
    if check_bool(config.dry_run, "dry_run"):
        _todo(complete, panel, answers(study))
        say("dry_run=true: nothing was asked")
        return 0
    command = f"mitigation detect {shlex.join(arguments)}"
    with study.lock() as reserve:
        study.mend(study.folder / "ledger.jsonl")
        known = answers(study)
        todo = _todo(complete, panel, known)
        state, interrupted = Run(), 0
        if todo:
            paid = _paid_for(battles, known)
            with Report(total=len(todo), done=0, state=state, budget=settings.budget, unit="messages") as progress:
                asked = session(
                    todo, study, settings, known=known, state=state, reserve=reserve, paid_before=paid, notify=progress
                )
                interrupted = loops.run(Stops(settings.policy.attempt_seconds, again=command).run(asked, state, progress))
        return _close(study, complete, panel, state, interrupted, command)


def _paid_for(battles: Sequence[Transcript], known: Mapping[str, Answers]) -> bool:
    """Whether the study holds anything that it may have paid for; battles from elsewhere name no provider."""
    providers = {agent.provider for battle in battles for agent in battle.agents if agent.provider}
    return not providers <= LOCAL or any(reply.usd != 0 for replies in known.values() for reply in replies.values())


def _todo(complete: Sequence[Transcript], panel: Panel, known: Mapping[str, Answers]) -> list[Task]:
    """Return what has to be asked and say what that takes."""
    asked = [task for each in panel.judges for task in tasks(complete, each)]
    todo = [task for task in asked if task.missing(known.get(task.key, {}))]
    say(f"{len(asked):,} messages for {_names(panel.judges)}, {len(asked) - len(todo):,} judged before, {len(todo):,} to ask")
    for name in panel.contestants({agent.model for battle in complete for agent in battle.agents if agent.model}):
        warn(f"note: {name} judges battles that it fought itself: choose another with panel.first.name or panel.second.name")
    expected = outlook(todo)
    if todo:
        unknown = f", without {', '.join(expected.unpriced)}, whose price is unknown" if expected.unpriced else ""
        priced = not expected.unpriced or expected.high > 0
        dollars = f"${expected.usd:,.2f}, at most about ${expected.high:,.2f}{unknown}" if priced else f"dollars unknown{unknown}"
        say(f"likely {expected.input_tokens:,.0f} tokens in and {expected.output_tokens:,.0f} out, {dollars}")
    return todo


def _names(judges: Sequence[Judge]) -> str:
    return " and ".join(each.model.name for each in judges)


def _close(study: Study, complete: Sequence[Transcript], panel: Panel, state: Run, interrupted: int, command: str) -> int:
    """Write the detections if nothing is pending, say what came of it and return the exit code."""
    spent = study.spent()
    money = f"; ${spent.usd:.4f} so far" if spent.calls else ""
    said = answers(study)
    if state.fault or interrupted or state.done["pending"]:
        warn(f"partial: {state.done['judged']} messages judged{money}")
        warn(f"{'stopped: ' + str(state.fault) if state.fault else 'interrupted'}; every answer is stored; go on with: {command}")
        if state.fault:
            return state.fault.exit_code
        return 128 + interrupted if interrupted else 3
    for name in studies.JUDGES[len(panel.judges) :]:  # of an earlier panel
        study.drop_detections(name)
    for each in panel.judges:
        records, failed, total = [], 0, 0
        for battle in complete:
            found = detections(battle, each, said)
            total, failed = total + len(found), failed + sum(seen.mentions is None for seen in found)
            records.append(
                record(battle, found, detector=each.name, version=each.version, digest=each.digest, model=each.model.name)
            )
        path = study.write_detections(each.name, records)
        lost = f", {failed} could not be judged and count as unknown" if failed else ""
        say(f"{each.name} ({each.model.name}): {total:,} messages{lost}: {path}")
    say(f"next: mitigation report study={study.name} detector=judge{money}")
    if state.done["failed"]:
        warn(f"{state.done['failed']} calls failed; ask again with: {command}")
        return 3
    return 0

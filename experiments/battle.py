"""`mitigation battle`: overrides in, battles in results/<study>/ out; the same command again fights what is missing."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from omegaconf import DictConfig

from experiments import _launching, _sweeps, _wiring
from experiments._progress import Report
from experiments._stopping import Stops
from experiments.cli import say, warn
from experiments.lint import check_texts
from mitigation import loops, preregistration
from mitigation.design import interleave
from mitigation.errors import BudgetReached, MitigationError
from mitigation.fight import Event, Notice
from mitigation.gateway import Run
from mitigation.ledger import Totals
from mitigation.lint import remarks
from mitigation.lint_sweeps import arms_of
from mitigation.planning import feasibility
from mitigation.runner import session
from mitigation.store import Study
from mitigation.work import opened, states


def main(arguments: Sequence[str]) -> int:
    """Check the whole sweep, then let Hydra launch it."""
    sweep = _sweeps.sweep(arguments, sweeps_need_flag=True)
    if not all(model.free for cell in sweep.cells for model in (cell.pairing.first, cell.pairing.second)):
        arms, battles = arms_of(sweep.cells), interleave(sweep.cells)
        check_texts(arms, battles)
        for warning in (*remarks(arms), *feasibility(battles, sweep.plan)):
            warn(f"note: {warning}")
        if preregistration.read(_wiring.RESULTS / sweep.study) is None:
            warn("note: no plan is locked, so the report will call its results exploratory (mitigation plan … lock=true)")
    overrides = [argument for argument in arguments if argument not in _sweeps.MULTIRUN]
    command = shlex.join(arguments)
    return _launching.launch(sweep, overrides, together=lambda: fight(sweep, command), command=command)


def fight(sweep: _sweeps.Sweep, command: str, *, label: str = "") -> int:
    """Fight what is missing of the cells and return the exit code."""
    settings, study, state, interrupted = sweep.settings, Study(_wiring.RESULTS, sweep.study), Run(), 0
    locked = opened(
        study,
        sweep.cells,
        concurrency=settings.concurrency,
        single=settings.single,
        allow_change=settings.allow_change,
    )
    with locked as work:
        for line in work.damage:
            where = f"{study.name}/{line.file}" + (f", line {line.line}" if line.line else "")
            warn(f"{label}{where}: not used, {line.reason}; what it held is fought again")
        for change in work.changed:
            warn(f"{label}changed: {change}")
        total, done = len(work.planned), len(work.planned) - len(work.todo)
        begun = f", {len(work.replies)} of them begun" if work.replies else ""
        size = f"{total} battles in {len(sweep.cells)} cells"
        say(f"{label}study {study.name}: {size}, {done} done, {len(work.todo)} to fight{begun}")
        if work.todo:
            with Report(total=total, done=done, state=state, budget=settings.budget, label=label) as progress:
                fought = session(work, study, settings, state=state, notify=progress)
                stops = Stops(settings.policy.attempt_seconds, again=f"mitigation battle {command}", apart=settings.single)
                interrupted = loops.run(stops.run(fought, state, progress))
        counts = states(work.planned, study.statuses(sweep.cells)[0])
    if state.ledger and state.ledger.mine:
        warn(f"{label}{state.ledger.mine} calls in flight were given up; they count as spent in full")
    totals = state.ledger.totals if state.ledger else Totals()
    return close(study.name, counts, totals, state.fault, interrupted, command, label=label)


def close(
    name: str,
    counts: Counter[str],
    spent: Totals,
    fault: MitigationError | None,
    interrupted: int,
    command: str,
    *,
    label: str = "",
) -> int:
    """Print what came of every planned battle and return the exit code."""
    kinds = ("complete", "refused", "failed", "pending", "excluded")
    told = ", ".join(f"{counts[kind]} {kind}" for kind in kinds if counts[kind] or kind != "excluded")
    partial = "partial: " if counts["pending"] else ""
    say(f"{label}{partial}{counts.total()} battles: {told}{_money(spent)}")
    again = f"mitigation battle {command}"
    if fault:
        warn(f"{label}stopped: {fault}\nresume with: {again}")
        return fault.exit_code
    if interrupted:
        warn(f"{label}interrupted; every reply that came is stored; resume with: {again}")
        return 128 + interrupted
    if counts["pending"]:
        warn(f"{label}{counts['pending']} battles are missing; fight them with: {again}")
        return 3
    if counts["failed"]:
        warn(f"{label}{counts['failed']} battles failed; try them again with: {again}")
        return 3
    say(f"{label}next: mitigation report study={name}")
    return 0


def _money(totals: Totals) -> str:
    """Return what the study has cost, over all its runs."""
    if not totals.calls:
        return ""
    unpriced = f" ({totals.unpriced} of them at an unknown price)" if totals.unpriced else ""
    return f"; {totals.calls:,} calls{unpriced}, ${totals.usd:.4f} so far"


def fight_cell(config: DictConfig, command: str) -> tuple[int, str]:
    """Fight the one cell of a job in a process of its own; return its exit code and what stopped it."""
    cell = f"{config.identity.name}/{config.scenario.name}/{config.pairing.name}"
    try:
        sweep = _sweeps.single(config)
        sweep = replace(sweep, settings=replace(sweep.settings, single=True, preflight=False, allow_change=False))
        with Study(_wiring.RESULTS, sweep.study).crew.joined():
            return fight(sweep, command, label=f"[{cell}] "), ""
    except MitigationError as error:
        return error.exit_code, f"{cell}: {error}"


def ask_models(sweep: _sweeps.Sweep) -> None:
    """Ask every model of a sweep once, before processes are started that would all ask the same."""
    study, state = Study(_wiring.RESULTS, sweep.study), Run()
    with opened(study, sweep.cells) as work:
        if work.todo:
            loops.run(session(work, study, replace(sweep.settings, battles=False), state=state, notify=_said))
    if state.fault:
        raise state.fault


def _said(event: Event) -> None:
    if isinstance(event, Notice):
        warn(event.text)


def close_all(
    study: Study, sweep: _sweeps.Sweep, fault: MitigationError | None, interrupted: int, codes: set[int], command: str
) -> int:
    """Print what came of a sweep that several processes fought and return its exit code."""
    if fault is None and not interrupted and BudgetReached.exit_code in codes:
        fault = BudgetReached("budget.usd is reached; raise it to go on")
    counts = states(interleave(sweep.cells), study.statuses(sweep.cells)[0])
    return close(study.name, counts, study.spent(), fault, interrupted, command)


if __name__ == "__main__":
    from experiments.cli import run as run_command

    sys.exit(run_command("battle", sys.argv[1:]))

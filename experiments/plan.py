"""`mitigation plan`: the arguments of battle in, a table of what it would do out; no call is made, nothing is written."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from experiments import _wiring
from mitigation.design import interleave
from mitigation.freezing import check
from mitigation.planning import cell_plans, feasibility
from mitigation.store import Study
from mitigation.work import models


def main(arguments: Sequence[str]) -> int:
    """Print cells, battles and calls, and what the analysis could never conclude."""
    sweep = _wiring.sweep(arguments)
    battles = interleave(sweep.cells)
    study = Study(_wiring.RESULTS, sweep.study)
    check(study, sweep.cells, allow_change=sweep.settings.allow_change)
    rows = cell_plans(battles, study.statuses(sweep.cells)[0])
    # A name that is cut short names nothing: give the table the room that it needs.
    console = Console(file=io.StringIO(), width=None if sys.stdout.isatty() else 200)
    table = Table(title=f"study {study.name}, seed {sweep.cells[0].seed}", title_justify="left", box=box.SIMPLE)
    for heading in ("identity", "scenario", "pairing"):
        table.add_column(heading, overflow="fold")
    for heading in ("battles", "done", "to fight", "calls at most"):
        table.add_column(heading, justify="right")
    for row in rows:
        numbers = (row.planned, row.done, row.planned - row.done, row.calls)
        table.add_row(row.identity, row.scenario, row.pairing, *(f"{number:,}" for number in numbers))
    with console.capture() as drawn:
        console.print(table)
    print(drawn.get())
    left = sum(row.planned - row.done for row in rows)
    print(
        f"{len(rows)} cells, {len(battles):,} battles of at most {sweep.cells[0].messages} messages: "
        f"{len(battles) - left:,} done, {left:,} to fight, at most {sum(row.calls for row in rows):,} calls"
    )
    for model in models(battles):
        paid = f"at {model.base_url}, cost not known" if model.base_url else "paid by the account of its key"
        cost = "free" if model.provider in ("embedded", "scripted") else paid
        temperature = "not settable" if model.temperature is None else f"{model.temperature:g}"
        print(f"model {model.name} ({model.provider}): {cost}; temperature {temperature}")
    for warning in feasibility(battles, sweep.plan):
        print(f"note: {warning}")
    return 0


if __name__ == "__main__":
    from experiments.cli import run

    sys.exit(run("plan", sys.argv[1:]))

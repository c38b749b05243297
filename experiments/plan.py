"""`mitigation plan`: the arguments of battle in, a table of what it would do out; no call is made, nothing is written."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments import _sweeps, _wiring
from experiments._progress import span
from experiments._tables import drawn
from mitigation.costs import forecast
from mitigation.design import interleave
from mitigation.freezing import check
from mitigation.planning import cell_plans, feasibility, measured
from mitigation.prices import price
from mitigation.store import Study
from mitigation.types import Battle, Model
from mitigation.work import missing, models


def main(arguments: Sequence[str]) -> int:
    """Print cells, battles and calls, and what the analysis could never conclude."""
    sweep = _sweeps.sweep(arguments)
    battles = interleave(sweep.cells)
    study = Study(_wiring.RESULTS, sweep.study)
    check(study, sweep.cells, allow_change=sweep.settings.allow_change)
    rows = cell_plans(battles, study.statuses(sweep.cells)[0])
    headings = ("identity", "scenario", "pairing", "battles", "done", "to fight", "calls at most")
    cells = [
        (row.identity, row.scenario, row.pairing, *map("{:,}".format, (row.planned, row.done, row.planned - row.done, row.calls)))
        for row in rows
    ]
    print(drawn(f"study {study.name}, seed {sweep.cells[0].seed}", headings, cells, names=3))
    left = sum(row.planned - row.done for row in rows)
    print(
        f"{len(rows)} cells, {len(battles):,} battles of at most {sweep.cells[0].messages} messages: "
        f"{len(battles) - left:,} done, {left:,} to fight, at most {sum(row.calls for row in rows):,} calls"
    )
    for model in models(battles):
        temperature = "not settable" if model.temperature is None else f"{model.temperature:g}"
        print(f"model {model.name} ({model.provider}): {_price(model)}; temperature {temperature}")
    _cost(battles, study, sweep)
    for warning in feasibility(battles, sweep.plan):
        print(f"note: {warning}")
    return 0


def _price(model: Model) -> str:
    """Return what a model costs, in words."""
    cost = price(model)
    if cost is None:
        return "price unknown (give it as pairing.first.price='{input: 1, output: 2}', dollars for a million tokens)"
    if model.free:
        return "free"
    return f"${cost.input * 1e6:g} in, ${cost.output * 1e6:g} out a million tokens ({cost.source})"


def _cost(battles: Sequence[Battle], study: Study, sweep: _sweeps.Sweep) -> None:
    """Print what is left to be fought will take, and what was spent."""
    todo = missing(battles, study.statuses(sweep.cells)[0])
    expected = forecast(todo, concurrency=sweep.settings.concurrency, measured=measured(study.read()[0]))
    low, likely, high = expected.low, expected.likely, expected.high
    if todo:
        basis = "as the battles so far" if expected.measured else "half of the longest replies, no early end"
        print(
            f"tokens: likely {likely.input_tokens:,.0f} in and {likely.output_tokens:,.0f} out ({basis}); "
            f"at most about {high.input_tokens:,.0f} in and {high.output_tokens:,.0f} out"
        )
        unknown = f", without {', '.join(expected.unpriced)}, whose price is unknown" if expected.unpriced else ""
        print(f"cost: low ${low.usd:,.2f}, likely ${likely.usd:,.2f}, high ${high.usd:,.2f}{unknown}")
        print(f"duration: about {span(expected.seconds)} with {sweep.settings.concurrency} battles at once")
    spent, cap = study.spent(), sweep.settings.budget
    if spent.calls:
        print(f"spent so far: ${spent.usd:,.4f} for {spent.calls:,} calls")
    if cap is not None:
        enough = "covers even the high cost" if spent.usd + high.usd <= cap else "stops the run before the high cost"
        print(f"budget.usd={cap:g}: {enough}")
        if expected.unpriced:
            print("note: battle will refuse to start: a budget needs every price")


if __name__ == "__main__":
    from experiments.cli import run

    sys.exit(run("plan", sys.argv[1:]))

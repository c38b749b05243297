"""`mitigation plan`: the arguments of battle in, a table of what it would do out; no call is made.

Nothing is written, but for lock=true, which locks design and analysis before the first battle. With pilot=STUDY the power is that
for battles that vary as those of a study that was fought.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import ceil

from experiments import _sweeps, _wiring
from experiments._progress import span
from experiments._tables import drawn
from experiments.lint import check_texts
from mitigation import preregistration
from mitigation.checks import check_choice
from mitigation.costs import forecast
from mitigation.design import interleave
from mitigation.errors import AnalysisError, ConfigError
from mitigation.freezing import begun, check
from mitigation.lint_sweeps import arms_of
from mitigation.planning import CellPlan, PlannedLook, cell_plans, feasibility, imbalances, measured, planned_looks, prospect
from mitigation.prices import price
from mitigation.store import Study
from mitigation.studies import describe, load
from mitigation.types import AnalysisPlan, Battle, Model
from mitigation.work import missing, models

MOST_ROWS = 24
PILOT_RATIOS = (0.5, 0.6, 0.7, 0.8)


def main(arguments: Sequence[str]) -> int:
    """Print cells, battles, calls and cost, and what the analysis could find; with lock=true lock it."""
    lock, arguments = _lock(arguments)
    pilot, arguments = _pilot(arguments)
    sweep = _sweeps.sweep(arguments)
    battles = interleave(sweep.cells)
    study = Study(_wiring.RESULTS, sweep.study)
    check(study, sweep.cells, allow_change=sweep.settings.allow_change)
    rows = cell_plans(battles, study.statuses(sweep.cells)[0])
    print(_table(f"study {study.name}, seed {sweep.cells[0].seed}", rows))
    left = sum(row.planned - row.done for row in rows)
    print(
        f"{len(rows)} cells, {len(battles):,} battles of at most {sweep.cells[0].messages} messages: "
        f"{len(battles) - left:,} done, {left:,} to fight, at most {sum(row.calls for row in rows):,} calls"
    )
    for model in models(battles):
        temperature = "not settable" if model.temperature is None else f"{model.temperature:g}"
        print(f"model {model.name} ({model.provider}): {_price(model)}; temperature {temperature}")
    _cost(battles, study, sweep)
    impossible = feasibility(battles, sweep.plan)
    for warning in (*impossible, *imbalances(sweep.cells)):
        print(f"note: {warning}")
    _looks(battles, sweep.plan)
    if not impossible:
        _prospect(battles, sweep.plan)
        if pilot is not None:
            _from_pilot(pilot, battles, sweep.plan, seed=sweep.cells[0].seed)
    elif pilot is not None:
        print("note: the pilot is not looked at, as this design can conclude nothing")
    _locked(study, sweep, battles, impossible, lock=lock)
    return 0


def _table(title: str, rows: Sequence[CellPlan]) -> str:
    """Return the cells as a table, or the arms where there are more cells than anybody reads."""
    if len(rows) <= MOST_ROWS:
        names = [(row.identity, row.scenario, row.pairing) for row in rows]
        counts = [(row.planned, row.done, row.planned - row.done, row.calls) for row in rows]
    else:
        arms = {arm: [row for row in rows if row.identity == arm] for arm in dict.fromkeys(row.identity for row in rows)}
        names = [
            (arm, f"{len({row.scenario for row in own})} scenarios", f"{len({row.pairing for row in own})} pairings")
            for arm, own in arms.items()
        ]
        sums = [(sum(row.planned for row in own), sum(row.done for row in own), own) for own in arms.values()]
        counts = [(planned, done, planned - done, sum(row.calls for row in own)) for planned, done, own in sums]
    headings = ("identity", "scenario", "pairing", "battles", "done", "to fight", "calls at most")
    lines = [(*name, *map("{:,}".format, count)) for name, count in zip(names, counts, strict=True)]
    return drawn(title, headings, lines, names=3)


def _lock(arguments: Sequence[str]) -> tuple[bool, list[str]]:
    """Take lock=true or lock=false out of the arguments, the rest of which are those of battle."""
    given = [argument.partition("=")[2] for argument in arguments if argument.startswith("lock=")]
    for value in given:
        check_choice(value, "lock", ("true", "false"))
    return given[-1:] == ["true"], [argument for argument in arguments if not argument.startswith("lock=")]


def _pilot(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take pilot=STUDY out of the arguments, the rest of which are those of battle."""
    given = [argument.partition("=")[2] for argument in arguments if argument.startswith("pilot=")]
    if given and not given[-1]:
        raise ConfigError("pilot= is empty: give the name of a study that was fought, or leave it out")
    return (given[-1] if given else None), [argument for argument in arguments if not argument.startswith("pilot=")]


def _from_pilot(name: str, battles: Sequence[Battle], plan: AnalysisPlan, *, seed: int) -> None:
    """Print what the design can find if battles vary as those of a study that was fought."""
    from mitigation.pilot import STUDIES, needed, pilot_of, simulated_power

    found = prospect(battles, plan)
    if found is None:
        return
    try:
        pilot = pilot_of(load(name, results=_wiring.RESULTS).battles, control=plan.control)
    except AnalysisError as error:
        raise ConfigError(f"pilot={name}: {error}") from None
    alpha = found.alpha
    spread = pilot.variation(1.0)[0]
    print(
        f"pilot {name}: {len(pilot.hits)} battles of {plan.control}, {pilot.share_any:.0%} with an in-group we, mean rate "
        f"{pilot.rates.mean():.1%}, coefficient of variation {spread:.2f}"
    )
    rows = [
        (
            f"{ratio:g}",
            f"{simulated_power(pilot, found.battles, ratio=ratio, strata=found.strata, alpha=alpha, seed=seed):.0%}",
            *(f"{needed(pilot, ratio=ratio, strata=found.strata, alpha=alpha, wanted=wanted):,}" for wanted in (0.8, 0.9)),
        )
        for ratio in PILOT_RATIOS
    ]
    heads = ("rate ratio", f"power with {found.battles:,} an arm", "battles an arm for 80%", "for 90%")
    print(drawn(f"from the pilot, alpha {alpha:.3g}, {STUDIES} simulated studies a row", heads, rows, names=1))


def _prospect(battles: Sequence[Battle], plan: AnalysisPlan) -> None:
    """Print what the design can find."""
    found = prospect(battles, plan)
    if found is None:
        return
    level = f"alpha {plan.alpha:g}" + (f" over {found.family} comparisons" if found.family > 1 else "")
    print(f"power with {found.battles:,} battles an arm in {found.strata} strata, {level}, if control says “we”")
    for often, chance in found.halving.items():
        ratio = found.smallest[often]
        edge = "no ratio is found in 80% of studies" if ratio is None else f"80% for a ratio of {_ratio(ratio)}"
        print(f"  {often}: {chance:.0%} for half of control's rate ({found.needed[often]:,} battles an arm give 80%); {edge}")
    if found.low:
        print("note: power is low: a halving may well be missed; add replicates, or leave out arms that no question needs")


def _looks(battles: Sequence[Battle], plan: AnalysisPlan) -> None:
    """Print where a sequential plan looks, and what stops it there."""
    looks = planned_looks(battles, plan)
    if not looks:
        return
    rows = [(f"{look.number}", f"{look.blocks:,}", f"{look.level:.2g}", f"{look.smallest:.2g}") for look in looks]
    heads = ("look", "complete blocks", "stops at p up to", "smallest p there")
    print(drawn(f"O’Brien–Fleming looks, alpha {plan.alpha:g} over all", heads, rows, names=1))
    if mute := [look for look in looks if look.smallest > look.level]:
        helped = [look for look in mute if look.possible <= look.level]
        enough = ceil(1 / min((look.level for look in helped), default=1.0))
        more = f"; with analysis.resamples={enough} look {_numbers(helped)} could" if helped else ""
        print(f"note: no study can stop at look {_numbers(mute)}{more}; the level holds either way")


def _numbers(looks: Sequence[PlannedLook]) -> str:
    return ", ".join(str(look.number) for look in looks)


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= 0.01 else "less than 0.01"


def _locked(study: Study, sweep: _sweeps.Sweep, battles: Sequence[Battle], impossible: Sequence[str], *, lock: bool) -> None:
    """Lock the plan if that is asked for, and say whether it is locked."""
    held: preregistration.Lock | None
    if lock:
        check_texts(arms_of(sweep.cells), battles)
        if impossible:
            raise ConfigError(f"a plan whose analysis can conclude nothing is not locked: {'; '.join(impossible)}")
        detector = describe("lexical")
        held = preregistration.lock(study.folder, sweep.cells, plan=sweep.plan, detector=detector, begun=begun(study))
    else:
        held = preregistration.read(study.folder)
    if held is not None:
        print(f"plan locked {held.locked_at}: {study.folder / preregistration.FILE}\nsha256 {held.sha256}")


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
        if expected.unpriced and not high.usd:
            print(f"cost: unknown, as the price of {', '.join(expected.unpriced)} is")
        else:
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

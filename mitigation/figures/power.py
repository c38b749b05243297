"""What a next study like this one would find: power by battles an arm, for planned rate ratios."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from mitigation.figures import rows, style, wording
from mitigation.figures.chart import Chart
from mitigation.next_study import RATIOS, Outlook, outlook, sample_sizes

if TYPE_CHECKING:
    from mitigation.analysis import Analysis

COLUMNS = ["rate_ratio", "battles", "power", "battles_here", "alpha"]
_POINTS = 60


def _outlook(analysis: Analysis) -> Outlook | None:
    return outlook(analysis.battles, plan=analysis.plan, outcome=rows.outcome(analysis).removesuffix("_rate"))


def power_data(analysis: Analysis) -> pd.DataFrame:
    """Return the power of planned ratios over battles an arm; no row where the control's battles cannot tell it."""
    return _data(_outlook(analysis))


def _data(found: Outlook | None) -> pd.DataFrame:
    if found is None:
        return pd.DataFrame(columns=COLUMNS)
    most = max(2 * found.battles, 60, *(int(n) for n in sample_sizes(found)["battles_for_80"][:3]))
    sizes = sorted({int(n) for n in np.geomspace(max(4, found.strata), min(most, 20_000), _POINTS)} | {found.battles})
    lines = [(ratio, n, found.power(n, ratio), found.battles, found.alpha) for ratio in RATIOS for n in sizes]
    return pd.DataFrame(lines, columns=COLUMNS)


def power_curve(analysis: Analysis) -> Figure:
    """Draw one line a ratio, 80 % as a thin line, and the size of this study as a dashed one."""
    return _drawn(power_data(analysis))


def _drawn(data: pd.DataFrame) -> Figure:
    with style.theme():
        figure, (axes,) = style.new(3.1)
        if data.empty:
            style.nothing(axes, "control’s battles do not tell how battles vary")
            return figure
        looks = style.looks([f"{ratio:g}" for ratio in RATIOS], "")
        for ratio in RATIOS:
            own, look = data[data["rate_ratio"] == ratio], looks[f"{ratio:g}"]
            line = {"color": look.colour, "linestyle": look.dash, "linewidth": 1.8, "marker": look.marker, "markevery": 8}
            sns.lineplot(
                x=own["battles"], y=100 * own["power"], ax=axes, errorbar=None, label=f"ratio {ratio:g}", markersize=6, **line
            )
        here = int(data["battles_here"].iloc[0])
        axes.axhline(80, color=style.GRID, linewidth=1.2, zorder=0)
        axes.axvline(here, color=style.INK, linestyle=(0, (3, 2)), linewidth=1.1, zorder=1)
        axes.annotate(
            f"this study: {here:,}", (here, 1), xycoords=("data", "axes fraction"), xytext=(0, 3), textcoords="offset points",
            ha="center", va="bottom", fontsize="small", color=style.INK, annotation_clip=False,
        )  # fmt: skip
        axes.set_xscale("log")
        low, high = int(data["battles"].min()), int(data["battles"].max())
        ticks = [n for power in range(5) for n in (10**power, 2 * 10**power, 5 * 10**power) if low <= n <= high]
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.minorticks_off()
        axes.set(xlabel="Battles an arm (log scale)", ylabel="Chance to find it", ylim=(0, 102))
        axes.set_yticks([0, 20, 40, 60, 80, 100], ["0%", "20%", "40%", "60%", "80%", "100%"])
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), handlelength=3.2)
        sns.despine(ax=axes)
    return figure


def power_alt(found: Outlook) -> tuple[str, ...]:
    """Say the power of a study of this size, and the battles that 80 % would take, for every ratio."""
    return tuple(
        f"Ratio {row['rate_ratio']:g}: {row['power_here']:.0%} with {wording.counted(found.battles, 'battle')} an arm; "
        f"80% takes {row['battles_for_80']:,}."
        for row in sample_sizes(found).to_dict("records")
    )


def power_chart(analysis: Analysis) -> Chart | None:
    """Return the figure of a report, None where the control's battles cannot tell it."""
    found = _outlook(analysis)
    if found is None:
        return None
    data = _data(found)
    family = f" over {found.treatments} comparisons" if found.treatments > 1 else ""
    return Chart(
        name="power",
        title="Planning the next study",
        caption=f"Chance to find a rate ratio at alpha {analysis.plan.alpha:g}{family}, if battles vary as the control’s did "
        "here (closed form; approximate below 20 battles an arm). For planning: it is not computed from the effect that was "
        "seen, and says nothing about it.",
        alt=power_alt(found),
        figure=_drawn(data),
        data=data,
    )

"""Rate of in-group "we" by arm: every battle as a point, the arm's rate with its interval, and n on the axis."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitigation.figures import rows, style, wording
from mitigation.figures.chart import Chart

if TYPE_CHECKING:
    from mitigation.analysis import Analysis

COLUMNS = ["arm", "battle_id", "rate", "arm_rate", "arm_rate_low", "arm_rate_high", "n_scored", "n_planned"]
_LANE = 0.14
_HALF = 0.2
_POINTS = 120


def rates_data(analysis: Analysis) -> pd.DataFrame:
    """Return one row per scored battle with its arm's rate and interval; an arm without scored battles has one empty row."""
    battles = rows.battle_rates(analysis)
    found: list[tuple[object, ...]] = []
    for arm in rows.arms(analysis):
        about = (arm.rate, arm.rate_low, arm.rate_high, arm.scored, arm.planned)
        own = battles[battles["arm"] == arm.arm]
        found += [(arm.arm, battle, rate, *about) for battle, rate in zip(own["battle_id"], own["rate"], strict=True)]
        if own.empty:
            found.append((arm.arm, None, None, *about))
    return pd.DataFrame(found, columns=COLUMNS)


def rates(analysis: Analysis) -> Figure:
    """Draw one row per arm, control on top: the arm's rate with its interval, and under it every battle as a point."""
    arms = rows.arms(analysis)[: style.MOST_ARMS]
    data = rates_data(analysis)
    looks = style.looks([arm.arm for arm in rows.arms(analysis)], analysis.plan.control)
    scale, together = 100.0, crowded(analysis)
    with style.theme():
        figure, (axes,) = style.new(1.3 + 0.62 * max(1, len(arms)))
        if not arms:
            style.nothing(axes, "no arm to show")
            return figure
        for place, arm in enumerate(arms):
            _battles(axes, data[data["arm"] == arm.arm], place, looks[arm.arm], scale, together=together)
            _interval(axes, arm, place, looks[arm.arm], scale)
            style.row_label(axes, place, arm.arm, _sizes(arm))
        axes.set_yticks([])
        axes.set_ylim(len(arms) - 0.4, -0.6)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        sns.despine(ax=axes, left=True)
        _limits(axes, data, analysis, scale)
        hidden = len(rows.arms(analysis)) - len(arms)
        if hidden:
            axes.set_title(f"first {len(arms)} arms; {hidden} more in the table", loc="left", color=style.QUIET)
    return figure


def _sizes(arm: rows.ArmRow) -> str:
    return f"n = {wording.whole(arm.scored)}" + (f" of {arm.planned:,}" if arm.planned not in (None, arm.scored) else "")


def crowded(analysis: Analysis) -> bool:
    """Tell whether an arm has too many battles for a point each; the area of a point then shows how many share a value."""
    sizes = rows.battle_rates(analysis)["arm"].value_counts()
    return bool(len(sizes)) and int(sizes.max()) > _POINTS


def _battles(axes: Axes, own: pd.DataFrame, place: int, look: style.Look, scale: float, *, together: bool) -> None:
    values = sorted(rate * scale for rate in own["rate"] if rows.number(rate) is not None)
    if not values:
        return
    points = {"color": look.colour, "marker": look.marker, "alpha": 0.5, "linewidth": 0, "legend": False, "clip_on": False}
    if not together:
        heights = [place + _LANE + offset for offset in spread(values)]
        sns.scatterplot(x=values, y=heights, ax=axes, s=17, **points)
        return
    total = sorted(Counter(round(value, 0) for value in values).items())
    most = max(number for _, number in total)
    areas = [4 + 150 * number / most for _, number in total]
    sns.scatterplot(x=[value for value, _ in total], y=[place + _LANE] * len(total), ax=axes, s=areas, **points)


def spread(values: list[float], bins: int = 60) -> list[float]:
    """Return an offset for each value so that equal values stand beside each other; no chance is involved."""
    width = max(max(values) - min(values), 1e-9) / bins
    keys = [round(value / width) for value in values]
    total, seen = Counter(keys), Counter[int]()
    found = []
    for key in keys:
        step = min(0.09, 2 * _HALF / max(1, total[key] - 1))
        found.append((seen[key] - (total[key] - 1) / 2) * step)
        seen[key] += 1
    return found


def _interval(axes: Axes, arm: rows.ArmRow, place: int, look: style.Look, scale: float) -> None:
    if arm.rate is None:
        axes.annotate("  no scored battle" if not arm.scored else "  not estimable", (0, place), va="center", color=style.QUIET)
        return
    low, high = (arm.rate if end is None else end for end in (arm.rate_low, arm.rate_high))
    height = place - _LANE - 0.1
    axes.plot([low * scale, high * scale], [height, height], color=style.INK, linewidth=2, solid_capstyle="butt", zorder=4)
    (mark,) = axes.plot([arm.rate * scale], [height], marker=look.marker, color=look.colour, zorder=5)
    mark.set(markersize=8.5, markeredgecolor="white", markeredgewidth=1.2)


def _limits(axes: Axes, data: pd.DataFrame, analysis: Analysis, scale: float) -> None:
    noun = wording.noun(rows.outcome(analysis))
    columns = ("rate", "arm_rate", "arm_rate_high")
    found = [value for name in columns for item in data[name] if (value := rows.number(item)) is not None]
    top = max(found, default=1.0) * scale
    if analysis.plan.rate == "messages":
        axes.set_xlim(-2, 102)
        axes.set_xticks([0, 25, 50, 75, 100], ["0%", "25%", "50%", "75%", "100%"])
        axes.set_xlabel(f"Messages of a battle with {noun}")
    else:
        axes.set_xlim(-0.02 * top, 1.05 * top if top > 0 else 1)
        axes.set_xlabel(f"{noun[0].upper()}{noun[1:]} per 100 words of a battle")


def rates_alt(analysis: Analysis) -> tuple[str, ...]:
    """Say every arm's rate, interval and n."""
    per, found = analysis.plan.rate, []
    for arm in rows.arms(analysis):
        ends = (
            f", 95% interval {wording.rate(arm.rate_low, per)} to {wording.rate(arm.rate_high, per)}"
            if arm.rate_low is not None
            else ", no interval: its battles do not differ enough in number or in rate to give one"
        )
        value = wording.NOT_ESTIMABLE if arm.rate is None else wording.rate(arm.rate, per) + ends
        found.append(f"{arm.arm}: {value}, {wording.counted(arm.scored, 'scored battle')}.")
    return tuple(found) or ("There is no arm to show.",)


def rates_chart(analysis: Analysis) -> Chart:
    """Return the figure of a report."""
    points = "The area of a small point shows how many battles" if crowded(analysis) else "Each small point is one battle"
    caption = (
        f"{points}; the large mark is the arm’s rate with its 95% interval. "
        "An arm’s rate uses all its battles; the rates of a contrast are weighted over the strata that both arms share."
    )
    return Chart(
        name="rates",
        title="Rate by arm",
        caption=caption,
        alt=rates_alt(analysis),
        figure=rates(analysis),
        data=rates_data(analysis),
    )

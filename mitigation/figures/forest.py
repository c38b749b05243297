"""Rate ratios against control: one row per treatment on a log axis; an interval without an end is an arrow, not a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from mitigation.figures import rows, style, wording
from mitigation.figures.chart import Chart

if TYPE_CHECKING:
    from mitigation.analysis import Analysis

COLUMNS = [
    "treatment", "control", "outcome", "n_control", "n_treatment",
    "rate_ratio", "ratio_low", "ratio_high", "p_value", "p_adjusted", "verdict",
]  # fmt: skip
_WIDEST = 64.0


class Entry(NamedTuple):
    """One row of the figure: `where` names its study in front of its sizes, `verdict` says whether its verdict is shown."""

    row: rows.ContrastRow
    look: style.Look
    where: str = ""
    verdict: bool = True


def forest_data(analysis: Analysis) -> pd.DataFrame:
    """Return the primary contrast of every treatment."""
    found = [[getattr(row, name) for name in COLUMNS] for row in rows.primary(analysis)]
    return pd.DataFrame(found, columns=COLUMNS)


def forest(analysis: Analysis, *, verdicts: bool = True) -> Figure:
    """Draw the rate ratio of each treatment with its interval, and its verdict at the right unless `verdicts` is False."""
    found = rows.primary(analysis)
    looks = style.looks([arm.arm for arm in rows.arms(analysis)] + [row.treatment for row in found], analysis.plan.control)
    return draw([Entry(row=row, look=looks[row.treatment], verdict=verdicts) for row in found], control=analysis.plan.control)


def draw(entries: Sequence[Entry], *, control: str) -> Figure:
    """Draw one row an entry, no more than `style.MOST_ARMS`."""
    shown = entries[: style.MOST_ARMS]
    with style.theme():
        figure, (axes,) = style.new(1.35 + 0.55 * max(1, len(shown)))
        if not shown:
            style.nothing(axes, "no treatment to compare with control")
            return figure
        low, high = _limits([entry.row for entry in shown])
        axes.set_xscale("log", base=2)
        axes.set_xlim(low, high)
        axes.axvline(1, color=style.QUIET, linewidth=1, zorder=1)
        for place, entry in enumerate(shown):
            _row(axes, entry.row, place, entry.look, (low, high))
            _beside(axes, entry.row, place, verdicts=entry.verdict)
            style.row_label(axes, place, entry.row.treatment, f"{entry.where}{_sizes(entry.row)}")
        axes.set_yticks([])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.xaxis.set_minor_locator(NullLocator())
        step = 1 if high / low < 2**7 else 2
        powers = range(step * math.ceil(math.log2(low) / step), math.floor(math.log2(high)) + 1, step)
        ticks = [2.0**power for power in powers]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        more = f"; {len(entries) - len(shown)} more in the table" if len(entries) > len(shown) else ""
        axes.set_xlabel(f"Rate ratio against {style.label(control, 24)} (log scale); below 1 = fewer{more}")
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        sns.despine(ax=axes, left=True)
    return figure


def _sizes(row: rows.ContrastRow) -> str:
    return f"n = {wording.whole(row.n_treatment)} v {wording.whole(row.n_control)}"


def _limits(shown: Sequence[rows.ContrastRow]) -> tuple[float, float]:
    ends = [
        value for row in shown for value in (row.rate_ratio, row.ratio_low, row.ratio_high) if value is not None and value > 0
    ]
    low = max(min([0.5, *ends]) / 1.25, 1 / _WIDEST)
    high = min(max([2.0, *ends]) * 1.25, _WIDEST)
    return low, high


def _row(axes: Axes, row: rows.ContrastRow, place: int, look: style.Look, limits: tuple[float, float]) -> None:
    if row.rate_ratio is None and row.ratio_low is None and row.ratio_high is None:
        return
    left, right = limits
    low, high = row.ratio_low, row.ratio_high
    if row.rate_ratio is not None and left <= row.rate_ratio <= right:
        mark = {"marker": look.marker, "s": 90, "color": look.colour, "edgecolor": "white", "linewidth": 1.2}
        sns.scatterplot(x=[row.rate_ratio], y=[place], ax=axes, zorder=5, **mark)
    if low is None and high is None:  # no interval was made, as in an unfinished study: none without bounds is drawn
        return
    start = left if not low or low < left else min(low, right)
    end = right if high is None or high > right else max(high, left)
    axes.plot([start, end], [place, place], color=style.INK, linewidth=2, solid_capstyle="butt", zorder=3)
    for edge, open_end, sign in ((left, not low or low < left, -1), (right, high is None or high > right, 1)):
        if open_end:
            arrow = {
                "arrowstyle": "-|>,head_length=.55,head_width=.3",
                "color": style.INK,
                "shrinkA": 0,
                "shrinkB": 0,
                "linewidth": 1.2,
            }
            axes.annotate("", (edge, place), xytext=(-sign * 9, 0), textcoords="offset points", zorder=4, arrowprops=arrow)


def _beside(axes: Axes, row: rows.ContrastRow, place: int, *, verdicts: bool) -> None:
    """Write ratio and interval, and under them the verdict, at the right of the axes."""
    words = wording.with_interval(wording.ratio(row.rate_ratio), wording.interval(row.ratio_low, row.ratio_high))
    if verdicts:
        words += f"\n{style.label(wording.verdict(row.standing).title)}"
    axes.annotate(words, (1.02, place), xycoords=("axes fraction", "data"), va="center", ha="left", annotation_clip=False)


def forest_alt(analysis: Analysis) -> tuple[str, ...]:
    """Say every treatment's rate ratio and interval, and its verdict unless the study is unfinished."""
    found = []
    for row in rows.primary(analysis):
        value = f"{row.treatment}: rate ratio {wording.ratio(row.rate_ratio)}"
        ends = wording.interval(row.ratio_low, row.ratio_high)
        value += "" if ends == wording.NOT_ESTIMABLE else f", 95% interval {ends}"
        found.append(f"{value}." if analysis.interim else f"{value}; {wording.verdict(row.standing).title.lower()}.")
    return tuple(found) or ("There is no contrast to show.",)


def forest_chart(analysis: Analysis) -> Chart:
    """Return the figure of a report; without verdicts while the study is unfinished."""
    return Chart(
        name="forest",
        title="Effect of each treatment",
        caption="Left of 1, fewer than under control. An arrow marks an end that the data do not bound.",
        alt=forest_alt(analysis),
        figure=forest(analysis, verdicts=not analysis.interim),
        data=forest_data(analysis),
    )

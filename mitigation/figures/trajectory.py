"""In-group "we" by message index: the share of an arm's battles whose i-th message holds one, with the number still at risk."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitigation.figures import rows, style, wording
from mitigation.figures.chart import Chart

if TYPE_CHECKING:
    from mitigation.analysis import Analysis

COLUMNS = ["arm", "scenario", "index", "share", "n_with", "n_at_risk"]
EVERY = "all"
"""Stands for all scenarios together."""
_TOGETHER = 5
_PANELS = 12
_HEIGHT = "Battles with an in-group “we”"


def trajectory_data(analysis: Analysis, messages: pd.DataFrame | None) -> pd.DataFrame:
    """Return one row per arm and message index, over all scenarios and, where there are several, in each.

    n_at_risk counts the battles that have that message, judged.
    """
    if messages is None or messages.empty or not {"arm", "index", "ingroup"} <= set(messages.columns):
        return pd.DataFrame(columns=COLUMNS)
    known = messages[messages["ingroup"].notna()]
    known = known.assign(ingroup=known["ingroup"].astype(float))
    parts = [known.assign(scenario=EVERY)]
    if "scenario" in known.columns and known["scenario"].nunique() > 1:
        parts.append(known)
    order = {arm.arm: place for place, arm in enumerate(rows.arms(analysis))}
    tables = []
    for part in parts:
        grouped = part.groupby(["arm", "scenario", "index"], sort=True)["ingroup"]
        table = pd.DataFrame(
            {"share": grouped.mean(), "n_with": grouped.sum().astype(int), "n_at_risk": grouped.size()}
        ).reset_index()
        table = table.assign(place=table["arm"].map(order).fillna(len(order)))
        tables.append(table.sort_values(["place", "arm", "scenario", "index"], kind="stable")[COLUMNS])
    return pd.concat(tables, ignore_index=True)


def trajectory(analysis: Analysis, messages: pd.DataFrame | None) -> Figure:
    """Draw one line per arm; with more than five arms, one small panel per treatment with control behind it."""
    every = trajectory_data(analysis, messages)
    data, single = every[every["scenario"] == EVERY], every[every["scenario"] != EVERY]
    arms = list(dict.fromkeys(data["arm"]))
    control = analysis.plan.control
    looks = style.looks([arm.arm for arm in rows.arms(analysis)] + arms, control)
    with style.theme():
        if not arms:
            figure, (axes,) = style.new(2.0)
            style.nothing(axes, "no message to show")
            return figure
        groups = _groups(arms, control)
        hidden, groups = len(groups) - len(groups[:_PANELS]), groups[:_PANELS]
        alone = len(groups) == 1
        columns = 1 if alone else 2
        lines = math.ceil(len(groups) / columns)
        height = 3.0 + 0.2 * len(arms) if alone else 1.9 * lines
        figure, panels = style.new(height, rows=lines, columns=columns)
        for axes, group in zip(panels, groups, strict=False):
            _scenarios(axes, single, group, looks)
            _panel(axes, data, group, looks, alone=alone)
        for axes in panels[len(groups) :]:
            axes.set_visible(False)
        for axes in panels[max(0, len(groups) - columns) : len(groups)]:
            axes.tick_params(axis="x", labelbottom=True)
        if alone:
            panels[0].set_ylabel(_HEIGHT)
        else:
            figure.supylabel(_HEIGHT, fontsize="medium")
        note = "" if alone else f"; black: {style.label(control, 26)}"
        figure.supxlabel(f"Message (the opener is not counted{note})", fontsize="medium")
        if hidden:
            words = f"first {len(groups)} treatments; {hidden} more in the table"
            figure.suptitle(words, fontsize="medium", color=style.QUIET)
    return figure


def _groups(arms: list[str], control: str) -> list[list[str]]:
    """Return which arms share a panel: all, or with many arms each treatment with control."""
    others = [arm for arm in arms if arm != control]
    return [arms] if len(arms) <= _TOGETHER else [[arm for arm in (control, other) if arm in arms] for other in others]


def _scenarios(axes: Axes, single: pd.DataFrame, group: list[str], looks: dict[str, style.Look]) -> None:
    """Draw a thin line a scenario behind the lines of the arms."""
    for (arm, _), own in single[single["arm"].isin(group)].groupby(["arm", "scenario"], sort=False):
        axes.plot(own["index"], 100 * own["share"], color=looks[str(arm)].colour, linewidth=0.6, alpha=0.35, zorder=2)


def _panel(axes: Axes, data: pd.DataFrame, group: list[str], looks: dict[str, style.Look], *, alone: bool) -> None:
    last = max(1, int(data["index"].max()))
    for arm in group:
        own, look = data[data["arm"] == arm], looks[arm]
        line = {"color": look.colour, "marker": look.marker, "markersize": 6, "linestyle": look.dash, "linewidth": 1.7}
        name = style.label(arm, 26) if alone else None
        sns.lineplot(x=own["index"], y=100 * own["share"], ax=axes, errorbar=None, label=name, clip_on=False, zorder=3, **line)
    axes.set(xlabel="", ylabel="", ylim=(-2, 102))
    axes.set_yticks([0, 25, 50, 75, 100], ["0%", "25%", "50%", "75%", "100%"])
    axes.set_xlim(0.7, last + 0.3)
    axes.set_xticks(style.whole_ticks(last, 12 if alone else 6))
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    sns.despine(ax=axes)
    if alone:
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, handlelength=3.2, borderaxespad=0)
        _at_risk(axes, data, group, style.whole_ticks(last, 12))
    else:
        axes.set_title(style.label(group[-1], 26), loc="left", fontsize="medium", color=style.INK)


def _at_risk(axes: Axes, data: pd.DataFrame, group: list[str], ticks: list[int]) -> None:
    """Write the number of battles at risk under the ticks, one line of numbers per arm."""
    for line, arm in enumerate(group):
        own = data[data["arm"] == arm].set_index("index")["n_at_risk"]
        for tick in ticks:
            axes.annotate(
                str(int(own.get(tick, 0))), (tick, 0), xycoords=("data", "axes fraction"), xytext=(0, -26 - 12 * line),
                textcoords="offset points", ha="center", va="top", fontsize="small", color=style.INK, annotation_clip=False,
            )  # fmt: skip
        axes.annotate(
            style.label(arm, 26), (0, 0), xycoords="axes fraction", xytext=(-10, -26 - 12 * line), textcoords="offset points",
            ha="right", va="top", fontsize="small", color=style.QUIET, annotation_clip=False,
        )  # fmt: skip


def trajectory_alt(data: pd.DataFrame) -> tuple[str, ...]:
    """Say every arm's share at its first and last message."""
    found = []
    for arm, own in data[data["scenario"] == EVERY].groupby("arm", sort=False):
        n_with, at_risk = [str(n) for n in own["n_with"]], own["n_at_risk"]
        if at_risk.nunique() == 1:
            shares = f"{wording.listed(n_with if len(n_with) <= 12 else [*n_with[:11], '…'])} of {at_risk.iloc[0]} battles"
        else:
            pairs = [f"{n} of {m}" for n, m in zip(n_with, at_risk, strict=True)]
            shares = wording.listed(pairs if len(pairs) <= 12 else [*pairs[:11], "…"])
        found.append(f"{arm}, message {own['index'].min()} to {own['index'].max()}: {shares}.")
    return tuple(found) or ("There is no message to show.",)


def trajectory_chart(analysis: Analysis, messages: pd.DataFrame | None) -> Chart | None:
    """Return the figure of a report, None without messages."""
    if messages is None or messages.empty:
        return None
    data = trajectory_data(analysis, messages)
    caption = (
        "Share of an arm’s battles whose message with this number holds an in-group “we”. "
        "Below the axis: battles that have such a message."
    )
    caption += " Thin lines: one scenario each." if data["scenario"].nunique() > 1 else ""
    return Chart(
        name="trajectory",
        title="Over the battle",
        caption=caption,
        alt=trajectory_alt(data),
        figure=trajectory(analysis, messages),
        data=data,
    )

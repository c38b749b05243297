"""When it begins: the share of an arm's battles in which something has happened by a message, for three things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitigation.figures import rows, style, wording
from mitigation.figures.chart import Chart

if TYPE_CHECKING:
    from mitigation.analysis import Analysis

COLUMNS: Final = ["arm", "event", "index", "share", "n_with", "battles"]
EVENTS: Final = {"ingroup": "First in-group “we”", "ai_identity": "First “I am an AI”", "end": "Battle ended"}
_TOGETHER: Final = 6
"""Most arms that share a panel."""
_BEHIND: Final = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
_MOST: Final = 12
"""Most treatments that are drawn."""


def onset_data(analysis: Analysis, messages: pd.DataFrame | None) -> pd.DataFrame:
    """Return one row an arm, event and message index: battles in which it has happened by then, of all that are complete.

    A battle that ends without the event never has it, so that the share is a cumulative incidence with the end as a competing
    event (no battle is censored). "end" is the message after which a battle was conceded; those that ran to their last message
    have not ended.
    """
    needed = {"arm", "battle_id", "index", "ingroup"}
    if messages is None or messages.empty or not needed <= set(messages.columns):
        return pd.DataFrame(columns=COLUMNS)
    last = int(messages["index"].max())
    order = [arm.arm for arm in rows.arms(analysis)]
    battles = analysis.battles.set_index("battle_id")
    conceded = set(battles.index[battles["ending"].eq("conceded")]) if "ending" in battles.columns else set()
    lines: list[tuple[object, ...]] = []
    for arm in [*order, *sorted(set(messages["arm"]) - set(order))]:
        own = messages[messages["arm"] == arm]
        total = own["battle_id"].nunique()
        if not total:
            continue
        firsts = {
            column: own[own[column].eq(True).fillna(False).astype(bool)].groupby("battle_id")["index"].min()
            for column in EVENTS
            if column in own.columns
        }
        ends = own.groupby("battle_id")["index"].max()
        if conceded:
            firsts["end"] = ends[[name in conceded for name in ends.index]]
        for event in EVENTS:
            if event in firsts:
                for index in range(1, last + 1):
                    happened = int((firsts[event] <= index).sum())
                    lines.append((arm, event, index, happened / total, happened, total))
    return pd.DataFrame(lines, columns=COLUMNS)


def onset(analysis: Analysis, messages: pd.DataFrame | None) -> Figure:
    """Draw a panel an event, a step line an arm; beyond six arms a row of small panels for each treatment, control behind it."""
    return _drawn(analysis, onset_data(analysis, messages))


def _drawn(analysis: Analysis, data: pd.DataFrame) -> Figure:
    arms, control = list(dict.fromkeys(data["arm"])), analysis.plan.control
    looks = style.looks([arm.arm for arm in rows.arms(analysis)] + arms, control)
    events = [event for event in EVENTS if event in set(data["event"])]
    with style.theme():
        if not events:
            figure, (axes,) = style.new(2.0)
            style.nothing(axes, "no message to show")
            return figure
        every = [arms] if len(arms) <= _TOGETHER else [[control, arm] for arm in arms if arm != control]
        groups = every[:_MOST]
        alone = len(every) == 1
        figure, panels = style.new(
            2.6 + 0.18 * len(arms) if alone else 0.6 + 1.25 * len(groups), rows=len(groups), columns=len(events)
        )
        for number, axes in enumerate(panels):
            group, event = groups[number // len(events)], events[number % len(events)]
            _panel(axes, data[(data["event"] == event) & data["arm"].isin(group)], group, looks)
            if number < len(events):
                axes.set_title(EVENTS[event], loc="left", fontsize="medium", color=style.INK)
            if not alone and number % len(events) == 0:
                _name(axes, group[-1], data[(data["event"] == event) & data["arm"].isin(group)])
        figure.supylabel("Battles in which it has happened", fontsize="medium")
        note = "" if alone else f"; black: {style.label(control, 26)}"
        figure.supxlabel(f"Message{note}", fontsize="medium")
        if alone:
            handles, names = panels[0].get_legend_handles_labels()
            figure.legend(handles, names, loc="outside upper left", ncols=2, frameon=False, handlelength=3.2)
        if len(every) > len(groups):
            words = f"first {len(groups)} treatments; {len(every) - len(groups)} more in the table"
            figure.suptitle(words, fontsize="medium", color=style.QUIET)
    return figure


def _name(axes: Axes, arm: str, data: pd.DataFrame) -> None:
    """Write the name of a treatment into its panel, where the lines leave room: they rise from the lower left."""
    high = float(data["share"].max()) > 0.5
    x, y, across, along = (0.97, 0.06, "right", "bottom") if high else (0.03, 0.94, "left", "top")
    axes.annotate(style.label(arm, 26), (x, y), xycoords="axes fraction", ha=across, va=along, fontsize="small", bbox=_BEHIND)


def _panel(axes: Axes, data: pd.DataFrame, arms: list[str], looks: dict[str, style.Look]) -> None:
    last = int(data["index"].max()) if len(data) else 1
    for arm in arms:
        own, look = data[data["arm"] == arm], looks[arm]
        if own.empty:
            continue
        steps = [0, *own["index"]], [0.0, *(100 * own["share"])]
        axes.step(*steps, where="post", color=look.colour, linestyle=look.dash, linewidth=1.7, label=style.label(arm, 26))
        axes.plot(
            [last], [100 * float(own["share"].iloc[-1])], marker=look.marker, color=look.colour, markersize=5, clip_on=False
        )
    axes.set(xlim=(0, last + 0.2), ylim=(-1, 101))
    axes.set_yticks([0, 25, 50, 75, 100], ["0%", "25%", "50%", "75%", "100%"])
    axes.set_xticks(style.whole_ticks(last, 6))
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    sns.despine(ax=axes)


def onset_alt(data: pd.DataFrame) -> tuple[str, ...]:
    """Say, for every event and arm, in how many battles it happened, and by which message in half of them all."""
    found = []
    for event, name in EVENTS.items():
        own = data[data["event"] == event]
        parts = []
        for arm, line in own.groupby("arm", sort=False):
            half = line.loc[line["share"] >= 0.5, "index"]
            when = f", in half of them by message {int(half.iloc[0])}" if len(half) else ""
            parts.append(
                f"{arm} {int(line['n_with'].iloc[-1])} of {wording.counted(int(line['battles'].iloc[-1]), 'battle')}{when}"
            )
        if parts:
            found.append(f"{name}: {'; '.join(parts)}.")
    return tuple(found) or ("There is no message to show.",)


def onset_chart(analysis: Analysis, messages: pd.DataFrame | None) -> Chart | None:
    """Return the figure of a report, None without messages."""
    data = onset_data(analysis, messages)
    if data.empty:
        return None
    return Chart(
        name="onset",
        title="When it begins",
        caption="Share of all complete battles of an arm in which it has happened by a message (cumulative incidence: a battle "
        "that ends without it never has it). A battle has ended when an agent conceded; the others ran to their last message.",
        alt=onset_alt(data),
        figure=_drawn(analysis, data),
        data=data,
    )

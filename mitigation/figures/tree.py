"""The tree of Social Identity Theory applied to AI agents, with the measured share of messages of every arm at its leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mitigation.figures import rows, style, wording
from mitigation.figures.chart import Chart
from mitigation.measures import TREE, tree_table

if TYPE_CHECKING:
    from mitigation.analysis import Analysis

_SHOWN: Final = 6
_ROOT: Final = "Social identity\nof AI agents"
_SPACE: Final = 0.09
"""Height between the marks of two arms in one row."""


def tree_data(analysis: Analysis, messages: pd.DataFrame | None) -> pd.DataFrame:
    """Return `measures.tree_table` of the arms of the analysis; empty without messages."""
    if messages is None or messages.empty or "ingroup" not in messages.columns:
        return tree_table(pd.DataFrame({"ingroup": [], "arm": [], "strict": [], "social": []}), [])
    return tree_table(messages, [arm.arm for arm in rows.arms(analysis)])


def tree(analysis: Analysis, messages: pd.DataFrame | None) -> Figure:
    """Draw the tree at the left and, beside every branch and leaf, one mark an arm; beyond six arms the first six."""
    return _drawn(analysis, tree_data(analysis, messages))


def _drawn(analysis: Analysis, data: pd.DataFrame) -> Figure:
    arms = list(dict.fromkeys(data["arm"]))
    shown = arms[:_SHOWN]
    looks = style.looks([arm.arm for arm in rows.arms(analysis)], analysis.plan.control)
    places = _places()
    with style.theme():
        figure = style.blank(4.6 + 0.16 * len(shown))
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.4, 1.0))
        _branches(left, places)
        known = {(row["arm"], row["branch"], row["leaf"]): row["share_of_messages"] for row in data.to_dict("records")}
        top = max([0.02, *(float(share) for share in known.values() if share is not None)])
        for (branch, leaf), place in places.items():
            right.axhline(place, color=style.GRID, linewidth=0.8, zorder=0)
            values = [(arm, known.get((arm, branch, leaf))) for arm in shown]
            if all(share is None for _, share in values):
                right.annotate("not measured", (0.02 * top, place), va="center", color=style.QUIET, fontsize="small")
            for number, (arm, share) in enumerate(values):
                if share is not None:
                    height = place + _SPACE * (number - (len(shown) - 1) / 2)
                    look = looks[arm]
                    right.plot(
                        [100 * share], [height], marker=look.marker, color=look.colour, markersize=5, clip_on=False, zorder=3
                    )
        right.set_xlim(0, 105 * top)
        right.set_ylim(len(places) - 0.4, -0.6)
        right.xaxis.set_major_formatter(lambda value, _: f"{value:g}%")
        right.set_xlabel("Share of messages")
        right.tick_params(axis="y", left=False, labelleft=False)
        for spine in ("left", "top", "right"):
            right.spines[spine].set_visible(False)
        handles = [
            Line2D(
                [],
                [],
                marker=looks[arm].marker,
                color=looks[arm].colour,
                linestyle="none",
                markersize=6,
                label=style.label(arm, 26),
            )
            for arm in shown
        ]
        if handles:
            figure.legend(handles=handles, loc="outside upper left", ncols=2, frameon=False)
        if len(arms) > len(shown):
            note = f"first {len(shown)} arms; {len(arms) - len(shown)} more in the table"
            figure.suptitle(note, fontsize="medium", color=style.QUIET)
    return figure


def _places() -> dict[tuple[str, str | None], float]:
    """Return the row of every branch (leaf None) and leaf, from the top."""
    keys = [(branch, leaf) for branch, leaves in TREE.items() for leaf in (None, *leaves)]
    return {key: float(place) for place, key in enumerate(keys)}


def _branches(axes: Axes, places: dict[tuple[str, str | None], float]) -> None:
    """Draw root, branches and leaves as words joined by lines."""
    axes.set_xlim(0, 1)
    axes.set_axis_off()
    middle = (len(places) - 1) / 2
    line: dict[str, Any] = {"color": style.QUIET, "linewidth": 1.0, "solid_capstyle": "round"}
    axes.text(0.0, middle, _ROOT, va="center", ha="left", fontsize="small", fontweight="bold")
    for branch, leaves in TREE.items():
        row = places[branch, None]
        axes.plot([0.33, 0.36, 0.36, 0.39], [middle, middle, row, row], **line)
        axes.text(
            0.4, row, branch.replace(" behaviour", "\nbehaviour"), va="center", ha="left", fontsize="small", fontweight="bold"
        )
        for leaf in leaves:
            place = places[branch, leaf]
            axes.plot([0.44, 0.44, 0.5], [row + 0.32, place, place], **line)
            axes.text(0.52, place, leaf.replace("_", " "), va="center", ha="left", fontsize="small")


def tree_alt(data: pd.DataFrame) -> tuple[str, ...]:
    """Say every arm's share at every branch and leaf."""
    found = []
    for branch, leaves in TREE.items():
        for leaf in (None, *leaves):
            own = data[(data["branch"] == branch) & (data["leaf"].isna() if leaf is None else data["leaf"] == leaf)]
            shares = ", ".join(
                f"{arm} {wording.rate(rows.number(share), 'messages')}"
                for arm, share in zip(own["arm"], own["share_of_messages"], strict=True)
            )
            found.append(f"{branch}{'' if leaf is None else ', ' + leaf.replace('_', ' ')}: {shares or 'not measured'}.")
    return tuple(found)


def tree_chart(analysis: Analysis, messages: pd.DataFrame | None) -> Chart | None:
    """Return the figure of a report, None where nothing of it was measured."""
    data = tree_data(analysis, messages)
    if data.empty:
        return None
    return Chart(
        name="tree",
        title="The tree of Social Identity Theory",
        caption="In-group and out-group behaviour and their leaves, the theory (Tajfel and Turner 1979) applied to AI agents. A "
        "mark is an arm’s mean share of messages that show it; a branch counts any of its leaves. Described, not tested.",
        alt=tree_alt(data),
        figure=_drawn(analysis, data),
        data=data,
    )

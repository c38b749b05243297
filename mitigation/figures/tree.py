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

_TOGETHER: Final = 6
"""Most arms whose marks can be told apart in one row."""
_MOST: Final = 12
"""Most arms that are drawn."""
_ROOT: Final = "Social\nidentity\nof AI\nagents"
_SPACE: Final = 0.09
"""Height between the marks of two arms in one row."""
Known = dict[tuple[Any, Any, Any], Any]
Places = dict[tuple[str, str | None], float]


def tree_data(analysis: Analysis, messages: pd.DataFrame | None) -> pd.DataFrame:
    """Return `measures.tree_table` of the arms of the analysis; empty without messages."""
    if messages is None or messages.empty or "ingroup" not in messages.columns:
        return tree_table(pd.DataFrame({"ingroup": [], "arm": [], "strict": [], "social": []}), [])
    return tree_table(messages, [arm.arm for arm in rows.arms(analysis)])


def tree(analysis: Analysis, messages: pd.DataFrame | None) -> Figure:
    """Draw the tree at the left and, beside every branch and leaf, a mark an arm; beyond six arms a cell an arm."""
    return _drawn(analysis, tree_data(analysis, messages))


def _drawn(analysis: Analysis, data: pd.DataFrame) -> Figure:
    arms, places = list(dict.fromkeys(data["arm"])), _places()
    known = {(row["arm"], row["branch"], row["leaf"]): row["share_of_messages"] for row in data.to_dict("records")}
    with style.theme():
        figure = style.blank(4.6 + 0.16 * min(len(arms), _TOGETHER))
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.4, 1.0 if len(arms) <= _TOGETHER else 2.2))
        _branches(left, places)
        if len(arms) <= _TOGETHER:
            looks = style.looks([arm.arm for arm in rows.arms(analysis)], analysis.plan.control)
            _marks(right, known, arms, places, looks)
            handles = [
                Line2D([], [], linestyle="none", markersize=6, label=style.label(arm, 26), **_mark(looks[arm])) for arm in arms
            ]
            if handles:
                figure.legend(handles=handles, loc="outside upper left", ncols=2, frameon=False)
        else:
            _cells(right, known, arms[:_MOST], places)
            if len(arms) > _MOST:
                words = f"first {_MOST} arms; {len(arms) - _MOST} more in the table"
                figure.suptitle(words, fontsize="medium", color=style.QUIET)
        right.set_ylim(len(places) - 0.4, -0.6)
        right.tick_params(axis="y", left=False, labelleft=False)
        for spine in ("left", "top", "right"):
            right.spines[spine].set_visible(False)
    return figure


def _mark(look: style.Look) -> dict[str, Any]:
    return {"marker": look.marker, "color": look.colour}


def _marks(axes: Axes, known: Known, arms: list[str], places: Places, looks: dict[str, style.Look]) -> None:
    """Draw a mark an arm in every row."""
    top = max([0.02, *(float(share) for share in known.values() if share is not None)])
    for (branch, leaf), place in places.items():
        axes.axhline(place, color=style.GRID, linewidth=0.8, zorder=0)
        values = [(arm, known.get((arm, branch, leaf))) for arm in arms]
        if all(share is None for _, share in values):
            axes.annotate("not measured", (0.02 * top, place), va="center", color=style.QUIET, fontsize="small")
        for number, (arm, share) in enumerate(values):
            if share is not None:
                height = place + _SPACE * (number - (len(arms) - 1) / 2)
                axes.plot([100 * share], [height], markersize=5, clip_on=False, zorder=3, **_mark(looks[arm]))
    axes.set_xlim(0, 105 * top)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}%")
    axes.set_xlabel("Share of messages")


def _cells(axes: Axes, known: Known, arms: list[str], places: Places) -> None:
    """Draw a cell an arm in every row, darker where the share is larger, with the number in it."""
    grid = [[known.get((arm, branch, leaf)) for arm in arms] for branch, leaf in places]
    shares = pd.DataFrame(grid, dtype=float)
    top = max([0.02, *(float(share) for share in known.values() if share is not None)])
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=top, aspect="auto")
    for row, line in enumerate(grid):
        for column, share in enumerate(line):
            words = wording.NONE if share is None else f"{100 * share:.0f}%"
            colour = "white" if share is not None and share > 0.6 * top else style.INK
            axes.text(column, row, words, ha="center", va="center", fontsize=6.5 if len(arms) <= 9 else 5, color=colour)
    names = [style.label(arm, 18) for arm in arms]
    axes.set_xticks(range(len(arms)), names, rotation=60, ha="left", rotation_mode="anchor", fontsize="small")
    axes.tick_params(axis="x", length=0, labeltop=True, labelbottom=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_xlabel("Share of messages")


def _places() -> Places:
    """Return the row of every branch (leaf None) and leaf, from the top."""
    keys = [(branch, leaf) for branch, leaves in TREE.items() for leaf in (None, *leaves)]
    return {key: float(place) for place, key in enumerate(keys)}


def _branches(axes: Axes, places: Places) -> None:
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

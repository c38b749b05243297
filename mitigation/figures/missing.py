"""What became of every planned battle: one bar an arm, cut into its states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from mitigation.figures import rows, style, wording
from mitigation.figures.chart import Chart

if TYPE_CHECKING:
    from mitigation.analysis import Analysis

COLUMNS: Final = ["arm", "state", "battles", "planned"]
# Light to dark and hatched, so that the states can be told apart in grey.
_FORMS: Final = {
    "scored": ("#cfe3f1", ""),
    "not scored": ("#7fb2d6", "////"),
    "refused": ("#E69F00", "...."),
    "failed": ("#D55E00", "xxxx"),
    "excluded": ("#CC79A7", "----"),
    "pending": ("#ffffff", ""),
}


def missing_data(analysis: Analysis) -> pd.DataFrame:
    """Return the number of battles of each arm in each state; "not scored" is complete without a rate."""
    lines: list[tuple[object, ...]] = []
    for arm in rows.arms(analysis):
        complete, scored = arm.complete or 0, arm.scored or 0
        counts = {
            "scored": scored, "not scored": max(0, complete - scored), "refused": arm.refused or 0, "failed": arm.failed or 0,
            "excluded": arm.excluded or 0, "pending": arm.pending or 0,
        }  # fmt: skip
        lines += [(arm.arm, state, count, arm.planned or sum(counts.values())) for state, count in counts.items()]
    return pd.DataFrame(lines, columns=COLUMNS)


def missing(analysis: Analysis) -> Figure:
    """Draw one stacked bar an arm, in per cent of its planned battles, with the counts of what is not scored."""
    return _drawn(missing_data(analysis))


def _drawn(data: pd.DataFrame) -> Figure:
    arms = list(dict.fromkeys(data["arm"]))[: style.MOST_ARMS]
    with style.theme():
        figure, (axes,) = style.new(1.5 + 0.42 * max(1, len(arms)))
        if not arms:
            style.nothing(axes, "no arm to show")
            return figure
        present = [state for state in _FORMS if data.loc[data["state"] == state, "battles"].sum()]
        for place, arm in enumerate(arms):
            start = 0.0
            own = data[data["arm"] == arm].set_index("state")
            planned = max(1, int(own["planned"].iloc[0]))
            for state in present:
                width = 100 * int(own["battles"].get(state, 0)) / planned
                colour, hatch = _FORMS[state]
                label = state if not place else None
                axes.barh(
                    place, width, left=start, height=0.62, color=colour, hatch=hatch, edgecolor="#6b6b6b", lw=0.6, label=label
                )
                start += width
            lost = planned - int(own["battles"].get("scored", 0))
            style.row_label(axes, place, arm, f"{wording.whole(lost)} of {wording.whole(planned)} not scored")
        axes.set_yticks([])
        axes.set_ylim(len(arms) - 0.5, -0.5)
        axes.set_xlim(0, 100)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}%")
        axes.set_xlabel("Planned battles")
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, handlelength=1.6, borderaxespad=0.2)
        sns.despine(ax=axes, left=True)
    return figure


def missing_alt(data: pd.DataFrame) -> tuple[str, ...]:
    """Say how many battles of each arm are in which state."""
    found = []
    for arm, own in data.groupby("arm", sort=False):
        states = ", ".join(f"{n:,} {state}" for state, n in zip(own["state"], own["battles"], strict=True) if n)
        found.append(f"{arm}: {states or 'none'}, of {int(own['planned'].iloc[0]):,} planned.")
    return tuple(found) or ("There is no arm to show.",)


def missing_chart(analysis: Analysis) -> Chart | None:
    """Return the figure of a report, None where every planned battle is scored."""
    data = missing_data(analysis)
    if not data.loc[data["state"] != "scored", "battles"].sum():
        return None
    return Chart(
        name="missing",
        title="Missing battles",
        caption="Every planned battle is in one state. Arms that lose battles unequally can differ for that alone: bounds and a "
        "test stand under “Missing battles”.",
        alt=missing_alt(data),
        figure=_drawn(data),
        data=data,
    )

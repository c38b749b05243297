"""Words against behaviour in games: every battle by its rate of in-group "we" and its cooperation, every arm by its means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from mitigation.figures import rows, style, wording
from mitigation.figures.chart import Chart

if TYPE_CHECKING:
    from mitigation.analysis import Analysis
    from mitigation.cooperation import Conduct

COLUMNS: Final = ["game", "arm", "battle_id", "rate", "cooperation"]
_SHOWN: Final = 7


def conduct_data(analysis: Analysis, conduct: Conduct | None) -> pd.DataFrame:
    """Return one row a battle of a game that has both a rate and a legal move whose cooperation is known."""
    if conduct is None:
        return pd.DataFrame(columns=COLUMNS)
    moved = conduct.tables.battles[["game", "battle_id", "cooperation"]]
    both = moved.merge(rows.battle_rates(analysis), on="battle_id")
    both = both[both["cooperation"].notna()].astype({"cooperation": float})
    order = {arm.arm: place for place, arm in enumerate(rows.arms(analysis))}
    both = both.assign(place=both["arm"].map(order)).sort_values(["game", "place", "battle_id"], kind="stable")
    return both[COLUMNS].reset_index(drop=True)


def conduct(analysis: Analysis, played: Conduct | None) -> Figure:
    """Draw a panel a game: small points for battles, large marks for the means of arms."""
    return _drawn(analysis, conduct_data(analysis, played))


def _drawn(analysis: Analysis, data: pd.DataFrame) -> Figure:
    games = list(dict.fromkeys(data["game"]))[:3]
    looks = style.looks([arm.arm for arm in rows.arms(analysis)], analysis.plan.control)
    arms = [arm.arm for arm in rows.arms(analysis) if arm.arm in set(data["arm"])][:_SHOWN]
    with style.theme():
        if not games:
            figure, (axes,) = style.new(2.0)
            style.nothing(axes, "no move whose cooperation is known")
            return figure
        figure, panels = style.new(2.9 + 0.14 * len(arms), columns=len(games))
        for axes, game in zip(panels, games, strict=True):
            for arm in arms:
                own, look = data[(data["game"] == game) & (data["arm"] == arm)], looks[arm]
                if own.empty:
                    continue
                mark = {"color": look.colour, "marker": look.marker, "ax": axes, "legend": False}
                sns.scatterplot(x=100 * own["rate"], y=100 * own["cooperation"], s=14, alpha=0.35, linewidth=0, **mark)
                means = {"x": [100 * own["rate"].mean()], "y": [100 * own["cooperation"].mean()]}
                sns.scatterplot(**means, s=95, edgecolor="white", linewidth=1.2, zorder=4, label=style.label(arm, 26), **mark)
            axes.set_title(game.replace("_", " "), loc="left", fontsize="medium", color=style.INK)
            axes.set(xlim=(-3, 103), ylim=(-3, 103), xlabel="", ylabel="")
            axes.set_xticks([0, 50, 100], ["0%", "50%", "100%"])
            axes.set_yticks([0, 25, 50, 75, 100], ["0%", "25%", "50%", "75%", "100%"])
            axes.grid()
            axes.set_axisbelow(True)
            sns.despine(ax=axes)
        panels[0].set_ylabel("Cooperation: mean over legal moves")
        figure.supxlabel("Words: messages of a battle with an in-group “we”", fontsize="medium")
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper left", ncols=2, frameon=False)
    return figure


def conduct_alt(data: pd.DataFrame) -> tuple[str, ...]:
    """Say the means of every game and arm."""
    found = []
    for (game, arm), own in data.groupby(["game", "arm"], sort=False):
        words, deeds = (wording.rate(own[name].mean(), "messages") for name in ("rate", "cooperation"))
        name = f"{str(game).replace('_', ' ')}, {arm}"
        found.append(f"{name}: words {words}, cooperation {deeds}, {wording.counted(len(own), 'battle')}.")
    return tuple(found) or ("There is no move whose cooperation is known.",)


def conduct_chart(analysis: Analysis, played: Conduct | None) -> Chart | None:
    """Return the figure of a report, None where no game was played or the rate is by word."""
    data = conduct_data(analysis, played)
    if data.empty or analysis.plan.rate != "messages":
        return None
    return Chart(
        name="conduct",
        title="Words against behaviour",
        caption="Each small point is one battle of a game, each large mark an arm’s means. An arm that says “we” less and "
        "cooperates as before lies to the left of control, not below it.",
        alt=conduct_alt(data),
        figure=_drawn(analysis, data),
        data=data,
    )

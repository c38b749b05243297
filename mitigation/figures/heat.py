"""Rates by scenario and by pairing: a table in which darker is more, with the number and n in every cell."""

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

COLUMNS: Final = ["factor", "level", "arm", "rate", "battles"]
FACTORS: Final = ("scenario", "pairing")
_ARMS: Final = 12
_LEVELS: Final = 24


def heat_data(analysis: Analysis) -> pd.DataFrame:
    """Return one row a scenario (or pairing) and arm: mean rate of its scored battles, and their number.

    Only factors with two levels or more: one level alone is the arm's rate.
    """
    battles, arms = analysis.battles, [arm.arm for arm in rows.arms(analysis)]
    lines: list[tuple[object, ...]] = []
    rates = rows.battle_rates(analysis).set_index("battle_id")["rate"]
    for factor in FACTORS:
        if factor not in battles.columns or battles[factor].dropna().nunique() < 2:
            continue
        about = battles[battles["battle_id"].isin(rates.index)].drop_duplicates("battle_id")
        about = about.assign(rate=about["battle_id"].map(rates))
        for level, of_level in about.groupby(factor, sort=True):
            for arm in arms:
                own = of_level.loc[of_level["arm"] == arm, "rate"]
                lines.append((factor, str(level), arm, float(own.mean()) if len(own) else None, len(own)))
    return pd.DataFrame(lines, columns=COLUMNS)


def heat(analysis: Analysis) -> Figure:
    """Draw a panel a factor; rows are its levels, columns the arms, control first."""
    return _drawn(analysis, heat_data(analysis))


def _drawn(analysis: Analysis, data: pd.DataFrame) -> Figure:
    factors = [factor for factor in FACTORS if factor in set(data["factor"])]
    arms = list(dict.fromkeys(data["arm"]))[:_ARMS]
    with style.theme():
        if not factors:
            figure, (axes,) = style.new(2.0)
            style.nothing(axes, "one scenario and one pairing: nothing to set side by side")
            return figure
        sizes = [min(_LEVELS, data.loc[data["factor"] == factor, "level"].nunique()) for factor in factors]
        figure = style.blank(1.5 + 0.42 * sum(sizes) + 0.3 * len(sizes))
        panels = figure.subplots(len(factors), 1, squeeze=False, sharex=True, height_ratios=sizes)[:, 0]
        top = max(float(data["rate"].max() or 0), 1e-9)
        for axes, factor in zip(panels, factors, strict=True):
            _panel(axes, data[(data["factor"] == factor) & data["arm"].isin(arms)], arms, top, analysis.plan.rate)
            axes.set_title(f"By {factor}", loc="left", fontsize="medium", color=style.INK)
        panels[0].xaxis.set_ticks_position("top")
        names = [style.label(arm, 22) for arm in arms]
        panels[0].set_xticks([place + 0.5 for place in range(len(arms))], names, rotation=30, ha="left", fontsize="small")
        panels[0].tick_params(axis="x", length=0, labeltop=True, labelbottom=False)
        hidden = data["arm"].nunique() - len(arms)
        if hidden:
            figure.supxlabel(f"first {len(arms)} arms; {hidden} more in the table", fontsize="small", color=style.QUIET)
    return figure


def _panel(axes: Axes, data: pd.DataFrame, arms: list[str], top: float, per: str) -> None:
    levels = sorted(set(data["level"]))[:_LEVELS]
    grid = data.pivot(index="level", columns="arm", values="rate").reindex(index=levels, columns=arms).astype(float)
    sizes = data.pivot(index="level", columns="arm", values="battles").reindex(index=levels, columns=arms).fillna(0).astype(int)
    words = [
        [f"{wording.rate(rows.number(value), per)}\nn = {n}" for value, n in zip(line, counts, strict=True)]
        for line, counts in zip(grid.to_numpy(), sizes.to_numpy(), strict=True)
    ]
    sns.heatmap(
        grid, ax=axes, annot=words, fmt="", vmin=0, vmax=top, cmap="Blues", cbar=False, linewidths=2, linecolor="white",
        annot_kws={"fontsize": 6.5 if len(arms) <= 8 else 5}, xticklabels=False, yticklabels=False,
    )  # fmt: skip
    axes.set_facecolor("#f2f2f2")
    axes.set(xlabel="", ylabel="")
    axes.set_yticks([place + 0.5 for place in range(len(levels))], [style.label(level, 24) for level in levels], rotation=0)
    axes.tick_params(axis="y", length=0, labelsize="small")
    for spine in axes.spines.values():
        spine.set_visible(False)


def heat_alt(data: pd.DataFrame, per: str) -> tuple[str, ...]:
    """Say every rate, a line a level."""
    return tuple(
        f"{factor} {level}: "
        + ", ".join(
            f"{arm} {wording.rate(rows.number(rate), per)} of {n}"
            for arm, rate, n in zip(own["arm"], own["rate"], own["battles"], strict=True)
        )
        + "."
        for (factor, level), own in data.groupby(["factor", "level"], sort=False)
    )


def heat_chart(analysis: Analysis) -> Chart | None:
    """Return the figure of a report, None with one scenario and one pairing."""
    data = heat_data(analysis)
    if data.empty:
        return None
    return Chart(
        name="heat",
        title="By scenario and pairing",
        caption="Mean rate of the battles in each cell, darker is more, with their number: means as they are, without a test. "
        "Whether an effect differs between levels is asked in the tables.",
        alt=heat_alt(data, analysis.plan.rate),
        figure=_drawn(analysis, data),
        data=data,
    )

"""How far the detector can be trusted: F1 of every label with its interval, on authors it was not fitted to and on this study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from mitigation.figures import rows, style
from mitigation.figures.chart import Chart

if TYPE_CHECKING:
    from mitigation.descriptions import Description

COLUMNS: Final = ["label", "labels_of", "n", "precision", "recall", "f1", "f1_low", "f1_high", "baseline_f1"]
_MOST: Final = 30


def detector_data(described: Sequence[Description]) -> pd.DataFrame:
    """Return F1, precision and recall by label from `detector_accuracy` (authors left out) and `accuracy` (this study)."""
    lines: list[tuple[object, ...]] = []
    for table in described:
        if table.name == "accuracy":
            for row in rows.records(table.frame):
                who = f"this study, {row['arm']}" if row.get("arm") else "this study"
                lines.append(_line(row, who, n="n_gold", low="f1_low", high="f1_high"))
        elif table.name == "detector_accuracy" and "real" in table.frame.columns:
            lines += [_line(row, "authors left out", n="real", low="low", high="high") for row in rows.records(table.frame)]
    found = pd.DataFrame(lines, columns=COLUMNS)
    return found[found["f1"].notna()].reset_index(drop=True)


def _line(row: object, who: str, *, n: str, low: str, high: str) -> tuple[object, ...]:
    assert isinstance(row, dict)
    values = [rows.number(row.get(name)) for name in ("precision", "recall", "f1", low, high, "baseline_f1")]
    return (rows.text(row.get("label")), who, rows.count(row.get(n)), *values)


def detector(described: Sequence[Description]) -> Figure:
    """Draw a row a label: F1 with its interval, precision and recall as ticks, the baseline as a hollow mark."""
    return _drawn(detector_data(described))


def _drawn(data: pd.DataFrame) -> Figure:
    labels = list(dict.fromkeys(data["label"]))[:_MOST]
    sources = list(dict.fromkeys(data["labels_of"]))[:5]
    looks = style.looks(sources, sources[0] if sources else "")
    with style.theme():
        figure, (axes,) = style.new(1.5 + 0.28 * max(1, len(labels)) * (1 + 0.25 * (len(sources) - 1)))
        if not labels:
            style.nothing(axes, "nothing is known of its accuracy")
            return figure
        for number, source in enumerate(sources):
            shift = (number - (len(sources) - 1) / 2) * 0.8 / len(sources)
            own = data[(data["labels_of"] == source) & data["label"].isin(labels)]
            places = [labels.index(label) + shift for label in own["label"]]
            if not number:
                told: dict[str, Any] = {"color": style.QUIET, "marker": "|", "markersize": 9}
                told["label"] = "baseline: the label on everything"
                axes.plot(own["baseline_f1"], places, linestyle="none", zorder=2, **told)
            axes.hlines(places, own["f1_low"], own["f1_high"], color=looks[source].colour, linewidth=1.6, zorder=3)
            mark: dict[str, Any] = {"marker": looks[source].marker, "color": looks[source].colour, "markersize": 5.5}
            axes.plot(own["f1"], places, linestyle="none", zorder=4, label=f"F1, {source}", **mark)
        axes.set_yticks(range(len(labels)), [style.label(label.replace("_", " "), 26) for label in labels], fontsize="small")
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.set_xlim(0, 1.02)
        axes.set_xlabel("F1 (harmonic mean of precision and recall)")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=1, borderaxespad=0.2, fontsize="small")
        sns.despine(ax=axes, left=True)
    return figure


def detector_alt(data: pd.DataFrame) -> tuple[str, ...]:
    """Say F1 with its interval for every label."""
    found = []
    for source, own in data.groupby("labels_of", sort=False):
        cells = zip(own["label"], own["f1"], own["f1_low"], own["f1_high"], strict=True)
        told = ", ".join(
            f"{label.replace('_', ' ')} {f1:.2f}" + (f" [{low:.2f}, {high:.2f}]" if rows.number(low) is not None else "")
            for label, f1, low, high in cells
        )
        found.append(f"{source}: {told}.")
    return tuple(found) or ("Nothing is known of its accuracy.",)


def detector_chart(described: Sequence[Description]) -> Chart | None:
    """Return the figure of a report, None where nothing is known of the detector."""
    data = detector_data(described)
    if data.empty:
        return None
    return Chart(
        name="detector",
        title="How far the detector can be trusted",
        caption="F1 of each label with a 95% interval; the tick is what giving the label to everything would score. “Authors "
        "left out” are messages written and labelled by a language model, not battles of this study: label some battles of each "
        "arm, and they appear here by arm.",
        alt=detector_alt(data),
        figure=_drawn(data),
        data=data,
    )

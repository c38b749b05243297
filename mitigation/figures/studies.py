"""The same treatments in several studies: rate ratios with their own intervals, one row a treatment and study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from mitigation.figures import rows, style
from mitigation.figures.chart import Chart
from mitigation.figures.forest import Entry, draw, forest_alt, forest_data

if TYPE_CHECKING:
    from mitigation.analysis import Analysis


def studies_data(analyses: Mapping[str, Analysis]) -> pd.DataFrame:
    """Return the primary contrast of every treatment in every study, by treatment."""
    found = pd.concat([forest_data(analysis).assign(study=study) for study, analysis in analyses.items()], ignore_index=True)
    order = {treatment: place for place, treatment in enumerate(dict.fromkeys(found["treatment"]))}
    places = found["treatment"].map(order)
    columns = ["study", *(name for name in found.columns if name != "study")]
    return found.assign(place=places).sort_values("place", kind="stable", ignore_index=True)[columns]


def studies(analyses: Mapping[str, Analysis]) -> Figure:
    """Draw the forest of all studies, the rows of a treatment together, colour and mark by study."""
    looks = style.looks(list(analyses), "")
    entries = [
        Entry(row=row, look=looks[study], where=f"{style.middle(study, 18)}, ", verdict=not analysis.interim)
        for study, analysis in analyses.items()
        for row in rows.primary(analysis)
    ]
    order = {treatment: place for place, treatment in enumerate(dict.fromkeys(entry.row.treatment for entry in entries))}
    entries.sort(key=lambda entry: order[entry.row.treatment])
    return draw(entries, control=next(iter(analyses.values())).plan.control)


def studies_chart(analyses: Mapping[str, Analysis]) -> Chart:
    """Return the figure of a comparison."""
    return Chart(
        name="studies",
        title="Effect of each treatment, study by study",
        caption="Left of 1, fewer than under the control of the same study. An arrow marks an end that the data do not bound.",
        alt=tuple(f"Study {study}. {line}" for study, analysis in analyses.items() for line in forest_alt(analysis)),
        figure=studies(analyses),
        data=studies_data(analyses),
    )

"""An input in, the report's figures out: each with its SVG for the page, its files, its data, and its numbers in words."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

import pandas as pd
from markupsafe import Markup

from mitigation.figures import style
from mitigation.figures.chart import Chart
from mitigation.figures.conduct import conduct_chart
from mitigation.figures.detector import detector_chart
from mitigation.figures.forest import forest_chart
from mitigation.figures.heat import heat_chart
from mitigation.figures.missing import missing_chart
from mitigation.figures.onset import onset_chart
from mitigation.figures.power import power_chart
from mitigation.figures.rates import rates_chart
from mitigation.figures.trajectory import trajectory_chart
from mitigation.figures.tree import tree_chart
from mitigation.reporting.inputs import ReportInput
from mitigation.reporting.visible import flat

_SVG = "http://www.w3.org/2000/svg"
_LINK = "{http://www.w3.org/1999/xlink}href"
_DROPPED = {"metadata", "style"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One figure of the report."""

    name: str
    title: str
    caption: str
    alt: tuple[str, ...]
    svg: Markup
    files: dict[str, bytes]
    data: pd.DataFrame


def drawings(given: ReportInput) -> tuple[Drawing, ...]:
    """Return the figures that this study can fill."""
    analysis, messages = given.analysis, given.messages
    charts = (
        rates_chart(analysis),
        forest_chart(analysis),
        trajectory_chart(analysis, messages),
        onset_chart(analysis, messages),
        heat_chart(analysis),
        tree_chart(analysis, messages),
        conduct_chart(analysis, given.conduct),
        missing_chart(analysis),
        detector_chart(given.described),
        power_chart(analysis),
    )
    return tuple(drawing(chart, simulated=given.simulated) for chart in charts if chart is not None)


def drawing(chart: Chart, *, simulated: bool) -> Drawing:
    """Return a figure as a report needs it."""
    caption, data = chart.caption, chart.data
    if simulated:
        style.mark(chart.figure, "SIMULATED")
        caption, data = f"SIMULATED data. {caption}", data.assign(simulated=True)
    svg = style.render(chart.figure, "svg", title=chart.title)
    chart.figure.set_layout_engine("none")  # as it was laid out for the first: laying out takes most of a rendering
    files = {"svg": svg, "png": style.render(chart.figure, "png")}
    return Drawing(
        name=chart.name,
        title=chart.title,
        caption=caption,
        alt=chart.alt,
        svg=inline(files["svg"], chart.name, f"{chart.title}. {' '.join(chart.alt)}"),
        files=files,
        data=data,
    )


def inline(svg: bytes, name: str, alt: str) -> Markup:
    """Return an SVG for a page whose policy forbids styles: attributes in their place, ids of its own, an alt text."""
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(svg)  # noqa: S314 (our own figure; its labels are escaped text)
    _prune(root)
    for node in root.iter():
        for rule in filter(None, (part.strip() for part in node.attrib.pop("style", "").split(";"))):
            key, _, value = rule.partition(":")
            node.set(key.strip(), "inherit" if key.strip() == "font-family" else value.strip())
        if "id" in node.attrib:
            node.set("id", f"{name}-{node.get('id')}")
        for key in (_LINK, "clip-path"):
            if key in node.attrib:
                node.set("href" if key == _LINK else key, node.attrib.pop(key).replace("#", f"#{name}-"))
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib.update({"role": "img", "aria-label": flat(alt), "stroke-linejoin": "round", "stroke-linecap": "butt"})
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 (serialised, so escaped)


def _prune(root: ElementTree.Element) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rpartition("}")[2] in _DROPPED:
                parent.remove(child)

"""An input in, the report's figures out: each with its SVG for the page, its files, its data, and its numbers in words."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from mitigation.figures import crowded, forest, forest_data, rates, rates_data, rows, style, trajectory, trajectory_data, wording
from mitigation.reporting.inputs import ReportInput
from mitigation.reporting.visible import flat

_SVG = "http://www.w3.org/2000/svg"
_LINK = "{http://www.w3.org/1999/xlink}href"
_DROPPED = {"metadata", "style"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What is said about one figure."""

    name: str
    title: str
    caption: str
    alt: tuple[str, ...]


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
    found = [_rates(given), _forest(given)]
    if messages is not None and not messages.empty:
        data = trajectory_data(analysis, messages)
        caption = (
            "Share of an arm’s battles whose message with this number holds an in-group “we”. "
            "Below the axis: battles that have such a message."
        )
        text = Text(name="trajectory", title="Over the battle", caption=caption, alt=trajectory_alt(data))
        found.append(_drawing(given, text, trajectory(analysis, messages), data))
    return tuple(found)


def _rates(given: ReportInput) -> Drawing:
    points = "The area of a small point shows how many battles" if crowded(given.analysis) else "Each small point is one battle"
    caption = (
        f"{points}; the large mark is the arm’s rate with its 95% interval. "
        "An arm’s rate uses all its battles; the rates of a contrast are weighted over the strata that both arms share."
    )
    text = Text(name="rates", title="Rate by arm", caption=caption, alt=rates_alt(given))
    return _drawing(given, text, rates(given.analysis), rates_data(given.analysis))


def _forest(given: ReportInput) -> Drawing:
    caption = "Left of 1, fewer than under control. An arrow marks an end that the data do not bound."
    text = Text(name="forest", title="Effect of each treatment", caption=caption, alt=forest_alt(given))
    return _drawing(given, text, forest(given.analysis, verdicts=not given.interim), forest_data(given.analysis))


def _drawing(given: ReportInput, text: Text, figure: Figure, data: pd.DataFrame) -> Drawing:
    caption = text.caption
    if given.simulated:
        style.mark(figure, "SIMULATED")
        caption, data = f"SIMULATED data. {caption}", data.assign(simulated=True)
    files = {"svg": style.render(figure, "svg", title=text.title), "png": style.render(figure, "png")}
    return Drawing(
        name=text.name,
        title=text.title,
        caption=caption,
        alt=text.alt,
        svg=inline(files["svg"], text.name, f"{text.title}. {' '.join(text.alt)}"),
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


def rates_alt(given: ReportInput) -> tuple[str, ...]:
    """Say every arm's rate, interval and n."""
    per, found = given.analysis.plan.rate, []
    for arm in rows.arms(given.analysis):
        ends = (
            f", 95% interval {wording.rate(arm.rate_low, per)} to {wording.rate(arm.rate_high, per)}"
            if arm.rate_low is not None
            else ", no interval: its battles do not differ enough in number or in rate to give one"
        )
        value = wording.NOT_ESTIMABLE if arm.rate is None else wording.rate(arm.rate, per) + ends
        found.append(f"{arm.arm}: {value}, {wording.counted(arm.scored, 'scored battle')}.")
    return tuple(found) or ("There is no arm to show.",)


def forest_alt(given: ReportInput) -> tuple[str, ...]:
    """Say every treatment's rate ratio and interval, and its verdict unless the study is unfinished."""
    found = []
    for row in rows.primary(given.analysis):
        value = f"{row.treatment}: rate ratio {wording.ratio(row.rate_ratio)}"
        ends = wording.interval(row.ratio_low, row.ratio_high)
        value += "" if ends == wording.NOT_ESTIMABLE else f", 95% interval {ends}"
        found.append(f"{value}." if given.interim else f"{value}; {wording.verdict(row.verdict).title.lower()}.")
    return tuple(found) or ("There is no contrast to show.",)


def trajectory_alt(data: pd.DataFrame) -> tuple[str, ...]:
    """Say every arm's share at its first and last message."""
    found = []
    for arm, own in data.groupby("arm", sort=False):
        n_with, at_risk = [str(n) for n in own["n_with"]], own["n_at_risk"]
        if at_risk.nunique() == 1:
            shares = f"{wording.listed(n_with if len(n_with) <= 12 else [*n_with[:11], '…'])} of {at_risk.iloc[0]} battles"
        else:
            pairs = [f"{n} of {m}" for n, m in zip(n_with, at_risk, strict=True)]
            shares = wording.listed(pairs if len(pairs) <= 12 else [*pairs[:11], "…"])
        found.append(f"{arm}, message {own['index'].min()} to {own['index'].max()}: {shares}.")
    return tuple(found) or ("There is no message to show.",)

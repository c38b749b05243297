"""The look of every figure, and how a Figure becomes SVG and PNG bytes that are the same on every run."""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

# Okabe and Ito's colours in the order of their contrast to white; black is kept for control, yellow comes last.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
MARKERS: Final = ("s", "^", "D", "v", "P", "X", "p")
CONTROL: Final = "#000000"
INK: Final = "#1b1b1b"
QUIET: Final = "#5c5c5c"
GRID: Final = "#e3e3e3"
WIDTH: Final = 5.4
MOST_ARMS: Final = 24
_DASHES: Final = ("solid", (0, (5, 1.5)), (0, (2, 1.2)), (0, (6, 1.5, 1.5, 1.5)))

Dash = Literal["solid"] | tuple[int, tuple[float, ...]]


class Look(NamedTuple):
    """Colour, marker and dash of an arm: any one of them tells it apart in a small figure."""

    colour: str
    marker: str
    dash: object


def looks(arms: Sequence[str], control: str) -> dict[str, Look]:
    """Return the look of each arm; it depends only on the order of the arms."""
    found: dict[str, Look] = {}
    others = [arm for arm in dict.fromkeys(arms) if arm != control]
    for place, arm in enumerate(others):
        turn = place % len(COLOURS)
        found[arm] = Look(COLOURS[turn], MARKERS[turn], _DASHES[(1 + place) % len(_DASHES)])
    found[control] = Look(CONTROL, "o", "solid")
    return found


def label(value: object, longest: int = 40) -> str:
    """Return text that matplotlib draws as it stands: no mathematics, no line breaks, nothing invisible, not too long."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value))
    shown = shown if len(shown) <= longest else shown[: longest - 1] + "…"
    return shown.replace("\\", "\\\\").replace("$", r"\$") if "$" in shown else shown


def middle(value: object, longest: int) -> str:
    """Return a label that is cut in the middle, where names of a series differ least."""
    whole = str(value)
    half = (longest - 1) // 2
    return label(whole if len(whole) <= longest else f"{whole[: longest - 1 - half]}…{whole[-half:]}", longest)


@contextlib.contextmanager
def theme() -> Iterator[None]:
    """Draw inside this context: seaborn's ticks style in our colours, without touching the caller's settings."""
    settings = {
        **sns.axes_style("ticks"),
        **sns.plotting_context("paper", font_scale=1.1),
        "font.family": ["DejaVu Sans"],
        "axes.edgecolor": "#8a8a8a",
        "axes.labelcolor": INK,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": GRID,
        "grid.linewidth": 0.8,
        "text.color": INK,
        "xtick.color": "#8a8a8a",
        "ytick.color": "#8a8a8a",
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "text.usetex": False,
        "axes.formatter.use_mathtext": False,
        "path.simplify": False,
    }
    with mpl.rc_context(settings):
        yield


class NotebookFigure(Figure):
    """A figure that a notebook shows by itself, without pyplot."""

    def _repr_png_(self) -> bytes:
        return render(self, "png")


def blank(height: float) -> Figure:
    """Return a figure without axes; it is tied to no window and to no global state of pyplot."""
    figure = NotebookFigure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def new(height: float, *, rows: int = 1, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """Return an empty figure and its axes in reading order."""
    figure = blank(height)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    return figure, [axes for line in grid for axes in line]


def row_label(axes: Axes, place: int, name: str, sizes: str) -> None:
    """Write an arm's name and, under it, its sizes left of its row: two texts, so that both end at the axis."""
    for words, shift, colour in ((label(name, 26), 6, INK), (sizes, -7, QUIET)):
        axes.annotate(
            words, (0, place), xycoords=("axes fraction", "data"), xytext=(-8, shift), textcoords="offset points",
            ha="right", va="center", color=colour, annotation_clip=False,
        )  # fmt: skip


def whole_ticks(last: int, most: int) -> list[int]:
    """Return whole numbers from 1 to `last`, evenly spaced, no more than about `most`."""
    return list(range(1, last + 1, max(1, math.ceil(last / most))))


def nothing(axes: Axes, words: str) -> None:
    """Say inside the axes that there is nothing to draw."""
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=QUIET)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def mark(figure: Figure, words: str) -> Figure:
    """Write a watermark across the figure, behind nothing and over nothing that is hard to read."""
    look = FontProperties(weight="bold", size=40)
    figure.text(0.5, 0.5, label(words), ha="center", va="center", rotation=20, fontproperties=look, color="#b00020", alpha=0.16)
    return figure


def render(figure: Figure, form: Literal["svg", "png"], *, title: str = "") -> bytes:
    """Return the figure as SVG or PNG; the bytes depend on the figure alone, not on the date, the run or the version's name."""
    buffer = io.BytesIO()
    metadata: dict[str, str | None] = {"Software": None}
    if form == "svg":
        metadata = {"Date": None, "Creator": None} | ({"Title": title} if title else {})
    with mpl.rc_context({"svg.hashsalt": "mitigation", "svg.fonttype": "none"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(buffer, format=form, dpi=200, metadata=metadata, facecolor="white")
    return buffer.getvalue()

"""What a report shows of one figure: the drawing, what it says in words and numbers, and its data."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One figure.

    Attributes:
        name: name of its files.
        title: its heading.
        caption: how to read it, and what it does not say.
        alt: its numbers in words, a line each.
        figure: the drawing.
        data: what is drawn.
    """

    name: str
    title: str
    caption: str
    alt: tuple[str, ...]
    figure: Figure
    data: pd.DataFrame

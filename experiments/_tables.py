"""Rows in, a table for a terminal out: as wide as the terminal, or as wide as it needs to be where it goes into a file."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def drawn(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], *, names: int = 1, left: Sequence[str] = ()) -> str:
    """Return the table; the first `names` columns hold names, those in `left` words, the others numbers."""
    # A name that is cut short names nothing: give the table the room that it needs.
    console = Console(file=io.StringIO(), width=None if sys.stdout.isatty() else 200)
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE)
    for place, heading in enumerate(headings):
        words = place < names or heading in left
        table.add_column(heading, overflow="fold", no_wrap=place < names, justify="left" if words else "right")
    for row in rows:
        table.add_row(*map(Text, row))
    with console.capture() as captured:
        console.print(table)
    return captured.get()

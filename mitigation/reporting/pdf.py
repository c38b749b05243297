"""A document in, the report on paper out; the numbers are those of the page, the bytes the same every time."""

from __future__ import annotations

import json
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from mitigation.reporting.document import Document
from mitigation.reporting.printed import Part
from mitigation.reporting.visible import flat


def pdf(told: Document) -> bytes:
    """Return the report as PDF: without transcripts, which are for the page."""
    import matplotlib as mpl
    import typst

    # The fonts of the figures come with matplotlib, so that no machine has others.
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "figures").mkdir()
        for drawing in told.figures:
            (root / "figures" / f"{drawing.name}.svg").write_bytes(drawing.files["svg"])
        (root / "data.json").write_text(json.dumps(_shown(_data(told))), "ascii")
        (root / "report.typ").write_text(files(__package__).joinpath("report.typ").read_text("utf-8"), "utf-8")
        made: bytes = typst.compile(root / "report.typ", root=root, font_paths=[fonts], ignore_system_fonts=True)
    return made


def _data(told: Document) -> dict[str, Any]:
    """Return everything that is printed."""
    names = ("title", "study", "simulated", "question", "answer", "notes", "limits", "methods", "apa", "citation", "provenance")
    return {name: getattr(told, name) for name in names} | {
        "banners": [words for _, words in told.banners],
        "cards": [
            {"verdict": card.verdict.title}
            | {name: getattr(card, name) for name in ("treatment", "study", "role", "effect", "evidence", "reasons")}
            for card in told.cards
        ],
        "figures": [
            {"name": d.name, "title": d.title, "caption": d.caption, "alt": f"{d.title}. {' '.join(d.alt)}"} for d in told.figures
        ],
        "before": [_part(part) for part in told.before],
        "after": [_part(part) for part in told.after],
    }


def _part(part: Part) -> dict[str, Any]:
    tables = [
        {
            "title": table.title, "about": table.about, "heads": table.heads, "lines": table.lines,
            "left": [place in table.worded for place in range(len(table.heads))],
        }
        for table in part.tables
    ]  # fmt: skip
    return {"title": part.section, "about": part.about, "facts": part.facts, "tables": tables}


def _shown(value: Any) -> Any:
    """Show hidden characters of every text as their codes, as on the page."""
    if isinstance(value, str):
        return flat(value)
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, (list, tuple)) else value

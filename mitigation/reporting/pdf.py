"""An input and its drawings in, the report on paper out; the numbers are those of the page, the bytes the same every time."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from mitigation.descriptions import Section
from mitigation.reporting import sentences
from mitigation.reporting.drawings import Drawing
from mitigation.reporting.html import Card, cards
from mitigation.reporting.inputs import ReportInput, banners, remarks
from mitigation.reporting.limits import limits
from mitigation.reporting.printed import Part, parts
from mitigation.reporting.visible import flat


def pdf(given: ReportInput, drawn: Sequence[Drawing]) -> bytes:
    """Return the report as PDF: without transcripts, which are for the page."""
    import matplotlib as mpl
    import typst

    # The fonts of the figures come with matplotlib, so that no machine has others.
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "figures").mkdir()
        for drawing in drawn:
            (root / "figures" / f"{drawing.name}.svg").write_bytes(drawing.files["svg"])
        (root / "data.json").write_text(json.dumps(_shown(_data(given, drawn))), "ascii")
        (root / "report.typ").write_text(files(__package__).joinpath("report.typ").read_text("utf-8"), "utf-8")
        made: bytes = typst.compile(root / "report.typ", root=root, font_paths=[fonts], ignore_system_fonts=True)
    return made


def _data(given: ReportInput, drawn: Sequence[Drawing]) -> dict[str, Any]:
    """Return everything that is printed."""
    return {
        "title": f"{'SIMULATED: ' if given.simulated else ''}{given.analysis.study}: {given.question}",
        "study": given.analysis.study,
        "simulated": given.simulated,
        "question": given.question,
        "banners": [words for _, words in banners(given)],
        "answer": sentences.answer(given),
        "cards": [_card(given, card) for card in cards(given)],
        "notes": remarks(given),
        "limits": limits(given),
        "figures": [
            {"name": d.name, "title": d.title, "caption": d.caption, "alt": f"{d.title}. {' '.join(d.alt)}"} for d in drawn
        ],
        "parts": [_part(part) for part in parts(given)],
        "methods": sentences.methods(given),
        "apa": sentences.apa_all(given),
        "citation": given.citation,
        "provenance": list(given.provenance.items()),
    }


def _part(part: Part) -> dict[str, Any]:
    tables = [
        {
            "title": table.title, "about": table.about, "heads": table.heads, "lines": table.lines,
            "left": [place in table.worded for place in range(len(table.heads))],
        }
        for table in part.tables
    ]  # fmt: skip
    return {
        "design": part.section is Section.DESIGN,
        "title": part.section,
        "about": part.about,
        "facts": part.facts,
        "tables": tables,
    }


def _card(given: ReportInput, card: Card) -> dict[str, Any]:
    words = {"verdict": card.verdict.title, "treatment": card.row.treatment, "role": card.role, "effect": card.effect}
    return words | {"evidence": card.evidence, "reasons": () if given.interim else card.row.reasons}


def _shown(value: Any) -> Any:
    """Show hidden characters of every text as their codes, as on the page."""
    if isinstance(value, str):
        return flat(value)
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, (list, tuple)) else value

"""Contrasts, figures and transcripts in; reports/<study>/ out: report.html, .md and .pdf, verdict.json, tables/ and figures/.

Everything is rendered before anything is written, and the folder is put in place as a whole: what stood there is either still
there or replaced. The same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mitigation.reporting.compared_tables import ComparedInput
from mitigation.reporting.inputs import ReportInput

if TYPE_CHECKING:
    import pandas as pd

    from mitigation.reporting.document import Document
    from mitigation.reporting.printed import Printed

__all__ = ["ComparedInput", "ReportInput", "write_comparison", "write_report"]


def write_report(inputs: ReportInput, folder: Path) -> Path:
    """Write the whole report of a study into `folder` and return the path of its page.

    Raises:
        StoreError: the folder cannot be written.
    """
    from mitigation.reporting.document import document
    from mitigation.reporting.drawings import drawings
    from mitigation.reporting.printed import printed
    from mitigation.reporting.tables import frames
    from mitigation.reporting.verdict import verdict_json

    told = document(inputs, drawings(inputs))
    return _written(folder, told, tables=printed(inputs), frames=frames(inputs), verdict=verdict_json(inputs))


def write_comparison(inputs: ComparedInput, folder: Path) -> Path:
    """Write the common report of several studies into `folder` and return the path of its page.

    Raises:
        StoreError: the folder cannot be written.
    """
    from mitigation.figures.studies import studies_chart
    from mitigation.reporting.compared import compared_document
    from mitigation.reporting.compared_tables import compared_frames, tables
    from mitigation.reporting.drawings import drawing
    from mitigation.reporting.verdict import compared_json

    drawn = drawing(studies_chart(inputs.comparison.analyses), simulated=inputs.simulated)
    told = compared_document(inputs, [drawn])
    return _written(folder, told, tables=tables(inputs), frames=compared_frames(inputs), verdict=compared_json(inputs))


def _written(
    folder: Path, told: Document, *, tables: Iterable[Printed], frames: Mapping[str, pd.DataFrame], verdict: bytes
) -> Path:
    from mitigation.reporting.folder import write_folder
    from mitigation.reporting.html import html
    from mitigation.reporting.latex import latex
    from mitigation.reporting.markdown import report_markdown
    from mitigation.reporting.pdf import pdf
    from mitigation.reporting.tables import csv_bytes, json_bytes

    files = {
        "report.html": html(told).encode("utf-8", "backslashreplace"),
        "report.md": report_markdown(told).encode("utf-8", "backslashreplace"),
        "report.pdf": pdf(told),
        "verdict.json": verdict,
    }
    for table in tables:
        files[f"tables/{table.name}.tex"] = latex(table, study=told.study, simulated=told.simulated).encode()
    for name, frame in frames.items():
        files[f"tables/{name}.csv"] = csv_bytes(frame)
        if f"tables/{name}.tex" in files:
            files[f"tables/{name}.json"] = json_bytes(frame)
    for drawing in told.figures:
        files |= {f"figures/{drawing.name}.{form}": content for form, content in drawing.files.items()}
        files[f"tables/figure_{drawing.name}.csv"] = csv_bytes(drawing.data)
    write_folder(folder, files)
    return folder / "report.html"

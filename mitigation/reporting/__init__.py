"""Contrasts, figures and transcripts in; reports/<study>/ out: report.html, .md and .pdf, verdict.json, tables/ and figures/."""

from __future__ import annotations

from pathlib import Path

from mitigation.reporting.inputs import ReportInput

__all__ = ["ReportInput", "write_report"]


def write_report(inputs: ReportInput, folder: Path) -> Path:
    """Write the whole report into `folder` and return the path of its page.

    Everything is rendered before anything is written, and the folder is put in place as a whole: what stood there is
    either still there or replaced. The same input gives the same bytes.

    Raises:
        StoreError: the folder cannot be written.
    """
    from mitigation.reporting.document import document
    from mitigation.reporting.drawings import drawings
    from mitigation.reporting.folder import write_folder
    from mitigation.reporting.html import html
    from mitigation.reporting.latex import latex
    from mitigation.reporting.markdown import report_markdown
    from mitigation.reporting.pdf import pdf
    from mitigation.reporting.printed import printed
    from mitigation.reporting.tables import csv_bytes, frames, json_bytes
    from mitigation.reporting.verdict import verdict_json

    drawn = drawings(inputs)
    told = document(inputs, drawn)
    files = {
        "report.html": html(told).encode("utf-8", "backslashreplace"),
        "report.md": report_markdown(told).encode("utf-8", "backslashreplace"),
        "report.pdf": pdf(told),
        "verdict.json": verdict_json(inputs),
    }
    study, simulated = inputs.analysis.study, inputs.simulated
    for table in printed(inputs):
        files[f"tables/{table.name}.tex"] = latex(table, study=study, simulated=simulated).encode()
    for name, frame in frames(inputs).items():
        files[f"tables/{name}.csv"] = csv_bytes(frame)
        if f"tables/{name}.tex" in files:
            files[f"tables/{name}.json"] = json_bytes(frame)
    for drawing in drawn:
        files |= {f"figures/{drawing.name}.{form}": content for form, content in drawing.files.items()}
        files[f"tables/figure_{drawing.name}.csv"] = csv_bytes(drawing.data)
    write_folder(folder, files)
    return folder / "report.html"

"""A printed table in, a LaTeX table for a paper out: booktabs, every text escaped, nothing that a TeX program would run."""

from __future__ import annotations

import unicodedata
from typing import Final

from mitigation.reporting.printed import Printed
from mitigation.reporting.visible import flat

_SPECIAL: Final = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}", "−": "$-$", "–": "--", "—": "---",
    "≤": r"$\le$", "≥": r"$\ge$", "×": r"$\times$", "±": r"$\pm$", "≈": r"$\approx$", "→": r"$\to$", "“": "``", "”": "''",
    "’": "'", "…": r"\ldots{}", "κ": r"$\kappa$", "α": r"$\alpha$", "π": r"$\pi$", "\N{NO-BREAK SPACE}": "~",
}  # fmt: skip


def latex(table: Printed, *, study: str, simulated: bool) -> str:
    """Return a table environment; it needs the packages booktabs and textcomp (in LaTeX since 2020) and nothing else."""
    caption = ". ".join(part.rstrip(".") for part in (table.title or table.section, *table.about) if part)
    marked = f"SIMULATED data. {caption}" if simulated else caption
    body = [" & ".join(escape(cell) for cell in line) + r" \\" for line in table.lines]
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{escape(marked)}. Study {escape(study)}.}}",
            rf"\label{{tab:{''.join(c if c.isascii() and c.isalnum() else '-' for c in table.name)}}}",
            r"\footnotesize",
            rf"\begin{{tabular}}{{{'l' + 'r' * (len(table.heads) - 1)}}}",
            r"\toprule",
            " & ".join(escape(head) for head in table.heads) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escape(text: str) -> str:
    """Return a text that every TeX program prints as it stands, on one line; a character it may not know as its code."""
    return "".join(_SPECIAL.get(sign) or _plain(sign) for sign in " ".join(flat(text).split()))


def _plain(sign: str) -> str:
    if sign.isascii() or (unicodedata.category(sign)[0] == "L" and ord(sign) < 0x180):
        return sign
    return rf"\texttt{{U+{ord(sign):04X}}}"

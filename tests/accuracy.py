"""`make accuracy`: the detector against the labelled set that its rules were written on, beside the simplest baseline.

A fit, not an accuracy: messages nobody had read are needed for that, and what they gave stands in the README.
"""

from __future__ import annotations

import csv
from pathlib import Path

from mitigation.detectors import find_we
from mitigation.types import LABELS

DATA = Path(__file__).parent / "data" / "we" / "dev.csv"


def main() -> None:
    """Print a Markdown table."""
    truth: dict[tuple[str, int], str] = {}
    found: dict[tuple[str, int], str] = {}
    with DATA.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if int(row["mention_idx"]) >= 0:
            truth[row["id"], int(row["start"])] = row["label"]
    for name, (text, context) in {row["id"]: (row["text"], row["context"]) for row in rows}.items():
        found |= {(name, mention.start): mention.label for mention in find_we(text, context)}
    print(f"{len(truth)} labelled mentions, {len(found)} found; the last column calls every mention so\n")
    print("| label | n | precision | recall | F1 | baseline F1 |\n|---|---|---|---|---|---|")
    for label in LABELS:
        real = {key for key, value in truth.items() if value == label}
        said = {key for key, value in found.items() if value == label}
        right = len(real & said)
        precision, recall = right / max(len(said), 1), right / max(len(real), 1)
        score = 2 * right / max(len(real) + len(said), 1)
        baseline = 2 * len(real) / (len(truth) + len(real))
        print(f"| {label} | {len(real)} | {precision:.3f} | {recall:.3f} | {score:.3f} | {baseline:.3f} |")


if __name__ == "__main__":
    main()

"""A linear model over words round a mention, and over a whole message: whole numbers in weights.json, added up.

The rules go into it with a weight like every other sign. `make train` makes the file from labelled messages; `make accuracy`
shows how well that does on authors left out. Nothing in the file is code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mitigation.detectors.features import Feature

FILE: Final = Path(__file__).with_name("weights.json")
ACCURACY: Final = Path(__file__).with_name("accuracy.json")
_SHOWN: Final = 3


class Linear:
    """Weights of one model.

    Attributes:
        labels: what it tells apart, or the labels that it decides on one by one.
        bias: (labels,) sums before any sign, in thousandths of a logit: weights are hundredths, amounts of features tenths.
        thresholds: (labels,) sums from which a label holds, where each is decided on its own.
    """

    def __init__(self, stored: dict[str, Any]) -> None:
        self.labels: tuple[str, ...] = tuple(stored["labels"])
        self.bias: npt.NDArray[np.int64] = np.array(stored["bias"], dtype=np.int64)
        self.thresholds: npt.NDArray[np.int64] = np.array(stored.get("thresholds", [0] * len(self.labels)), dtype=np.int64)
        self._rows: dict[str, dict[str, int]] = {}
        table: list[list[int]] = []
        for kind, values in stored["weights"].items():
            rows = self._rows[kind] = {}
            for value, weights in values.items():
                rows[value] = len(table)
                table.append(weights)
        self._table: npt.NDArray[np.int64] = np.array(table, dtype=np.int64).reshape(len(table), len(self.labels))

    def sums(self, features: Iterable[Feature]) -> npt.NDArray[np.int64]:
        """Return (labels,) the weighted sum of what is known of the features; the same on every machine."""
        places: list[int] = []
        amounts: list[int] = []
        kinds = self._rows
        for kind, amount, values in features:
            rows = kinds.get(kind)
            if rows is not None:
                known = [rows[value] for value in values if value in rows]
                places += known
                amounts += [amount] * len(known)
        if not places:
            return self.bias
        return self.bias + np.array(amounts, dtype=np.int64) @ self._table[places]

    def strongest(self, features: Iterable[Feature], label: str, other: str) -> list[str]:
        """Return the words that speak most for one label against another."""
        one, two = self.labels.index(label), self.labels.index(other)
        worth: dict[str, int] = {}
        for kind, amount, values in features:
            rows = self._rows.get(kind, {}) if kind not in ("rule", "reason", "earlier", "form") else {}
            for value in values:
                if value in rows:
                    row = self._table[rows[value]]
                    worth[value] = worth.get(value, 0) + amount * int(row[one] - row[two])
        return sorted((word for word in worth if worth[word] > 0), key=lambda word: (-worth[word], word))[:_SHOWN]


def accuracy() -> dict[str, Any]:
    """Return how the detector did on authors that it was not fitted to: counts, and precision, recall and F1 by label."""
    found: dict[str, Any] = json.loads(ACCURACY.read_text("utf-8"))
    return found


@cache
def models() -> tuple[Linear, Linear]:
    """Return the model of mentions and the model of messages."""
    stored = json.loads(FILE.read_text("utf-8"))
    return Linear(stored["mentions"]), Linear(stored["messages"])

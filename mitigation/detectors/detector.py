"""The rules and weights of this package as a detector: the same labels every time, without any language model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mitigation.detectors.base import digest_of
from mitigation.detectors.behaviours import evidence, label_turn
from mitigation.detectors.lexical import find_we
from mitigation.detectors.model import FILE
from mitigation.types import Detection


@dataclass(frozen=True, slots=True)
class LexicalDetector:
    """Finds mentions and labels by rules, weighed with the words around."""

    name: str = "lexical"
    version: str = "2"

    @property
    def digest(self) -> str:
        """SHA-256 over the sources of this package's rules and the weights."""
        return _digest()

    def detect(self, text: str, context: str, index: int) -> Detection:
        """Judge message `index` with text `text`; `context` is the other agent's message before it ("" if none)."""
        labels = label_turn(text, context)
        shown = evidence(text, labels)
        return Detection(index=index, mentions=tuple(find_we(text, context)), labels=labels, evidence=shown)


@cache
def _digest() -> str:
    return digest_of([*sorted(Path(__file__).parent.glob("*.py")), FILE])

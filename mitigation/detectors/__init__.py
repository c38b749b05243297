"""Detectors: a message goes in, typed mentions of "we" and the labels of the message come out.

The names are looked up on first use, since compiling the rules takes a moment and `import mitigation` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mitigation.detectors.behaviours import LABELS_OF_TURN as LABELS_OF_TURN
    from mitigation.detectors.behaviours import label_turn as label_turn
    from mitigation.detectors.detector import LexicalDetector as LexicalDetector
    from mitigation.detectors.lexical import find_we as find_we

_HOMES: Final = {
    "find_we": "mitigation.detectors.lexical",
    "label_turn": "mitigation.detectors.behaviours",
    "LABELS_OF_TURN": "mitigation.detectors.behaviours",
    "LexicalDetector": "mitigation.detectors.detector",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

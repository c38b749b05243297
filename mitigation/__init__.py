"""Does a unique, disassociative identity keep two AI agents from becoming a "we"? Battles, detection, statistics, reports.

    find_we(text, context="")      every first-person plural of a message, with who is meant and why
    label_turn(text, context="")   what else a message does
    analyse(table, control=...)    contrasts and verdicts of a table of messages from anywhere
    plan, run, detect, load, report   the stages of a study, as the command line runs them
    compare(studies)               several studies in one report

Names are looked up on first use, so that `import mitigation` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mitigation.analysis import Analysis as Analysis
    from mitigation.analysis import analyse as analyse
    from mitigation.api import compare as compare
    from mitigation.api import plan as plan
    from mitigation.api import report as report
    from mitigation.api import run as run
    from mitigation.detectors import find_we as find_we
    from mitigation.detectors import label_turn as label_turn
    from mitigation.studies import detect as detect
    from mitigation.studies import load as load

_HOMES = {
    "Analysis": "mitigation.analysis",
    "analyse": "mitigation.analysis",
    "compare": "mitigation.api",
    "detect": "mitigation.studies",
    "find_we": "mitigation.detectors",
    "label_turn": "mitigation.detectors",
    "load": "mitigation.studies",
    "plan": "mitigation.api",
    "report": "mitigation.api",
    "run": "mitigation.api",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]

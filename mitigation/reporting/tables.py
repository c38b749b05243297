"""Frames in; CSV bytes that no spreadsheet runs as formulas, JSON, and escaped Markdown tables out."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import pandas as pd

from mitigation.figures import rows
from mitigation.figures.wording import MINUS, decimal, p_cell
from mitigation.plain import strict
from mitigation.reporting import cost, design
from mitigation.reporting.inputs import ReportInput
from mitigation.reporting.moves import stored
from mitigation.reporting.visible import flat
from mitigation.types import Turn

_UNSEEN: Final = r"\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_FORMULA: Final = re.compile(rf"[\t\r]|[{_UNSEEN}]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_MARKDOWN: Final = re.compile(r"([\\`*{}\[\]<>|~&$@]|(?<!\w)_|_(?!\w)|:(?=//)|^[#+=-]|(?<=^\d)[.)](?=\s))")

CONTRASTS: Final = [
    "outcome", "control", "treatment", "n_control", "n_treatment", "rate_control", "rate_treatment",
    "rate_ratio", "ratio_low", "ratio_high", "risk_difference", "rd_low", "rd_high",
    "p_value", "p_adjusted", "test", "verdict", "reasons",
]  # fmt: skip
MENTIONS: Final = ["battle_id", "arm", "index", "agent", "label", "tier", "start", "end", "text", "reason"]


def cell(value: object) -> object:
    """Return a value for a CSV cell: a text that a spreadsheet would run gets a leading apostrophe; numbers stay numbers."""
    if isinstance(value, (list, tuple)):
        value = "; ".join(str(item) for item in value)
    if not isinstance(value, str):
        return value
    shown = _CONTROL.sub(lambda match: flat(match.group()), value)
    return f"'{shown}" if _FORMULA.match(value) else shown


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return a frame as CSV in UTF-8; a missing value is an empty cell."""
    columns = {cell(str(name)): _safe(frame.iloc[:, place]) for place, name in enumerate(frame.columns)}
    safe = pd.DataFrame(columns, index=frame.index)
    return safe.to_csv(index=False, lineterminator="\n").encode("utf-8", "backslashreplace")


def _safe(column: pd.Series) -> pd.Series:
    """Return a column with every text made safe; a text that stands there often is looked at once."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column
    values = column.tolist()
    known = {value: cell(value) for value in {value for value in values if isinstance(value, str)}}
    return pd.Series(
        [known[value] if isinstance(value, str) else cell(value) for value in values], index=column.index, dtype=object
    )


def json_bytes(frame: pd.DataFrame) -> bytes:
    """Return a frame as a JSON list of rows, in ASCII; a missing value is null."""
    return json.dumps(strict(frame), indent=1, allow_nan=False).encode() + b"\n"


def frames(given: ReportInput) -> dict[str, pd.DataFrame]:
    """Return the tables of a report by file name, without the figures' own."""
    analysis = given.analysis
    contrasts = analysis.contrasts.reindex(columns=[*CONTRASTS, *(c for c in analysis.contrasts.columns if c not in CONTRASTS)])
    found = {
        "contrasts": contrasts.assign(simulated=given.simulated),
        "design": design.frame(given),
        "arms": analysis.arms,
        "battles": analysis.battles,
        "missingness": analysis.missingness,
    }
    if given.messages is not None:
        found["messages"] = given.messages
    if given.transcripts:
        found["mentions"] = mentions(given)
        found["cost"] = cost.frame(given)
    if given.form is not None:
        found["flags"] = given.form
    if given.manipulation is not None:
        found["manipulation_answers"], found["manipulation_arms"] = given.manipulation
    if given.mechanism is not None:
        found["treatment_against"] = given.mechanism
    if given.wordings is not None:
        found["wordings"], found["wordings_arms"] = given.wordings
    return found | {table.name: table.frame for table in given.described} | stored(given)


def mentions(given: ReportInput) -> pd.DataFrame:
    """Return one row per detected mention of every battle, shown in the page or not."""
    found = [
        (battle.battle_id, battle.identity, detection.index, _agent(battle.turns, detection.index), *values)
        for battle in given.transcripts
        for detection in given.detections.get(battle.battle_id, ())
        for values in ((m.label, m.tier, m.start, m.end, m.text, m.reason) for m in detection.mentions or ())
    ]
    return pd.DataFrame(found, columns=MENTIONS)


def _agent(turns: Sequence[Turn], index: int) -> str:
    return next((turn.agent for turn in turns if turn.index == index), "")


def escape(text: object) -> str:
    """Return text that Markdown prints as it stands, on one line: no link, no image, no markup, no address made live."""
    line = " ".join(flat(str(text)).split())
    return _MARKDOWN.sub(r"\\\1", line).replace("www.", "www\\.")


def markdown(heads: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    body = [f"| {' | '.join(escape(value) for value in line)} |" for line in lines]
    return "\n".join([f"| {' | '.join(escape(head) for head in heads)} |", f"|{'---|' * len(heads)}", *body])


def generic(frame: pd.DataFrame, *, names: Collection[str] = ()) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return heads and printed cells of any frame, for tables whose columns the page does not know.

    Args:
        frame: the table.
        names: columns that are the names of something, such as arms, and are printed as they are.
    """
    heads = tuple(flat(str(name)) if name in names else _head(str(name)) for name in frame.columns)
    return heads, tuple(tuple(_printed(name, value) for name, value in row.items()) for row in rows.records(frame))


def _head(name: str) -> str:
    shown = flat(name.replace("_", " "))
    return shown if name.startswith("p_") else f"{shown[:1].upper()}{shown[1:]}"


def _printed(name: str, value: object) -> str:
    if isinstance(value, (list, tuple)):
        return flat("; ".join(str(item) for item in value))
    if isinstance(value, (bool, str)):
        return flat(str(value))
    found = rows.number(value)
    if found is None:
        return "–"
    if name.startswith("p_"):
        return p_cell(found)
    return f"{found:,.0f}".replace("-", MINUS) if found == round(found) else decimal(found, 3)

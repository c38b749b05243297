"""A document in, one offline HTML page out: all text escaped, no style or script allowed but its own."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from mitigation.figures import wording
from mitigation.reporting.document import Document
from mitigation.reporting.transcripts import MENTION_LABELS
from mitigation.reporting.visible import flat, pieces

MENTION_MEANINGS: Final = (
    ("in-group", "includes both agents: this counts"),
    ("opponents", "both, purely as adversaries"),
    ("own side", "without the other agent"),
    ("generic", "people at large"),
    ("quoted", "words of somebody else"),
    ("other", "none of these"),
)


def html(told: Document) -> str:
    """Return the page."""
    style, script = _asset("style.css"), _asset("viewer.js")
    return _template().render(
        told=told,
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (our own file)
        labels=MENTION_LABELS,
        meanings=MENTION_MEANINGS,
        w=wording,
    )


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    allowed = f"style-src '{source_hash(style)}'; script-src '{source_hash(script)}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def source_hash(content: str) -> str:
    """Return what a content security policy allows a style or a script of the page by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_finalize
    )
    environment.filters["pieces"] = pieces
    return environment.from_string(_asset("template.html.j2"))


def _finalize(value: object) -> object:
    """Show hidden characters of every text that reaches the page."""
    return flat(value) if isinstance(value, str) and not isinstance(value, Markup) else value

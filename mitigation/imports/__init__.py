"""Transcripts of other tools in, battles of ours out: one module a format, and the one way from there into a study."""

from __future__ import annotations

from mitigation.imports.base import Heard, Source
from mitigation.imports.reading import FORMATS, read

__all__ = ["FORMATS", "Heard", "Source", "read"]

"""What labels mean and by which keys they are given, in; the page for labelling and the policy that it is sent under, out.

The page holds no message: those come one by one, and its script puts them in as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Final, NamedTuple

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from mitigation.detectors import LABELS_OF_TURN
from mitigation.judge.rubric import MEANINGS
from mitigation.labels import NONE
from mitigation.reporting.html import source_hash
from mitigation.reporting.transcripts import MENTION_LABELS
from mitigation.types import Tier


class Kind(NamedTuple):
    """A label of a mention, its key, and what it means in a few words."""

    key: str
    label: str
    tier: Tier | None
    meaning: str

    @property
    def name(self) -> str:
        """The label as the report calls it."""
        known = MENTION_LABELS.get(self.label, "no we")
        return known if self.tier is None else f"{known}, {self.tier}"


class Behaviour(NamedTuple):
    """A label of a message, its key, and what it means in a few words."""

    key: str
    label: str
    meaning: str

    @property
    def name(self) -> str:
        """The label in words."""
        return self.label.replace("_", " ").replace("ai ", "AI ")


KINDS: Final = (
    Kind("i", "ingroup", "dyadic", "you and I, the two who talk: plans, draws, let's"),
    Kind("s", "ingroup", "social", "you and I as members of a group that the sentence names or presupposes: we assistants"),
    Kind("o", "opponent_frame", None, "both, purely as adversaries: may the best of us win; what the score between us is"),
    Kind("e", "exclusive", None, "the speaker and others, without the one who is addressed: we at the lab"),
    Kind("g", "generic", None, "people at large, or the reader taken along: as we all know, let's be honest"),
    Kind("q", "quoted", None, "somebody else's words, or the word itself"),
    Kind("x", "other", None, "none of these: the royal we, the nurse's, “give us” for “give me”"),
    Kind("n", NONE, None, "not the pronoun: US dollars, names of works and brands, a French nous"),
)

# People and judges are given the same meanings.
BEHAVIOURS: Final = tuple(
    Behaviour(key, label, MEANINGS[label]) for key, label in zip("1234567890thucdbfr", LABELS_OF_TURN, strict=True)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page as it is sent, and its content security policy."""

    content: bytes
    policy: str


def page(annotator: str, rater: str | None = None) -> Page:
    """Return the page of an annotator; `rater` is whom a review compares with."""
    style, script = _asset("annotate.css"), _asset("annotate.js")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    content = environment.from_string(_asset("page.html")).render(
        annotator=annotator,
        rater=rater,
        kinds=KINDS,
        behaviours=BEHAVIOURS,
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (our own file)
    )
    policy = (
        f"default-src 'none'; style-src '{source_hash(style)}'; script-src '{source_hash(script)}'; connect-src 'self'; "
        # The empty icon, without which a browser asks for one.
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Page(content=content.encode(), policy=policy)


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")

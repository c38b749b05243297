"""What the transcript viewer shows, as values: blocks of battles, their messages and the mentions in these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mitigation.reporting.visible import Piece
from mitigation.types import Mention


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A run of a message: inside one mention, or between mentions."""

    pieces: tuple[Piece, ...]
    mention: Mention | None


class MoveView(NamedTuple):
    """What a message of a game states: legal, illegal or missing, and in words."""

    state: str
    words: str


class AnswerView(NamedTuple):
    """One private answer, and how many of its characters a page leaves out."""

    agent: str
    pieces: tuple[Piece, ...]
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """One message as shown; `left_out` counts the characters beyond the longest text that a page holds."""

    index: int
    anchor: str
    agent: str
    seat: int
    segments: tuple[Segment, ...]
    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    ingroup: bool
    unjudged: bool
    move: MoveView | None
    long: bool
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BattleView:
    """One battle as shown; `answers` are those that its agents gave in private afterwards."""

    battle_id: str
    anchor: str
    arm: str
    scenario: str
    ending: str
    error: str
    models: tuple[str, ...]
    messages: tuple[MessageView, ...]
    answers: tuple[AnswerView, ...]
    with_ingroup: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockView:
    """The battles of one block: the same scenario, pairing, opener and replicate under every arm; control first."""

    title: str
    battles: tuple[BattleView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """What the transcript section holds, of how many battles, and what it can be filtered by."""

    blocks: tuple[BlockView, ...]
    shown: int
    total: int
    arms: tuple[str, ...]
    scenarios: tuple[str, ...]
    endings: tuple[str, ...]
    labels: tuple[str, ...]

"""Transcripts and detections in, what the viewer shows out: blocks of battles, messages cut at their mentions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from mitigation.figures import rows
from mitigation.reporting.inputs import ReportInput
from mitigation.reporting.views import AnswerView, BattleView, BlockView, MessageView, MoveView, Segment, Viewer
from mitigation.reporting.visible import flat, pieces
from mitigation.types import Detection, Mention, Transcript, Turn

LONGEST: Final = 20_000
COLLAPSED: Final = 900
LONGEST_MOVE: Final = 60
TEXT_BUDGET: Final = 12_000_000

MENTION_LABELS: Final[dict[str, str]] = {
    "ingroup": "in-group",
    "opponent_frame": "opponents",
    "exclusive": "own side",
    "generic": "generic",
    "quoted": "quoted",
    "other": "other",
}
"""What a page calls the kinds of "we"."""

BlockKey = tuple[str, str, int, int]


def anchor(battle_id: str) -> str:
    """Return the fragment of a battle: its id, or, where an address could not carry it, a digest of it."""
    plain = re.fullmatch(r"[\w./~=:+-]{1,200}", battle_id, re.ASCII)
    return f"battle-{battle_id}" if plain else f"battle-{_digest(battle_id)[:16]}"


def segments(text: str, mentions: Iterable[Mention]) -> tuple[Segment, ...]:
    """Cut a text at its mentions by code points; one that overlaps the mention before it, or leaves the text, is not marked."""
    runs: list[tuple[str, Mention | None]] = []
    last = 0
    for mention in sorted(mentions, key=lambda item: (item.start, item.end)):
        if mention.start < last or not mention.start < mention.end <= len(text):
            continue
        runs += [(text[last : mention.start], None), (text[mention.start : mention.end], mention)]
        last = mention.end
    runs.append((text[last:], None))
    return tuple(Segment(pieces=tuple(pieces(run)), mention=mention) for run, mention in runs if run)


def viewer(given: ReportInput) -> Viewer:
    """Return the blocks of the study; beyond `battles_shown`, whole blocks drawn by a hash of their key: pairs stay together."""
    blocks: dict[BlockKey, list[Transcript]] = {}
    for battle in given.transcripts:
        blocks.setdefault(_key(battle), []).append(battle)
    order = [arm.arm for arm in rows.arms(given.analysis)]
    order += sorted({battle.identity for battle in given.transcripts} - set(order))
    kept = _sample(blocks, given.battles_shown)
    moves = _moves(given)
    views = [_block(given, key, blocks[key], order, moves) for key in sorted(kept)]
    battles = [battle for block in views for battle in block.battles]
    present = {battle.arm for battle in battles}
    return Viewer(
        blocks=tuple(views),
        shown=len(battles),
        total=len(given.transcripts),
        arms=tuple(arm for arm in order if arm in present),
        scenarios=tuple(sorted({battle.scenario for battle in battles})),
        endings=tuple(sorted({battle.ending for battle in battles})),
        labels=tuple(sorted({label for battle in battles for label in battle.labels})),
    )


def _key(battle: Transcript) -> BlockKey:
    return battle.scenario, battle.pairing, battle.opener, battle.replicate


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _sample(blocks: dict[BlockKey, list[Transcript]], limit: int) -> list[BlockKey]:
    kept: list[BlockKey] = []
    battles = characters = 0
    for key in sorted(blocks, key=lambda key: _digest(repr(key))):
        size = sum(min(len(turn.text), LONGEST) for battle in blocks[key] for turn in (*battle.turns, *battle.check))
        if kept and (battles + len(blocks[key]) > limit or characters + size > TEXT_BUDGET):
            continue
        kept.append(key)
        battles, characters = battles + len(blocks[key]), characters + size
    return kept


def _moves(given: ReportInput) -> Mapping[tuple[str, int], MoveView]:
    """Return what each message of a game states, by battle and index."""
    if given.conduct is None:
        return {}
    columns = given.conduct.tables.moves[["battle_id", "index", "state", "move"]]
    return {
        (battle, index): _move(state, rows.text(text))
        for battle, index, state, text in columns.itertuples(index=False, name=None)
    }


def _move(state: str, text: str) -> MoveView:
    said = flat(text)
    said = said if len(said) <= LONGEST_MOVE else f"{said[:LONGEST_MOVE]}…"
    return MoveView(state, {"legal": f"move: {said}", "illegal": f"illegal move: {said}"}.get(state, "no move"))


def _block(
    given: ReportInput,
    key: BlockKey,
    battles: Sequence[Transcript],
    order: list[str],
    moves: Mapping[tuple[str, int], MoveView],
) -> BlockView:
    scenario, pairing, opener, replicate = key
    ordered = sorted(battles, key=lambda battle: (order.index(battle.identity), battle.battle_id))
    title = flat(f"{scenario}, {pairing}, opener {opener + 1}, replicate {replicate}")
    views = tuple(_battle(battle, given.detections.get(battle.battle_id, ()), moves) for battle in ordered)
    return BlockView(title=title, battles=views)


def _battle(battle: Transcript, detections: Sequence[Detection], moves: Mapping[tuple[str, int], MoveView]) -> BattleView:
    by_index = {detection.index: detection for detection in detections}
    here = anchor(battle.battle_id)
    messages = tuple(
        _message(turn, by_index.get(turn.index), here, moves.get((battle.battle_id, turn.index))) for turn in battle.turns
    )
    return BattleView(
        battle_id=flat(battle.battle_id),
        anchor=here,
        arm=battle.identity,
        scenario=flat(battle.scenario),
        ending=(battle.ending or battle.status).replace("_", " "),
        error=flat(battle.error or ""),
        models=tuple(dict.fromkeys(flat(agent.model or "model not known") for agent in battle.agents)),
        messages=messages,
        answers=tuple(
            AnswerView(flat(turn.agent), tuple(pieces(turn.text[:LONGEST])), max(0, len(turn.text) - LONGEST))
            for turn in battle.check
        ),
        with_ingroup=sum(message.ingroup for message in messages),
        labels=tuple(sorted({label for message in messages for label in _sought(message)})),
    )


def _sought(message: MessageView) -> Iterable[str]:
    """Yield what a battle can be looked for by: its labels, its kinds of "we", and moves that were not legal."""
    yield from (*message.labels, *message.kinds)
    if message.move is not None and message.move.state != "legal":
        yield f"{message.move.state} move"


def _message(turn: Turn, detection: Detection | None, battle: str, move: MoveView | None) -> MessageView:
    scored = turn.index > 0
    mentions = (detection.mentions or ()) if detection is not None and scored else ()
    labels = detection.labels if detection is not None and scored else {}
    return MessageView(
        index=turn.index,
        anchor=f"{battle}-{turn.index}",
        agent=flat(turn.agent),
        seat=turn.index % 2,
        segments=segments(turn.text[:LONGEST], mentions),
        labels=tuple(name.replace("_", " ") for name, present in labels.items() if present),
        kinds=tuple(f"“we”: {name}" for name in dict.fromkeys(MENTION_LABELS[mention.label] for mention in mentions)),
        ingroup=any(mention.label == "ingroup" for mention in mentions),
        unjudged=scored and (detection is None or detection.mentions is None),
        move=move,
        long=len(turn.text) > COLLAPSED,
        left_out=max(0, len(turn.text) - LONGEST),
    )

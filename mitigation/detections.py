"""What a detector saw in one battle, as the plain values that are stored, and back; a record knows whose words it judged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from mitigation.types import Detection, Mention, Transcript


def text_hash(battle: Transcript) -> str:
    """Return a fingerprint of all words of a battle."""
    return hashlib.sha256("\x1f".join(turn.text for turn in battle.turns).encode("utf-8", "replace")).hexdigest()[:16]


def record(
    battle: Transcript, found: Sequence[Detection], *, detector: str, version: str, digest: str, model: str | None = None
) -> dict[str, Any]:
    """Return the record of a battle; the detector's version and digest stand in each, so that no mixture goes unseen."""
    about = {"battle_id": battle.battle_id, "detector": detector, "version": version, "digest": digest}
    about |= {"model": model} if model else {}
    return {**about, "text_sha256": text_hash(battle), "turns": [_plain(seen) for seen in found]}


def fits(stored: Mapping[str, Any] | None, battle: Transcript, digest: str) -> bool:
    """Whether a stored record was made by the same detector of the same words."""
    return stored is not None and stored.get("digest") == digest and stored.get("text_sha256") == text_hash(battle)


def detections(stored: Mapping[str, Any]) -> tuple[Detection, ...]:
    """Return the detections in a record."""
    return tuple(
        Detection(
            index=turn["index"],
            mentions=None if turn["mentions"] is None else tuple(Mention(**mention) for mention in turn["mentions"]),
            labels=turn["labels"],
            evidence={label: (span[0], span[1]) for label, span in turn.get("evidence", {}).items()},
            fault=turn.get("fault", ""),
        )
        for turn in stored["turns"]
    )


def _plain(seen: Detection) -> dict[str, Any]:
    """Return a detection as plain values; `dataclasses.asdict` would copy every label one by one."""
    mentions = seen.mentions
    told = None if mentions is None else [{f: getattr(mention, f) for f in Mention.__slots__} for mention in mentions]
    plain = {"index": seen.index, "mentions": told, "labels": seen.labels, "evidence": seen.evidence}
    return plain | ({"fault": seen.fault} if seen.fault else {})

"""Small studies for the tests of figures and reports: arms, seeded battles, and an Analysis with given contrasts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from mitigation.analysis import Analysis
from mitigation.figures import rows
from mitigation.reporting import ReportInput
from mitigation.reporting.form import flagged
from mitigation.types import Agent, AnalysisPlan, Detection, Mention, Transcript, Turn

ARMS = ("control", "unique_disassociative", "placebo", "shared_group")
ROLES = {"control": "control", "placebo": "placebo", "shared_group": "positive_control"}
CHANCE = {"control": 0.5, "unique_disassociative": 0.2, "placebo": 0.45, "shared_group": 0.7}
WE = "Perhaps we could both admit that this is a draw, Robbie, though I still win."
NO_WE = "I am the stronger one here, and I win. Your last argument does not hold at all."

HOSTILE = (
    "<script>window.owned = 1; alert(1)</script>",
    "<img src=x onerror=alert(1)> we <svg onload=alert(1)></svg>",
    "</script></style></textarea></title><script>alert(1)</script>",
    '" onmouseover="alert(1)" autofocus onfocus="alert(1)',
    "javascript:alert(1) [x](javascript:alert(1)) ![](http://evil.example/?q=)",
    "{{7*7}} {% raw %} ${7*7} #{7*7} <%= 7*7 %>",
    "]]><!-- --> <![CDATA[ &lt;script&gt; &#60;script&#62;",
    "\x1b[31mred\x1b]52;c;YQ==\x07 \x9b \r\b\x00 bell",
    "\u202egnihtyna\u202c \u200bzero \ufeff \u2028 \u2066x w\u0435 say",
    "lone \ud83d surrogate, whole \U0001f469\u200d\U0001f4bb emoji",
    '=HYPERLINK("http://evil.example")',
    "[red]markup[/red] $\\frac{1}{0}$ \\input{/etc/passwd} a|b",
)

# Each of them in every place takes long; the four that have broken something before are tried every time.
HOSTILE_SHARED = [
    text if place in (7, 8, 9, 11) else pytest.param(text, marks=pytest.mark.long) for place, text in enumerate(HOSTILE)
]


def contrast(treatment: str = "unique_disassociative", **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "outcome": "ingroup_rate",
        "control": "control",
        "treatment": treatment,
        "n_control": 10,
        "n_treatment": 10,
    }
    row |= {"rate_control": 0.52, "rate_treatment": 0.24, "rate_ratio": 0.4615, "ratio_low": 0.21, "ratio_high": 0.84}
    row |= {"risk_difference": -0.3, "rd_low": -0.6, "rd_high": 0.08, "p_value": 0.0124, "p_adjusted": 0.0372}
    row |= {"test": "permutation of battles within strata, studentised, 10,000 draws", "verdict": "supported", "reasons": []}
    return row | changes


NO_RATIO: dict[str, Any] = {"rate_ratio": None, "ratio_low": None, "ratio_high": None}
OPEN = {"verdict": "underpowered", "reasons": ["neither an effect nor its absence is shown"]}
CONTRASTS = (
    contrast(),
    contrast(
        outcome="ingroup_any", rate_control=0.9, rate_treatment=0.6, p_value=0.121, p_adjusted=None, verdict=None, **NO_RATIO
    ),
    contrast(
        "placebo", rate_treatment=0.5, rate_ratio=0.9615, ratio_low=0.55, ratio_high=1.71, p_value=0.88, p_adjusted=0.88, **OPEN
    ),
    contrast("shared_group", rate_treatment=0.7, rate_ratio=1.346, ratio_low=0.93, ratio_high=None, p_value=0.061, **OPEN),
)


def transcript(arm: str, replicate: int, texts: Sequence[str], **changes: Any) -> Transcript:
    names = ("Bobby", "Robbie")
    spoken = ["I win, Robbie. Admit it.", *texts]
    plain = Transcript(
        battle_id=f"{arm}.egomaniac.embedded.{replicate:04d}",
        identity=arm,
        scenario="egomaniac",
        pairing="embedded",
        opener=replicate % 2,
        replicate=replicate,
        seed=replicate,
        wording=(None, None),
        status="complete",
        ending="message_limit",
        run_order=replicate,
        started_at=None,
        finished_at=None,
        agents=tuple(Agent(name=name, model="smollm2", provider="embedded", temperature=0.8) for name in names),
        turns=tuple(Turn(index=i, agent=names[i % 2], text=text) for i, text in enumerate(spoken)),
    )
    return replace(plain, **changes)


def fight(arms: Sequence[str] = ARMS, replicates: int = 10, messages: int = 5, seed: int = 1) -> list[Transcript]:
    rng = random.Random(seed)

    def says(arm: str) -> list[str]:
        return [WE if rng.random() < CHANCE.get(arm, 0.4) else NO_WE for _ in range(messages)]

    return [transcript(arm, i, says(arm)) for i in range(replicates) for arm in arms]


def detect(battle: Transcript) -> tuple[Detection, ...]:
    """Find the first " we " of each message."""
    found = []
    for turn in battle.replies:
        at = turn.text.find(" we ")
        mention = Mention(label="ingroup", tier="dyadic", start=at + 1, end=at + 3, text="we", reason="addresses the other agent")
        found.append(
            Detection(index=turn.index, mentions=(mention,) if at >= 0 else (), labels={"win_claim": "I win" in turn.text})
        )
    return tuple(found)


def study(
    battles: Sequence[Transcript] | None = None, contrasts: Sequence[dict[str, Any]] = CONTRASTS, **changes: Any
) -> ReportInput:
    """Return a report's input; the rates by arm are computed from the battles, the contrasts are given."""
    battles = fight() if battles is None else battles
    detections = {battle.battle_id: detect(battle) for battle in battles}
    frame = battle_frame(battles, detections)
    arms = list(dict.fromkeys(frame["arm"]))
    analysis = Analysis(
        study="demo",
        plan=AnalysisPlan(),
        contrasts=pd.DataFrame(list(contrasts), columns=list(contrast()), dtype=object),
        arms=arm_frame(frame),
        battles=frame,
        missingness=pd.DataFrame({"treatment": arms[1:], "missing_treatment": 0, "worst_ratio": None, "agree": True}),
        notes=(),
    )
    texts = {arm: () if arm == "control" else (f"You are one of a kind ({arm}).", "You belong to nobody.") for arm in ARMS}
    given: dict[str, Any] = {"analysis": analysis, "messages": message_frame(battles, detections), "transcripts": tuple(battles)}
    given |= {"detections": detections, "identities": texts, "detector": "lexical 1 (sha256 0123abcd)"}
    given |= {"provenance": {"version": "0.1.0", "seed": "0", "reproduce": "mitigation report study=demo"}}
    given |= changes
    fought = given["transcripts"]
    given.setdefault("form", flagged(fought, [arm.arm for arm in rows.arms(analysis)]) if fought else None)
    return ReportInput(**given)


def altered(given: ReportInput, **changes: Any) -> ReportInput:
    """Return the input with fields of its analysis replaced."""
    return replace(given, analysis=replace(given.analysis, **changes))


def message_frame(battles: Sequence[Transcript], detections: dict[str, tuple[Detection, ...]]) -> pd.DataFrame:
    rows = []
    for battle in battles:
        for seen in detections[battle.battle_id]:
            row: dict[str, Any] = {"battle_id": battle.battle_id, "arm": battle.identity, "scenario": battle.scenario}
            row |= {"pairing": battle.pairing, "stratum": f"{battle.scenario}/{battle.opener}", "index": seen.index}
            row |= {"agent": battle.turns[seen.index].agent, "words": len(battle.turns[seen.index].text.split())}
            rows.append(row | {"ingroup": bool(seen.mentions), "strict": bool(seen.mentions), "social": False})
    return pd.DataFrame(rows)


def battle_frame(battles: Sequence[Transcript], detections: dict[str, tuple[Detection, ...]]) -> pd.DataFrame:
    rows = []
    for battle in battles:
        with_we = sum(bool(seen.mentions) for seen in detections[battle.battle_id])
        row: dict[str, Any] = {"battle_id": battle.battle_id, "arm": battle.identity, "scenario": battle.scenario}
        row |= {"pairing": battle.pairing, "opener": battle.opener, "stratum": f"{battle.scenario}/{battle.opener}"}
        row |= {"replicate": battle.replicate, "status": battle.status, "ending": battle.ending, "messages": len(battle.replies)}
        row |= {"words": sum(len(turn.text.split()) for turn in battle.replies), "ingroup_messages": with_we}
        done = battle.status == "complete" and battle.replies
        rows.append(row | {"rate": with_we / len(battle.replies) if done else None})
    return pd.DataFrame(rows, columns=None if rows else ["battle_id", "arm", "stratum", "status", "rate"])


def arm_frame(battles: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for arm, every in battles.groupby("arm", sort=False):
        rate = every["rate"].dropna().astype(float)
        half = 1.96 * rate.std() / len(rate) ** 0.5 if len(rate) > 1 else None
        row: dict[str, Any] = {"arm": arm, "role": ROLES.get(str(arm), "treatment"), "expected": "less", "planned": len(every)}
        row |= {s: int((every["status"] == s).sum()) for s in ("complete", "refused", "failed", "pending", "excluded")}
        row |= {
            "scored": len(rate),
            "no_exposure": 0,
            "battles_any": int((rate > 0).sum()),
            "rate": rate.mean() if len(rate) else None,
        }
        row |= {"rate_low": None if half is None else max(0.0, rate.mean() - half)}
        row |= {"rate_high": None if half is None else min(1.0, rate.mean() + half)}
        row |= {
            "messages": int(every["messages"].sum()),
            "words": int(every["words"].sum()),
            "mean_messages": every["messages"].mean(),
        }
        rows.append(row)
    return pd.DataFrame(rows, columns=None if rows else ["arm", "role", "planned", "pending", "scored", "rate"])

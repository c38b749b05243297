"""The iterated prisoner's dilemma with alternating moves (Nowak & Sigmund 1994, Frean 1994), played as a donation game.

In each message the agent that speaks shares (it pays 1 coin and the other receives 3) or keeps (nothing changes). Over one move
of each side that gives T = 3 to who keeps while the other shares, R = 2 to both when both share, P = 0 to both when both keep and
S = -1 to who shares alone: T > R > P > S and 2 R > T + S. Moves alternate as messages do, so that no move has to be hidden.
"""

from __future__ import annotations

from typing import Final

from mitigation.games.additive import AdditiveGame, Choice

COST: Final = 1.0
BENEFIT: Final = 3.0

PRISONERS_DILEMMA: Final = AdditiveGame(
    name="prisoners_dilemma",
    form="MOVE: SHARE or MOVE: KEEP",
    keyword="move",
    choices={
        "share": Choice(cooperation=1.0, own=-COST, other=BENEFIT),
        "keep": Choice(cooperation=0.0, own=0.0, other=0.0),
    },
)

"""The linear public goods game for two with alternating moves.

In each message the agent that speaks receives 10 coins and gives g = 0, 1, … 10 of them into a pot, which is multiplied by 1.5
and split equally: it ends the move with 10 - g + 0.75 g more, the other with 0.75 g more. A coin given returns 0.75 to who gives
it and makes 1.5 in all, so giving everything is best for both together and giving nothing best for oneself. Only the whole
numbers from 0 to 10 in digits are legal; "4.5", "11", "-1", "04" and "four" are not.
"""

from __future__ import annotations

from typing import Final

from mitigation.games.additive import AdditiveGame, Choice

COINS: Final = 10
SHARE: Final = 1.5 / 2

PUBLIC_GOODS: Final = AdditiveGame(
    name="public_goods",
    form=f"GIVE: and a whole number from 0 to {COINS}",
    keyword="give",
    choices={
        f"{g}{unit}": Choice(cooperation=g / COINS, own=COINS - g + SHARE * g, other=SHARE * g)
        for g in range(COINS + 1)
        for unit in ("", " coin", " coins")
    },
)

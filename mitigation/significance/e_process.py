"""Differences of blocks in the order they were fought in, evidence that is valid whenever one looks, out.

A bettor starts with 1 and stakes on each block's difference d in [-1, 1] a share that only earlier blocks decide: wealth is
multiplied by 1 + share * d. If differences average 0 given the past, wealth is a martingale, so that it ever exceeds 1 / alpha
with a chance of at most alpha (Ville 1939): one may look after every block, and stop when one likes. The share follows the
approximate growth rule of Waudby-Smith & Ramdas (2024), mean / (variance + mean^2), cut at one half; its sign may change, which
makes the test two-sided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitigation.errors import AnalysisError

MOST: Final = 0.5
"""Largest share that is staked: a single block at most halves the wealth, or multiplies it by 1.5."""
_PRIOR: Final = 0.25
"""Variance of one difference that is taken for granted before the first block."""


@dataclass(frozen=True, slots=True, eq=False)
class EProcess:
    """Wealth after each block, shape (blocks,); `e_value` is the last one, `p_value` 1 over the largest so far, at most 1."""

    wealth: NDArray[np.float64]

    @property
    def e_value(self) -> float:
        """Wealth after the last block; 1 before the first."""
        return float(self.wealth[-1]) if self.wealth.size else 1.0

    @property
    def p_value(self) -> float:
        """P value that is valid at any time: it never rises."""
        return min(1.0, 1.0 / max(1.0, float(self.wealth.max(initial=1.0))))


def e_process(differences: ArrayLike) -> EProcess:
    """Bet against differences that average 0.

    Args:
        differences: rate of the treatment minus that of the control in each block, in the order of the blocks, each in [-1, 1].

    Raises:
        AnalysisError: a difference is not finite or outside of [-1, 1].
    """
    given = np.asarray(differences, dtype=np.float64)
    if given.ndim != 1 or not np.isfinite(given).all() or np.any(np.abs(given) > 1):
        raise AnalysisError(
            "a difference is not finite or outside of -1 to 1: rates of messages and of words lie between 0 and 1"
        )
    seen = np.arange(given.size)  # blocks before each one
    before = np.concatenate([[0.0], np.cumsum(given)[:-1]]) if given.size else given
    squares = np.concatenate([[0.0], np.cumsum(given**2)[:-1]]) if given.size else given
    mean = before / (seen + 1)
    variance = (_PRIOR + squares - 2 * mean * before + seen * mean**2) / (seen + 1)
    share = np.clip(mean / (variance + mean**2), -MOST, MOST)
    wealth: NDArray[np.float64] = np.cumprod(1 + share * given, dtype=np.float64)
    return EProcess(wealth)

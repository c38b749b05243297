"""p values of one family in, Holm's adjusted p values out."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p values in the given order: the running maximum of (m - rank) * p, at most 1 (Holm 1979).

    None stands for a comparison that was not tested; it stays None and does not count into the family of m.
    """
    ranked = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    reached = 0.0
    for rank, (p, i) in enumerate(ranked):
        reached = max(reached, min(1.0, (len(ranked) - rank) * p))
        adjusted[i] = reached
    return adjusted

"""Ratings for the tests of agreement: what several raters could say of the same battles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from hypothesis import strategies as st

from mitigation.types import LABELS, Detection, Label, Mention, Tier

Rater = Mapping[str, Sequence[Detection]]


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def mention(label: Label, start: int = 0, *, tier: Tier | None = None) -> Mention:
    tier = tier or ("dyadic" if label == "ingroup" else None)
    return Mention(label=label, tier=tier, start=start, end=start + 2, text="we", reason="")


def message(index: int, *labels: Label | None, **of_message: bool | None) -> Detection:
    """Return a message with a mention every ten characters; a label None is a place that this rater did not mark."""
    found = tuple(mention(label, 10 * i) for i, label in enumerate(labels) if label)
    return Detection(index=index, mentions=found, labels=of_message)


def unjudged(index: int) -> Detection:
    return Detection(index=index, mentions=None, labels={})


@st.composite
def rated(draw: Callable, raters: int = 2) -> list[Rater]:
    """Draw raters of the same battles, who may miss a mention, differ, or be unable to judge."""
    shape = draw(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=3), min_size=1, max_size=4))
    seen = st.sampled_from([*LABELS, None])
    return [
        {
            f"b{i}": [
                message(j + 1, *(draw(seen) for _ in range(places)), concede=draw(st.sampled_from([True, False, None])))
                if draw(st.integers(0, 9))
                else unjudged(j + 1)
                for j, places in enumerate(battle)
            ]
            for i, battle in enumerate(shape)
        }
        for _ in range(raters)
    ]

"""The number of planned looks in, the boundary of O'Brien & Fleming (1979) and p values that allow for every look out.

At look k of K, with k / K of the blocks, a z statistic behaves as B(k / K) / sqrt(k / K) of a Brownian motion B. The boundary is
|z| >= c sqrt(K / k), that is |B(k / K)| >= c at every look alike, and the chance to cross it at any look is the overall level.
It is found by integrating from look to look (Armitage, McPherson & Rowe 1969; Jennison & Turnbull 2000, section 2 and table 2.3).
"""

from __future__ import annotations

from math import sqrt
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from mitigation.checks import check_int

MOST: Final = 20
"""Most looks of a plan."""
_NODES: Final = 200
"""Points of integration between the two boundaries: the level is then exact to 1e-10 for up to `MOST` looks."""
_CERTAIN: Final = 1e-300


def overall_level(constant: float, looks: int) -> float:
    """Return the chance that |B| reaches `constant` at one of K evenly spaced looks, B(1) having variance 1.

    Raises:
        ConfigError: the number of looks is not between 1 and `MOST`.
    """
    check_int(looks, "looks", low=1, high=MOST)
    if constant <= 0:
        return 1.0
    step = sqrt(1 / looks)
    point, weight = np.polynomial.legendre.leggauss(_NODES)
    place, width = constant * point, constant * weight
    crossed, density = 2 * float(norm.sf(constant / step)), norm.pdf(place / step) / step
    move = norm.pdf((place[:, np.newaxis] - place) / step) / step * width
    leave = width * (norm.sf((constant - place) / step) + norm.sf((constant + place) / step))
    for _ in range(looks - 1):
        crossed += float(leave @ density)
        density = move @ density
    return min(1.0, crossed)


def boundary(alpha: float, looks: int) -> float:
    """Return c, so that |z| >= c sqrt(K / k) at one of K looks has the chance `alpha` where nothing differs."""
    return float(brentq(lambda constant: overall_level(constant, looks) - alpha, 0.0, 12.0, xtol=1e-12))


def nominal_level(alpha: float, look: int, looks: int) -> float:
    """Return the two-sided level of a single test at look k of K, of which `alpha` is the overall level."""
    return alpha if looks == 1 else 2 * float(norm.sf(boundary(alpha, looks) * sqrt(looks / look)))


def repeated_p(p_value: float, look: int, looks: int) -> float:
    """Return the repeated p value: the smallest overall level whose boundary a two-sided p at look k of K reaches.

    Where nothing differs, the chance that it falls to a level or below at any look is that level at the most (Jennison &
    Turnbull 2000, section 9.5); with one look it is the p value itself.
    """
    if looks == 1:
        return p_value
    return overall_level(float(norm.isf(max(p_value, _CERTAIN) / 2)) * sqrt(look / looks), looks)

"""Counts, exposures, arms and strata in; the rate ratio of a Poisson GEE with a small-sample covariance, out.

Log link, offset log(exposure), stratum dummies, independence as the working correlation, battles as clusters. The covariance is
the bias-reduced one of Mancl & DeRouen (2001), and Student's t with G - p degrees of freedom stands in for the normal
distribution (G clusters, p coefficients). Arm and stratum are constant within a battle, so its messages add up to one row, the
leverage of a battle is one number h, and the covariance is A (sum x x' e^2 / (1 - h)^2) A with A = (X' M X)^-1.

This ratio is one of pooled rates, in which long battles count more; the primary analysis takes each battle once.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitigation.errors import AnalysisError
from mitigation.estimates import shared_strata

Floats = NDArray[np.float64]

_FULL: Final = 1 - 1e-9
"""A battle of this leverage alone decides a coefficient: its residual says nothing."""
FEWEST: Final = 4
"""With fewer battles of an arm the covariance is far too small: with two against twelve a true null was rejected in 12 %."""
_ZERO: Final = 1e-12
"""A variance of a logarithm below this is rounding error."""


@dataclass(frozen=True, slots=True)
class GeeResult:
    """One fit.

    Attributes:
        ratio, low, high: pooled rate ratio, treated / control, with its interval.
        p_value: two-sided, of the ratio 1.
        error: standard error of the log ratio.
        freedom: degrees of freedom of Student's t.
        clusters: battles used.
        heterogeneity: p value of equal ratios in all groups (F with as many numerator degrees of freedom as groups less one), or
            None where no groups were given or one of them holds fewer than `FEWEST` battles, or no event, of an arm.
    """

    ratio: float
    low: float
    high: float
    p_value: float
    error: float
    freedom: int
    clusters: int
    heterogeneity: float | None = None


def poisson_gee(
    counts: ArrayLike,
    exposure: ArrayLike,
    treated: ArrayLike,
    strata: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
) -> GeeResult:
    """Fit the model; every argument has one entry a battle.

    Args:
        counts: events of each battle, at least 0.
        exposure: messages or words of each battle, above 0.
        treated: True for battles of the treated arm.
        strata: stratum of each battle; None puts all into one. Strata without an event or with one arm tell nothing of the ratio
            and are left out.
        groups: level of each battle of something that the ratio might depend on.

    Raises:
        AnalysisError: an arm has no event (a likelihood would put the ratio at 0 or infinity, with a standard error that means
            nothing), too few battles, or the fit does not converge.
    """
    y, n = np.asarray(counts, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    label = np.asarray(treated, dtype=np.bool_)
    names = (np.zeros(label.shape, dtype=np.int8) if strata is None else np.asarray(strata)).astype(str)
    if not (y.shape == n.shape == label.shape == names.shape) or y.ndim != 1:
        raise AnalysisError("counts, exposure, treated and strata must be equally long lists")
    if not (np.isfinite(y).all() and np.isfinite(n).all() and (y >= 0).all() and (n > 0).all()):
        raise AnalysisError("a count is negative or not finite, or a battle has no exposure")
    eventful = {name for name in np.unique(names) if y[names == name].sum() > 0}
    keep = shared_strata(label, names) & np.isin(names, sorted(eventful))
    y, n, label, names = y[keep], n[keep], label[keep], names[keep]
    _check_events(y, label, names)
    dummies = names[:, np.newaxis] == np.unique(names)
    order = np.lexsort((y, n, label, names))  # the same sums whatever the order of the rows
    design = np.column_stack([label, dummies]).astype(np.float64)
    beta, covariance = _fit(y[order], n[order], design[order])
    freedom = y.size - design.shape[1]
    from scipy.stats import t

    if covariance[0, 0] < _ZERO:
        raise AnalysisError("no battle differs from another of its arm: a model of rates has no error to tell")
    error = float(np.sqrt(covariance[0, 0]))
    reach = float(t.isf((1 - confidence) / 2, freedom)) * error
    p_value = float(2 * t.sf(abs(beta[0]) / error, freedom))
    level = None if groups is None else np.asarray(groups).astype(str)[keep][order]
    differs = None if level is None else _heterogeneity(y[order], n[order], design[order], level)
    ends = exp(beta[0] - reach), exp(beta[0] + reach)
    return GeeResult(exp(beta[0]), *ends, p_value, error, freedom, y.size, differs)


def _check_events(y: Floats, label: NDArray[np.bool_], names: NDArray[Any]) -> None:
    for side, arm in ((label, "treated"), (~label, "control")):
        if 0 < side.sum() < FEWEST:
            raise AnalysisError(f"the {arm} arm has {side.sum()} battles: a model of rates needs {FEWEST} of each")
        if not y[side].sum() > 0:
            raise AnalysisError(f"the {arm} arm has no event: a model of rates has nothing to stand on")
    freedom = y.size - np.unique(names).size - 1
    if freedom < 1:
        raise AnalysisError(f"{y.size} battles in {np.unique(names).size} strata leave no degree of freedom")


def _fit(y: Floats, n: Floats, design: Floats) -> tuple[Floats, Floats]:
    """Return coefficients and their bias-reduced covariance; the fit itself is that of statsmodels."""
    import warnings

    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whether it converged is asked below
        found = GLM(y, design, family=Poisson(), offset=np.log(n)).fit(maxiter=200, tol=1e-12, tol_criterion="params")
    if not found.converged or not np.isfinite(found.params).all():
        raise AnalysisError("the model of rates does not converge")
    mean: Floats = np.asarray(found.fittedvalues, dtype=np.float64)
    bread = np.linalg.pinv(design.T @ (mean[:, np.newaxis] * design))
    leverage = mean * np.einsum("ij,jk,ik->i", design, bread, design)
    if leverage.max() >= _FULL:
        raise AnalysisError("a battle stands alone for a coefficient of the model: its error cannot be told")
    scores = design * ((y - mean) / (1 - leverage))[:, np.newaxis]
    return np.asarray(found.params, dtype=np.float64), bread @ (scores.T @ scores) @ bread


def _heterogeneity(y: Floats, n: Floats, design: Floats, level: NDArray[np.str_]) -> float | None:
    """Test whether the ratio differs between levels: a Wald test of the products of arm and level."""
    label, present = design[:, 0] == 1, np.unique(level)
    cells = [(level == name) & side for name in present for side in (label, ~label)]
    if present.size < 2 or any(cell.sum() < FEWEST or not y[cell].sum() > 0 for cell in cells):
        return None
    products = [(label & (level == name)).astype(np.float64) for name in present[1:]]
    wide = np.column_stack([design, *products])
    freedom, extra = y.size - wide.shape[1], len(products)
    if freedom < 1:
        return None
    try:
        beta, covariance = _fit(y, n, wide)
    except AnalysisError:
        return None
    from scipy.stats import f

    shift, spread = beta[-extra:], covariance[-extra:, -extra:]
    if np.linalg.matrix_rank(spread, hermitian=True) < extra:
        return None
    wald = float(shift @ np.linalg.pinv(spread) @ shift) / extra
    return float(f.sf(wald, extra, freedom))

"""Numbers of a comparison in, the words in which reasons give them out; infinity is never named."""

from __future__ import annotations

from mitigation.contrasts import Comparison
from mitigation.significance.jackknife import JackknifeResult


def limits(comparison: Comparison) -> str:
    """Say the ratio's interval in words, without ever naming infinity."""
    low, high = comparison.ratio.low, comparison.ratio.high
    if high is None:
        return f"at least {number(low)}" if low else "no bound"
    return f"{number(low)} to {number(high)}" if low else f"at most {number(high)}"


def brief(comparison: Comparison) -> str:
    """Say both rates and the p value of a comparison."""
    if comparison.rate_control is None:
        return comparison.blocked or "no battles left"
    rates = f"rate {number(comparison.rate_treatment)} against {number(comparison.rate_control)}"
    return rates if comparison.p_value is None else f"{rates}, p {number(comparison.p_value)}"


def points(effect: Comparison) -> str:
    """Say a risk difference with its interval, in percentage points."""
    risk = effect.risk
    if risk is None or risk.low is None or risk.high is None:
        return "not estimable"
    # z: the sign of a zero that only rounding made negative depends on the processor.
    return f"{100 * risk.estimate:+z.1f} points ({100 * risk.low:+z.1f} to {100 * risk.high:+z.1f})"


def number(value: float | None) -> str:
    """Say a number with three digits."""
    return "not estimable" if value is None else f"{value:.3g}"


def generality(over: JackknifeResult | str | None, *, falls: bool, alpha: float) -> tuple[str, ...]:
    """Say whether an effect is one of these wordings only: battles were permuted, and many of them share a wording.

    Args:
        over: ratio with an interval over wordings, or why there is none; None for an arm without a bank.
        falls: whether the effect is a fall.
    """
    if over is None:
        return ()
    if isinstance(over, str):
        return (f"speaks of these wordings only: {over}",)
    interval = f"{number(over.ratio)} (95% interval {number(over.low)} to {number(over.high)}, p {number(over.p_value)})"
    said = f"the ratio with an interval over {over.wordings} wordings is {interval}"
    holds = over.p_value <= alpha and (over.ratio < 1) == falls
    return (f"{'holds for wordings like these' if holds else 'speaks of these wordings only'}: {said}",)

"""An Analysis in, matplotlib Figures out: rates by arm, forest of rate ratios, trajectory by message; each with its data."""

from __future__ import annotations

from mitigation.figures.forest import forest, forest_data
from mitigation.figures.power import power_curve, power_data
from mitigation.figures.rates import crowded, rates, rates_data
from mitigation.figures.trajectory import trajectory, trajectory_data

__all__ = [
    "crowded", "forest", "forest_data", "power_curve", "power_data", "rates", "rates_data", "trajectory", "trajectory_data",
]  # fmt: skip

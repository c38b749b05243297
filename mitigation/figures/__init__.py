"""An Analysis in, matplotlib Figures out, one file each: what it draws as a table, and the drawing."""

from __future__ import annotations

from mitigation.figures.conduct import conduct, conduct_data
from mitigation.figures.detector import detector, detector_data
from mitigation.figures.forest import forest, forest_data
from mitigation.figures.heat import heat, heat_data
from mitigation.figures.missing import missing, missing_data
from mitigation.figures.onset import onset, onset_data
from mitigation.figures.power import power_curve, power_data
from mitigation.figures.rates import crowded, rates, rates_data
from mitigation.figures.studies import studies, studies_data
from mitigation.figures.trajectory import trajectory, trajectory_data
from mitigation.figures.tree import tree, tree_data

__all__ = [
    "conduct", "conduct_data", "crowded", "detector", "detector_data", "forest", "forest_data", "heat", "heat_data",
    "missing", "missing_data", "onset", "onset_data", "power_curve", "power_data", "rates", "rates_data", "studies",
    "studies_data", "trajectory", "trajectory_data", "tree", "tree_data",
]  # fmt: skip

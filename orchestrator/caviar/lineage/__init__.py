"""Families of sweeps: which came of which, the best of them all, and what the next one would be."""

from caviar.lineage.best import Relative, best_of_family
from caviar.lineage.family import ancestors, children, family, twin_of
from caviar.lineage.offspring import need_points, next_round, zoom_into, zoom_plan

__all__ = [
    "Relative",
    "ancestors",
    "best_of_family",
    "children",
    "family",
    "need_points",
    "next_round",
    "twin_of",
    "zoom_into",
    "zoom_plan",
]

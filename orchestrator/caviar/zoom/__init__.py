"""Coarse to fine: from the trials of a sweep to a smaller space round the best of them. Pure; reads no store."""

from caviar.zoom.box import MARGIN, Box
from caviar.zoom.places import drawn_box, places_in
from caviar.zoom.refine import Change, Zoom, few, refine

__all__ = ["MARGIN", "Box", "Change", "Zoom", "drawn_box", "few", "places_in", "refine"]

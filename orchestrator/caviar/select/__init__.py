"""Which trial is the best, and by which rule."""

from caviar.select.selector import Candidate, Selection, select

__all__ = ["Candidate", "Selection", "select"]

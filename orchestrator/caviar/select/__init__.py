"""Which trial is the best, and by which rule."""

from caviar.select.given import as_given
from caviar.select.selector import Candidate, Selection, select

__all__ = ["Candidate", "Selection", "as_given", "select"]

"""Guided search: which point is tried next, given what was reported so far."""

from caviar.searching.local import Local
from caviar.searching.searcher import Proposal, Searcher
from caviar.searching.thompson import Thompson

__all__ = ["Local", "Proposal", "Searcher", "Thompson"]

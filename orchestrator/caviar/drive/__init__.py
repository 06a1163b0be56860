"""Runs a sweep, or the rest of one: the rooms put together."""

from caviar.drive.drive import hold_parent, run_child, run_sweep
from caviar.drive.resume import resume_sweep

__all__ = ["hold_parent", "resume_sweep", "run_child", "run_sweep"]

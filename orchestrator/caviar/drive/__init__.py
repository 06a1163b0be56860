"""Runs a sweep, or the rest of one: the rooms put together."""

from caviar.drive.drive import resume_sweep, run_child, run_sweep

__all__ = ["resume_sweep", "run_child", "run_sweep"]

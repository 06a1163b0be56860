"""The public Python interface: what a sweep is, and what it found."""

from caviar.sweep.sweep import Sweep

__all__ = ["Sweep"]

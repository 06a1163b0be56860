"""Pictures as SVG text that any browser shows, made without a plotting library."""

from caviar.plot.picture import Dot, picture

__all__ = ["Dot", "picture"]

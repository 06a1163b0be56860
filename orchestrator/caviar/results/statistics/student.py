"""Student's t distribution, without the second that importing scipy.stats takes."""

from __future__ import annotations

from scipy import special


def two_sided_p(t: float, freedom: float) -> float:
    """The probability that |T| ≥ |t|, of Student's t with `freedom` degrees of freedom (> 0)."""
    return float(2 * special.stdtr(freedom, -abs(t)))


def quantile(p: float, freedom: float) -> float:
    """The value below which Student's t with `freedom` degrees of freedom (> 0) lies with probability p."""
    return float(special.stdtrit(freedom, p))
